"""A value with its interval on the range of what was measured, as a bar of a page's style."""

from __future__ import annotations

import math
from collections.abc import Sequence

from markupsafe import Markup


def span_of(
    measured: tuple[float, float] | None, values: Sequence[float | None], room: float = 0.02
) -> tuple[float, float]:
    """Ends of an axis that holds the measured range and all finite values, with a little room."""
    known = [v for v in (*(measured or ()), *values) if v is not None and math.isfinite(v)]
    low, high = (min(known), max(known)) if known else (0.0, 1.0)
    more = room * (high - low) or abs(high) or 1.0
    return low - more, high + more


def interval_text(low: float | None, high: float | None) -> str | None:
    """An interval in words; an end that is None is open, and one without ends is None."""
    if low is None:
        return None if high is None else f"at most {high:.4g}"
    return f"at least {low:.4g}" if high is None else f"{low:.4g} to {high:.4g}"


def bar_html(
    span: tuple[float, float],
    measured: tuple[float, float] | None,
    value: float | None,
    low: float | None = None,
    high: float | None = None,
    *,
    start: float | None = None,
) -> Markup:
    """A bar that a page's style draws: the measured range, an interval, a dot; ``templates/table.js`` has
    the same for rows that are made in the browser.
    """

    def place(at: float) -> str:
        return f"{100 * (at - span[0]) / (span[1] - span[0]):.1f}%"

    def stretch(name: str, ends: tuple[float, float]) -> str:
        left, right = (100 * (end - span[0]) / (span[1] - span[0]) for end in ends)
        return f'<i class="{name}" style="left:{left:.1f}%;width:{max(right - left, 0.5):.1f}%"></i>'

    parts = []
    if measured is not None:
        parts.append(stretch("m", measured))
    if low is not None or high is not None:  # an open end goes on to the end of the axis
        parts.append(stretch("w", (span[0] if low is None else low, span[1] if high is None else high)))
    if start is not None:
        parts.append(f'<i class="s" style="left:{place(start)}"></i>')
    if value is not None:
        parts.append(f'<i class="v" style="left:{place(value)}"></i>')
    return Markup(f'<span class="sd-bar" aria-hidden="true">{"".join(parts)}</span>')
