"""Motif collections and matrices from files of any format, plain or compressed, and the bundled JASPAR.

``read_matrices`` is the one place where files become matrices: motif search, logos and reports read the same
files in the same way.
"""

from __future__ import annotations

import csv
import os
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace

import numpy as np

from seqdesign.errors import InputError
from seqdesign.motifs.formats.arrays import read_npy
from seqdesign.motifs.formats.blocks import read_blocks
from seqdesign.motifs.formats.lines import number
from seqdesign.motifs.formats.meme import read_meme
from seqdesign.motifs.formats.recognise import ATTRIBUTIONS, MatrixFormat, recognise
from seqdesign.motifs.formats.transfac import read_transfac
from seqdesign.motifs.matrix import Matrix
from seqdesign.motifs.motif import Motif
from seqdesign.sequences.bundled import PREFIX, dataset_info, resolve_input
from seqdesign.sequences.compression import open_input, open_output, source_name

BUNDLED = "jaspar2024_core_vertebrates"
JASPAR = "jaspar"
"""How the bundled collection is named where a file may be."""
HEAD = 1 << 18
"""Bytes that tell the format of a file."""

_MAX_BYTES = 200_000_000


@dataclass(frozen=True, eq=False)
class MotifSet:
    """Motifs of one file over the same letters, and what to call their origin. No id occurs twice."""

    motifs: tuple[Motif, ...]
    source: str
    title: str
    notes: tuple[str, ...] = ()
    """What whoever uses them should know, a sentence each."""
    renamed: dict[str, str] = field(default_factory=dict)
    """New id -> the id in the file, of motifs whose id an earlier one has."""

    @property
    def letters(self) -> str:
        """The V letters in column order."""
        return self.motifs[0].letters


def bundled_motifs() -> MotifSet:
    """The bundled JASPAR collection. Raises InputError when its file is missing or has changed."""
    info = dataset_info(BUNDLED)
    found = read_motifs(f"{PREFIX}{BUNDLED}")
    note = "these motifs are of vertebrates; for other organisms, name a file of theirs with --motifs"
    return MotifSet(found.motifs, found.source, info.title, (note,))


def open_motifs(source: str | os.PathLike[str] | None, letters: str | None = None) -> MotifSet:
    """The motifs of a file, or the bundled collection for ``jaspar`` or None. Raises InputError."""
    if source is None or os.fspath(source) == JASPAR:
        return bundled_motifs()
    return read_motifs(source, letters)


def read_motifs(path: str | os.PathLike[str], letters: str | None = None) -> MotifSet:
    """All motifs of a file; the format goes by its content.

    ``letters`` says what a matrix without letters is over. Raises InputError, naming the line where it is
    known, for a file that holds none or is damaged, and for motifs over different letters.
    """
    source = source_name(resolve_input(path))
    with open_input(resolve_input(path)) as handle:
        data = handle.read(_MAX_BYTES)
    kind = recognise(data[:HEAD], source, letters or "")
    if kind is None:
        raise InputError(
            "no motif format is recognised: neither MEME, JASPAR, TRANSFAC, HOMER, Cluster-Buster, UniPROBE "
            "or CIS-BP, nor a table or npy file of positions by letters",
            path=source,
        )
    if kind == "attributions":
        raise InputError("this is a table of seqdesign attribute, which holds no motif", path=source)
    matrices = parse_matrices(data, kind, source, letters)
    found = motif_set([matrix.motif() for matrix in matrices], source, os.path.basename(source))
    return replace(found, notes=(*found.notes, *_notes(matrices)))


def motif_set(motifs: Sequence[Motif], source: str, title: str) -> MotifSet:
    """A collection in which no id occurs twice. Raises InputError for no motifs and for different letters."""
    if not motifs:
        raise InputError("there is no motif in it", path=source or None)
    if len({motif.letters for motif in motifs}) > 1:
        raise InputError("all motifs of a file must have the same letters", path=source or None)
    found, renamed = _unique(motifs)
    notes: tuple[str, ...] = ()
    if renamed:
        new, old = next(iter(renamed.items()))
        said = f"{len(renamed):,} motifs have an id that an earlier one has; they are numbered"
        notes = (f"{said}, such as {new} for the next {old}",)
    return MotifSet(tuple(found), source, title, notes, renamed)


def parse_matrices(data: bytes, kind: MatrixFormat, source: str, letters: str | None = None) -> list[Matrix]:
    """All matrices of a file's content whose format is known. Raises InputError if it is damaged or empty."""
    if len(data) >= _MAX_BYTES:
        raise InputError(f"is larger than {_MAX_BYTES:,} bytes, so it is not a file of motifs", path=source)
    if kind == "npy":
        return [read_npy(data, source, letters)]
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("is not text in UTF-8, so it is not a file of motifs", path=source) from None
    if kind == "attributions":
        return _attributions(text, source)
    if kind == "blocks":
        found = read_blocks(text, source, letters)
    else:
        found = read_meme(text, source) if kind == "meme" else read_transfac(text, source)
    if not found:
        raise InputError("there is no motif in it", path=source)
    return found


def _attributions(text: str, source: str) -> list[Matrix]:
    """The table of ``seqdesign attribute``: each sequence's letters with their contributions."""
    lines = text.splitlines()
    try:
        rows = list(csv.reader(lines, delimiter="\t" if "\t" in lines[0] else ","))
    except csv.Error as error:
        raise InputError(f"is a damaged table ({error})", path=source) from None
    head = rows[0]
    missing = [column for column in ATTRIBUTIONS if column not in head]
    if missing:
        raise InputError(f"there is no column '{missing[0]}'", path=source, line=1)
    name, _, letter, value = (head.index(column) for column in ATTRIBUTIONS)
    letters = "".join(column for column in head if len(column) == 1)
    found: dict[str, list[tuple[str, float]]] = {}
    for count, row in enumerate(rows[1:], start=2):
        if len(row) != len(head):
            raise InputError(
                f"the row has {len(row)} fields, the header has {len(head)}", path=source, line=count
            )
        cell = row[value]
        given = number(cell, source, count, "contribution") if cell else 0.0  # a masked letter has none
        found.setdefault(row[name], []).append((row[letter], given))
    if not found or not letters:
        raise InputError("it has no rows of positions, or no columns of letters", path=source)
    return [_contributions(key, pairs, letters, source) for key, pairs in found.items()]


def _contributions(key: str, pairs: Sequence[tuple[str, float]], letters: str, source: str) -> Matrix:
    values = np.zeros((len(pairs), len(letters)))
    for place, (letter, value) in enumerate(pairs):
        if letter and letter in letters:
            values[place, letters.index(letter)] = value
    return Matrix(key, "", letters, values, source, note="contributions of the letters")


def _unique(motifs: Sequence[Motif]) -> tuple[list[Motif], dict[str, str]]:
    """Motifs without an id twice: the second is called ID.2 and so on; and new id -> old."""
    taken = {motif.id for motif in motifs}
    seen: Counter[str] = Counter()
    found, renamed = [], {}
    for motif in motifs:
        seen[motif.id] += 1
        if seen[motif.id] == 1:
            found.append(motif)
            continue
        new = f"{motif.id}.{seen[motif.id]}"
        while new in taken:
            seen[motif.id] += 1
            new = f"{motif.id}.{seen[motif.id]}"
        taken.add(new)
        renamed[new] = motif.id
        found.append(replace(motif, id=new))
    return found, renamed


def _notes(matrices: Sequence[Matrix]) -> list[str]:
    """What is to be known about how the numbers were read."""
    notes = []
    taken = [m.label for m in matrices if m.quantity == "weights"]
    if taken:
        notes.append(
            f"the numbers of {taken[0]}{' and others' if taken[1:] else ''} add up to no common total; they "
            "are taken as counts"
        )
    return [*notes, *dict.fromkeys(matrix.note for matrix in matrices if matrix.note)]


def write_meme(motifs: Sequence[Motif], path: str | os.PathLike[str]) -> None:
    """Write motifs in MEME's minimal format, at once or not at all. Raises OutputError."""
    letters = motifs[0].letters if motifs else "ACGT"
    lines = ["MEME version 4", "", f"ALPHABET= {letters}", ""]
    for motif in motifs:
        lines += [
            f"MOTIF {motif.id} {motif.name}".rstrip(),
            _matrix_line(motif),
            *(" ".join(f"{value:.6f}" for value in row) for row in motif.probabilities),
            "",
        ]
    with open_output(path) as handle:
        handle.write("\n".join(lines).encode())


def _matrix_line(motif: Motif) -> str:
    # Other programs insist on a whole number of sites.
    sites = max(round(motif.sites), 1)
    return f"letter-probability matrix: alength= {len(motif.letters)} w= {motif.width} nsites= {sites}"
