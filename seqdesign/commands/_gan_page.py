"""The HTML page of a GAN's health: verdict, measures, training curves, nearest distances, logos."""

from __future__ import annotations

from collections.abc import Iterator

from seqdesign.commands._evaluation_words import cells
from seqdesign.commands._gan_health import Checked
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.logo import sequence_logo
from seqdesign.reports.plots import histogram, line_chart
from seqdesign.reports.tables import Column
from seqdesign.rundir import Manifest
from seqdesign.training.gan import GANTraining

WORDS = range(1, 7)
_LOGO_LETTERS, _LOGO_ROWS = 120, 2000


def health_page(checked: Checked, result: GANTraining, manifest: Manifest) -> Page:
    """Everything that the report says, and the figures behind it."""
    health = checked.health
    verdict = "healthy" if health.healthy else "unhealthy"
    page = Page(
        "Health of a generator",
        summary=f"The generator is {verdict} by statistics of held-out sequences.",
        provenance={
            "command": manifest.command,
            "seed": manifest.seed,
            "inputs (SHA-256)": manifest.inputs,
            "versions": manifest.versions,
        },
    )
    columns = [
        Column("measure"), Column("generated"), Column("interval", "95% interval"), Column("real"),
        Column("verdict"),
    ]  # fmt: skip
    sentences = [f"{'To mend: ' if f.flagged else ''}{f.text}" for f in health.findings]
    rows = [cells(row) for row in health.measures]
    page.section("Verdict", sentences, tables=[Table(rows, columns, "Real: training in place of generated.")])
    page.section("Training", figures=list(_curves(result)))
    page.section("Sequences", figures=list(_sequences(checked)))
    return page


def _curves(result: GANTraining) -> Iterator[Figure]:
    history = result.fit.state.history
    steps = [row["step"] for row in history]

    def curve(name: str) -> tuple[list[float], list[float]]:
        return steps, [row[name] for row in history]

    floors = {f"words of {k}": f"held_out_js_{k}" for k in WORDS} | {
        "letters at each position": "held_out_profile"
    }
    ratios = {
        label: (steps, [row[name] / max(row[f"{name}_floor"], 1e-12) for row in history])
        for label, name in floors.items()
        if name in history[0]
    }
    yield Figure(
        line_chart(
            ratios, title="Distance to held-out sequences over the floor", x_label="step",
            y_label="times the floor", log_y=True, reference=("as good as real", 1.0),
        ),
        "Jensen-Shannon divergence of generated and held-out sequences, divided by that of training ones.",
    )  # fmt: skip
    gaps = {"training": curve("held_out_gap_training"), "held out": curve("held_out_gap")}
    yield Figure(
        line_chart(gaps, title="Critic: real minus generated", x_label="step", y_label="score"),
        "A gap that is larger on training than on held-out sequences is a critic that knows them by heart.",
    )
    norms = {p: curve(f"train_{p}_gradient") for p in ("critic", "generator")}
    yield Figure(
        line_chart(norms, title="Gradient norms", x_label="step", y_label="norm", log_y=True),
        "Mean over the steps since the look before.",
    )


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
