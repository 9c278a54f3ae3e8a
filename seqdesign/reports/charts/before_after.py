"""The change of every record, as a line from its value before to its value after."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from seqdesign.reports import svg
from seqdesign.reports.charts.frame import Frame, Key, left_out
from seqdesign.reports.palette import colour, series_colour
from seqdesign.reports.scale import Scale, as_floats, drawable, joined

DESIGNERS = "after, by its designers"
_MAX_PAIRS = 120


def before_after(
    before: ArrayLike,
    after: ArrayLike,
    *,
    title: str,
    y_label: str,
    names: tuple[str, str] = ("before", "after"),
    designed: ArrayLike | None = None,
    ids: Sequence[str] = (),
    measured: tuple[float, float] | None = None,
) -> Markup:
    """Records from left to right in order of their value before; hollow dot before, full dot after.

    ``designed`` is the value after as the members see it that designed, a diamond. ``ids`` are the names of
    the records, ``measured`` the range of training outcomes, which is shaded. Of more than 120 records, 120
    evenly spaced ones are drawn, and the x label says so.
    """
    b, a, *rest = as_floats(before, after, *(() if designed is None else (designed,)))
    j = rest[0] if rest else np.full(b.size, np.nan)
    both = drawable(b) & drawable(a)
    named = np.array(list(ids) or [str(i + 1) for i in range(b.size)], dtype=object)[both]
    missing, b, a, j = int((~both).sum()), b[both], a[both], j[both]
    y_scale = Scale.around(joined([b, a, j, np.array(measured or (), dtype=np.float64)]))
    count = b.size
    order = np.argsort(b, kind="stable")
    if count > _MAX_PAIRS:
        order = order[np.linspace(0, count - 1, _MAX_PAIRS).round().astype(np.int64)]
    drawn = f" ({order.size} of {count} drawn)" if order.size < count else f" (n = {count})"
    first, second, third = _hollow(), _full(), _diamond()
    keys = (Key(names[0], first), Key(names[1], second), Key(DESIGNERS, third))
    frame = Frame(
        Scale(-1.0, float(order.size)),
        y_scale,
        title,
        f"sequences, ordered by {names[0]}{drawn}",
        y_label,
        keys[: 2 if designed is None else 3],
        x_ticks=(),
        y_band=measured,
    )
    lines, dots = [], []
    for i, (start, end, other) in enumerate(zip(*(frame.y(v[order]) for v in (b, a, j)), strict=True)):
        x = svg.number(float(frame.x(float(i))))
        lines.append(f"M{x} {svg.number(start)}V{svg.number(end)}")
        dots += [
            svg.tag(
                "g",
                svg.join([mark, svg.tag("title", _tip(named[order[i]], names, b[order[i]], a[order[i]]))]),
                transform=f"translate({x} {svg.number(y)})",
            )
            for mark, y in ((first, start), (second, end), (third, other))
            if np.isfinite(y)
        ]
    marks = [
        svg.tag("path", d="".join(lines), stroke=colour("muted"), stroke_opacity=0.45, stroke_width=1.5),
        svg.tag("g", svg.join(dots), class_="sd-points"),
    ]
    change = f"{int((a > b).sum())} of {count} higher {names[1]}; mean change {np.mean(a - b):.4g}."
    said = f"{y_label} {names[0]} and {names[1]}: {change}{left_out(missing)}"
    data = {"id": list(named), names[0]: b.tolist(), names[1]: a.tolist()}
    return frame.draw(marks, said, data if designed is None else data | {DESIGNERS: j.tolist()})


def _tip(name: object, names: tuple[str, str], before: float, after: float) -> str:
    return f"{name}: {names[0]} {before:.4g}, {names[1]} {after:.4g}"


def _hollow() -> Markup:
    return svg.tag("circle", r=2.6, fill=colour("paper"), stroke=series_colour(0), stroke_width=1.4)


def _full() -> Markup:
    return svg.tag("circle", r=3, fill=series_colour(1))


def _diamond() -> Markup:
    return svg.tag("path", d="M0-3.6L3.2 0L0 3.6L-3.2 0Z", fill=series_colour(2))
