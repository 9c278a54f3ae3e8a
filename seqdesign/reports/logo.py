"""Sequence logos as SVG: one small outline per letter, reused for every position."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

import numpy as np
from markupsafe import Markup

from seqdesign.reports import svg
from seqdesign.reports.glyphs import BOX, OUTLINES
from seqdesign.reports.logo_matrix import (
    FloatArray,
    LetterCounts,
    count_letters,
    difference,
    information,
    probabilities,
)
from seqdesign.reports.palette import colour, letter_colours
from seqdesign.reports.scale import linear_ticks

_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 10.0, 30.0, 34.0
_ROW_HEIGHT = 120.0
_MAX_WIDTH, _MAX_COLUMN = 900.0, 34.0
_SMALLEST = 0.4  # CSS pixels: a letter lower than this cannot be seen, and most letters of a protein are

LogoKind = Literal["information", "probability"]
DifferenceKind = Literal["probability", "log-odds"]


def sequence_logo(
    source: Sequence[str] | FloatArray,
    *,
    letters: str,
    kind: LogoKind = "information",
    small_sample: bool = True,
    title: str = "Sequence logo",
    first_position: int = 1,
    columns_per_row: int = 60,
) -> Markup:
    """A logo of sequences (strings) or of an (L, V) matrix of counts, columns in the order of ``letters``.

    ``information``: the height of a stack is its information content in bits (Schneider & Stephens 1990;
    formula in ``logo_matrix.information``), the axis always reaches log2 V so that logos compare.
    ``probability``: every stack is one high. Sequences of another than the most frequent length are left
    out, and the figure says how many were used. ``first_position`` is the number under the first column.
    Raises ValueError for no sequence, a matrix of another width than ``letters``, or frequencies where the
    small-sample correction needs counts.
    """
    counted = _counted(source, letters)
    if kind == "information":
        heights = information(counted.counts, small_sample=small_sample)
        top, unit = float(np.log2(max(len(letters), 2))), "bits"
    else:
        heights, top, unit = probabilities(counted.counts), 1.0, "probability"
    consensus = _consensus(counted)
    description = f"{counted.counts.shape[0]} positions. Consensus {consensus}. {_sample(counted)}"
    return _draw(
        heights,
        letters,
        (0.0, top),
        unit,
        f"{title} ({_sample(counted)})",
        description,
        first_position,
        columns_per_row,
    )


def difference_logo(
    first: Sequence[str] | FloatArray,
    second: Sequence[str] | FloatArray,
    *,
    letters: str,
    kind: DifferenceKind = "probability",
    pseudocount: float = 1.0,
    title: str = "Difference logo",
    first_position: int = 1,
    columns_per_row: int = 60,
) -> Markup:
    """What ``second`` has more of (upwards) and less of (downwards) than ``first``, per position.

    The height is p2 - p1 (``probability``) or log2(p2 / p1) in bits (``log-odds``, with ``pseudocount``).
    Raises ValueError if the two sets do not have the same length.
    """
    a, b = _counted(first, letters), _counted(second, letters)
    heights = difference(a.counts, b.counts, kind=kind, pseudocount=pseudocount)
    reach = float(max(np.maximum(heights, 0).sum(axis=1).max(), -np.minimum(heights, 0).sum(axis=1).min()))
    reach = max(reach, 0.1) * 1.02
    unit = "p difference" if kind == "probability" else "log2 odds (bits)"
    sample = f"{_sample(a)} against {_sample(b)}"
    description = f"{a.counts.shape[0]} positions. Consensus {_consensus(a)} to {_consensus(b)}. {sample}"
    return _draw(
        heights,
        letters,
        (-reach, reach),
        unit,
        f"{title} ({sample})",
        description,
        first_position,
        columns_per_row,
    )


def _counted(source: Sequence[str] | FloatArray, letters: str) -> LetterCounts:
    if not isinstance(source, np.ndarray):
        return count_letters(source, letters)
    if source.ndim != 2 or source.shape[1] != len(letters) or source.shape[0] == 0:
        raise ValueError(
            f"a count matrix must have shape (L, {len(letters)}) with L >= 1, got {source.shape}"
        )
    largest = float(source.sum(axis=1).max())
    # Frequencies do not tell how many sequences there were; 0 stands for that.
    number = round(largest) if largest > 1 + 1e-9 else 0
    return LetterCounts(source.astype(np.float64), letters, number, number)


def _sample(counted: LetterCounts) -> str:
    if counted.total == 0:
        return "from frequencies"
    if counted.used == counted.total:
        return f"n = {counted.used}"
    return f"n = {counted.used} of {counted.total}, those of length {counted.counts.shape[0]}"


def _consensus(counted: LetterCounts) -> str:
    best = "".join(counted.letters[i] for i in counted.counts.argmax(axis=1))
    return best if len(best) <= 200 else f"{best[:200]}... ({len(best)} letters)"


def _draw(
    heights: FloatArray,
    letters: str,
    limits: tuple[float, float],
    unit: str,
    title: str,
    description: str,
    first_position: int,
    columns_per_row: int,
) -> Markup:
    length = heights.shape[0]
    num_rows = -(-length // columns_per_row)
    # Rows of equal length: no single column is left over for the last one.
    columns = -(-length // num_rows)
    step = min(_MAX_COLUMN, _MAX_WIDTH / columns)
    width = max(_LEFT + columns * step + _RIGHT, 7.0 * len(title) + 20)
    height = _TOP + num_rows * (_ROW_HEIGHT + _BOTTOM)
    # The ids of the outlines must differ from those of every other logo on the page.
    prefix = svg.identifier(title, letters, str(limits), heights.round(6).tobytes().hex())
    body = [_outlines(letters, prefix), svg.text(4, 18, title, font_weight="600", fill=colour("ink"))]
    for row in range(num_rows):
        start = row * columns
        part = heights[start : start + columns]
        top = _TOP + row * (_ROW_HEIGHT + _BOTTOM)
        body.append(_axes(part.shape[0], step, top, limits, unit, first_position + start))
        body.append(_stacks(part, letters, step, top, limits, prefix))
    return svg.document(width, height, svg.join(body), title=title, description=description)


def _outlines(letters: str, prefix: str) -> Markup:
    """Definitions of one box of 100 by 100 units per letter, coloured; letters without outline are text."""
    colours = letter_colours(letters)
    defined = []
    for i, letter in enumerate(letters):
        common = {"id": f"{prefix}-{i}", "fill": colour(colours[letter])}
        if letter in OUTLINES:
            defined.append(svg.tag("path", d=OUTLINES[letter], **common))
        else:
            defined.append(
                svg.text(
                    BOX / 2,
                    BOX * 0.96,
                    letter,
                    font_size=BOX * 1.25,
                    font_weight="700",
                    text_anchor="middle",
                    textLength=BOX * 0.9,
                    lengthAdjust="spacingAndGlyphs",
                    **common,
                )
            )
    return svg.tag("defs", svg.join(defined))


def _stacks(
    heights: FloatArray, letters: str, step: float, top: float, limits: tuple[float, float], prefix: str
) -> Markup:
    """All letters of one row; within a stack the largest stands furthest from zero."""
    low, high = limits
    scale = _ROW_HEIGHT / (high - low)
    zero = top + high * scale
    wide = step * 0.94 / BOX
    parts: list[str] = []
    for column, row in enumerate(heights * scale):
        x = svg.number(_LEFT + column * step + step * 0.03)
        up = down = zero
        for index in np.argsort(np.abs(row), kind="stable"):
            size = float(row[index])
            if abs(size) < _SMALLEST:
                continue
            if size > 0:
                up -= size
                y = up
            else:
                y, down = down, down - size
            parts.append(
                f'<use href="#{prefix}-{index}" '
                f'transform="translate({x} {svg.number(y)})scale({wide:.4f} {abs(size) / BOX:.4f})"/>'
            )
    return Markup("<g>" + "".join(parts) + "</g>")


def _axes(
    columns: int,
    step: float,
    top: float,
    limits: tuple[float, float],
    unit: str,
    first_position: int,
) -> Markup:
    low, high = limits
    left, bottom = _LEFT - 4, top + _ROW_HEIGHT
    muted, parts = colour("muted"), []
    for value, label in linear_ticks(low, high, target=4):
        y = bottom - (value - low) / (high - low) * _ROW_HEIGHT
        parts.append(svg.tag("path", d=f"M{svg.number(left)} {svg.number(y)}h-4", stroke=muted))
        parts.append(svg.text(left - 7, y + 4, label, text_anchor="end", fill=muted, font_size=11))
    parts.append(
        svg.tag("path", d=f"M{svg.number(left)} {svg.number(top)}V{svg.number(bottom)}", stroke=muted)
    )
    zero = bottom + low / (high - low) * _ROW_HEIGHT
    end = svg.number(_LEFT + columns * step)
    parts.append(svg.tag("path", d=f"M{svg.number(left)} {svg.number(zero)}H{end}", stroke=muted))
    middle = (top + bottom) / 2
    parts.append(
        svg.text(
            13,
            middle,
            unit,
            text_anchor="middle",
            fill=muted,
            transform=f"rotate(-90 13 {svg.number(middle)})",
        )
    )
    every = 1 if step >= 22 else 5 if step >= 6 else 10
    for column in range(columns):
        position = first_position + column
        # The first column has its number too, unless that would run into the next one.
        if position % every == 0 or (column == 0 and every - position % every > every / 2):
            x = _LEFT + (column + 0.5) * step
            parts.append(
                svg.text(x, bottom + 16, str(position), text_anchor="middle", fill=muted, font_size=11)
            )
    return svg.tag("g", svg.join(parts))
