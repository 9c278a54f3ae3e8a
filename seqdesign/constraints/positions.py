"""Positions and ranges as they are typed: 5-12,30; and which rules are about letters anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator

from seqdesign.errors import UsageError

LOCAL = (
    "forbid",
    "gc",
    "gc-difference",
    "gc-window",
    "hairpin",
    "max-homopolymer",
    "repeat",
    "synthesis",
    "tm",
)
"""Rules about letters wherever they stand; others name positions of the design or refer to its parent."""
_RANGE = r"-?\d{1,12}(--?\d{1,12})?"
POSITIONS = re.compile(rf"\s*{_RANGE}\s*(,\s*{_RANGE}\s*)*", re.ASCII)
FRACTIONS = re.compile(r"\s*(\d*\.?\d+)\s*-\s*(\d*\.?\d+)\s*", re.ASCII)


def ranges(text: str, option: str) -> Iterator[tuple[int, int]]:
    """First and last position, as they are numbered, of each range of ``5-12,30``. Raises UsageError."""
    if not POSITIONS.fullmatch(text):
        raise UsageError(f"must be positions such as 5-12,30, got {text!r}", option=option)
    for part in text.split(","):
        numbers = re.fullmatch(r"(-?\d+)(?:-(-?\d+))?", part.strip())
        assert numbers is not None
        yield int(numbers[1]), int(numbers[2] or numbers[1])


def spans(places: Iterable[int]) -> list[str]:
    """Sorted places as they are typed: ``39-41`` and ``54``."""
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][1] + 1:
            runs[-1][1] = place
        else:
            runs.append([place, place])
    return [f"{low}-{high}" if low != high else f"{low}" for low, high in runs]


def fractions(text: str, option: str) -> tuple[float, float]:
    """The two numbers of ``0.4-0.6``, between 0 and 1. Raises UsageError."""
    match = FRACTIONS.fullmatch(text)
    low, high = (float(match[1]), float(match[2])) if match else (1.0, 0.0)
    if not 0 <= low <= high <= 1:
        raise UsageError(
            f"must be two fractions between 0 and 1, the smaller first, such as 0.4-0.6; got {text!r}",
            option=option,
        )
    return low, high
