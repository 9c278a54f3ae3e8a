"""What stands on top of a page: the question, the answer in numbers, and the file to go on with."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from seqdesign.reports.bars import bar_html, interval_text, span_of


@dataclass(frozen=True)
class Tile:
    """One number of an answer."""

    value: str
    label: str
    """What it counts or measures."""
    note: str = ""
    doubt: bool = False
    """Whether it speaks against the result; it is marked by a sign and a colour."""


@dataclass(frozen=True)
class Gauge:
    """A value with its interval on the range of what was measured. All are in the user's units."""

    label: str
    measured: tuple[float, float] | None
    value: float
    low: float | None = None
    high: float | None = None
    start: float | None = None
    """What it is compared with, such as the parent's value."""
    start_label: str = "what it began from"

    @property
    def says_something(self) -> bool:
        """Whether there is anything that the value lies on or beside."""
        return any(known is not None for known in (self.measured, self.low, self.high, self.start))

    def html(self) -> Markup:
        """A bar that is as wide as the page."""
        span = span_of(self.measured, [self.value, self.low, self.high, self.start])
        said = f"{self.label} {self.value:.4g}"
        if interval := interval_text(self.low, self.high):
            said += f" ({interval})"
        keys = [Markup('<span class="sd-key-value">{}</span>').format(said)]
        if self.start is not None:
            text = f"{self.start_label} {self.start:.4g}"
            keys.append(Markup('<span class="sd-key-start">{}</span>').format(text))
        if self.measured is not None:
            text = "measured in training {:.4g} to {:.4g}".format(*self.measured)
            keys.append(Markup('<span class="sd-key-measured">{}</span>').format(text))
        else:
            keys.append(Markup("<span>the measured range is not known</span>"))
        return Markup('<div class="sd-gauge">{}<p>{}</p></div>').format(
            bar_html(span, self.measured, self.value, self.low, self.high, start=self.start),
            Markup(" ").join(keys),
        )


@dataclass(frozen=True)
class Answer:
    """The first screen of a page, or the first lines of a chapter."""

    asked: str
    """One sentence: what was wanted, from what, with what."""
    verdict: str = ""
    """One sentence: what came of it."""
    tiles: Sequence[Tile] = ()
    gauge: Gauge | None = None
    files: Sequence[tuple[str, str]] = ()
    """(what it is for, path)."""

    def html(self) -> Markup:
        """The block as it stands in a page."""
        parts = [Markup('<p class="sd-asked">{}</p>').format(self.asked)]
        if self.verdict:
            parts.append(Markup('<p class="sd-verdict">{}</p>').format(self.verdict))
        if self.tiles:
            tiles = Markup("").join(_tile(tile) for tile in self.tiles)
            parts.append(Markup('<dl class="sd-tiles">{}</dl>').format(tiles))
        if self.gauge is not None and self.gauge.says_something:
            parts.append(self.gauge.html())
        if self.files:
            lines = Markup("").join(
                Markup("<li>{} <code>{}</code></li>").format(what, path) for what, path in self.files
            )
            parts.append(Markup('<ul class="sd-files">{}</ul>').format(lines))
        return Markup('<div class="sd-answer">{}</div>').format(Markup("\n").join(parts))


def _tile(tile: Tile) -> Markup:
    note = Markup("<small>{}</small>").format(tile.note) if tile.note else Markup("")
    kind = Markup(' class="sd-doubt"') if tile.doubt else Markup("")
    return Markup("<div{}><dt>{}{}</dt><dd>{}</dd></div>").format(kind, tile.label, note, tile.value)
