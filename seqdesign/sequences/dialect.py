"""How a text table is written: its separator, and which line is the header. Spreadsheets differ in both.

Known: commas, tabs and semicolons (where the comma is the decimal sign), a line ``sep=;`` in front, lines of
comment that begin with ``#``, and a title above the header. What is decided is decided by the first lines.
"""

from __future__ import annotations

import csv
import re
from collections import Counter
from collections.abc import Sequence

LOOK = 25
"""Lines that are looked at."""

_SEP = re.compile(r'"?sep=(.)"?[,;\t ]*', re.IGNORECASE)


class StoredNumber(str):
    """The text of a cell that its file stores as a number: a point in it is the decimal sign."""

    __slots__ = ()


def find_dialect(lines: Sequence[str]) -> tuple[str, int]:
    """(separator, place of the header) of a table's first lines that are not blank; at least one."""
    named = _SEP.fullmatch(lines[0].strip("\r\n "))
    first = 1 if named and len(lines) > 1 else 0
    while first + 1 < len(lines) and lines[first].startswith("#") and not _is_header(lines, first):
        first += 1
    separator = named[1] if named and first else _separator(lines[first:])
    return separator, first + title_rows([split(line, separator) for line in lines[first:]])


def split(line: str, separator: str) -> list[str]:
    """The cells of a line, quoted ones as well; split plainly where quotes do not close."""
    if '"' not in line:
        return line.split(separator)
    try:
        return next(csv.reader([line], delimiter=separator, strict=True), [])
    except csv.Error:
        return line.split(separator)


def _is_header(lines: Sequence[str], place: int) -> bool:
    """Whether a line that begins with # is the header: as wide as the next, which is not."""
    line, after = lines[place], lines[place + 1]
    separator = _separator(lines[place:])
    return not after.startswith("#") and 1 < len(split(line, separator)) == len(split(after, separator))


def _separator(lines: Sequence[str]) -> str:
    """The tab if the header has one; else the comma or semicolon that cuts all lines, or the most, alike."""
    head = next((line for line in lines if any(c in line for c in "\t,;")), lines[0])
    if "\t" in head:
        return "\t"
    for separator in ",;":
        widths = {_width(line, separator) for line in lines[lines.index(head) :]}
        if separator in head and len(widths) == 1 and min(widths) > 1:
            return separator
    return max(",;", key=lambda separator: _alike(lines, separator))


def _alike(lines: Sequence[str], separator: str) -> int:
    """How many lines the separator cuts into the most common number of cells above one, empty ones too."""
    counts = Counter(len(split(line, separator)) for line in lines)
    return max((times for cells, times in counts.items() if cells > 1), default=0)


def _width(line: str, separator: str) -> int:
    """Cells of a line without the empty ones at its end."""
    return _reach(split(line, separator))


def _reach(cells: Sequence[str]) -> int:
    """Cells of a row without the empty ones at its end."""
    return next((i for i in range(len(cells), 0, -1) if cells[i - 1].strip()), 0)


def _filled(cells: Sequence[str]) -> int:
    """Cells of a row that are not empty."""
    return sum(bool(cell.strip()) for cell in cells)


def title_rows(rows: Sequence[Sequence[str]]) -> int:
    """How many rows stand above the header, of the first rows of a table.

    They have one filled cell, or two (``operator | Jane``) where the table has at least four; the row after
    them has several and no number in any.
    """
    few = 2 if max(map(_filled, rows), default=0) >= 4 else 1
    place = next((i for i, row in enumerate(rows) if _filled(row) > few), 0)
    if place + 1 >= len(rows) or any(map(_is_number, rows[place])):
        return 0
    return place


def says(separator: str, above: int) -> str:
    """How a text table is written, in words: ``separated by semicolons, 3 lines above the header``."""
    signs = {",": "commas", "\t": "tabs", ";": "semicolons", " ": "blanks", "|": "bars"}
    return f"separated by {signs.get(separator, repr(separator))}" + above_header(above)


def above_header(above: int) -> str:
    """``, 3 lines above the header``; nothing where there is none."""
    return f", {above} line{'s' if above > 1 else ''} above the header" if above else ""


def _is_number(cell: str) -> bool:
    try:
        float(cell.strip().replace(",", "."))
    except ValueError:
        return False
    return True
