"""Points in a plane, and predicted against measured values with their agreement."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike, NDArray

from seqdesign.reports import svg
from seqdesign.reports.charts.frame import Frame, Key, left_out
from seqdesign.reports.palette import colour
from seqdesign.reports.scale import FloatArray, Scale, as_floats, drawable, joined

_MAX_POINTS = 3000
_MAX_NAMED = 150  # circles that say what they are; more are one path, which the script of the page reads
_FRONT_KEYS = (
    Key("on the front", svg.tag("circle", r=3.2, fill=colour("vermillion"))),
    Key("dominated", svg.tag("circle", r=3.2, fill=colour("muted"), fill_opacity=0.45)),
)
_CELLS = 56


def scatter(
    x: ArrayLike,
    y: ArrayLike,
    *,
    title: str,
    x_label: str,
    y_label: str,
    note: str = "",
    diagonal: bool = False,
    ids: Sequence[str] = (),
    front: ArrayLike | None = None,
    x_band: tuple[float, float] | None = None,
    y_band: tuple[float, float] | None = None,
) -> Markup:
    """Points (x, y); above 3,000 of them, squares whose opacity shows how many points lie there.

    diagonal: both axes have the same limits, and y = x is drawn. ids: names, which the points say; of more
    than 150, with the help of the page's script. front: (N,) bool, points that are joined in order of x and
    drawn full, the others dimmed.
    x_band, y_band: ranges that are shaded, such as those of the training data.
    """
    xs, ys = as_floats(x, y)
    shown = drawable(xs) & drawable(ys)
    names = np.array(list(ids) or [""] * xs.size, dtype=object)[shown]
    best = None if front is None else np.asarray(front, dtype=bool).ravel()[shown]
    missing, xs, ys = int((~shown).sum()), xs[shown], ys[shown]
    bands = [np.array(band or (), dtype=np.float64) for band in (x_band, y_band)]
    x_scale = Scale.around(joined([xs, ys, *bands]) if diagonal else joined([xs, bands[0]]))
    y_scale = x_scale if diagonal else Scale.around(joined([ys, bands[1]]))
    frame = Frame(
        x_scale, y_scale, title, x_label, y_label, () if best is None else _FRONT_KEYS, note=note,
        x_band=x_band, y_band=y_band,
    )  # fmt: skip
    marks = []
    if diagonal:
        left, bottom, right, top = map(svg.number, (frame.left, frame.bottom, frame.right, frame.top))
        line = f"M{left} {bottom}L{right} {top}"
        marks.append(svg.tag("path", d=line, stroke=colour("muted"), stroke_dasharray="4 4"))
    if best is not None:
        marks += _with_front(frame, xs, ys, best, names)
    elif xs.size > _MAX_POINTS:
        marks.append(_density(frame, xs, ys))
    elif len(ids) and xs.size <= _MAX_NAMED:
        marks.append(_named(frame, xs, ys, names, {"fill": colour("blue"), "fill_opacity": 0.65}))
    else:
        marks.append(_points(frame, xs, ys, named=bool(len(ids))))
    said = f"{y_label} against {x_label}, {xs.size} points. {note}{left_out(missing)}"
    data: dict[str, Sequence[object]] = {"id": names.tolist()} if len(ids) else {}
    data |= {x_label: xs.tolist(), y_label: ys.tolist()}
    return frame.draw(marks, said, data if best is None else data | {"front": best.tolist()})


def predicted_measured(
    measured: ArrayLike,
    predicted: ArrayLike,
    *,
    title: str,
    unit: str = "outcome",
    ids: Sequence[str] = (),
    training: tuple[float, float] | None = None,
) -> Markup:
    """Predicted against measured values with the line of equality, R2, Spearman's rho and n.

    ids: names of the points. training: the range of training outcomes, which is shaded.
    """
    m, p = as_floats(measured, predicted)
    r2, rho = agreement(m, p)
    worse = " (worse than always the mean)" if r2 < 0 else ""
    note = f"R2 = {r2:.3f}{worse}, rho = {rho:.3f}, n = {int((drawable(m) & drawable(p)).sum())}"
    return scatter(
        m, p, title=title, x_label=f"measured {unit}", y_label=f"predicted {unit}", note=note, diagonal=True,
        ids=ids, x_band=training,
    )  # fmt: skip


def agreement(measured: ArrayLike, predicted: ArrayLike) -> tuple[float, float]:
    """Coefficient of determination 1 - SS(residual) / SS(total), and Spearman's rank correlation.

    Pairs with a value that is not finite are left out. NaN where a constant, or fewer than two pairs,
    leave a number undefined.
    """
    m, p = as_floats(measured, predicted)
    both = drawable(m) & drawable(p)
    m, p = m[both], p[both]
    if m.size < 2:
        return float("nan"), float("nan")
    # Neither number depends on a common factor, and squares of the largest floats would overflow.
    largest = max(float(np.abs(m).max()), float(np.abs(p).max())) or 1.0
    m, p = m / largest, p / largest
    total = float(np.sum((m - m.mean()) ** 2))
    r2 = 1.0 - float(np.sum((m - p) ** 2)) / total if total > 0 else float("nan")
    ranks = np.stack([_ranks(m), _ranks(p)])
    ranks -= ranks.mean(axis=1, keepdims=True)
    norm = float(np.sqrt(np.prod(np.sum(ranks**2, axis=1))))
    return r2, float(np.sum(ranks[0] * ranks[1])) / norm if norm > 0 else float("nan")


def _ranks(values: FloatArray) -> FloatArray:
    """Ranks from 1, ties share the mean of their ranks."""
    _, inverse, counts = np.unique(values, return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    return (last - (counts - 1) / 2.0)[inverse]


def _named(
    frame: Frame, x: FloatArray, y: FloatArray, names: NDArray[np.object_], style: dict[str, str | float]
) -> Markup:
    """A circle a point, which says its name and values."""
    radius = 3.2 if x.size <= 300 else 2.4
    dots = [
        svg.point(float(px), float(py), f"{name}: {vx:.4g}, {vy:.4g}", radius=radius)
        for px, py, name, vx, vy in zip(frame.x(x), frame.y(y), names, x, y, strict=True)
    ]
    return svg.tag("g", svg.join(dots), class_="sd-points", **style)


def _with_front(
    frame: Frame, x: FloatArray, y: FloatArray, best: NDArray[np.bool_], names: NDArray[np.object_]
) -> list[Markup]:
    """Dominated points dimmed, those of the front joined and on top."""
    order = np.flatnonzero(best)[np.argsort(x[best], kind="stable")]
    corners = " ".join(
        f"{svg.number(px)} {svg.number(py)}"
        for px, py in zip(frame.x(x[order]), frame.y(y[order]), strict=True)
    )
    line = svg.tag("path", d=f"M{corners}", fill="none", stroke=colour("vermillion"), stroke_width=1.2)
    return [
        _named(frame, x[~best], y[~best], names[~best], {"fill": colour("muted"), "fill_opacity": 0.45}),
        *([line] if order.size > 1 else []),
        _named(frame, x[order], y[order], names[order], {"fill": colour("vermillion")}),
    ]


def _points(frame: Frame, x: FloatArray, y: FloatArray, *, named: bool) -> Markup:
    """One path of round dots: a zero-length stroke with round caps is the shortest way to write a dot.

    named: the data have a row for each, in this order, which says what it is.
    """
    radius = 3.0 if x.size <= 300 else 2.0
    dots = "".join(
        f"M{svg.number(px)} {svg.number(py)}h0" for px, py in zip(frame.x(x), frame.y(y), strict=True)
    )
    group = svg.tag("path", d=dots, stroke=colour("blue"), stroke_width=2 * radius, stroke_linecap="round")
    return svg.tag("g", group, opacity=0.6, class_="sd-dots" if named else "sd-plain")


def _density(frame: Frame, x: FloatArray, y: FloatArray) -> Markup:
    limits = [[frame.x_scale.low, frame.x_scale.high], [frame.y_scale.low, frame.y_scale.high]]
    counts, x_edges, y_edges = np.histogram2d(x, y, bins=_CELLS, range=limits)
    across, up = frame.x(x_edges), frame.y(y_edges)
    wide, high = float(across[1] - across[0]), float(up[0] - up[1])
    cells = []
    for i, j in np.argwhere(counts > 0):
        # Logarithmic, so that single points next to a dense centre stay visible.
        opacity = 0.15 + 0.85 * np.log1p(counts[i, j]) / np.log1p(counts.max())
        cells.append(
            svg.tag("rect", x=across[i], y=up[j + 1], width=wide, height=high, fill_opacity=float(opacity))
        )
    return svg.tag("g", svg.join(cells), fill=colour("blue"))
