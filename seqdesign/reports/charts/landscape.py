"""Points in a plane, coloured by the fifth in which a value of theirs lies."""

from __future__ import annotations

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from seqdesign.reports import svg
from seqdesign.reports.charts.frame import Frame, Key, left_out
from seqdesign.reports.palette import colour
from seqdesign.reports.scale import FloatArray, Scale, as_floats, drawable

_LOOKS = (("blue", 1.0), ("blue", 0.5), ("muted", 0.5), ("vermillion", 0.5), ("vermillion", 1.0))
"""Colour and opacity of each fifth, the lowest first: told apart without hue by how strong they are."""


def landscape(
    x: ArrayLike, y: ArrayLike, values: ArrayLike, *, title: str, x_label: str, y_label: str, name: str
) -> Markup:
    """Points (x, y), each coloured by the fifth of ``values`` that it is in; ``name``: what the values are.

    Fewer than five colours where values are equal.
    """
    xs, ys = as_floats(x, y)
    xs, zs = as_floats(xs, values)
    shown = drawable(xs) & drawable(ys) & drawable(zs)
    missing, xs, ys, zs = int((~shown).sum()), xs[shown], ys[shown], zs[shown]
    frame_x, frame_y = Scale.around(xs), Scale.around(ys)
    limits = np.unique(np.quantile(zs, [0.2, 0.4, 0.6, 0.8], method="higher"))
    limits = limits[limits > zs.min()]
    parts = np.digitize(zs, limits)
    looks = [_LOOKS[i] for i in np.linspace(0, len(_LOOKS) - 1, len(limits) + 1).round().astype(int)]
    edges = [float(zs.min()), *limits.tolist(), float(zs.max())]
    keys = tuple(
        Key(f"{low:.3g} to {high:.3g}", _dots(svg_path([0.0], [0.0]), look, 8.0))
        for low, high, look in zip(edges, edges[1:], looks, strict=False)
    )
    frame = Frame(frame_x, frame_y, title, x_label, y_label, keys)
    radius = 6.0 if xs.size <= 300 else 4.0
    marks = [
        _dots(svg_path(frame.x(xs[parts == i]), frame.y(ys[parts == i])), look, radius)
        for i, look in enumerate(looks)
    ]
    return frame.draw(marks, f"{xs.size} points, coloured by {name}.{left_out(missing)}")


def svg_path(x: FloatArray | list[float], y: FloatArray | list[float]) -> str:
    """Zero-length strokes, which round caps make dots."""
    return "".join(f"M{svg.number(px)} {svg.number(py)}h0" for px, py in zip(x, y, strict=True))


def _dots(path: str, look: tuple[str, float], width: float) -> Markup:
    name, opacity = look
    dots = svg.tag("path", d=path, stroke=colour(name), stroke_width=width, stroke_linecap="round")
    return svg.tag("g", dots, opacity=opacity)
