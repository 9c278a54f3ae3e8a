"""Sites along sequences, one line a sequence: which are there, in which order, on which strand."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup

from seqdesign.reports import svg
from seqdesign.reports.palette import colour, series_colour

_WIDTH, _ROW = 720.0, 20.0
_TOP, _LEGEND_LINE, _LETTER = 30.0, 18.0, 6.6
_LONGEST_NAME = 18


@dataclass(frozen=True)
class Site:
    """A stretch of a sequence, positions from 1, both ends included."""

    name: str
    first: int
    last: int
    forward: bool
    note: str = ""


def site_map(
    names: Sequence[str], lengths: Sequence[int], sites: Sequence[Sequence[Site]], *, title: str
) -> Markup:
    """Each sequence as a line as long as it is; sites above it, those of the other strand below.

    names, lengths, sites: of N sequences. Colours go by the order in which names of sites appear.
    """
    kinds = list(dict.fromkeys(site.name for some in sites for site in some))
    shown = [name if len(name) <= _LONGEST_NAME else f"{name[: _LONGEST_NAME - 1]}…" for name in names]
    left = 12 + _LETTER * max(map(len, shown))
    legend, top = _legend(kinds, left)
    scale = (_WIDTH - left - 10) / max(lengths)
    parts = [svg.text(4, 18, title, font_weight="600", fill=colour("ink")), *legend]
    blocks = []
    for row, (name, length, some) in enumerate(zip(shown, lengths, sites, strict=True)):
        y = top + _ROW * (row + 0.5)
        parts.append(svg.text(left - 6, y + 4, name, text_anchor="end", fill=colour("ink"), font_size=11))
        line = f"M{svg.number(left)} {svg.number(y)}H{svg.number(left + length * scale)}"
        parts.append(svg.tag("path", d=line, stroke=colour("muted")))
        for site in some:
            wide = max(2.0, (site.last - site.first + 1) * scale)
            said = f"{names[row]}: {site.name} at {site.first}-{site.last}"
            said += ("" if site.forward else ", other strand") + (f", {site.note}" if site.note else "")
            blocks.append(
                svg.tag(
                    "rect",
                    svg.tag("title", said),
                    x=left + (site.first - 1) * scale,
                    y=y - 8 if site.forward else y + 0.5,
                    width=wide,
                    height=7.5,
                    fill=series_colour(kinds.index(site.name)),
                    fill_opacity=0.85,
                )
            )
    parts.append(svg.tag("g", svg.join(blocks), class_="sd-points"))
    y = top + _ROW * len(names) + 14
    style_: dict[str, str | float] = {"fill": colour("muted"), "font_size": 11}
    parts += [svg.text(left, y, "1", **style_)]
    parts += [svg.text(left + max(lengths) * scale, y, str(max(lengths)), text_anchor="end", **style_)]
    listed = [(names[i], site) for i, some in enumerate(sites) for site in some]
    data: dict[str, Sequence[object]] = {
        "id": [name for name, _ in listed],
        "site": [site.name for _, site in listed],
        "first": [site.first for _, site in listed],
        "last": [site.last for _, site in listed],
        "strand": ["+" if site.forward else "-" for _, site in listed],
    }
    said = f"{len(listed)} sites of {len(kinds)} kinds along {len(names)} sequences."
    return svg.document(_WIDTH, y + 8, svg.join(parts), title=title, description=said, data=data)


def _legend(kinds: Sequence[str], left: float) -> tuple[list[Markup], float]:
    """The names with their colours, and where the first line may begin."""
    parts, x, y = [], left, _TOP
    for i, kind in enumerate(kinds):
        wide = 26 + 7.4 * len(kind)
        if x + wide > _WIDTH and x > left:
            x, y = left, y + _LEGEND_LINE
        parts.append(svg.tag("rect", x=x, y=y, width=12, height=8, fill=series_colour(i), fill_opacity=0.85))
        parts.append(svg.text(x + 17, y + 8, kind, fill=colour("ink"), font_size=11))
        x += wide
    return parts, y + _LEGEND_LINE + 4
