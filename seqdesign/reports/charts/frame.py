"""The frame of a chart: title, legend, grid, axes with labels, and the way from data to pixels."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from markupsafe import Markup

from seqdesign.reports import svg
from seqdesign.reports.palette import colour
from seqdesign.reports.scale import FloatArray, Scale

WIDTH, HEIGHT = 560.0, 340.0
_LEFT, _RIGHT, _BOTTOM = 66.0, 16.0, 50.0
_TITLE, _LEGEND_LINE = 30.0, 19.0
_SLANT = 46.0  # more room below for slanted names
_LONGEST_NAME = 16
_SMALL_LETTER = 6.4  # at font size 11
_BAND: dict[str, str | float] = {"fill": colour("grid"), "fill_opacity": 0.7}
_LETTER = 8.3  # CSS pixels: a generous mean width of a letter at font size 14, that of figures on a phone


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
    """One short line between legend and plot area."""
    x_band: tuple[float, float] | None = None
    """A range on the x axis that is shaded, such as that of the training data."""
    y_band: tuple[float, float] | None = None
    band_label: str = "measured in training"

    @property
    def all_keys(self) -> tuple[Key, ...]:
        """The legend with that of the shaded range."""
        if self.x_band is None and self.y_band is None:
            return self.keys
        return (*self.keys, Key(self.band_label, svg.tag("rect", x=-9, y=-5, width=18, height=10, **_BAND)))

    @property
    def top(self) -> float:
        """Upper end of the plot area in pixels; above it are title, legend and note."""
        return _TITLE + _LEGEND_LINE * (len(_legend_rows(self.all_keys)) + bool(self.note)) + 6

    @property
    def bottom(self) -> float:
        """Lower end of the plot area in pixels."""
        return HEIGHT - _BOTTOM - self._slanted * _SLANT

    @property
    def _slanted(self) -> bool:
        """Whether the names on the x axis are too long to stand side by side."""
        if not self.x_ticks:
            return False
        room = (self.right - self.left) / len(self.x_ticks)
        words = [name for _, name in self.x_ticks]
        wide = max(map(len, words)) * _SMALL_LETTER + 4 > room
        return wide and not all(word.lstrip("<= ").isdigit() for word in words)

    @property
    def _every(self) -> int:
        """Of numbers that are too many for the x axis, each how manieth is written."""
        if not self.x_ticks or self._slanted:
            return 1
        room = (self.right - self.left) / len(self.x_ticks)
        wide = max(len(name) for _, name in self.x_ticks) * _SMALL_LETTER + 6
        return max(1, math.ceil(wide / room))

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

    def draw(
        self, marks: Sequence[Markup], description: str, data: Mapping[str, Sequence[object]] | None = None
    ) -> Markup:
        """The whole figure with ``marks`` over the grid and the axes; ``data`` is what a click saves."""
        parts = [svg.text(4, 18, self.title, font_weight="600", fill=colour("ink"))]
        parts += self._bands() + self._legend() + self._y_axis() + self._x_axis() + list(marks)
        if self.note:
            y = self.top - 8
            parts.append(svg.text(self.left, y, self.note, fill=colour("muted"), font_size=11))
        body = svg.join(parts)
        return svg.document(WIDTH, HEIGHT, body, title=self.title, description=description, data=data)

    def _bands(self) -> list[Markup]:
        """Shaded ranges, as far as they lie inside."""
        parts = []
        if self.x_band is not None:
            low, high = (float(np.clip(self.x(v), self.left, self.right)) for v in self.x_band)
            size = {"x": low, "y": self.top, "width": high - low, "height": self.bottom - self.top}
            parts.append(svg.tag("rect", **size, **_BAND))
        if self.y_band is not None:
            low, high = (float(np.clip(self.y(v), self.top, self.bottom)) for v in self.y_band)
            size = {"x": self.left, "y": high, "width": self.right - self.left, "height": low - high}
            parts.append(svg.tag("rect", **size, **_BAND))
        return parts

    def _legend(self) -> list[Markup]:
        parts = []
        for i, row in enumerate(_legend_rows(self.all_keys)):
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
        for i, (value, label) in enumerate(self.x_scale.ticks() if self.x_ticks is None else self.x_ticks):
            x = float(self.x(value))
            if self.x_ticks is None:
                mark = f"M{svg.number(x)} {svg.number(self.bottom)}v4"
                parts.append(svg.tag("path", d=mark, stroke=colour("muted")))
            if i % self._every == 0:
                parts.append(self._x_label(x, label))
        middle = (self.left + self.right) / 2
        parts.append(svg.text(middle, HEIGHT - 8, self.x_label, text_anchor="middle", fill=colour("muted")))
        return parts

    def _x_label(self, x: float, label: str) -> Markup:
        style: dict[str, str | float] = {"fill": colour("muted"), "font_size": 11}
        if not self._slanted:
            return svg.text(x, self.bottom + 18, label, text_anchor="middle", **style)
        shown = label if len(label) <= _LONGEST_NAME else f"{label[: _LONGEST_NAME - 1]}…"
        y = self.bottom + 12
        turn = f"rotate(-35 {svg.number(x + 4)} {svg.number(y)})"
        return svg.text(x + 4, y, shown, text_anchor="end", transform=turn, **style)


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
