"""Sequences by positions: each letter on a shade of what it adds, many sequences at a glance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from seqdesign.reports import svg
from seqdesign.reports.charts.heat_map import LEVELS, SHADE, shade_legend, shade_style
from seqdesign.reports.palette import colour
from seqdesign.reports.scale import FloatArray

_ROW, _CELL = 17.0, 15.0
_TOP, _LETTER = 66.0, 6.6
_LONGEST_NAME = 18


def letter_map(
    values: FloatArray,
    letters: Sequence[str],
    names: Sequence[str],
    positions: Sequence[int],
    *,
    title: str,
    unit: str,
    marked: Sequence[Sequence[bool]] = (),
) -> Markup:
    """``values`` (N, P) in ``unit`` of the letters of N sequences at P positions; NaN is left empty.

    letters: (N) texts of P letters. names: of the sequences. positions: numbers of the columns. marked:
    (N, P), letters that are underlined, such as edits.
    """
    known = np.abs(values[np.isfinite(values)])
    top = float(known.max(initial=0.0)) or 1.0
    shown = [name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…" for name in names]
    left = 12 + _LETTER * max(map(len, shown))
    legend = f"+{top:.2g} {unit}" + ("; underlined: edited" if any(map(any, marked)) else "")
    width = max(left + _CELL * len(positions) + 8, left + 60 + SHADE * 2 * LEVELS + 8.4 * len(legend))
    height = _TOP + _ROW * len(names) + 8
    parts = [svg.text(4, 18, title, font_weight="600", fill=colour("ink"))]
    parts += [*shade_legend(left, top, legend), *_heads(positions, left)]
    scaled = np.clip(np.nan_to_num(values) / top, -1.0, 1.0) * LEVELS
    shades = np.sign(scaled) * np.ceil(np.abs(scaled) - 1e-9)
    for i, name in enumerate(shown):
        y = _TOP + _ROW * i
        parts.append(svg.text(left - 6, y + 12, name, text_anchor="end", fill=colour("ink"), font_size=11))
        parts += _line(letters[i], shades[i], marked[i] if marked else (), left, y)
    data: dict[str, Sequence[object]] = {"id": [name for name in names for _ in positions]}
    data["position"] = [place for _ in names for place in positions]
    data["letter"] = [letter for text in letters for letter in text]
    data[unit] = values.ravel().tolist()
    said = f"{unit} that each letter of {len(names)} sequences adds at {len(positions)} positions."
    return svg.document(width, height, svg.join(parts), title=title, description=said, data=data)


def _heads(positions: Sequence[int], left: float) -> list[Markup]:
    """Numbers of the columns, turned where they are long."""
    style: dict[str, str | float] = {"fill": colour("muted"), "font_size": 10}
    parts = []
    for j, place in enumerate(positions):
        x = left + _CELL * (j + 0.5)
        if place < 100:
            parts.append(svg.text(x, _TOP - 6, str(place), text_anchor="middle", **style))
        else:
            turn = f"rotate(-60 {svg.number(x + 3)} {svg.number(_TOP - 5)})"
            parts.append(svg.text(x + 3, _TOP - 5, str(place), transform=turn, **style))
    return parts


def _line(text: str, shades: FloatArray, marked: Sequence[bool], left: float, y: float) -> list[Markup]:
    """One sequence."""
    parts = []
    for j, letter in enumerate(text):
        x, shade = left + _CELL * j, int(shades[j])
        if shade:
            parts.append(svg.tag("rect", x=x, y=y, width=_CELL - 1, height=_ROW - 1, **shade_style(shade)))
        dark = abs(shade) > LEVELS // 2
        style: dict[str, str | float] = {"fill": colour("paper" if dark else "ink"), "font_size": 11}
        if marked and marked[j]:
            style |= {"font_weight": "700", "text_decoration": "underline"}
        parts.append(svg.text(x + (_CELL - 1) / 2, y + 12, letter, text_anchor="middle", **style))
    return parts
