"""The HTML page of a GAN's health: verdict, measures, training curves, nearest distances, logos."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np

from seqdesign.evaluation.findings import cells
from seqdesign.evaluation.health import Checked
from seqdesign.models.gan.fit import GANTraining
from seqdesign.motifs.surplus import SurplusMotif
from seqdesign.pages.models import gan_curves
from seqdesign.reports.data_table import FIRST_ROWS
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.logo import sequence_logo, small_logo
from seqdesign.reports.plots import histogram
from seqdesign.reports.tables import Column
from seqdesign.runs.manifest import Manifest, provenance

_LOGO_LETTERS, _LOGO_ROWS = 120, 2000


def health_page(checked: Checked, result: GANTraining, manifest: Manifest) -> Page:
    """Everything that the report says, and the figures behind it."""
    health = checked.health
    verdict = "healthy" if health.healthy else "unhealthy"
    page = Page(
        "Health of a generator",
        summary=f"The generator is {verdict} by statistics of held-out sequences.",
        provenance=provenance(manifest),
    )
    columns = [
        Column("measure"), Column("generated"), Column("interval", "95% interval"), Column("real"),
        Column("verdict"),
    ]  # fmt: skip
    sentences = [f"{'To mend: ' if f.flagged else ''}{f.text}" for f in health.findings]
    rows = [cells(row) for row in health.measures]
    page.section("Verdict", sentences, tables=[Table(rows, columns, "Real: training in place of generated.")])
    page.section("Training", figures=list(gan_curves(result.fit.state.history)))
    page.section("Sequences", figures=list(_sequences(checked)))
    if result.motifs:
        text = (
            "Words that a Markov chain of the positions does not explain, with which the generator started."
        )
        page.section("Motifs", text, tables=[_motifs(checked, result.motifs)])
    return page


def _motifs(checked: Checked, motifs: Sequence[SurplusMotif]) -> Table:
    """How many sequences have each."""
    letters = checked.sets.alphabet.letters
    rows: list[dict[str, Any]] = []
    for motif in motifs:
        words = ["".join(letters[i] for i in word) for word in motif.words]
        first = motif.spelled(letters)
        low, high = np.flatnonzero(motif.places >= motif.places.max() / 2)[[0, -1]] + 1
        logo = small_logo(motif.probabilities, letters, name=first) if len(rows) < FIRST_ROWS else ""
        row: dict[str, Any] = {"logo": logo, "word": first}
        for name, texts in (("generated", checked.sets.generated), ("held_out", checked.sets.held_out)):
            row[name] = np.mean([any(word in text for word in words) for text in texts])
        rows.append(row | {"starts": f"{low}-{high}"})
    columns = [
        Column("logo"), Column("word"), Column("generated", "generated sequences with it", ".1%"),
        Column("held_out", "held-out sequences with it", ".1%"), Column("starts", "starts mostly at"),
    ]  # fmt: skip
    without = f" The first {FIRST_ROWS} have a logo." if len(rows) > FIRST_ROWS else ""
    return Table(rows, columns, f"The most surprising first.{without}", "motifs")


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
