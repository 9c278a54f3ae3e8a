"""Bars of several methods side by side per category, with a level to compare them to."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from seqdesign.reports import svg
from seqdesign.reports.charts.frame import Frame, Key, halo
from seqdesign.reports.palette import colour, series_colour
from seqdesign.reports.scale import Scale, as_floats, joined

_LEVEL: dict[str, str | float] = {"stroke": colour("ink"), "stroke_width": 2, "stroke_dasharray": "5 2"}
_LETTER_WIDTH, _LETTER_HEIGHT = 6.6, 11  # CSS pixels at font size 11


def bar_chart(
    groups: Mapping[str, ArrayLike],
    categories: Sequence[str],
    *,
    title: str,
    x_label: str,
    y_label: str,
    reference: tuple[str, ArrayLike] | None = None,
) -> Markup:
    """Bars of ``{name: one value per category}``, with their values where there is room.

    ``reference`` is (name, one value per category), drawn as a level across each group ("best possible").
    A value that is not finite has no bar.
    """
    data = {name: as_floats(values)[0] for name, values in groups.items()}
    levels = as_floats(reference[1])[0] if reference else np.empty(0)
    named = {**data, reference[0]: levels} if reference else data
    for name, values in named.items():
        if values.size != len(categories):
            raise ValueError(
                f"'{name}' must have {len(categories)} values, one per category, got {values.size}"
            )
    keys = [
        Key(name, svg.tag("rect", x=-8, y=-5, width=16, height=10, **_style(i)))
        for i, name in enumerate(data)
    ]
    if reference:
        keys.append(Key(reference[0], svg.tag("path", d="M-11 0H11", **_LEVEL)))
    frame = Frame(
        Scale(-0.5, len(categories) - 0.5),
        Scale.around(joined(named.values()), zero=True),
        title,
        x_label,
        y_label,
        tuple(keys),
        x_ticks=tuple((float(i), name) for i, name in enumerate(categories)),
    )
    wide = 0.8 / max(len(data), 1)
    marks, labels = [], []
    for i, values in enumerate(data.values()):
        for c, value in enumerate(values):
            if np.isfinite(value):
                level = float(frame.y(levels[c])) if levels.size else np.nan
                bar, label = _bar(frame, c - 0.4 + i * wide, wide, float(value), i, level)
                marks.append(bar)
                labels += label
    for c, value in enumerate(levels):
        if np.isfinite(value):
            start, end = frame.x(np.array([c - 0.44, c + 0.44]))
            path = f"M{svg.number(start)} {svg.number(float(frame.y(float(value))))}H{svg.number(end)}"
            marks.append(svg.tag("path", d=path, **_LEVEL))
    rows = "; ".join(f"{name}: " + ", ".join(f"{v:.3g}" for v in values) for name, values in named.items())
    said = f"{y_label} by {x_label} ({', '.join(categories)}). {rows}."
    return frame.draw(
        marks + labels, said, {x_label: list(categories)} | {n: list(v) for n, v in named.items()}
    )


def _style(index: int) -> dict[str, str | float]:
    """Fill by series; every second series is lighter with an outline, to differ without colour."""
    hue = series_colour(index)
    return {"fill": hue, "fill_opacity": 0.35 if index % 2 else 1.0, "stroke": hue}


def _bar(
    frame: Frame, left: float, wide: float, value: float, index: int, level: float
) -> tuple[Markup, list[Markup]]:
    """One bar, and its value over it if there is room; in it where ``level`` would cross the digits."""
    start, end = (float(v) for v in frame.x(np.array([left + 0.04 * wide, left + 0.96 * wide])))
    zero, tip = float(frame.y(0.0)), float(frame.y(value))
    size = {"x": start, "y": min(zero, tip), "width": end - start, "height": abs(zero - tip)}
    bar = svg.tag("rect", **size, **_style(index))
    label = f"{value:.3g}"
    if end - start < _LETTER_WIDTH * len(label):
        return bar, []
    over, under = tip - 5, tip + 13
    y, within = (over, under) if value >= 0 else (under, over)
    style = halo()
    if y - _LETTER_HEIGHT <= level <= y + 2 and abs(zero - tip) > 2 * _LETTER_HEIGHT:
        y, style = within, {"fill": colour("ink" if index % 2 else "paper")}
    return bar, [svg.text((start + end) / 2, y, label, text_anchor="middle", font_size=11, **style)]
