"""Cells of text as numbers, with the place of a wrong one in the error."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError

MISSING = frozenset({"", "na", "n/a", "nan", "null", "none"})
"""Cells, in lower case, that say that a value is not known."""


def is_missing(cell: str) -> bool:
    """Whether a cell stands for an unknown value."""
    return cell.strip().lower() in MISSING


def to_numbers(
    cells: list[str], name: str, source: str, lines: Sequence[int], ids: Sequence[str]
) -> NDArray[np.float64]:
    """Cells as float64, NaN where one is empty, NA or not finite. Raises InputError for other text."""
    try:
        if any("_" in cell for cell in cells):  # float() would read 1_000 as a number
            raise ValueError
        values = np.fromiter(map(float, cells), dtype=np.float64, count=len(cells))
    except ValueError:
        values = np.array(
            [_number(c, name, source, lines[i], ids[i]) for i, c in enumerate(cells)], dtype=np.float64
        )
    values[~np.isfinite(values)] = np.nan
    return values


def _number(cell: str, name: str, source: str, line: int, record: str) -> float:
    if is_missing(cell):
        return float("nan")
    try:
        if "_" in cell:
            raise ValueError
        return float(cell)
    except ValueError:
        raise InputError(
            f"'{name}' must be a number, got {cell!r}", path=source, line=line, record=record
        ) from None
