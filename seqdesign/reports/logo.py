"""Sequence logos as SVG: one small outline per letter, reused for every position."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from markupsafe import Markup

from seqdesign.reports import svg
from seqdesign.reports.glyphs import BOX, OUTLINES
from seqdesign.reports.logo_layout import LEFT, Layout, Row, lay_out
from seqdesign.reports.logo_matrix import FloatArray
from seqdesign.reports.logo_spec import (
    COLUMNS,
    DifferenceKind,
    LogoKind,
    LogoSpec,
    difference_spec,
    sequence_spec,
)
from seqdesign.reports.palette import colour, letter_colours

_SMALL_COLUMN, _SMALL_HEIGHT = 12.0, 34.0


def sequence_logo(
    source: Sequence[str] | FloatArray,
    *,
    letters: str,
    kind: LogoKind = "information",
    small_sample: bool = True,
    background: FloatArray | None = None,
    title: str = "Sequence logo",
    first_position: int = 1,
    columns_per_row: int = COLUMNS,
) -> Markup:
    """A logo of sequences (strings) or of an (L, V) matrix of counts, columns in the order of ``letters``.

    ``information``: the height of a stack is its information content in bits (Schneider & Stephens 1990;
    formula in ``logo_matrix.information``), the axis always reaches log2 V so that logos compare.
    ``probability``: every stack is one high. ``counts``: as counted. ``weight``: log2 of the share over the
    ``background`` (V,). Sequences of another than the most frequent length are left
    out, and the figure says how many were used. ``first_position`` is the number under the first column.
    Raises ValueError for no sequence, a matrix of another width than ``letters``, or frequencies where the
    small-sample correction needs counts.
    """
    return draw_logos(
        [
            sequence_spec(
                source, letters=letters, kind=kind, small_sample=small_sample, background=background,
                title=title, first_position=first_position, columns_per_row=columns_per_row,
            )
        ]
    )  # fmt: skip


def difference_logo(
    first: Sequence[str] | FloatArray,
    second: Sequence[str] | FloatArray,
    *,
    letters: str,
    kind: DifferenceKind = "probability",
    pseudocount: float = 1.0,
    title: str = "Difference logo",
    first_position: int = 1,
    columns_per_row: int = COLUMNS,
) -> Markup:
    """What ``second`` has more of (upwards) and less of (downwards) than ``first``, per position.

    The height is p2 - p1 (``probability``) or log2(p2 / p1) in bits (``log-odds``, with ``pseudocount``).
    Raises ValueError if the two sets do not have the same length.
    """
    return draw_logos(
        [
            difference_spec(
                first, second, letters=letters, kind=kind, pseudocount=pseudocount, title=title,
                first_position=first_position, columns_per_row=columns_per_row,
            )
        ]
    )  # fmt: skip


def small_logo(probabilities: FloatArray, letters: str, *, name: str) -> Markup:
    """A logo of (L, V) probabilities in bits without axes, for a cell of a table; ``name`` describes it."""
    p = probabilities
    entropy = -np.sum(p * np.log2(np.where(p > 0, p, 1.0)), axis=1, keepdims=True)
    heights = p * np.maximum(np.log2(len(letters)) - entropy, 0.0) * (_SMALL_HEIGHT / np.log2(len(letters)))
    prefix = svg.identifier(name, letters, heights.round(6).tobytes().hex())
    parts = []
    for column, row in enumerate(heights):
        y = _SMALL_HEIGHT
        for index in np.argsort(row, kind="stable"):
            if row[index] >= 0.2:
                y -= float(row[index])
                parts.append(
                    _use(prefix, int(index), column * _SMALL_COLUMN, y, _SMALL_COLUMN * 0.94, row[index])
                )
    body = [_outlines(letters, prefix), Markup("<g>" + "".join(parts) + "</g>")]
    width = _SMALL_COLUMN * len(heights)
    return svg.document(width, _SMALL_HEIGHT, svg.join(body), title=name, description=f"Logo of {name}.")


def draw_logos(specs: Sequence[LogoSpec]) -> Markup:
    """One figure of one or more logos, one below the other."""
    layouts = [lay_out(spec) for spec in specs]
    parts, y = [], 0.0
    for spec, layout in zip(specs, layouts, strict=True):
        body = _draw(spec, layout)
        parts.append(body if y == 0 else svg.tag("g", body, transform=f"translate(0 {svg.number(y)})"))
        y += layout.height
    return svg.document(
        max(layout.width for layout in layouts),
        y,
        svg.join(parts),
        title="; ".join(spec.title for spec in specs),
        description=" ".join(spec.description for spec in specs),
        data=_numbers(specs),
    )


def _numbers(specs: Sequence[LogoSpec]) -> dict[str, Sequence[object]]:
    """The letters that are drawn and their heights."""
    logos: list[object] = []
    places: list[object] = []
    drawn: list[object] = []
    heights: list[object] = []
    for spec in specs:
        for column, letter in np.argwhere(spec.heights != 0).tolist():
            logos.append(spec.title)
            places.append(spec.number(column))
            drawn.append(spec.letters[letter])
            heights.append(float(spec.heights[column, letter]))
    unit = specs[0].unit or "height"
    return {"logo": logos, "position": places, "letter": drawn, unit: heights} if logos else {}


def _draw(spec: LogoSpec, layout: Layout) -> Markup:
    # The ids of the outlines must differ from those of every other logo on the page.
    values = spec.heights.round(6).tobytes().hex()
    prefix = svg.identifier(spec.title, spec.letters, str(spec.limits), values)
    body = [
        _outlines(spec.letters, prefix),
        svg.text(4, 18, spec.title, font_weight="600", fill=colour("ink")),
    ]
    body += [_axes(row, layout.step, spec.unit) for row in layout.rows]
    placed = zip(
        layout.letter.tolist(),
        layout.x.tolist(),
        layout.y.tolist(),
        layout.letter_height.tolist(),
        strict=True,
    )
    uses = (_use(prefix, i, x, y, layout.letter_width, height) for i, x, y, height in placed)
    body.append(Markup("<g>" + "".join(uses) + "</g>"))
    return svg.join(body)


def _use(prefix: str, letter: int, x: float, y: float, width: float, height: float) -> str:
    return (
        f'<use href="#{prefix}-{letter}" transform="translate({svg.number(x)} {svg.number(y)})'
        f'scale({width / BOX:.4f} {height / BOX:.4f})"/>'
    )


def _outlines(letters: str, prefix: str) -> Markup:
    """Definitions of one box of 100 by 100 units per letter, coloured; letters without outline are text."""
    colours = letter_colours(letters)
    defined = []
    for i, letter in enumerate(letters):
        common = {"id": f"{prefix}-{i}", "fill": colour(colours[letter])}
        if letter in OUTLINES:
            defined.append(svg.tag("path", d=OUTLINES[letter], **common))
        else:
            defined.append(
                svg.text(
                    BOX / 2,
                    BOX * 0.96,
                    letter,
                    font_size=BOX * 1.25,
                    font_weight="700",
                    text_anchor="middle",
                    textLength=BOX * 0.9,
                    lengthAdjust="spacingAndGlyphs",
                    **common,
                )
            )
    return svg.tag("defs", svg.join(defined))


def _axes(row: Row, step: float, unit: str) -> Markup:
    left, muted = svg.number(LEFT - 4), colour("muted")
    parts = [
        svg.tag("rect", x=x, y=row.top, width=step, height=row.bottom - row.top, fill=colour("amber"),
                fill_opacity=0.28)
        for x in row.shaded
    ]  # fmt: skip
    for y, label in row.ticks:
        parts.append(svg.tag("path", d=f"M{left} {svg.number(y)}h-4", stroke=muted))
        parts.append(svg.text(LEFT - 11, y + 4, label, text_anchor="end", fill=muted, font_size=11))
    vertical = f"M{left} {svg.number(row.top)}V{svg.number(row.bottom)}"
    parts.append(svg.tag("path", d=vertical, stroke=muted))
    line = f"M{left} {svg.number(row.zero)}H{svg.number(row.end)}"
    parts.append(svg.tag("path", d=line, stroke=muted))
    middle = (row.top + row.bottom) / 2
    turn = f"rotate(-90 13 {svg.number(middle)})"
    parts.append(svg.text(13, middle, unit, text_anchor="middle", fill=muted, transform=turn))
    parts += [
        svg.text(x, row.bottom + 16, label, text_anchor="middle", fill=muted, font_size=11)
        for x, label in row.numbers
    ]
    return svg.tag("g", svg.join(parts))
