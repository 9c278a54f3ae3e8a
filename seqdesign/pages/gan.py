"""The HTML page of a GAN's health: verdict, measures, training curves, nearest distances, logos."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seqdesign.evaluation.findings import cells
from seqdesign.evaluation.health import HEADLINE_COLUMNS, Checked, headline_rows, verdict_line
from seqdesign.models.gan.fit import GANTraining
from seqdesign.models.gan.sections import answer as answer_of
from seqdesign.models.gan.sections import gan_curves
from seqdesign.pages.evaluation import add_findings
from seqdesign.pages.methods import add_methods
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.logo import sequence_logo
from seqdesign.reports.plots import histogram
from seqdesign.reports.tables import Column
from seqdesign.runs.manifest import Manifest, provenance
from seqdesign.runs.progress import phase

_LOGO_LETTERS, _LOGO_ROWS = 120, 2000


@phase("writing the page")
def health_page(
    checked: Checked, result: GANTraining, manifest: Manifest, folder: Path, said: Mapping[str, Any]
) -> Page:
    """Everything that the report says, and the figures behind it; ``said`` is what ``--json`` prints."""
    health, known = checked.health, answer_of(folder, said)
    answer = dataclasses.replace(known, verdict=verdict_line(health).replace(" (marked !)", ""))
    page = Page("Generator of sequences", answer=answer, provenance=provenance(manifest, said, folder))
    columns = [
        Column("measure"), Column("generated"), Column("interval", "95% interval"), Column("real"),
        Column("verdict"),
    ]  # fmt: skip
    add_findings(page, health.findings)
    rows = [cells(row) for row in health.measures]
    page.section("Measures", tables=[Table(rows, columns, "Real: training in place of generated.")])
    text = (
        "The same figures of generators that need no training, and of training sequences: a generator "
        "that is no better than a Markov chain or the letters of each position is not worth its training."
    )
    page.section("Beside simple generators", text, tables=[Table(headline_rows(health), HEADLINE_COLUMNS)])
    page.section("Training", figures=list(gan_curves(result.fit.state.history)))
    page.section("Sequences", figures=list(_sequences(checked)))
    add_methods(page, manifest, said)
    return page


def _sequences(checked: Checked) -> Iterator[Figure]:
    yield Figure(
        histogram(
            checked.evaluation.distances, title="Edits to the nearest training sequence", x_label="edits"
        ),
        "A generator that copies lies left of the held-out sequences.",
    )
    sets = checked.sets
    texts = {"generated": sets.generated[:_LOGO_ROWS], "held out": sets.held_out[:_LOGO_ROWS]}
    lengths = {len(t) for group in texts.values() for t in group}
    if len(lengths) == 1 and max(lengths) <= _LOGO_LETTERS:
        for name, group in texts.items():
            yield Figure(
                sequence_logo(group, letters=sets.alphabet.letters, title=name.capitalize()),
                f"Letters at each position, {name}.",
            )
