"""The frame of a chart: title, legend, grid, axes with labels, and the way from data to pixels."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from seqdesign.reports import svg
from seqdesign.reports.palette import colour
from seqdesign.reports.scale import FloatArray, Scale

WIDTH, HEIGHT = 560.0, 340.0
_LEFT, _RIGHT, _BOTTOM = 66.0, 16.0, 50.0
_TITLE, _LEGEND_LINE = 30.0, 19.0
_LETTER = 7.1  # CSS pixels: a generous mean width of a letter at font size 12


@dataclass(frozen=True)
class Key:
    """One entry of the legend: its label and a sample of the mark, drawn around (0, 0), 22 wide."""

    label: str
    mark: Markup


@dataclass(frozen=True)
class Frame:
    """Where the data of one chart go; ``x`` and ``y`` turn data values into pixels."""

    x_scale: Scale
    y_scale: Scale
    title: str
    x_label: str
    y_label: str
    keys: tuple[Key, ...] = ()
    x_ticks: tuple[tuple[float, str], ...] | None = None
    """Positions and labels on the x axis in place of the scale's own ticks."""
    note: str = ""
    """One short line at the top right of the plot area."""

    @property
    def top(self) -> float:
        """Upper end of the plot area in pixels; below it are title and legend."""
        return _TITLE + _LEGEND_LINE * len(_legend_rows(self.keys)) + 6

    @property
    def bottom(self) -> float:
        """Lower end of the plot area in pixels."""
        return HEIGHT - _BOTTOM

    @property
    def left(self) -> float:
        """Left end of the plot area in pixels."""
        return _LEFT

    @property
    def right(self) -> float:
        """Right end of the plot area in pixels."""
        return WIDTH - _RIGHT

    def x(self, values: FloatArray | float) -> FloatArray:
        """Data values -> horizontal pixels."""
        return self.x_scale.place(values, self.left, self.right)

    def y(self, values: FloatArray | float) -> FloatArray:
        """Data values -> vertical pixels."""
        return self.y_scale.place(values, self.bottom, self.top)

    def draw(self, marks: Sequence[Markup], description: str) -> Markup:
        """The whole figure with ``marks`` over the grid and the axes."""
        parts = [svg.text(4, 18, self.title, font_weight="600", fill=colour("ink"))]
        parts += self._legend() + self._y_axis() + self._x_axis() + list(marks)
        if self.note:
            parts.append(svg.text(self.right - 4, self.top + 12, self.note, text_anchor="end", **halo()))
        return svg.document(WIDTH, HEIGHT, svg.join(parts), title=self.title, description=description)

    def _legend(self) -> list[Markup]:
        parts = []
        for i, row in enumerate(_legend_rows(self.keys)):
            x, y = self.left, _TITLE + _LEGEND_LINE * i + 10
            for key in row:
                parts.append(
                    svg.tag("g", key.mark, transform=f"translate({svg.number(x + 11)} {svg.number(y - 4)})")
                )
                parts.append(svg.text(x + 28, y, key.label, fill=colour("ink")))
                x += _key_width(key)
        return parts

    def _y_axis(self) -> list[Markup]:
        parts = []
        for value, label in self.y_scale.ticks():
            y = float(self.y(value))
            line = f"M{svg.number(self.left)} {svg.number(y)}H{svg.number(self.right)}"
            parts.append(svg.tag("path", d=line, stroke=colour("grid")))
            parts.append(
                svg.text(self.left - 8, y + 4, label, text_anchor="end", fill=colour("muted"), font_size=11)
            )
        middle = svg.number((self.top + self.bottom) / 2)
        turn = f"rotate(-90 14 {middle})"
        parts.append(
            svg.text(
                14, float(middle), self.y_label, text_anchor="middle", fill=colour("muted"), transform=turn
            )
        )
        return parts

    def _x_axis(self) -> list[Markup]:
        line = f"M{svg.number(self.left)} {svg.number(self.bottom)}H{svg.number(self.right)}"
        parts = [svg.tag("path", d=line, stroke=colour("muted"))]
        for value, label in self.x_scale.ticks() if self.x_ticks is None else self.x_ticks:
            x = float(self.x(value))
            if self.x_ticks is None:
                mark = f"M{svg.number(x)} {svg.number(self.bottom)}v4"
                parts.append(svg.tag("path", d=mark, stroke=colour("muted")))
            parts.append(
                svg.text(x, self.bottom + 18, label, text_anchor="middle", fill=colour("muted"), font_size=11)
            )
        middle = (self.left + self.right) / 2
        parts.append(svg.text(middle, HEIGHT - 8, self.x_label, text_anchor="middle", fill=colour("muted")))
        return parts


def halo() -> dict[str, str | float]:
    """Attributes of text that stays legible over points, lines and bars."""
    return {"fill": colour("ink"), "stroke": colour("paper"), "stroke_width": 4, "paint_order": "stroke"}


def left_out(count: int) -> str:
    """What a figure's description says about values that it cannot show; empty for none."""
    return f" {count} values could not be drawn (not finite, or not positive on a log axis)." if count else ""


def _key_width(key: Key) -> float:
    return 28 + _LETTER * len(key.label) + 14


def _legend_rows(keys: tuple[Key, ...]) -> list[list[Key]]:
    """Break the legend into rows that fit the width."""
    rows: list[list[Key]] = []
    used = np.inf
    for key in keys:
        wide = _key_width(key)
        if used + wide > WIDTH - _LEFT - _RIGHT + 14:
            rows.append([])
            used = 0.0
        rows[-1].append(key)
        used += wide
    return rows
