"""The HTML page of a set of designs: what was asked, whether it can be believed, and the designs."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from seqdesign.config import jsonable
from seqdesign.pages.design_sections import (
    add_asked,
    add_designs,
    add_logos,
    add_outcomes,
    add_trade_offs,
)
from seqdesign.pages.designed import DesignSet
from seqdesign.reports.html import Page, Table
from seqdesign.reports.tables import Column
from seqdesign.runs.manifest import Manifest, provenance
from seqdesign.runs.progress import phase

if TYPE_CHECKING:
    from seqdesign.design.records import Design, DesignSummary


@phase("writing the page")
def design_page(
    designs: Sequence[Design],
    summary: DesignSummary,
    letters: str,
    manifest: Manifest,
) -> Page:
    """The page that ``maximize --report`` writes; at least one design."""
    page = Page("Designed sequences", summary="; ".join(summary.lines()[:2]), provenance=provenance(manifest))
    page.warnings(summary.warnings)
    promised = None if summary.promise is None else summary.promise.text()
    add_asked(page, jsonable(summary), promised)
    delivered = DesignSet([d.row() for d in designs if d.status != "rejected"])
    if delivered:
        add_outcomes(page, delivered, name=f"score ({summary.objective})")
        add_trade_offs(page, delivered)
        add_logos(page, delivered, letters)
        add_designs(page, delivered, name="designs")
    rejected = [d for d in designs if d.status == "rejected"]
    if rejected:
        rows = [{"id": d.id, "sequence": d.sequence, "reason": d.reason} for d in rejected]
        columns: list[Column | str] = ["id", Column("sequence", sequence=True), "reason"]
        page.section("Rejected", "", tables=[Table(rows, columns, f"{len(rows):,} sequences.", "rejected")])
    return page
