"""The HTML page of a set of revisions."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from seqdesign.config import jsonable
from seqdesign.design.records import Revision, RevisionSummary
from seqdesign.models.vae.sections import sections
from seqdesign.models.vae.store import VAERecord
from seqdesign.objectives.reading import MORE, Wanted
from seqdesign.ordering.designs import wanted_by
from seqdesign.pages.answers import designs_answer, order_files
from seqdesign.pages.constraints import check
from seqdesign.pages.design_sections import add_design_sections
from seqdesign.pages.designed import DesignSet
from seqdesign.pages.methods import add_methods
from seqdesign.reports.html import Page
from seqdesign.runs.manifest import Manifest, provenance, training_warnings
from seqdesign.runs.progress import phase
from seqdesign.training.measured import measured_range


@phase("writing the page")
def revision_page(
    revisions: Sequence[Revision],
    summary: RevisionSummary,
    record: VAERecord,
    model: Path | None,
    manifest: Manifest,
    *,
    rules: Mapping[str, Any],
    method: str,
    judge: Path | None = None,
) -> Page:
    """The page that ``revise --report`` writes.

    model: folder of the VAE, if it has one; what it was trained on gives the measured range. judge: folder
    of the predictor that judged. rules: options of ``ConstraintOptions``.
    """
    option = manifest.config
    page = Page("Revised sequences", provenance=provenance(manifest))
    page.warnings([line.removeprefix("warning: ") for line in summary.lines() if line.startswith("warning")])
    page.warnings([*training_warnings(model), *training_warnings(judge)])
    designs = revised_set(revisions, wanted_by(option))
    outcome = record.outcome or "outcome"
    measured = measured_range(judge or model, outcome)
    checked = check(designs, rules, record.alphabet)
    want = "lower" if option.get("minimize") else "higher"
    if option.get("target") is not None:
        want = f"nearer to {option['target']}"
    asked = (
        f"Each of {summary.inputs:,} sequences of {option.get('input', 'the input')} made into one with "
        f"{want} {outcome} that stays natural, by {model or 'the model'}."
    )
    files = order_files(option.get("output"), option.get("table"), len(designs))
    page.answer = designs_answer(
        designs,
        asked=asked,
        measured=measured,
        rules=checked.rows,
        files=files,
        doubts=training_warnings(judge or model),
    )
    score = f"predicted {outcome}"
    add_design_sections(
        page, designs, checked, record.alphabet, name="revisions", score=score, measured=measured
    )
    if model is not None:
        sections(page, model, {})
    add_methods(page, manifest, {"summary": jsonable(summary), "method": method})
    return page


def revised_set(revisions: Sequence[Revision], wanted: Wanted = MORE) -> DesignSet:
    """The revisions as designs, and what is wanted of them."""
    rows = []
    for revision in revisions:
        row = revision.row()
        rows.append({"id": row.pop("id"), "sequence": row.pop("revised"), **row})
    return DesignSet(rows, wanted)
