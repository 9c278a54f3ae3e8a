"""Rows of named values as a table for a page; for the terminal, see ``runs.text_table``."""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

from seqdesign.reports.bars import bar_html
from seqdesign.reports.diff import edits_html
from seqdesign.runs.text_table import Bar as Bar
from seqdesign.runs.text_table import Column as Column
from seqdesign.runs.text_table import Row as Row
from seqdesign.runs.text_table import columns_of, is_numeric
from seqdesign.runs.text_table import format_value as format_value
from seqdesign.runs.text_table import text_table as text_table


def html_table(rows: Sequence[Row], columns: Sequence[Column | str], *, caption: str = "") -> Markup:
    """A table for a page. Every value is escaped unless it is ``Markup`` (as ``diff_html`` returns)."""
    shown = columns_of(columns)
    title = Markup("<caption>{}</caption>").format(caption) if caption else Markup("")
    head, body = heading_cells(shown, rows), body_rows(rows, shown)
    return Markup("<table>{}<thead><tr>{}</tr></thead>\n<tbody>{}</tbody></table>").format(title, head, body)


def heading_cells(columns: Sequence[Column], rows: Sequence[Row]) -> Markup:
    """The cells above the columns that are shown."""
    return Markup("").join(
        Markup('<th scope="col"{}{}>{}</th>').format(
            _html_class(rows, c),
            Markup(' title="{}"').format(c.about) if c.about else "",
            c.heading or c.key,
        )
        for c in columns
        if c.shown
    )


def body_rows(rows: Sequence[Row], columns: Sequence[Column], *, row_heading: bool = False) -> Markup:
    """The rows of a table; ``row_heading`` makes the first cell the heading of its row."""
    shown = [(c, _html_class(rows, c)) for c in columns if c.shown]
    lines = []
    for row in rows:
        cells = [
            Markup('<td{} data-label="{}">{}</td>').format(k, c.heading or c.key, _cell(row, c))
            for c, k in shown
        ]
        if row_heading:
            column, kind = shown[0]
            cells[0] = Markup('<th scope="row"{}>{}</th>').format(kind, _cell(row, column))
        lines.append(Markup("<tr>{}</tr>\n").format(Markup("").join(cells)))
    return Markup("").join(lines)


def _cell(row: Row, column: Column) -> Markup:
    value = _value(row, column)
    small = row.get(column.below) if column.below else None
    if small:
        value += Markup("<small>{}</small>").format(listed(str(small)))
    if column.bar is not None:
        numbers = [row.get(key) for key in (column.key, column.bar.low, column.bar.high)]
        at, low, high = (float(v) if isinstance(v, int | float) else None for v in numbers)
        if at is not None:
            value += bar_html(column.bar.span, column.bar.measured, at, low, high)
    return value


def listed(text: str) -> str:
    """Edits such as ``D18H,R22K`` with blanks between them; of more than eight the first six."""
    parts = text.split(",")
    return f"{' '.join(parts[:6])} and {len(parts) - 6} more" if len(parts) > 8 else " ".join(parts)


def _value(row: Row, column: Column) -> Markup:
    value = row.get(column.key)
    if isinstance(value, Markup):
        return value
    edits = str(row.get(column.edits) or "") if column.edits else ""
    if edits and isinstance(value, str):
        return edits_html(value, edits.split(","), column.first)
    text = escape(format_value(value, column.spec))
    return Markup("<code>{}</code>").format(text) if column.sequence else text


def _html_class(rows: Sequence[Row], column: Column) -> Markup:
    if column.sequence:
        return Markup(' class="sd-sequence"')
    return Markup(' class="sd-number"') if is_numeric(rows, column.key) else Markup("")
