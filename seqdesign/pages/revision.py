"""The HTML page of a set of revisions."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from seqdesign.design.revisions import Revision, Summary
from seqdesign.models.vae.sections import sections
from seqdesign.models.vae.store import VAERecord
from seqdesign.pages.design_sections import add_designs, add_logos, add_outcomes, add_trade_offs
from seqdesign.pages.designed import DesignSet
from seqdesign.reports.html import Page
from seqdesign.runs.manifest import Manifest, provenance
from seqdesign.runs.progress import phase


@phase("writing the page")
def revision_page(
    revisions: Sequence[Revision], summary: Summary, record: VAERecord, model: Path, manifest: Manifest
) -> Page:
    """The page that ``revise --report`` writes."""
    page = Page("Revised sequences", summary="; ".join(summary.lines()[:3]), provenance=provenance(manifest))
    page.warnings([line.removeprefix("warning: ") for line in summary.lines() if line.startswith("warning")])
    add_revisions(page, revisions, record)
    sections(page, model, {})
    return page


def add_revisions(page: Page, revisions: Sequence[Revision], record: VAERecord) -> None:
    """Outcomes, trade-offs, logos and the table."""
    designs = revised_set(revisions)
    add_outcomes(page, designs, name=f"predicted {record.outcome or 'outcome'}")
    add_trade_offs(page, designs)
    add_logos(page, designs, record.alphabet.letters)
    add_designs(page, designs, name="revisions")


def revised_set(revisions: Sequence[Revision]) -> DesignSet:
    """The revisions as designs."""
    rows = []
    for revision in revisions:
        row = revision.row()
        rows.append({"id": row.pop("id"), "sequence": row.pop("revised"), **row})
    return DesignSet(rows)
