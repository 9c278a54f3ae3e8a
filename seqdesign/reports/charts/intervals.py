"""Values with their intervals, from the largest down."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup
from numpy.typing import ArrayLike

from seqdesign.reports import svg
from seqdesign.reports.bars import interval_text
from seqdesign.reports.charts.frame import Frame, left_out
from seqdesign.reports.palette import colour
from seqdesign.reports.scale import Scale, as_floats, drawable, joined

_MAX_SHOWN = 120


def intervals(
    values: ArrayLike,
    low: ArrayLike,
    high: ArrayLike,
    *,
    title: str,
    y_label: str,
    ids: Sequence[str] = (),
    measured: tuple[float, float] | None = None,
) -> Markup:
    """A dot for each value and a line from ``low`` to ``high``, sorted by value.

    An end that is NaN is open: its line goes to the edge, with an arrow. ids: names of the values. measured:
    the range of training outcomes, which is shaded. Of more than 120, 120 evenly spaced ones are drawn, and
    the x label says so.
    """
    value, bottom, top = as_floats(values, low, high)
    known = drawable(value) & (drawable(bottom) | drawable(top))
    names = np.array([str(i + 1) for i in range(value.size)] if not len(ids) else list(ids), dtype=object)[
        known
    ]
    missing, value, bottom, top = int((~known).sum()), value[known], bottom[known], top[known]
    band = np.array(measured or (), dtype=np.float64)
    ends = [part[drawable(part)] for part in (bottom, top)]
    scale = Scale.around(joined([value, *ends, band]))
    order = np.argsort(-value, kind="stable")
    count = value.size
    if count > _MAX_SHOWN:
        order = order[np.linspace(0, count - 1, _MAX_SHOWN).round().astype(np.int64)]
    drawn = f" ({order.size} of {count:,} drawn)" if order.size < count else f" (n = {count})"
    frame = Frame(
        Scale(-1.0, float(order.size)),
        scale,
        title,
        f"designs, largest first{drawn}",
        y_label,
        x_ticks=(),
        y_band=measured,
    )
    across = frame.x(np.arange(order.size, dtype=np.float64))
    lines, dots = [], []
    for x, y, i in zip(across, frame.y(value[order]), order, strict=True):
        start, end = (float(frame.y(part[i])) if np.isfinite(part[i]) else None for part in (bottom, top))
        lines.append(_line(float(x), start, end, frame))
        low_, high_ = (float(part[i]) if np.isfinite(part[i]) else None for part in (bottom, top))
        tip = f"{names[i]}: {value[i]:.4g} ({interval_text(low_, high_)})"
        dots.append(svg.point(float(x), float(y), tip, radius=2.5))
    marks = [
        svg.tag(
            "path", d="".join(lines), stroke=colour("blue"), stroke_opacity=0.4, stroke_width=1.6, fill="none"
        ),
        svg.tag("g", svg.join(dots), fill=colour("blue"), class_="sd-points"),
    ]
    closed = (top - bottom)[drawable(top - bottom)]
    said = f"{y_label} of {count} designs with intervals"
    said += f"; the median width of an interval is {np.median(closed):.4g}." if closed.size else ", all open."
    data = {"id": list(names), y_label: value.tolist(), "low": bottom.tolist(), "high": top.tolist()}
    return frame.draw(marks, said + left_out(missing), data)


def _line(x: float, start: float | None, end: float | None, frame: Frame) -> str:
    """From the lower to the upper end in pixels; an end that is None is open, which an arrow says."""
    low, high = frame.bottom if start is None else start, frame.top if end is None else end
    path = f"M{svg.number(x)} {svg.number(low)}V{svg.number(high)}"
    for open_, y, step in ((start is None, low, -4.0), (end is None, high, 4.0)):
        if open_:
            path += (
                f"M{svg.number(x - 2.5)} {svg.number(y + step)}L{svg.number(x)} {svg.number(y)}l2.5 {step:g}"
            )
    return path
