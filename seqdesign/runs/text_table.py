"""Rows of named values as a table for the terminal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from numbers import Integral, Real

from rich.cells import cell_len

from seqdesign.runs.printable import printable
from seqdesign.symbols import spelled

Row = Mapping[str, object]


@dataclass(frozen=True)
class Bar:
    """How a value with its interval is drawn on the range of what was measured."""

    low: str
    """Key of the lower end."""
    high: str
    span: tuple[float, float]
    """Ends of the axis."""
    measured: tuple[float, float] | None = None


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
    first: int = 1
    """Number of the first letter in the edits."""
    shown: bool = True
    """Whether it is in sight; a column that is not can still be filtered by and downloaded."""
    below: str = ""
    """Key of a list of edits that stands small below the value (on a page)."""
    bar: Bar | None = None
    """Draw the value as a bar beside it (on a page)."""
    about: str = ""
    """What the column means, in a few words (on a page)."""
    in_card: bool = False
    """On a phone, where a row is a card, only the opened card shows it."""


def format_value(value: object, spec: str = "") -> str:
    """One cell: None is empty, booleans are yes/no, integers exact, other numbers to four digits."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, Real) and (spec or not isinstance(value, Integral)):
        return format(value, spec or ".4g")
    return spelled(str(value))


def text_table(rows: Sequence[Row], columns: Sequence[Column | str], *, gap: int = 2) -> str:
    """A table for the terminal: headings, a rule, one line per row; numbers to the right, text to the left.

    Unprintable characters are shown as escapes; a letter of double width counts as two columns. The last
    line ends with a newline. Raises ValueError for no columns.
    """
    shown = columns_of(columns)
    cells = [[printable(str(c.heading or c.key)) for c in shown]]
    cells += [[printable(_plain(row.get(c.key), c)) for c in shown] for row in rows]
    right = [is_numeric(rows, c.key) for c in shown]
    widths = [max(cell_len(line[i]) for line in cells) for i in range(len(shown))]
    cells.insert(1, ["-" * width for width in widths])
    return "".join(
        (" " * gap).join(_padded(t, w, r) for t, w, r in zip(line, widths, right, strict=True)).rstrip()
        + "\n"
        for line in cells
    )


def columns_of(columns: Sequence[Column | str]) -> list[Column]:
    """Columns, of which some are given by their key only. Raises ValueError for none."""
    if not columns:
        raise ValueError("a table needs at least one column, got none")
    return [Column(c) if isinstance(c, str) else c for c in columns]


def is_numeric(rows: Sequence[Row], key: str) -> bool:
    """Whether a column holds numbers only (and at least one)."""
    values = [row[key] for row in rows if row.get(key) is not None]
    return bool(values) and all(isinstance(v, Real) and not isinstance(v, bool) for v in values)


def _plain(value: object, column: Column) -> str:
    return format_value(value, column.spec)


def _padded(content: str, width: int, right: bool) -> str:
    space = " " * (width - cell_len(content))
    return space + content if right else content + space
