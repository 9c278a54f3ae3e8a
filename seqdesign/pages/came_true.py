"""Before and after a round: what was predicted of designs, and what was measured of them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np

from seqdesign.pages.designed import PREDICTED, DesignSet, FloatArray
from seqdesign.reports.answer import Tile
from seqdesign.reports.bars import span_of
from seqdesign.reports.html import Figure, Page, Table
from seqdesign.reports.plots import agreement, predicted_measured
from seqdesign.reports.tables import Bar, Column

FEWEST = 3
"""Designs that were measured, below which nothing is said of how predictions came true."""
TOO_SURE = 0.8


@dataclass(frozen=True, eq=False)
class CameTrue:
    """N designs of one set with their measurements in another."""

    designs: str
    """What the set of designs is called."""
    file: str
    """That of the measurements."""
    outcome: str
    ids: list[str]
    sequences: list[str]
    predicted: FloatArray
    low: FloatArray
    high: FloatArray
    """Ends of the 95% intervals; NaN where open or not known."""
    measured: FloatArray
    total: int
    """Designs of the set, measured or not."""

    @property
    def coverage(self) -> float | None:
        """Share inside their intervals, of those that have one."""
        has = np.isfinite(self.low) | np.isfinite(self.high)
        if not has.any():
            return None
        inside = ~(self.measured < self.low) & ~(self.measured > self.high)
        return float(inside[has].mean())

    @property
    def rank_correlation(self) -> float | None:
        """Spearman's, of predictions and measurements."""
        rho = agreement(self.measured, self.predicted)[1]
        return None if np.isnan(rho) else rho

    def tile(self) -> Tile:
        """The number of an answer."""
        rho = self.rank_correlation
        note = f"{len(self.ids):,} of {self.total:,} designs of {self.designs} were measured"
        return Tile(
            "unknown" if rho is None else f"{rho:.2f}", "rank correlation, predicted and measured", note
        )

    def sentence(self) -> str:
        """What came of the predictions."""
        coverage = self.coverage
        inside = "" if coverage is None else f", {coverage:.0%} in their 95% intervals"
        return (
            f"{len(self.ids):,} designs of {self.designs} measured {self.measured.mean():.4g} on average "
            f"({self.file}), where {self.predicted.mean():.4g} was predicted{inside}"
        )


def came_true(sets: Mapping[str, DesignSet]) -> Iterator[CameTrue]:
    """For every two sets the designs of the first with a prediction that the second has a measurement of."""
    for name, designs in sets.items():
        names = designs.outcomes or tuple(c for c in designs.columns if c.startswith(PREDICTED))
        for column in names:
            outcome = column.removeprefix(PREDICTED)
            if outcome == column or not designs.has_numbers(column):
                continue
            for file, others in sets.items():
                if file != name and others.has_numbers(outcome) and not others.has_numbers(column):
                    found = _joined(name, designs, file, others, column, outcome)
                    if len(found.ids) >= FEWEST:
                        yield found


def _joined(
    name: str, designs: DesignSet, file: str, others: DesignSet, column: str, outcome: str
) -> CameTrue:
    """By equal sequences; of several measurements the mean."""
    values: dict[str, list[float]] = {}
    for text, value in zip(others.sequences, others.numbers(outcome).tolist(), strict=True):
        if np.isfinite(value):
            values.setdefault(text.upper(), []).append(value)
    known = designs.numbers(column)
    rows = [i for i, t in enumerate(designs.sequences) if t.upper() in values and np.isfinite(known[i])]
    low, high = (designs.numbers(f"{column}_{end}")[rows] for end in ("low", "high"))
    measured = np.array([np.mean(values[designs.sequences[i].upper()]) for i in rows], dtype=np.float64)
    ids, texts = ([some[i] for i in rows] for some in (designs.ids, designs.sequences))
    return CameTrue(name, file, outcome, ids, texts, known[rows], low, high, measured, len(designs))


def add_came_true(page: Page, sets: Mapping[str, DesignSet]) -> None:
    """The section, if any set has measurements of another's designs."""
    found = list(came_true(sets))
    if not found:
        return
    figures = [
        Figure(
            predicted_measured(
                one.measured,
                one.predicted,
                title=f"{one.outcome}: {one.designs}, measured in {one.file}",
                unit=one.outcome,
                ids=one.ids,
            ),
            f"{one.sentence()}.",
        )
        for one in found
    ]
    rows = [row for one in found for row in _rows(one)]
    rows.sort(key=lambda row: -abs(float(str(row["off"]))))
    ends = [float(v) for one in found for part in (one.low, one.high, one.measured) for v in part]
    several = len(found) > 1
    columns = [
        Column("id", "design"),
        *([Column("set"), Column("outcome")] if several else []),
        Column("predicted", bar=Bar("low", "high", span_of(None, ends)), about="with its 95% interval"),
        Column("measured"),
        Column("off", "measured less predicted", "+.3g"),
        Column("inside", "inside the interval"),
        Column("sequence", sequence=True),
        Column("low", shown=False),
        Column("high", shown=False),
    ]
    caption = f"{len(rows):,} designs, the largest surprise first."
    text = "Designs of one file, with the measurements of the same sequences in another."
    page.section(
        "How predictions came true", text, figures, [Table(rows, columns, caption, "came-true", True)]
    )


def _rows(one: CameTrue) -> Iterator[dict[str, object]]:
    for i, name in enumerate(one.ids):
        low, high = (float(part[i]) if np.isfinite(part[i]) else None for part in (one.low, one.high))
        measured, predicted = float(one.measured[i]), float(one.predicted[i])
        yield {
            "id": name, "set": one.designs, "outcome": one.outcome, "predicted": predicted,
            "measured": measured, "off": measured - predicted, "low": low, "high": high,
            "sequence": one.sequences[i],
            "inside": None if low is None and high is None
            else (low is None or measured >= low) and (high is None or measured <= high),
        }  # fmt: skip
