"""TRANSFAC and what is like it: TRANSFAC itself, JASPAR's and PRODORIC's export, RSAT, SwissRegulon, STAMP.

Biopython's reader insists on two blanks after a key and on a fixed order, which most of these lack.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np

from seqdesign.errors import InputError
from seqdesign.motifs.formats.lines import is_number, number
from seqdesign.motifs.matrix import Matrix, in_order

_KEY = re.compile(r"([A-Z][A-Z0-9])(?:\s+(.*))?$")
_ROW = re.compile(r"\d+\s+[-+]?[\d.]")


@dataclass
class _Open:
    """A motif whose rows are being read."""

    line: int
    fields: dict[str, str] = field(default_factory=dict)
    letters: list[str] = field(default_factory=lambda: list("ACGT"))
    rows: list[list[float]] = field(default_factory=list)


def read_transfac(text: str, source: str) -> list[Matrix]:
    """All motifs of a TRANSFAC file. Raises InputError with the line for a damaged one."""
    found: list[Matrix] = []
    motif: _Open | None = None
    for count, line in enumerate(text.splitlines(), start=1):
        line = line.strip()
        if not line or line.startswith(("#", ";")):
            continue
        if line.startswith("//"):
            found += _closed(motif, source, len(found))
            motif = None
            continue
        key = _KEY.match(line)
        if key and key[1] in ("AC", "ID", "NA", "DE") and motif is not None and motif.rows:
            found += _closed(motif, source, len(found))  # STAMP ends a motif with XX or with nothing
            motif = None
        motif = motif or _Open(count)
        if key and key[1] in ("P0", "PO"):
            letters = _letters(key[2] or "", source, count)
            if motif.rows and letters != motif.letters:
                raise InputError("the letters change within a motif", path=source, line=count)
            motif.letters = letters
        elif _ROW.match(line):
            motif.rows.append(_numbers(line, motif.letters, source, count))
        elif key:
            motif.fields.setdefault(key[1], key[2] or "")
    return found + _closed(motif, source, len(found))


def _letters(text: str, source: str, line: int) -> list[str]:
    """The single letters that stand first; words such as 'cons' and 'inf' follow them in some files."""
    letters: list[str] = []
    for word in text.split():
        if len(word) != 1 or not (word.isalpha() or word == "*"):
            break
        letters.append(word.upper())
    if len(letters) < 2 or len(set(letters)) != len(letters):
        raise InputError(f"P0 must name the letters of the columns, got {text!r}", path=source, line=line)
    return letters


def _numbers(line: str, letters: list[str], source: str, place: int) -> list[float]:
    words = line.split()[1 : len(letters) + 1]
    if len(words) != len(letters) or not all(map(is_number, words)):
        raise InputError(
            f"a position must have {len(letters)} numbers ({''.join(letters)}) after its own, got {line!r}",
            path=source,
            line=place,
        )
    return [number(word, source, place, letter) for word, letter in zip(words, letters, strict=True)]


def _closed(motif: _Open | None, source: str, place: int) -> list[Matrix]:
    """The motif, if there is one; entries without a matrix, such as a heading with VV, are none."""
    if motif is None or not motif.rows:
        if motif is not None and {"AC", "ID", "NA"} & motif.fields.keys():
            raise InputError("this motif has no matrix", path=source, line=motif.line)
        return []
    fields = motif.fields
    described = fields.get("DE", "").split()
    key = fields.get("AC") or fields.get("ID") or fields.get("NA") or (described[0] if described else "")
    key = (key.split() or [f"motif{place + 1}"])[0].rstrip(";")
    name = fields.get("NA") or fields.get("ID") or ""
    letters, values = in_order(motif.letters, np.array(motif.rows))
    return [Matrix(key, name, letters, values, source, motif.line, counted=True)]
