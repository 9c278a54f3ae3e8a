"""Which format a file of motifs or matrices has, by its content."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Literal

from seqdesign.errors import InputError
from seqdesign.motifs.formats.lines import Line, cells_of, line_of
from seqdesign.motifs.matrix import standard_of
from seqdesign.sequences.reader import SEQUENCE_COLUMNS

MatrixFormat = Literal["npy", "meme", "transfac", "attributions", "blocks"]

ATTRIBUTIONS = ("id", "position", "letter", "contribution")
"""Columns of the table that ``seqdesign attribute`` writes."""

_NPY = b"\x93NUMPY"
_TITLES = 40  # lines that may stand above the first row of numbers
_FOREIGN = (
    (rb"PK\x03\x04", "an archive (.npz, .xlsx or .zip); save the one matrix as .npy or CSV"),
    (rb"\x89HDF", "HDF5, as TF-MoDISco writes it; export its motifs with 'modisco meme'"),
    (rb"\s*<\?xml.{0,3000}<(MEME|dreme|STREME)\b", "XML of the MEME suite; give the text (.txt) of that run"),
    (rb"\s*(<!DOCTYPE html|<html)", "HTML; give the text (.txt) or the minimal MEME format of that run"),
    (rb"\s*HMMER3/", "a profile of HMMER, which has insertions and deletions; give an alignment or a matrix"),
    (rb"\s*INFERNAL1/", "a covariance model of Infernal; give an alignment or a matrix"),
    (rb"\s*Last position-specific scoring matrix", "PSI-BLAST's text; give its first 20 columns as CSV"),
    (rb'\s*[\[{]\s*("|\{)', "JSON; give the motifs as MEME, JASPAR or TRANSFAC"),
)  # fmt: skip


def recognise(head: bytes, source: str, letters: str = "") -> MatrixFormat | None:
    """The format of a file that begins so, or None if it holds no matrix.

    ``letters`` are those of an alphabet that the user has named. Raises InputError for formats that are
    known and not read.
    """
    if head.startswith(_NPY):
        return "npy"
    for pattern, name in _FOREIGN:
        if re.match(pattern, head, re.DOTALL):
            raise InputError(f"this is {name}", path=source)
    text = head.decode("utf-8-sig", errors="replace")
    if re.search(r"^(MEME version|letter-probability matrix)", text, re.MULTILINE):
        return "meme"
    lines = text.splitlines()
    if _is_transfac(text):
        return "transfac"
    first = next((line for line in lines if line.strip()), "")
    if set(ATTRIBUTIONS) <= set(cells_of(first)):
        return "attributions"
    return "blocks" if _has_block(lines, letters) else None


def _is_transfac(text: str) -> bool:
    """P0 names the letters; STAMP leaves it out, but has DE and numbered rows."""
    if re.search(r"^P[0O]\s+[A-Za-z]\s+[A-Za-z]\b", text, re.MULTILINE):
        # CIS-BP's and other tables may head their first column so; TRANSFAC has a key or an end as well.
        return bool(re.search(r"^(AC|ID|NA|DE|BF|XX|//)(\s|$)", text, re.MULTILINE))
    return bool(re.match(r"\s*DE\s+\S[^\n]*\n0*[01]\s+[\d.]+\s", text))


def _has_block(lines: Sequence[str], letters: str) -> bool:
    """Whether the file begins with a matrix: below titles, a heading of letters or rows of numbers."""
    some = []
    for count, text in enumerate(lines, start=1):
        line = line_of(count, text, letters)
        if line.kind not in ("blank", "comment", "end"):
            some.append(line)
        if len(some) > _TITLES + 30:
            break
    for place, line in enumerate(some[:_TITLES]):
        if line.kind == "heading":
            return True
        if line.kind == "labelled":
            return _whole_alphabet(some[place:])
        if line.kind == "numbers" and (_titled(some, line) or _plain(some, place)):
            return True
        if line.kind == "other" and (_of_sequences(line) or some[0].kind == "title"):
            return False
    return False


def _whole_alphabet(rows: Sequence[Line]) -> bool:
    """Whether rows are labelled by each letter of an alphabet in turn."""
    labels: list[str] = []
    for row in rows:
        if row.kind != "labelled" or row.label in labels:
            break
        labels.append(row.label)
    return standard_of(labels) is not None


def _plain(lines: Sequence[Line], place: int) -> bool:
    """Whether rows of numbers begin here that no heading of columns stands above."""
    row, after = lines[place], lines[place + 1 : place + 2]
    if after and after[0].kind == "labelled":
        return _whole_alphabet(lines[place + 1 :])
    above = lines[place - 1].cells if place else ()
    if len(above) > 1 and not all(re.fullmatch(r"[VX]\d+", cell) for cell in above):
        return False  # columns with names of their own
    return bool(after and after[0].kind == "numbers") or len(row.cells) in (4, 5, 20, 21)


def _of_sequences(line: Line) -> bool:
    """Whether a line heads a table of sequences."""
    return any(cell.lower() in SEQUENCE_COLUMNS for cell in line.cells)


def _titled(lines: Sequence[Line], row: Line) -> bool:
    """Whether a row of numbers is one of a motif with a title; FASTA may have digits for letters."""
    return lines[0].kind == "title" and len(row.cells) > 1
