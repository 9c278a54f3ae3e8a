"""Files of names and sequences alone: GenBank, and alignments in Stockholm (Pfam, Rfam) or CLUSTAL format."""

from __future__ import annotations

import io
from typing import NamedTuple

from seqdesign.errors import InputError
from seqdesign.sequences.lab.genbank import parse_genbank

_STOCKHOLM, _CLUSTAL = b"# STOCKHOLM", (b"CLUSTAL", b"MUSCLE")


class Row(NamedTuple):
    """A sequence, with the gaps of its alignment."""

    name: str
    text: str
    line: int
    """Where it begins, 0 where that is not known."""


def is_alignment(head: bytes) -> bool:
    """Whether a file begins as an alignment in Stockholm or CLUSTAL format does."""
    return head.startswith((_STOCKHOLM, *_CLUSTAL))


def read_bare(handle: io.BufferedReader, kind: str) -> list[Row]:
    """The sequences of a file of this kind, ``genbank`` or ``alignment``. Raises InputError."""
    if kind == "alignment":
        return _rows(handle, handle.name)
    return [Row(record.name, str(record.seq), 0) for record in parse_genbank(handle, handle.name)]


def _rows(handle: io.BufferedReader, source: str) -> list[Row]:
    """Rows of all alignments of a file, blocks joined; lines of marks (#=GC, or * : .) are left out."""
    found: list[Row] = []
    begun: dict[bytes, int] = {}
    for number, line in enumerate(handle.read().splitlines(), 1):
        if line.startswith((b"//", _STOCKHOLM, *_CLUSTAL)):
            _check(found[min(begun.values(), default=len(found)) :], source)
            begun = {}
        elif line.strip() and not line.startswith((b"#", b" ", b"\t")):
            name, *parts = line.split()
            if parts and parts[-1].isdigit():  # letters up to here, in CLUSTAL
                parts.pop()
            if not parts:
                raise InputError("a row of an alignment has a name and letters", path=source, line=number)
            text = b"".join(parts).decode("utf-8", errors="replace")
            if name in begun:
                row = found[begun[name]]
                found[begun[name]] = row._replace(text=row.text + text)
            else:
                begun[name] = len(found)
                found.append(Row(name.decode("utf-8", errors="replace"), text, number))
    _check(found[min(begun.values(), default=len(found)) :], source)
    return found


def _check(rows: list[Row], source: str) -> None:
    """All rows of one alignment are equally long."""
    for row in rows:
        if len(row.text) != len(rows[0].text):
            raise InputError(
                f"rows of an alignment are equally long; this one has {len(row.text)} letters and gaps, "
                f"the first one {len(rows[0].text)}",
                path=source, line=row.line, record=row.name,
            )  # fmt: skip
