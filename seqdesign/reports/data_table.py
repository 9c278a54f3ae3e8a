"""A table on a page that can be sorted, filtered, copied and downloaded, with any number of rows.

The first rows stand in the page as plain HTML, so they can be read and printed without JavaScript; all rows
are embedded as JSON, from which the script of the page (``templates/table.js``) shows others.
"""

from __future__ import annotations

import base64
import dataclasses
import json
import math
import zlib
from collections.abc import Mapping, Sequence
from numbers import Integral, Real
from typing import Any

from markupsafe import Markup

from seqdesign.reports.glyphs import OUTLINES
from seqdesign.reports.palette import letter_colours
from seqdesign.reports.tables import Column, Row, body_rows, heading_cells
from seqdesign.symbols import spelled

FIRST_ROWS = 25
"""Rows in plain HTML; the script shows as many at a time."""
PACK_FROM = 100_000
"""Characters of JSON from which it is compressed."""
MOST = 1_800_000
"""Characters of embedded data at most; the rows at the end are left out."""
_DIGITS = 6
CONTRIBUTIONS = "contributions"
"""Column of what each letter adds."""


def data_table(
    rows: Sequence[Row],
    columns: Sequence[Column | str],
    *,
    caption: str,
    name: str,
    cards: bool = False,
    unit: str = "",
) -> Markup:
    """The table ``name``, which is also the name of the files that it can be downloaded as.

    ``cards``: a row opens to a card with all that is known of it, and on a phone it is one.

    unit: of the column ``contributions``, numbers by position with commas between them, which a card shows as
    a logo of the row's sequence.

    Numbers are kept to six digits. Cells that are ``Markup`` are possible as long as all rows stand in the
    page (``FIRST_ROWS``); ValueError otherwise.
    """
    known = [Column(c) if isinstance(c, str) else c for c in columns]
    plain = [{c.key: _value(row.get(c.key)) for c in known} for row in rows]
    shown = [_resolved(c, plain) for c in known]
    first = plain[:FIRST_ROWS]
    if any(isinstance(value, Markup) for row in plain[FIRST_ROWS:] for value in row.values()):
        raise ValueError(f"a table with markup can have {FIRST_ROWS} rows at most, got {len(rows)}")
    text, small, kept = _embedded(shown, plain, _logo(plain, unit))
    note = "" if kept == len(rows) else f" Here are the first {kept:,} of {len(rows):,} rows."
    rest = (
        Markup('<p class="sd-rest">The first {:,} of {:,} rows; JavaScript shows the others.</p>').format(
            len(first), len(rows)
        )
        if len(rows) > len(first)
        else Markup("")
    )
    return Markup(
        '<div class="sd-data{}" data-name="{}">\n'
        '<div class="sd-scroll" tabindex="0" role="group" aria-label="{}">\n'
        "<table><caption>{}</caption><thead><tr>{}</tr></thead>\n<tbody>{}</tbody></table>\n</div>\n{}\n"
        '<script type="application/json"{}>{}</script>\n</div>'
    ).format(
        " sd-cards" if cards else "",
        name,
        caption or name,
        caption + note,
        heading_cells(shown, plain),
        body_rows(first, shown, row_heading=True),
        rest,
        Markup(" data-packed") if small else "",
        Markup(text),
    )


def _value(value: object) -> object:
    """A cell as it can be kept as JSON."""
    if isinstance(value, str) and not isinstance(value, Markup):
        return spelled(value)
    if value is None or isinstance(value, bool | str):
        return value
    if isinstance(value, Integral):
        return int(value)
    if isinstance(value, Real):
        number = float(value)
        return float(f"{number:.{_DIGITS}g}") if math.isfinite(number) else None
    return str(value)


def _resolved(column: Column, rows: Sequence[Mapping[str, object]]) -> Column:
    """The column with the format that Python and the script both use: equally many decimals, if possible."""
    if column.spec:
        return column
    values = [row[column.key] for row in rows]
    numbers = [abs(v) for v in values if isinstance(v, int | float)]
    spec, largest = ".4g", max(numbers, default=0)
    if all(isinstance(v, int) for v in numbers):
        spec = "d"
    elif 1e-3 <= largest < 1e6:
        spec = f".{max(0, 3 - math.floor(math.log10(largest)))}f"
    return dataclasses.replace(column, spec=spec)


def _logo(rows: Sequence[Mapping[str, object]], unit: str) -> dict[str, Any]:
    """What is needed to draw logos in cards: outlines and colours of the letters that occur."""
    texts = [str(row["sequence"]) for row in rows if row.get(CONTRIBUTIONS) and row.get("sequence")]
    letters = "".join(sorted(set("".join(texts))))
    colours = letter_colours(letters)
    drawn = {one: [OUTLINES[one], colours[one]] for one in letters if one in OUTLINES}
    return {"logo": {"unit": unit, "letters": drawn}} if drawn else {}


def _embedded(
    columns: Sequence[Column], rows: Sequence[Mapping[str, object]], extra: Mapping[str, object]
) -> tuple[str, bool, int]:
    """The data as text that is safe inside a script element, whether it is packed, and how many rows."""
    head: list[dict[str, Any]] = [
        {"key": c.key, "heading": c.heading or c.key, "spec": c.spec, "sequence": c.sequence,
         "edits": c.edits, "first": c.first, "shown": c.shown, "below": c.below, "about": c.about,
         "inCard": c.in_card,
         "bar": c.bar and dataclasses.asdict(c.bar), "number": _is_number(c.key, rows),
         "drawn": any(isinstance(row[c.key], Markup) for row in rows)}
        for c in columns
    ]  # fmt: skip
    cells = [[None if isinstance(v, Markup) else v for v in row.values()] for row in rows]
    kept = len(cells)
    while True:
        # Column by column, since like values side by side compress to half.
        turned = [list(column) for column in zip(*cells[:kept], strict=True)] or [[] for _ in head]
        text = json.dumps(
            {"columns": head, "cells": turned, **extra}, ensure_ascii=False, separators=(",", ":")
        )
        small = len(text) > PACK_FROM
        if small:
            text = packed(text)
        if len(text) <= MOST or kept < FIRST_ROWS:
            # "</script>" and "<!--" must not end the element.
            return text.replace("<", "\\u003c"), small, kept
        kept = int(kept * min(0.95, MOST / len(text)))


def packed(text: str) -> str:
    """A text compressed, as a page embeds it."""
    return base64.b64encode(_gzip(text.encode("utf-8", "backslashreplace"))).decode()


def _gzip(data: bytes) -> bytes:
    """Equal data give equal bytes: no time and no name in the header."""
    packer = zlib.compressobj(6, zlib.DEFLATED, 31)
    return packer.compress(data) + packer.flush()


def _is_number(key: str, rows: Sequence[Mapping[str, object]]) -> bool:
    values = [row[key] for row in rows if row[key] is not None]
    return bool(values) and all(isinstance(v, int | float) and not isinstance(v, bool) for v in values)
