"""Lines of matrix files: cells, numbers, labelled rows and headings of letters, whatever separates them."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from seqdesign.errors import InputError
from seqdesign.motifs.matrix import standard_of
from seqdesign.sequences.reader import SEQUENCE_COLUMNS

INDEX_NAMES = ("", "#", "pos", "pos.", "position", "positions", "i", "idx", "index", "p0", "po", "site",
               "column", "col", "row", "nr", "no", "no.", "unnamed: 0", "residue", "nt", "base", "letter",
               "wt", "wildtype", "consensus", "cons")  # fmt: skip
"""Columns beside those of the letters that number or name the positions."""

LARGEST = 1e30
"""A larger number is damage; sums and squares of smaller ones are finite."""

Kind = Literal["blank", "comment", "end", "title", "heading", "labelled", "numbers", "other"]

_NUMBER = re.compile(r"[-+\u2212]?(\d+\.?\d*|\.\d+)([eE][-+]?\d+)?%?")
_ODD_NUMBER = re.compile(r"[-+]?(nan|inf|infinity|na|n/a|\d+,\d+)", re.IGNORECASE)
_LABEL = re.compile(r"""\s*["']?([A-Za-z*])["']?\s*(?:[:|=]|(?=\[)|[\s,;])[\s,;|]*(.*)""")


@dataclass(frozen=True)
class Line:
    """One line of a file: what it is, its cells, and the letter that labels it."""

    number: int
    text: str
    kind: Kind
    cells: tuple[str, ...] = ()
    label: str = ""


def cells_of(text: str) -> tuple[str, ...]:
    """The cells of a line, by tab, else semicolon, else comma, else white space; without quotes."""
    text = text.rstrip("\r\n")
    for mark in ("\t", ";", ","):
        if mark in text:
            parts = text.rstrip(f"{mark} ").split(mark)
            break
    else:
        parts = text.split()
    return tuple(part.strip().strip("\"'") for part in parts)


def is_letter(cell: str, extra: str = "") -> bool:
    """Whether a cell is one letter that may head a column; ``extra`` are letters that the user has named."""
    return len(cell) == 1 and ((cell.isascii() and cell.isalpha()) or cell in "*-" or cell in extra)


def is_number(cell: str) -> bool:
    """Whether a cell is meant as a number, be it one that cannot be used, such as nan or 0,5."""
    return bool(_NUMBER.fullmatch(cell) or _ODD_NUMBER.fullmatch(cell))


def number(cell: str, source: str, line: int, column: str = "") -> float:
    """The value of a cell. Raises InputError, naming the column, for what is no finite number."""
    where = f"column '{column}' must be" if column else "must be"
    if _NUMBER.fullmatch(cell):
        value = float(cell.rstrip("%").replace("\u2212", "-"))
        if abs(value) > LARGEST:
            raise InputError(f"{where} at most {LARGEST:g}, got {cell}", path=source, line=line)
        return value
    if re.fullmatch(r"[-+]?\d+,\d+", cell):
        raise InputError(f"{cell!r} has a decimal comma; write it with a point", path=source, line=line)
    if _ODD_NUMBER.fullmatch(cell):
        raise InputError(f"{where} finite, got {cell!r}", path=source, line=line)
    raise InputError(f"{where} a number, got {cell!r}", path=source, line=line)


def line_of(number: int, text: str, extra: str = "") -> Line:
    """What a line is by itself."""
    stripped = text.strip()
    if not stripped:
        return Line(number, text, "blank")
    if stripped.startswith("//"):
        return Line(number, text, "end")
    if stripped.startswith(">"):
        return Line(number, text, "title")
    cells = cells_of(text)
    if heading_places(cells, extra) is not None:
        return Line(number, text, "heading", cells)
    if stripped.startswith(("#", ";")):
        return Line(number, text, "comment")
    label, values = labelled(text)
    if values:
        return Line(number, text, "labelled", values, label)
    values = bare(text)
    return Line(number, text, "numbers", values) if values else Line(number, text, "other", cells)


def labelled(text: str) -> tuple[str, tuple[str, ...]]:
    """A letter and the numbers behind it: ``A [ 0 3 ]``, ``A: 0 3``, ``a | 0 3``, ``"A",0,3``; else none."""
    found = _LABEL.fullmatch(text.rstrip())
    return (found[1].upper(), bare(found[2])) if found else ("", ())


def bare(text: str) -> tuple[str, ...]:
    """The numbers of a row, in brackets or not, without a letter behind them; empty if it is none."""
    values = [v for v in cells_of(text.strip().strip("[]| ")) if v not in ("[", "]", "|")]
    if " " in "".join(values):  # blanks within cells: the comma is a decimal comma
        values = text.split()
    if len(values) > 2 and is_letter(values[-1]):
        values = values[:-1]
    return tuple(values) if values and all(map(is_number, values)) else ()


def heading_places(cells: Sequence[str], extra: str = "") -> list[int] | None:
    """The columns that letters head, or None if the line is no heading of letters.

    Other columns may stand beside a whole alphabet; beside letters of one's own only one that numbers the
    positions. A column that holds sequences makes it a table of sequences.
    """
    places = [i for i, cell in enumerate(cells) if is_letter(cell, extra)]
    others = [cell.lower() for cell in cells if not is_letter(cell, extra)]
    if len(places) < 2 or any(name in SEQUENCE_COLUMNS for name in others):
        return None
    # A single letter in front of a whole alphabet, such as R's X or i, numbers the positions; see `blocks`.
    rest = [cells[i] for i in places[1:]]
    whole = standard_of([cells[i] for i in places]) or (places[0] == 0 and standard_of(rest))
    distinct = len({cells[i] for i in places}) == len(places)
    if not whole and (not distinct or any(name not in INDEX_NAMES for name in others)):
        return None
    return places
