"""Sections of a page about a GAN: its health and curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.history import History, curve, read_history
from seqdesign.reports.html import Figure, Page
from seqdesign.reports.plots import line_chart

WORDS = range(1, 7)


def sections(page: Page, folder: Path, result: Mapping[str, Any]) -> None:
    """What a training command left in ``folder``, and said at its end. Raises InputError."""
    if result.get("health"):
        page.section("Health", [finding["text"] for finding in result["health"]["findings"]])
    history = read_history(folder)
    if history:
        page.section("Training", figures=list(gan_curves(history)))


def gan_curves(history: History) -> Iterator[Figure]:
    """Distances to held-out sequences, the critic's gap, gradient norms."""
    floors = {f"words of {k}": f"held_out_js_{k}" for k in WORDS} | {
        "letters at each position": "held_out_profile"
    }
    steps = [row["step"] for row in history]
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
    gaps = {
        name: curve(history, key, "step")
        for name, key in (("training", "held_out_gap_training"), ("held out", "held_out_gap"))
    }
    yield Figure(
        line_chart(gaps, title="Critic: real minus generated", x_label="step", y_label="score"),
        "A gap that is larger on training than on held-out sequences means a critic that has memorized them.",
    )
    norms = {player: curve(history, f"train_{player}_gradient", "step") for player in ("critic", "generator")}
    yield Figure(
        line_chart(norms, title="Gradient norms", x_label="step", y_label="norm", log_y=True),
        "Mean over the steps since the look before.",
    )


def answer(folder: Path, result: Mapping[str, Any]) -> Answer:
    """Whether its sequences can be told from real ones."""
    health = result.get("health") or {}
    asked = "A generator of sequences"
    if result.get("num_train"):
        asked += f", learned from {result['num_train']:,} and judged by {result['num_test']:,} others"
    findings = health.get("findings", ())
    flagged = [finding for finding in findings if finding["flagged"]]
    tiles = []
    if findings:
        note = "see what to doubt" if flagged else ""
        tiles.append(
            Tile(f"{len(findings) - len(flagged)} of {len(findings)}", "checks passed", note, bool(flagged))
        )
    if result.get("score") is not None:
        label = "log distance to held-out sequences over that of training ones"
        tiles.append(Tile(f"{result['score']:.2f}", label, "0 is as good as real"))
    if result.get("best_step"):
        note = f"of {result['steps']:,}, in {result['seconds'] / 60:.0f} min"
        tiles.append(Tile(f"{result['best_step']:,}", "step that was kept", note))
    verdict = "" if not findings else (
        "Its sequences differ from real ones." if flagged else "No check tells its sequences from real ones."
    )  # fmt: skip
    files = [("Draw from it:", f"seqdesign sample-gan -m {folder} -o new.fa")]
    return Answer(f"{asked}.", verdict, tiles, files=files)


def quality_row(result: Mapping[str, Any]) -> Mapping[str, object]:
    """The quality as a row of a table of models."""
    return {
        "choice": "GAN",
        "outcome": result.get("condition"),
        "measure": "log distance over the floor (0 is real)",
        "value": result.get("score"),
    }
