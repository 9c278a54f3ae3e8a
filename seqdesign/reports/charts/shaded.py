"""Points in a plane, shaded by a value: a map of codes coloured by their outcome."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from seqdesign.reports import svg
from seqdesign.reports.charts.frame import Frame, Key, left_out
from seqdesign.reports.palette import colour
from seqdesign.reports.scale import FloatArray, Scale, as_floats, drawable

_SHADES = 5
_MAX_NAMED = 150  # circles that say what they are
_EMPTY: dict[str, str | float] = {"fill": "none", "stroke": colour("muted"), "stroke_width": 1}


def shaded_scatter(
    x: ArrayLike,
    y: ArrayLike,
    value: ArrayLike,
    *,
    title: str,
    x_label: str,
    y_label: str,
    unit: str,
    ids: Sequence[str] = (),
) -> Markup:
    """Points (x, y), the darker the larger their ``value`` in ``unit``: five classes of equally many.

    Points without a value are hollow.
    """
    xs, ys, values = as_floats(x, y, value)
    shown = drawable(xs) & drawable(ys)
    names = np.array(list(ids) or [str(i + 1) for i in range(xs.size)], dtype=object)[shown]
    missing, xs, ys, values = int((~shown).sum()), xs[shown], ys[shown], values[shown]
    known = np.isfinite(values)
    inner = np.quantile(values[known], np.linspace(0, 1, _SHADES + 1)[1:-1]) if known.any() else np.empty(0)
    edges = np.unique(inner)
    classes = np.where(known, np.searchsorted(edges, values, side="right"), -1)
    keys = tuple(
        Key(label, svg.tag("circle", r=4, **_style(i, edges.size))) for i, label in _labels(edges, known)
    )
    frame = Frame(Scale.around(xs), Scale.around(ys), title, x_label, y_label, keys, note=f"shade: {unit}")
    across, up = frame.x(xs), frame.y(ys)
    order = np.argsort(classes, kind="stable")
    if xs.size > _MAX_NAMED:
        marks = [_dots(across[classes == i], up[classes == i], i, edges.size) for i in np.unique(classes)]
        group = svg.tag("g", svg.join(marks), class_="sd-dots", stroke_linecap="round")
    else:
        marks = [
            svg.point(
                float(across[i]),
                float(up[i]),
                f"{names[i]}: {unit} {values[i]:.4g}" if known[i] else f"{names[i]}: not measured",
                radius=2.6,
                **_style(int(classes[i]), edges.size),
            )
            for i in order
        ]
        group = svg.tag("g", svg.join(marks), class_="sd-points")
    said = f"{y_label} against {x_label}, {xs.size} points shaded by {unit}.{left_out(missing)}"
    columns = {"id": names, x_label: xs, y_label: ys, unit: values}
    # In the order of the dots, of which there may be too many to say each what it is.
    return frame.draw([group], said, {name: column[order].tolist() for name, column in columns.items()})


def _dots(x: FloatArray, y: FloatArray, place: int, last: int) -> Markup:
    """Many circles of one class as one path, drawn in layers."""
    dots = "".join(f"M{svg.number(px)} {svg.number(py)}h0" for px, py in zip(x, y, strict=True))
    key = svg.identifier(dots, str(place))
    style = _style(place, last)
    # The rim, paper over it, and the shade over that; the outline stands there once.
    layers: list[dict[str, str | float]] = [
        {"stroke": style["stroke"], "stroke_width": 5.0},
        {"stroke": colour("paper"), "stroke_width": 3.8},
    ]
    if place >= 0:
        layers.append(
            {"stroke": style["stroke"], "stroke_width": 4.0, "stroke_opacity": style["fill_opacity"]}
        )
    outline = svg.tag("defs", svg.tag("path", d=dots, id=key))
    return svg.join([outline, *(svg.tag("use", href=f"#{key}", **layer) for layer in layers)])


def _labels(edges: np.ndarray, known: np.ndarray) -> list[tuple[int, str]]:
    """Number and words of each class that has points."""
    found = []
    if known.any():
        texts = [f"{edge:.3g}" for edge in edges]
        found = [(0, f"below {texts[0]}" if texts else "all")]
        found += [(i, f"to {texts[i]}") for i in range(1, len(texts))]
        found += [(len(texts), f"from {texts[-1]}")] if texts else []
    return found + ([(-1, "not measured")] if not known.all() else [])


def _style(place: int, last: int) -> dict[str, str | float]:
    if place < 0:
        return dict(_EMPTY)
    return {
        "fill": colour("blue"),
        "fill_opacity": 0.12 + 0.88 * place / max(last, 1),
        "stroke": colour("blue"),
        "stroke_width": 0.6,
    }
