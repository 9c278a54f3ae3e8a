"""Overlaid histograms on common bins."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from seqdesign.reports import svg
from seqdesign.reports.charts.frame import Frame, Key, left_out
from seqdesign.reports.palette import series_colour, series_dash
from seqdesign.reports.scale import FloatArray, Scale, as_floats, drawable, joined


def histogram(
    groups: Mapping[str, ArrayLike],
    *,
    title: str,
    x_label: str,
    num_bins: int = 30,
    share: bool = True,
) -> Markup:
    """Histograms of ``{name: values}``; ``share`` in percent of each group, else counts."""
    arrays = {name: as_floats(values)[0] for name, values in groups.items()}
    data = {name: values[drawable(values)] for name, values in arrays.items()}
    missing = sum(values.size for values in arrays.values()) - sum(values.size for values in data.values())
    x_scale = Scale.around(joined(data.values()))
    edges = _edges(joined(data.values()), x_scale, num_bins)
    if edges[0] < x_scale.low or edges[-1] > x_scale.high:
        x_scale = Scale(min(x_scale.low, edges[0]), max(x_scale.high, edges[-1]), whole=x_scale.whole)
    heights = [_heights(values, edges, share=share) for values in data.values()]
    keys = [
        Key(f"{name} (n = {values.size})", svg.tag("path", d="M-9 5V-5H9V5Z", **_style(i)))
        for i, (name, values) in enumerate(data.items())
    ]
    y_scale = Scale.around(joined(heights), zero=True)
    frame = Frame(x_scale, y_scale, title, x_label, "share (%)" if share else "count", tuple(keys))
    marks = [
        svg.tag("path", d=_outline(frame, edges, values), stroke_linejoin="round", **_style(i))
        for i, values in enumerate(heights)
    ]
    medians = ", ".join(f"{name} {np.median(v):.4g}" for name, v in data.items() if v.size)
    said = f"Distribution of {x_label}. Medians: {medians}.{left_out(missing)}"
    bins = {"from": edges[:-1].tolist(), "to": edges[1:].tolist()}
    return frame.draw(marks, said, bins | {name: h.tolist() for name, h in zip(data, heights, strict=True)})


def _edges(values: FloatArray, scale: Scale, num_bins: int) -> FloatArray:
    """Bins of one width. Whole numbers get bins of equally many of them, or some would stay empty."""
    if not scale.whole:
        return np.linspace(scale.low, scale.high, num_bins + 1)
    low, high = float(values.min()), float(values.max())
    width = max(1, math.ceil((high - low + 1) / num_bins))
    count = math.ceil((high - low + 1) / width)
    edges: FloatArray = low - 0.5 + width * np.arange(count + 1, dtype=np.float64)
    return edges


def _heights(values: FloatArray, edges: FloatArray, *, share: bool) -> FloatArray:
    counts = np.histogram(values, edges)[0].astype(np.float64)
    return 100.0 * counts / max(values.size, 1) if share else counts


def _style(index: int) -> dict[str, str | float]:
    hue = series_colour(index)
    dash = series_dash(index) or "none"
    return {"fill": hue, "fill_opacity": 0.2, "stroke": hue, "stroke_width": 1.6, "stroke_dasharray": dash}


def _outline(frame: Frame, edges: FloatArray, heights: FloatArray) -> str:
    across = frame.x(edges)
    floor = svg.number(float(frame.y(0.0)))
    steps = "".join(
        f"V{svg.number(y)}H{svg.number(x)}" for y, x in zip(frame.y(heights), across[1:], strict=True)
    )
    return f"M{svg.number(across[0])} {floor}{steps}V{floor}"
