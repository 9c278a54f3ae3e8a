"""Sections of a page about a translator: both directions on held-out sequences, and curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from seqdesign.reports.answer import Answer, Tile
from seqdesign.reports.history import History, curve, read_history
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.plots import line_chart
from seqdesign.reports.tables import Column

ABOUT = (
    "Held-out sequences were translated, and a classifier that learned from other held-out sequences says "
    "which set each looks like. Beside it: real sequences of the target, and the sources as they are. Edits "
    "to the nearest real one are what it would cost to give up the source."
)


HALF = 0.5
"""Of the way from untouched to real sequences: translations that go less far do not arrive."""


def sections(page: Page, folder: Path, result: Mapping[str, Any]) -> None:
    """What a training command left in ``folder``, and said at its end. Raises InputError."""
    directions = result.get("directions") or ()
    if directions:
        table = Table([_row(one) for one in directions], _columns(), "")
        page.section("Held-out quality", ABOUT, tables=[table])
    history = read_history(folder)
    if history:
        page.section("Training", figures=list(curves(history)))


def _columns() -> list[Column | str]:
    return [
        Column("way"), Column("recognised"), Column("real"), Column("untouched"), Column("edits"),
        Column("edits_to_nearest", "edits to nearest real"), Column("returned", "letters given back"),
        Column("distinct"), Column("copies"),
    ]  # fmt: skip


def _row(one: Mapping[str, Any]) -> dict[str, object]:
    shares = ("recognised", "real", "untouched", "returned", "distinct", "copies")
    edits = ("edits", "edits_to_nearest")
    return {
        "way": f"{one['source']} to {one['target']}",
        **{name: f"{one[name]:.1%}" for name in shares},
        **{name: f"{one[name]:.1f}" for name in edits},
    }


def curves(history: History) -> Iterator[Figure]:
    """How many arrive, how many edits they take, and what is given back."""
    ways = {"a to b": "b", "b to a": "a"}

    def chart(key: str, title: str, y_label: str, caption: str) -> Figure:
        series = {name: curve(history, f"held_out_{key}_{side}", "step") for name, side in ways.items()}
        return Figure(line_chart(series, title=title, x_label="step", y_label=y_label), caption)

    yield chart("recognised", "Translations that arrive", "share", "Taken for the target by a classifier.")
    yield chart("edits", "Edits", "letters", "Between held-out sequences and their translations.")
    yield chart("returned", "Letters given back", "share", "After the way there and the way back.")


def answer(folder: Path, result: Mapping[str, Any]) -> Answer:
    """Whether translations arrive, and what they keep."""
    directions = result.get("directions") or ()
    if not directions:
        return Answer("A translator between two sets of sequences.")
    first = directions[0]
    asked = f"A translator between {first['source']} and {first['target']}"
    if result.get("num_train"):
        learned, judged = (sum(result[name]) for name in ("num_train", "num_test"))
        asked += f", learned from {learned:,} and judged by {judged:,} others"
    tiles = [
        Tile(
            f"{one['recognised']:.0%}",
            f"of {one['source']} are recognised as {one['target']} after translation",
            f"real ones {one['real']:.0%}, untouched {one['untouched']:.0%}; {one['edits']:.1f} edits",
            doubt=bool(one["recognised"] < 0.7 * one["real"]),
        )
        for one in directions
    ]
    back = min(one["returned"] for one in directions)
    tiles.append(Tile(f"{back:.1%}", "of the letters are given back by the way back", "", doubt=back < 0.9))
    warnings = (result.get("quality") or {}).get("warnings", ())
    verdict = "See what to doubt below." if warnings else _verdict(directions)
    files = [("Translate with it:", f"seqdesign translate {folder} input.fa -o translated.fa")]
    return Answer(f"{asked}.", verdict, tiles, files=files)


def _verdict(directions: Sequence[Mapping[str, Any]]) -> str:
    """How much of the way from the untouched to real sequences translations go, where it is worst."""
    ways = [
        (one["recognised"] - one["untouched"]) / max(one["real"] - one["untouched"], 1e-6)
        for one in directions
    ]
    if min(ways) >= HALF:
        return "Translations arrive, and keep their source."
    return f"Translations go {max(min(ways), 0.0):.0%} of the way from untouched sequences to real ones only."


def quality_row(result: Mapping[str, Any]) -> Mapping[str, object]:
    """The quality as a row of a table of models."""
    directions: Sequence[Mapping[str, Any]] = result.get("directions") or ({},)
    return {
        "choice": "translator",
        "outcome": None,
        "measure": "share recognised as the target, first direction",
        "value": directions[0].get("recognised"),
        "beside": directions[0].get("untouched"),
    }
