"""The HTML page of a set of designs: the answer, the designs, and whether they can be believed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from seqdesign.config import jsonable
from seqdesign.objectives.reading import Reading
from seqdesign.ordering.designs import wanted_by
from seqdesign.pages.answers import asked_of_maximize, designs_answer, order_files
from seqdesign.pages.constraints import check
from seqdesign.pages.design_sections import add_asked, add_design_sections
from seqdesign.pages.designed import DesignSet
from seqdesign.pages.methods import add_methods
from seqdesign.reports.html import Page, Table
from seqdesign.reports.tables import Column
from seqdesign.runs.manifest import Manifest, provenance
from seqdesign.runs.progress import phase

if TYPE_CHECKING:
    from seqdesign.design.records import Design, DesignSummary
    from seqdesign.sequences.alphabets import Alphabet


@phase("writing the page")
def design_page(
    designs: Sequence[Design],
    summary: DesignSummary,
    alphabet: Alphabet,
    manifest: Manifest,
    *,
    model: str,
    method: str,
    rules: Mapping[str, Any],
) -> Page:
    """The page that ``maximize --report`` writes; at least one design.

    model, method: how to call them. rules: options of ``ConstraintOptions``.
    """
    said = jsonable(summary)
    option = manifest.config
    page = Page("Designed sequences", provenance=provenance(manifest, {"method": method}))
    page.warnings(summary.warnings)
    promised = None if summary.promise is None else summary.promise.text(Reading(summary.kind))
    asked = asked_of_maximize(option, said, model)
    rows = [d.row() for d in designs if d.status != "rejected"]
    delivered = DesignSet(rows, wanted_by(option))
    if delivered:
        checked = check(delivered, rules, alphabet)
        files = order_files(option.get("output"), option.get("table"), len(delivered))
        page.answer = designs_answer(
            delivered,
            asked=asked,
            measured=said["measured"],
            rules=checked.rows,
            summary=said,
            files=files,
            doubts=summary.warnings,
        )
        score = f"{delivered.reading.name} ({summary.objective})"
        add_design_sections(
            page, delivered, checked, alphabet, name="designs", score=score, measured=said["measured"]
        )
    add_asked(page, said, promised)
    rejected = [d for d in designs if d.status == "rejected"]
    if rejected:
        why = [{"id": d.id, "sequence": d.sequence, "reason": d.reason} for d in rejected]
        columns: list[Column | str] = ["id", "reason", Column("sequence", sequence=True)]
        page.section("Rejected", "", tables=[Table(why, columns, f"{len(why):,} sequences.", "rejected")])
    add_methods(page, manifest, {"summary": said, "method": method})
    return page
