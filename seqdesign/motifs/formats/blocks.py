"""Matrices as blocks of numbers: every format that is not MEME or TRANSFAC.

JASPAR (with or without brackets and letters), raw PFM, HOMER, Cluster-Buster, HOCOMOCO, UniPROBE, CIS-BP,
RSAT's tab format, FlyFactorSurvey, hPDI, and tables (CSV, TSV) with letters along either side. They differ in
what labels a row, a column and a motif, so they are read by these labels; a block without any is turned by
its size, by the other blocks of its file, or by its totals.

Biopython reads some of these by a format's name, for four letters, and takes rows for columns without a word.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from seqdesign.errors import InputError
from seqdesign.motifs.formats.lines import (
    INDEX_NAMES,
    Line,
    cells_of,
    heading_places,
    is_number,
    line_of,
    number,
)
from seqdesign.motifs.matrix import Bare, FloatArray, Matrix, in_order, standard_of

_NAME_KEYS = ("tf name", "tf_name", "name", "gene")
_ID_COLUMNS = ("motif_id", "motif id", "matrix_id", "id", "motif", "name", "tf")
_ID_KEYS = ("motif", "motif id", "motif_id", "matrix_id", "matrix id")


@dataclass
class Block:
    """Rows that belong together, and the lines above that may name them."""

    line: int
    titles: list[str] = field(default_factory=list)
    heading: Line | None = None
    rows: list[Line] = field(default_factory=list)
    ended: bool = False
    key: str = ""
    """Id from a column of the table."""

    @property
    def labels(self) -> list[str]:
        """Of the rows; empty for rows without."""
        return [row.label for row in self.rows if row.label]

    @property
    def homer(self) -> bool:
        """Whether the title is HOMER's: consensus, name and threshold, with tabs between them."""
        parts = self.titles[0].split("\t") if self.titles and self.titles[0].startswith(">") else []
        return len(parts) > 2 and is_number(parts[2].strip())


def gather(text: str, source: str, extra: str = "") -> list[Block]:
    """The blocks of a file, in order; ``extra`` are letters of an alphabet that the user has named.

    Raises InputError for a line among rows without letters that is none.
    """
    blocks: list[Block] = []
    titles: list[str] = []
    for count, raw in enumerate(text.splitlines(), start=1):
        line = line_of(count, raw, extra)
        last = blocks[-1] if blocks and not blocks[-1].ended else None
        if line.kind == "comment":
            continue
        if last is not None and _goes_on(last, line):
            if line.kind != "blank":
                last.rows.append(line)
            continue
        if last is not None:
            last.ended = True
        if line.kind == "title":
            titles = [raw.strip()]
            blocks.append(Block(count, titles))
        elif line.kind == "heading":
            _open(blocks, titles, count).heading = line
            titles = []
        elif line.kind in ("labelled", "numbers"):
            if line.kind == "labelled" and blocks and _numbers_columns(blocks[-1], line):
                titles = blocks.pop().titles
            _open(blocks, titles, count).rows.append(line)
            titles = []
        elif line.kind == "other":
            if last is not None and last.rows and not _has_letters(last):
                raise InputError(f"must be a row of numbers, got {raw.strip()!r}", path=source, line=count)
            titles.append(raw.strip())
    return blocks


def _open(blocks: list[Block], titles: list[str], line: int) -> Block:
    """A new block, or the one that a title has opened."""
    last = blocks[-1] if blocks else None
    if last is not None and last.titles is titles and not last.rows and last.heading is None:
        last.ended = False
        return last
    blocks.append(Block(line, titles))
    return blocks[-1]


def _goes_on(block: Block, line: Line) -> bool:
    """Whether a line belongs to a block that is open."""
    named = bool(block.titles) and block.titles[0].startswith(">")
    if line.kind == "blank":
        return named or block.heading is not None or bool(block.labels)
    if line.kind in ("title", "heading", "end"):
        return False
    if block.heading is not None:
        # A row of a table may begin with anything; a shorter line that begins with a word is a title.
        counts = line.kind != "other" or len(line.cells) >= len(block.heading.cells)
        return counts or is_number(line.cells[0])
    if line.kind == "labelled":
        return bool(block.labels) and line.label not in block.labels
    return line.kind == "numbers" and not block.labels and bool(block.rows)


def _numbers_columns(block: Block, line: Line) -> bool:
    """Whether a block is one row that only numbers the columns of the labelled rows below it."""
    if len(block.rows) != 1 or block.rows[0].label or len(block.rows[0].cells) != len(line.cells):
        return False
    return _consecutive(block.rows[0].cells)


def _consecutive(cells: Sequence[str]) -> bool:
    if not all(re.fullmatch(r"-?\d+(\.0+)?", cell) for cell in cells):
        return False
    values = [int(float(cell)) for cell in cells]
    return all(b - a == 1 for a, b in pairwise(values))


def read_blocks(text: str, source: str, letters: str | None = None) -> list[Matrix]:
    """All matrices of a file; ``letters`` are those of the alphabet that the user has named, if any.

    Raises InputError, naming the line, for a damaged block and for one that can be read in two ways.
    """
    blocks = [part for block in gather(text, source, letters or "") for part in _by_id(block)]
    bare = {i: _bare(b, source, letters) for i, b in enumerate(blocks) if b.rows and not _has_letters(b)}
    turned = _orientations(blocks, bare, source)
    found = []
    for i, block in enumerate(blocks):
        if block.heading is not None:
            names, values, note = _headed(block, source, letters or "")
        elif not block.rows:
            raise InputError("this motif has no rows of numbers", path=source, line=block.line)
        elif block.labels:
            names, values, note = *_labelled(block, source), ""
        else:
            names, values = bare[i].oriented(turned[i])
            note = "" if letters or len(names) == 4 else f"columns taken in the order {names}"
        identity = _identity(block, source, i, len(blocks))
        found.append(
            Matrix(
                *identity, names, values, source, block.line, counted=block.heading is None and
                bool(block.titles), note=note,
            )
        )  # fmt: skip
    return found


def _has_letters(block: Block) -> bool:
    return block.heading is not None or bool(block.labels)


def _by_id(block: Block) -> list[Block]:
    """The matrices of a table with a column of ids, one after the other."""
    head = [] if block.heading is None else [cell.lower() for cell in block.heading.cells]
    place = next((head.index(name) for name in _ID_COLUMNS if name in head), None)
    if place is None:
        return [block]
    parts: dict[str, Block] = {}
    for row in block.rows:
        cells = cells_of(row.text)
        key = cells[place] if place < len(cells) else ""
        part = parts.setdefault(key, Block(row.number, heading=block.heading, ended=True, key=key))
        part.rows.append(row)
    return list(parts.values()) or [block]


def _headed(block: Block, source: str, extra: str) -> tuple[str, FloatArray, str]:
    """A table with a column for each letter: the letters, (L, V), and what was left aside."""
    assert block.heading is not None
    head = list(block.heading.cells)
    if not block.rows:
        raise InputError("no position; the table has a header only", path=source, line=block.heading.number)
    raw = [list(cells_of(row.text)) for row in block.rows]
    if all(len(cells) == len(head) + 1 for cells in raw):  # R's row names have no header
        head = ["", *head]
    for row, cells in zip(block.rows, raw, strict=True):
        if len(cells) != len(head):
            raise InputError(
                f"the row has {len(cells)} fields, the header has {len(head)}; quote fields that hold a "
                "separator",
                path=source,
                line=row.number,
            )
    places = heading_places(head, extra) or []
    names = [head[i] for i in places]
    if standard_of(names) is None and standard_of(names[1:]) and places[0] == 0:
        first = [cells[0] for cells in raw]
        if _consecutive(first) or not all(map(is_number, first)) or names[0].lower() == "i":
            places, names = places[1:], names[1:]
    _refuse_both(names, head, raw, source, block)
    values = np.array(
        [
            [number(cells[i], source, row.number, head[i]) for i in places]
            for row, cells in zip(block.rows, raw, strict=True)
        ]
    )
    aside = [cell for cell in head if cell not in names and cell.lower() not in (*INDEX_NAMES, *_ID_COLUMNS)]
    note = f"columns left aside: {', '.join(aside[:10])}" if aside and len(aside[0]) > 1 else ""
    return *in_order(names, values), note


def _refuse_both(
    names: Sequence[str], head: Sequence[str], raw: Sequence[Sequence[str]], source: str, block: Block
) -> None:
    """Refuse a table with the same letters along both sides, such as a substitution matrix."""
    first = [cells[0].upper() for cells in raw]
    if head[0] not in names and len(first) == len(names) and sorted(first) == sorted(map(str.upper, names)):
        raise InputError(
            f"rows and columns are both headed by {''.join(names)}, so it cannot be told which of them are "
            "positions; number the positions instead",
            path=source,
            line=block.line,
        )


def _labelled(block: Block, source: str) -> tuple[str, FloatArray]:
    """Rows that begin with their letter."""
    rows = _even_rows(block, source)
    if standard_of(block.labels) is None:
        raise InputError(
            f"the rows are labelled {', '.join(block.labels)}; there must be one for each letter of DNA, RNA "
            "or protein",
            path=source,
            line=block.line,
        )
    return in_order(block.labels, rows.T)


def _even_rows(block: Block, source: str) -> FloatArray:
    width = len(block.rows[0].cells)
    for row in block.rows:
        if len(row.cells) != width:
            raise InputError(
                f"the row has {len(row.cells)} numbers, those above have {width}",
                path=source,
                line=row.number,
            )
    return np.array([[number(cell, source, row.number) for cell in row.cells] for row in block.rows])


def _bare(block: Block, source: str, letters: str | None) -> Bare:
    """Rows without letters, and without a first column that numbers them."""
    values = _even_rows(block, source)
    numbered = len(block.rows) > 1 and _consecutive([row.cells[0] for row in block.rows])
    if numbered and values.shape[1] - 1 in ((len(letters),) if letters else (4, 20, 21)):
        values = values[:, 1:]
    return Bare(values, letters)


def _orientations(blocks: Sequence[Block], bare: dict[int, Bare], source: str) -> dict[int, bool]:
    """For each block without letters whether its rows are positions."""
    found: dict[int, bool] = {}
    for i, one in bare.items():
        by_row, by_column = _possible(one)
        if not (by_row or by_column):
            rows, columns = one.values.shape
            size = f"{len(one.letters)} of {one.letters}" if one.letters else "4 of DNA, or 20 of protein"
            raise InputError(
                f"{rows} rows of {columns} numbers have no side with the letters ({size})",
                path=source,
                line=blocks[i].line,
            )
        if by_row != by_column:
            found[i] = by_row
    agreed = set(found.values())
    for i, one in bare.items():
        if i in found:
            continue
        told = True if blocks[i].homer else agreed.copy().pop() if len(agreed) == 1 else None
        told = one.rows_are_positions() if told is None else told
        if told is None and re.match(r">\s*MA\d{4}", blocks[i].titles[0] if blocks[i].titles else ""):
            told = False  # JASPAR
        if told is None:
            side = len(one.values)
            raise InputError(
                f"{side} rows of {side} numbers can be read both ways: put the letter in front of each row "
                "where rows are letters, or a line such as A C G T above them where rows are positions",
                path=source,
                line=blocks[i].line,
            )
        found[i] = told
    return found


def _possible(one: Bare) -> tuple[bool, bool]:
    """Rows as positions, rows as letters; proteins only where it cannot be DNA."""
    ways = one.ways((4,))
    return ways if any(ways) else one.ways((20, 21))


def _identity(block: Block, source: str, place: int, number_of_blocks: int) -> tuple[str, str]:
    """Id and name, from the lines above or from the file's name."""
    if block.key:
        return block.key, ""
    title = block.titles[0] if block.titles else ""
    if title.startswith(">"):
        head, _, rest = title[1:].strip().partition("\t")
        words = head.split(None, 1)
        name = rest.split("\t")[0].strip() if rest else (words[1] if len(words) > 1 else "")
        return (words[0] if words else name or f"motif{place + 1}"), name
    fields = dict(_fields(block.titles))
    key = next((fields[k] for k in _ID_KEYS if fields.get(k)), "")
    name = next((fields[k] for k in _NAME_KEYS if fields.get(k)), "")
    protein = re.search(r"\bProtein:\s*(\S+)", " ".join(block.titles))
    if key or protein:
        return key or (protein[1] if protein else ""), name
    words = block.titles[-1].split() if block.titles and not re.search(r"[,;\t]", block.titles[-1]) else []
    columns = len(block.rows[0].cells)  # as many words as columns are their headings
    if len(words) in (1, 2) and len(words) not in (columns, columns + 1):
        return words[0], words[1] if len(words) > 1 else ""
    stem = os.path.basename(source).partition(".")[0] or source
    return (stem if number_of_blocks == 1 else f"{stem}_{place + 1}"), ""


def _fields(titles: Sequence[str]) -> Iterator[tuple[str, str]]:
    """Lines of a key and a value, as CIS-BP has them."""
    for title in titles:
        key, tab, value = title.partition("\t")
        if tab and value.strip():
            yield key.strip().rstrip(":").lower(), value.strip()
