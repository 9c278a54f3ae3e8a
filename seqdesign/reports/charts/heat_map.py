"""Positions by letters, shaded by a value above or below its mean: a landscape of mutants at a glance."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from seqdesign.reports import svg
from seqdesign.reports.palette import colour
from seqdesign.reports.scale import FloatArray

_PER_BLOCK = 60  # positions side by side
LEVELS = 8
"""Shades on either side of zero."""
_ROW, _WIDEST, _NARROWEST = 14.0, 24.0, 9.0
_LEFT, _TOP, _GAP = 26.0, 46.0, 30.0
_ROOM = 720.0
SHADE = 9.0
"""Width of a shade in the legend."""


def heat_map(
    values: FloatArray,
    letters: str,
    positions: Sequence[int],
    *,
    title: str,
    unit: str,
    common: str = "",
) -> Markup:
    """``values`` (P, V) of the letters V at the positions P, in ``unit``; NaN is left empty.

    positions: their numbers. common: the letter that most sequences have at each, which gets a dot.
    Above zero is blue, below vermillion; the darker, the farther. Shades end at the 98% quantile.
    """
    known = np.abs(values[np.isfinite(values)])
    top = float(np.quantile(known, 0.98)) if known.size else 0.0
    top = top or float(known.max(initial=0.0)) or 1.0
    text = f"+{top:.2g} {unit}; dot: commonest letter"
    wide = float(np.clip(_ROOM / min(len(positions), _PER_BLOCK), _NARROWEST, _WIDEST))
    starts = range(0, len(positions), _PER_BLOCK)
    block = _ROW * len(letters) + _GAP
    parts = [svg.text(4, 18, title, font_weight="600", fill=colour("ink")), *shade_legend(_LEFT, top, text)]
    for b, start in enumerate(starts):
        inside = slice(start, start + _PER_BLOCK)
        y = _TOP + b * block + 14
        parts += _block(values[inside], letters, positions[inside], common[inside], top, wide, y)
    legend = _LEFT + 60 + SHADE * 2 * LEVELS + 8.4 * len(text)
    width = max(_LEFT + wide * min(len(positions), _PER_BLOCK) + 8, legend)
    height = _TOP + 14 + block * len(starts)
    place, letter = np.indices(values.shape)
    data: dict[str, Sequence[object]] = {
        "position": [positions[i] for i in place.ravel().tolist()],
        "letter": [letters[i] for i in letter.ravel().tolist()],
        unit: values.ravel().tolist(),
    }
    said = f"{unit} of {len(letters)} letters at {len(positions)} positions, from {-top:.3g} to {top:.3g}."
    return svg.document(width, height, svg.join(parts), title=title, description=said, data=data)


def shade_legend(left: float, top: float, text: str) -> list[Markup]:
    """From the lowest shade to the highest, and what the highest is."""
    shades = [-(i + 1) for i in reversed(range(LEVELS))] + [i + 1 for i in range(LEVELS)]
    cells = [
        svg.tag("rect", x=left + 54 + SHADE * i, y=26, width=SHADE, height=10, **shade_style(shade))
        for i, shade in enumerate(shades)
    ]
    end = left + 54 + SHADE * len(shades)
    style: dict[str, str | float] = {"fill": colour("muted"), "font_size": 11}
    return [
        svg.text(left + 48, 35, f"{-top:.2g}", text_anchor="end", **style),
        *cells,
        svg.text(end + 6, 35, text, **style),
    ]


def shade_style(shade: int) -> dict[str, str | float]:
    """Fill of a shade from -LEVELS to LEVELS: above zero blue, below vermillion."""
    hue = colour("blue" if shade > 0 else "vermillion")
    return {"fill": hue, "fill_opacity": 0.06 + 0.94 * abs(shade) / LEVELS}


def _block(
    values: FloatArray,
    letters: str,
    positions: Sequence[int],
    common: str,
    top: float,
    wide: float,
    y: float,
) -> list[Markup]:
    """Some positions: one path for all cells of a shade."""
    style: dict[str, str | float] = {"fill": colour("muted"), "font_size": 10, "text_anchor": "middle"}
    parts = [svg.text(_LEFT - 10, y + _ROW * (i + 0.78), letter, **style) for i, letter in enumerate(letters)]
    every = max(1, int(np.ceil(7.0 * len(str(positions[-1])) / wide)))
    for i, position in enumerate(positions):
        if i % every == 0:
            parts.append(svg.text(_LEFT + wide * (i + 0.5), y - 5, str(position), **style))
    frame = {"x": _LEFT, "y": y, "width": wide * len(positions), "height": _ROW * len(letters)}
    parts.append(svg.tag("rect", **frame, fill=colour("panel")))
    scaled = np.clip(values / top, -1.0, 1.0) * LEVELS
    shades = np.where(np.isfinite(values), np.sign(scaled) * np.ceil(np.abs(np.nan_to_num(scaled))), 0)
    for shade in np.unique(shades[shades != 0]):
        cells = "".join(
            f"M{svg.number(_LEFT + wide * i)} {svg.number(y + _ROW * j)}h{svg.number(wide - 0.6)}"
            f"v{svg.number(_ROW - 0.6)}h{svg.number(0.6 - wide)}z"
            for i, j in np.argwhere(shades == shade)
        )
        parts.append(svg.tag("path", d=cells, **shade_style(int(shade))))
    dots = "".join(
        f"M{svg.number(_LEFT + wide * (i + 0.5))} {svg.number(y + _ROW * (letters.index(letter) + 0.5))}h0"
        for i, letter in enumerate(common)
        if letter in letters
    )
    if dots:
        parts.append(svg.tag("path", d=dots, stroke=colour("ink"), stroke_width=4, stroke_linecap="round"))
    return parts
