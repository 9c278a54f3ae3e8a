"""Where everything of a logo goes, in CSS pixels; y points down."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdesign.reports.logo_spec import LogoSpec
from seqdesign.reports.scale import linear_ticks

FloatArray = NDArray[np.float64]

LEFT, RIGHT, TOP, BOTTOM = 52.0, 10.0, 30.0, 34.0
ROW_HEIGHT = 120.0
MAX_WIDTH, MAX_COLUMN = 900.0, 34.0
SMALLEST = 0.4  # a letter lower than this cannot be seen, and most letters of a protein are
GAP = 0.03  # of a column, left free on each side of its letters


@dataclass(frozen=True, eq=False)
class Row:
    """One row of positions."""

    top: float
    bottom: float
    zero: float
    """Height of the line from which letters go up and down."""
    end: float
    """Right end of the line."""
    ticks: tuple[tuple[float, str], ...]
    """(y, label) of the vertical axis."""
    numbers: tuple[tuple[float, str], ...]
    """(x, label) of the positions."""
    shaded: tuple[float, ...]
    """Left ends of shaded columns."""


@dataclass(frozen=True, eq=False)
class Layout:
    """A whole logo. x, y: (M,) upper left corners of the letters; height: (M,); letter: (M,) their place in
    the alphabet; width: of every letter; step: of every column.
    """

    width: float
    height: float
    step: float
    letter_width: float
    rows: tuple[Row, ...]
    x: FloatArray
    y: FloatArray
    letter_height: FloatArray
    letter: NDArray[np.int64]


def lay_out(spec: LogoSpec) -> Layout:
    """Rows of equal length, so that no single column is left over for the last one."""
    length = len(spec.heights)
    num_rows = -(-length // spec.columns_per_row)
    columns = -(-length // num_rows)
    step = min(MAX_COLUMN, MAX_WIDTH / columns)
    rows = tuple(_row(spec, i, columns, step) for i in range(num_rows))
    column, letter, top, size = _stacks(spec)
    scale = ROW_HEIGHT / (spec.limits[1] - spec.limits[0])
    zeros = np.array([row.zero for row in rows])
    seen = size * scale >= SMALLEST
    column, letter, top, size = column[seen], letter[seen], top[seen], size[seen]
    return Layout(
        width=max(LEFT + columns * step + RIGHT, 7.0 * len(spec.title) + 20),
        height=TOP + num_rows * (ROW_HEIGHT + BOTTOM),
        step=step,
        letter_width=step * (1 - 2 * GAP),
        rows=rows,
        x=np.asarray(LEFT + (column % columns) * step + GAP * step, dtype=np.float64),
        y=zeros[column // columns] - top * scale,
        letter_height=size * scale,
        letter=letter,
    )


def _stacks(spec: LogoSpec) -> tuple[NDArray[np.int64], NDArray[np.int64], FloatArray, FloatArray]:
    """Column, letter, upper end and height of each letter, in units of the axis.

    Within a stack the largest stands furthest from zero.
    """
    heights = spec.heights
    order = np.argsort(np.abs(heights), axis=1, kind="stable")
    ordered = np.take_along_axis(heights, order, axis=1)
    up, down = np.maximum(ordered, 0), np.minimum(ordered, 0)
    top = np.where(ordered > 0, np.cumsum(up, axis=1), np.cumsum(down, axis=1) - down)
    drawn = np.nonzero(ordered)
    return drawn[0], order[drawn], top[drawn], np.abs(ordered[drawn])


def _row(spec: LogoSpec, index: int, columns: int, step: float) -> Row:
    low, high = spec.limits
    top = TOP + index * (ROW_HEIGHT + BOTTOM)
    bottom = top + ROW_HEIGHT
    first = index * columns
    num = min(columns, len(spec.heights) - first)
    every = 1 if step >= 22 else 5 if step >= 6 else 10
    numbers = []
    for column in range(num):
        position = spec.number(first + column)
        # The first column has its number too, unless that would run into the next one.
        if position % every == 0 or (column == 0 and every - position % every > every / 2):
            numbers.append((LEFT + (column + 0.5) * step, str(position)))
    return Row(
        top=top,
        bottom=bottom,
        zero=bottom + low / (high - low) * ROW_HEIGHT,
        end=LEFT + num * step,
        ticks=tuple(
            (bottom - (value - low) / (high - low) * ROW_HEIGHT, label)
            for value, label in linear_ticks(low, high, target=4)
        ),
        numbers=tuple(numbers),
        shaded=tuple(LEFT + (m - first) * step for m in sorted(spec.marks) if first <= m < first + num),
    )
