"""Wells of plates with 96 and 384 wells."""

from __future__ import annotations

from typing import Literal, NamedTuple

from seqdesign.errors import UsageError

Direction = Literal["rows", "columns"]
SHAPES = {96: (8, 12), 384: (16, 24)}
"""Wells -> rows and columns."""


class Well(NamedTuple):
    """plate: counted from 1. name: row letter and column number, such as A01."""

    plate: int
    name: str


def wells(num: int, size: int, direction: Direction = "rows", first: int = 0) -> list[Well]:
    """``num`` wells, filled along rows (A01, A02, ...) or down columns (A01, B01, ...).

    size: 96 or 384 wells. first: wells that stay empty at the beginning of the first plate. UsageError.
    """
    if size not in SHAPES:
        raise UsageError(f"a plate has {' or '.join(map(str, SHAPES))} wells, got {size}")
    rows, columns = SHAPES[size]
    found = []
    for i in range(first, first + num):
        plate, place = divmod(i, size)
        row, column = divmod(place, columns) if direction == "rows" else divmod(place, rows)[::-1]
        found.append(Well(plate + 1, f"{chr(ord('A') + row)}{column + 1:02d}"))
    return found
