"""Curves: losses over training, or a measure over a budget."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from seqdesign.reports import svg
from seqdesign.reports.charts.frame import Frame, Key, left_out
from seqdesign.reports.palette import colour, series_colour, series_dash
from seqdesign.reports.scale import FloatArray, Scale, as_floats, drawable, joined

_REFERENCE: dict[str, str | float] = {
    "stroke": colour("ink"),
    "stroke_width": 1.5,
    "stroke_dasharray": "1.5 3",
}


def line_chart(
    series: Mapping[str, tuple[ArrayLike, ArrayLike]],
    *,
    title: str,
    x_label: str,
    y_label: str,
    log_y: bool = False,
    markers: bool = False,
    reference: tuple[str, float] | None = None,
) -> Markup:
    """Curves ``{name: (x, y)}``, x and y equally long; a curve is broken where y cannot be shown.

    ``markers`` draws the points too (for few of them); ``reference`` is a labelled horizontal line.
    """
    data = {name: as_floats(x, y) for name, (x, y) in series.items()}
    levels = [np.array([reference[1]])] if reference else []
    keys = [Key(name, _sample(i, markers=markers)) for i, name in enumerate(data)]
    if reference:
        keys.append(Key(reference[0], svg.tag("path", d="M-11 0H11", **_REFERENCE)))
    frame = Frame(
        Scale.around(joined(x for x, _ in data.values())),
        Scale.around(joined([y for _, y in data.values()] + levels), log=log_y),
        title,
        x_label,
        y_label,
        tuple(keys),
    )
    marks = []
    if reference:
        across = (
            f"M{svg.number(frame.left)} {svg.number(float(frame.y(reference[1])))}H{svg.number(frame.right)}"
        )
        marks.append(svg.tag("path", d=across, **_REFERENCE))
    missing = 0
    for i, (x, y) in enumerate(data.values()):
        shown = drawable(x) & drawable(y, log=log_y)
        missing += int((~shown).sum())
        marks += _curve(frame, x, y, shown, i, markers=markers)
    said = f"{y_label} against {x_label} for {', '.join(data)}.{left_out(missing)}"
    return frame.draw(marks, said, _long(data, x_label, y_label))


def _long(
    data: Mapping[str, Sequence[FloatArray]], x_label: str, y_label: str
) -> dict[str, Sequence[object]]:
    """All points of all curves, one below the other."""
    return {
        "curve": [name for name, (x, _) in data.items() for _ in x],
        x_label: [value for x, _ in data.values() for value in x.tolist()],
        y_label: [value for _, y in data.values() for value in y.tolist()],
    }


def _sample(index: int, *, markers: bool) -> Markup:
    line = svg.tag("path", d="M-11 0H11", stroke_width=2, **_stroke(index))
    return svg.join([line, _marker(0, 0, index)]) if markers else line


def _stroke(index: int) -> dict[str, str]:
    return {"stroke": series_colour(index), "stroke_dasharray": series_dash(index) or "none", "fill": "none"}


def _marker(x: float, y: float, index: int) -> Markup:
    """Circle, square, diamond, triangle in turn."""
    shapes = (
        "M-3.5 0a3.5 3.5 0 1 0 7 0a3.5 3.5 0 1 0-7 0Z",
        "M-3 -3H3V3H-3Z",
        "M0-4.4L4.4 0L0 4.4L-4.4 0Z",
        "M0-4L4 3H-4Z",
    )
    place = f"translate({svg.number(x)} {svg.number(y)})"
    return svg.tag("path", d=shapes[index % len(shapes)], fill=series_colour(index), transform=place)


def _curve(
    frame: Frame, x: FloatArray, y: FloatArray, shown: np.ndarray, index: int, *, markers: bool
) -> list[Markup]:
    path, alone, marks = [], [], []
    previous = False
    for i in range(x.size):
        if shown[i]:
            px, py = float(frame.x(float(x[i]))), float(frame.y(float(y[i])))
            path.append(f"{'L' if previous else 'M'}{svg.number(px)} {svg.number(py)}")
            # A point between two gaps has no line to show it.
            lonely = not previous and (i + 1 == x.size or not shown[i + 1])
            if markers or lonely:
                alone.append(_marker(px, py, index))
        previous = bool(shown[i])
    if path:
        marks.append(
            svg.tag("path", d="".join(path), stroke_width=1.8, stroke_linejoin="round", **_stroke(index))
        )
    return marks + alone
