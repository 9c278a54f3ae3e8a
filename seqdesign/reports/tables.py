"""Rows of named values as a table for the terminal or for a page."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real

from markupsafe import Markup, escape
from rich.cells import cell_len

from seqdesign.printable import printable
from seqdesign.reports.diff import edits_html

Row = Mapping[str, object]


@dataclass(frozen=True)
class Column:
    """How one value of every row is shown."""

    key: str
    """Name of the value in a row; a row without it has an empty cell."""
    heading: str | None = None
    """Text above the column, with the unit if there is one; the key if not given."""
    spec: str = ""
    """Format specification for numbers, such as ``.2f`` or ``,d``; four significant digits if empty."""
    sequence: bool = False
    """Set in a fixed-width font that may break anywhere (on a page)."""
    edits: str = ""
    """Key of the edits, such as ``A5G,del8A``, that are marked in a sequence (on a page)."""
    shown: bool = True
    """Whether it is in sight; a column that is not can still be filtered by and downloaded."""


def format_value(value: object, spec: str = "") -> str:
    """One cell: None is empty, booleans are yes/no, integers exact, other numbers to four digits."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Real) and (spec or not isinstance(value, Integral)):
        return format(value, spec or ".4g")
    return str(value)


def text_table(rows: Sequence[Row], columns: Sequence[Column | str], *, gap: int = 2) -> str:
    """A table for the terminal: headings, a rule, one line per row; numbers to the right, text to the left.

    Unprintable characters are shown as escapes; a letter of double width counts as two columns. The last
    line ends with a newline. Raises ValueError for no columns.
    """
    shown = _columns(columns)
    cells = [[printable(str(c.heading or c.key)) for c in shown]]
    cells += [[printable(_plain(row.get(c.key), c)) for c in shown] for row in rows]
    right = [_numeric(rows, c.key) for c in shown]
    widths = [max(cell_len(line[i]) for line in cells) for i in range(len(shown))]
    cells.insert(1, ["-" * width for width in widths])
    return "".join(
        (" " * gap).join(_padded(t, w, r) for t, w, r in zip(line, widths, right, strict=True)).rstrip()
        + "\n"
        for line in cells
    )


def html_table(rows: Sequence[Row], columns: Sequence[Column | str], *, caption: str = "") -> Markup:
    """A table for a page. Every value is escaped unless it is ``Markup`` (as ``diff_html`` returns)."""
    shown = _columns(columns)
    title = Markup("<caption>{}</caption>").format(caption) if caption else Markup("")
    head, body = heading_cells(shown, rows), body_rows(rows, shown)
    return Markup("<table>{}<thead><tr>{}</tr></thead>\n<tbody>{}</tbody></table>").format(title, head, body)


def heading_cells(columns: Sequence[Column], rows: Sequence[Row]) -> Markup:
    """The cells above the columns that are shown."""
    return Markup("").join(
        Markup('<th scope="col"{}>{}</th>').format(_html_class(rows, c), c.heading or c.key)
        for c in columns
        if c.shown
    )


def body_rows(rows: Sequence[Row], columns: Sequence[Column], *, row_heading: bool = False) -> Markup:
    """The rows of a table; ``row_heading`` makes the first cell the heading of its row."""
    shown = [(c, _html_class(rows, c)) for c in columns if c.shown]
    lines = []
    for row in rows:
        cells = [Markup("<td{}>{}</td>").format(k, _cell(row, c)) for c, k in shown]
        if row_heading:
            column, kind = shown[0]
            cells[0] = Markup('<th scope="row"{}>{}</th>').format(kind, _cell(row, column))
        lines.append(Markup("<tr>{}</tr>\n").format(Markup("").join(cells)))
    return Markup("").join(lines)


def _columns(columns: Sequence[Column | str]) -> list[Column]:
    if not columns:
        raise ValueError("a table needs at least one column, got none")
    return [Column(c) if isinstance(c, str) else c for c in columns]


def _numeric(rows: Sequence[Row], key: str) -> bool:
    """Whether a column holds numbers only (and at least one)."""
    values = [row[key] for row in rows if row.get(key) is not None]
    return bool(values) and all(isinstance(v, Real) and not isinstance(v, bool) for v in values)


def _plain(value: object, column: Column) -> str:
    return format_value(value, column.spec)


def _cell(row: Row, column: Column) -> Markup:
    value = row.get(column.key)
    if isinstance(value, Markup):
        return value
    edits = str(row.get(column.edits) or "") if column.edits else ""
    if edits and isinstance(value, str):
        return edits_html(value, edits.split(","))
    return escape(format_value(value, column.spec))


def _html_class(rows: Sequence[Row], column: Column) -> Markup:
    if column.sequence:
        return Markup(' class="sd-sequence"')
    return Markup(' class="sd-number"') if _numeric(rows, column.key) else Markup("")


def _padded(content: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(content))
    return space + content if right else content + space
