"""A plate of wells from above: what stands in each."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from markupsafe import Markup

from seqdesign.reports import svg
from seqdesign.reports.palette import colour, series_colour

_ROOM, _LEFT, _TOP = 520.0, 26.0, 62.0


def plate_map(
    wells: Mapping[str, tuple[str, str]], groups: Sequence[str], *, title: str, columns: int, rows: int
) -> Markup:
    """Wells such as ``B07`` -> (group, what it says), on a plate of ``rows`` by ``columns``.

    groups: all that there are, in the order of their colours; the first is filled, others have a ring, too.
    """
    size = _ROOM / columns
    radius = size * 0.38
    parts = [svg.text(4, 18, title, font_weight="600", fill=colour("ink")), *_legend(groups)]
    style: dict[str, str | float] = {"fill": colour("muted"), "font_size": 10, "text_anchor": "middle"}
    parts += [
        svg.text(_LEFT + size * (column + 0.5), _TOP - 5, str(column + 1), **style)
        for column in range(0, columns, 1 if columns <= 12 else 2)
    ]
    parts += [
        svg.text(_LEFT - 12, _TOP + size * (row + 0.62), chr(ord("A") + row), **style) for row in range(rows)
    ]
    dots = []
    for row in range(rows):
        for column in range(columns):
            x, y = _LEFT + size * (column + 0.5), _TOP + size * (row + 0.5)
            name = f"{chr(ord('A') + row)}{column + 1:02d}"
            if name not in wells:
                parts.append(
                    svg.tag(
                        "circle", cx=x, cy=y, r=radius, fill="none", stroke=colour("grid"), stroke_width=1.5
                    )
                )
                continue
            group, said = wells[name]
            i = groups.index(group)
            ring: dict[str, str | float] = {"stroke": colour("ink"), "stroke_width": 2.0} if i else {}
            dots.append(svg.point(x, y, f"{name}: {said}", radius=radius, fill=series_colour(i), **ring))
    parts.append(svg.tag("g", svg.join(dots), class_="sd-points"))
    height = _TOP + size * rows + 8
    said = f"{len(wells)} of {rows * columns} wells are filled."
    data: dict[str, Sequence[object]] = {
        "well": list(wells), "group": [group for group, _ in wells.values()],
        "content": [text for _, text in wells.values()],
    }  # fmt: skip
    return svg.document(_LEFT + _ROOM + 8, height, svg.join(parts), title=title, description=said, data=data)


def _legend(groups: Sequence[str]) -> list[Markup]:
    parts, x = [], _LEFT
    for i, group in enumerate(groups):
        ring: dict[str, str | float] = {"stroke": colour("ink"), "stroke_width": 2.0} if i else {}
        parts.append(svg.tag("circle", cx=x + 6, cy=32, r=6, fill=series_colour(i), **ring))
        parts.append(svg.text(x + 18, 36, group, fill=colour("ink"), font_size=11))
        x += 34 + 8.4 * len(group)
    return parts
