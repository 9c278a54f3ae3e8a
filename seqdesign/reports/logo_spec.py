"""What a logo shows, before it is drawn: heights of letters, axis, title. SVG and pictures draw the same."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Literal

import numpy as np

from seqdesign.reports.logo_matrix import (
    FloatArray,
    LetterCounts,
    count_letters,
    difference,
    information,
    probabilities,
)

LogoKind = Literal["information", "probability", "counts", "weight"]
DifferenceKind = Literal["probability", "log-odds"]
COLUMNS = 60
"""Positions in a row, if not said otherwise."""


@dataclass(frozen=True, eq=False)
class LogoSpec:
    """One logo of L positions and V letters."""

    heights: FloatArray
    """(L, V), in units of the axis; below zero stands below the line."""
    letters: str
    limits: tuple[float, float]
    """Ends of the axis."""
    unit: str
    title: str
    description: str
    first_position: int = 1
    columns_per_row: int = COLUMNS
    marks: frozenset[int] = frozenset()
    """Columns (from 0) with a shaded ground."""
    skip_zero: bool = False
    """Whether position 1 follows position -1, as at splice sites and transcription starts."""

    def number(self, column: int) -> int:
        """The position of a column (from 0), as it is numbered."""
        position = self.first_position + column
        return position + 1 if self.skip_zero and self.first_position < 0 <= position else position

    def column(self, number: int) -> int:
        """The column of a position; the inverse of ``number``."""
        after_zero = self.skip_zero and self.first_position < 0 < number
        return number - self.first_position - after_zero

    def cut(self, first: int, last: int) -> LogoSpec:
        """Positions ``first`` to ``last``, as they are numbered, both included.

        Raises ValueError if the logo does not have them.
        """
        start, stop = self.column(first), self.column(last) + 1
        if (self.skip_zero and 0 in (first, last)) or not 0 <= start < stop <= len(self.heights):
            raise ValueError(
                f"the logo has positions {self.first_position} to {self.number(len(self.heights) - 1)}, "
                f"got {first} to {last}"
            )
        marks = frozenset(m - start for m in self.marks if start <= m < stop)
        return replace(self, heights=self.heights[start:stop], first_position=first, marks=marks)


def sequence_spec(
    source: Sequence[str] | FloatArray | LetterCounts,
    *,
    letters: str,
    kind: LogoKind = "information",
    small_sample: bool = True,
    background: FloatArray | None = None,
    pseudocount: float = 1.0,
    scale_gaps: bool = False,
    title: str = "Sequence logo",
    first_position: int = 1,
    columns_per_row: int = COLUMNS,
) -> LogoSpec:
    """A logo of sequences (strings), of an (L, V) matrix of counts, or of letters counted already; see
    ``logo.sequence_logo``.

    ``background`` (V,) are the letters' expected frequencies, uniform if None. ``scale_gaps`` multiplies a
    stack by the share of sequences that have a letter at its position. ``weight`` is log2(f / background) in
    bits with ``pseudocount`` counts of the background added.
    """
    counted = counted_letters(source, letters)
    counts = counted.counts
    uniform = np.full(len(letters), 1.0 / len(letters))
    expected = uniform if background is None else background
    if kind == "information":
        heights = information(counts, small_sample=small_sample, background=background)
        unit, top = "bits", float(np.log2(max(len(letters), 2)))
    elif kind == "probability":
        heights, unit, top = probabilities(counts), "probability", 1.0
    elif kind == "counts":
        heights, unit, top = counts, "count", float(counts.sum(axis=1).max())
    else:
        frequencies = (counts + pseudocount * expected) / (counts.sum(axis=1, keepdims=True) + pseudocount)
        heights, unit, top = np.log2(frequencies / expected), "log2 odds (bits)", 0.0
    if scale_gaps and counted.used:
        heights = heights * (counts.sum(axis=1, keepdims=True) / counted.used)
    description = f"{counts.shape[0]} positions. Consensus {consensus(counted)}. {sample(counted)}"
    limits = (0.0, max(top, float(heights.sum(axis=1).max()))) if kind != "weight" else both_ways(heights)
    return LogoSpec(
        heights,
        letters,
        limits,
        unit,
        f"{title} ({sample(counted)})",
        description,
        first_position,
        columns_per_row,
    )


def difference_spec(
    first: Sequence[str] | FloatArray | LetterCounts,
    second: Sequence[str] | FloatArray | LetterCounts,
    *,
    letters: str,
    kind: DifferenceKind = "probability",
    pseudocount: float = 1.0,
    title: str = "Difference logo",
    first_position: int = 1,
    columns_per_row: int = COLUMNS,
) -> LogoSpec:
    """What ``second`` has more of than ``first``; see ``logo.difference_logo``."""
    a, b = counted_letters(first, letters), counted_letters(second, letters)
    heights = difference(a.counts, b.counts, kind=kind, pseudocount=pseudocount)
    names = f"{sample(a)} against {sample(b)}"
    return LogoSpec(
        heights,
        letters,
        both_ways(heights),
        "p difference" if kind == "probability" else "log2 odds (bits)",
        f"{title} ({names})",
        f"{a.counts.shape[0]} positions. Consensus {consensus(a)} to {consensus(b)}. {names}",
        first_position,
        columns_per_row,
    )


def value_spec(
    values: FloatArray,
    *,
    letters: str,
    unit: str,
    title: str,
    first_position: int = 1,
    columns_per_row: int = COLUMNS,
) -> LogoSpec:
    """A logo of an (L, V) matrix whose values are the heights as they are: weights or attributions."""
    best = "".join(letters[i] for i in values.argmax(axis=1))
    low, high = both_ways(values)
    limits = (low if values.min() < 0 else 0.0, high)
    return LogoSpec(
        values, letters, limits, unit, title, f"{len(values)} positions. Highest {_short(best)}.",
        first_position, columns_per_row,
    )  # fmt: skip


def both_ways(heights: FloatArray) -> tuple[float, float]:
    """Limits as far below zero as above it."""
    up, down = np.maximum(heights, 0).sum(axis=1).max(), -np.minimum(heights, 0).sum(axis=1).min()
    reach = max(float(up), float(down))
    reach = (reach if reach > 0 else 0.1) * 1.02
    return -reach, reach


def counted_letters(source: Sequence[str] | FloatArray | LetterCounts, letters: str) -> LetterCounts:
    """Counts of sequences, or a matrix of counts or frequencies taken as counts. Raises ValueError."""
    if isinstance(source, LetterCounts):
        return source
    if not isinstance(source, np.ndarray):
        return count_letters(source, letters)
    if source.ndim != 2 or source.shape[1] != len(letters) or source.shape[0] == 0:
        raise ValueError(
            f"a count matrix must have shape (L, {len(letters)}) with L >= 1, got {source.shape}"
        )
    largest = float(source.sum(axis=1).max())
    # Frequencies do not tell how many sequences there were; 0 stands for that.
    number = round(largest) if largest > 1 + 1e-6 else 0
    return LetterCounts(source.astype(np.float64), letters, number, number)


def sample(counted: LetterCounts) -> str:
    """How many sequences, in words."""
    if counted.total == 0:
        return "from frequencies"
    if counted.used == counted.total:
        return f"n = {_number(counted.used)}"
    return f"n = {counted.used:,.0f} of {counted.total:,.0f}, those of length {counted.counts.shape[0]}"


def _number(value: float) -> str:
    """A count; weights may make it a broken one."""
    return f"{value:,.0f}" if abs(value - round(value)) < 1e-6 else f"{value:,.1f}"


def consensus(counted: LetterCounts) -> str:
    """The most frequent letter of each position, cut after 200."""
    return _short("".join(counted.letters[i] for i in counted.counts.argmax(axis=1)))


def _short(text: str) -> str:
    return text if len(text) <= 200 else f"{text[:200]}... ({len(text)} letters)"
