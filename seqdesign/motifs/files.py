"""Motif collections from files: MEME, JASPAR and TRANSFAC, plain or compressed, and the bundled JASPAR.

MEME's minimal format is read here, since its background line is optional and readers that insist on it
refuse many files; JASPAR and TRANSFAC are read by Biopython.
"""

from __future__ import annotations

import io
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from seqdesign.errors import InputError
from seqdesign.motifs.motif import DEFAULT_SITES, Motif
from seqdesign.sequences.bundled import PREFIX, dataset_info, resolve_input
from seqdesign.sequences.compression import open_input, open_output, source_name

BUNDLED = "jaspar2024_core_vertebrates"

_ALPHABETS = {"ACGT": "ACGT", "ACGU": "ACGU", "DNA": "ACGT", "RNA": "ACGU",
              "PROTEIN": "ACDEFGHIKLMNPQRSTVWY"}  # fmt: skip
_ROW_SUM = 0.05  # rounded probabilities may miss one by this much
_MAX_BYTES = 200_000_000


@dataclass(frozen=True, eq=False)
class MotifSet:
    """Motifs of one file over the same letters, and what to call their origin."""

    motifs: tuple[Motif, ...]
    source: str
    title: str

    @property
    def letters(self) -> str:
        """The V letters in column order."""
        return self.motifs[0].letters


def bundled_motifs() -> MotifSet:
    """The bundled JASPAR collection. Raises InputError when its file is missing or has changed."""
    info = dataset_info(BUNDLED)
    found = read_motifs(f"{PREFIX}{BUNDLED}")
    return MotifSet(found.motifs, found.source, info.title)


def is_motif_file(head: bytes) -> bool:
    """Whether the first bytes of a file are those of a MEME, JASPAR or TRANSFAC motif file."""
    return _kind(head.decode("utf-8", errors="replace")) is not None


def read_motifs(path: str | os.PathLike[str]) -> MotifSet:
    """All motifs of a file; the format goes by its content.

    Raises InputError, naming the line where it is known, for a file that holds none or is damaged, and for
    motifs over different letters.
    """
    source = source_name(resolve_input(path))
    with open_input(resolve_input(path)) as handle:
        data = handle.read(_MAX_BYTES)
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError:
        raise InputError("is not text, so no motif file", path=source) from None
    kind = _kind(text)
    if kind is None:
        raise InputError(
            "no motif format is recognised; it must begin as MEME ('MEME version'), JASPAR ('>' and rows of "
            "counts) or TRANSFAC ('AC', 'ID' or 'VV') does",
            path=source,
        )
    motifs = _meme(text, source) if kind == "meme" else _counts(text, kind, source)
    if not motifs:
        raise InputError("there is no motif in it", path=source)
    if len({m.letters for m in motifs}) > 1:
        raise InputError("all motifs of a file must have the same letters", path=source)
    return MotifSet(tuple(motifs), source, os.path.basename(source))


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


def _kind(text: str) -> str | None:
    lines = [line for line in text[:4096].removeprefix("\ufeff").splitlines() if line.strip()]
    lines = [line for line in lines if not line.startswith("#")]
    if not lines:
        return None
    if lines[0].startswith("MEME version"):
        return "meme"
    if lines[0].startswith(">") and len(lines) > 1 and re.match(r"[ACGTU\s\[]*[\d.]+(\s|$)", lines[1]):
        return "jaspar"
    if re.match(r"(AC|ID|VV|NA|XX)(\s|$)", lines[0]):
        return "transfac"
    return None


@dataclass
class _Open:
    """A MEME motif whose rows are being read."""

    id: str
    name: str
    line: int
    rows: list[list[float]]
    width: int = -1
    sites: float = DEFAULT_SITES


def _meme(text: str, source: str) -> list[Motif]:
    letters, found, current = "ACGT", [], None
    for number, line in enumerate(text.splitlines(), start=1):
        words = line.split()
        if line.startswith("ALPHABET"):
            letters = _letters(line, number, source)
        elif line.startswith("MOTIF"):
            if len(words) < 2:
                raise InputError("a motif must have an id", path=source, line=number)
            if current is not None:
                found.append(_close(current, letters, source))
            current = _Open(words[1], words[2] if len(words) > 2 else "", number, [])
        elif line.startswith("letter-probability matrix") and current is not None:
            fields = dict(re.findall(r"(\w+)=\s*([\d.eE+-]+)", line))
            try:
                current.width = int(fields.get("w", -1))
                current.sites = float(fields.get("nsites", DEFAULT_SITES)) or DEFAULT_SITES
            except ValueError:
                raise InputError("w and nsites must be numbers", path=source, line=number) from None
            current.rows = []
        elif current is not None and words and re.match(r"[\d.+-]", words[0]):
            current.rows.append(_row(words, letters, number, source))
    return found if current is None else [*found, _close(current, letters, source)]


def _letters(line: str, number: int, source: str) -> str:
    name = re.sub(r'^ALPHABET=?\s*|"|-LIKE.*$', "", line).strip().split(" ")[0].upper()
    letters = _ALPHABETS.get(name, name)
    if len(set(letters)) != len(letters) or not re.fullmatch(r"[A-Z]{2,}", letters):
        raise InputError(f"the alphabet must be different letters, got {name!r}", path=source, line=number)
    return letters


def _row(words: Sequence[str], letters: str, number: int, source: str) -> list[float]:
    try:
        row = [float(word) for word in words]
    except ValueError:
        raise InputError(f"must be {len(letters)} numbers", path=source, line=number) from None
    if len(row) != len(letters):
        raise InputError(
            f"a row must have {len(letters)} probabilities ({letters}), got {len(row)}",
            path=source,
            line=number,
        )
    if not all(0 <= value <= 1 for value in row) or abs(sum(row) - 1) > _ROW_SUM:
        raise InputError(
            f"the probabilities of a row must sum to 1, got {sum(row):.4g}", path=source, line=number
        )
    return row


def _close(motif: _Open, letters: str, source: str) -> Motif:
    if not motif.rows or motif.width not in (-1, len(motif.rows)):
        wanted = "at least 1" if motif.width < 1 else str(motif.width)
        raise InputError(
            f"motif {motif.id} must have {wanted} rows of probabilities, got {len(motif.rows)}",
            path=source,
            line=motif.line,
        )
    rows = np.array(motif.rows)
    return Motif(motif.id, motif.name, letters, rows / rows.sum(axis=1, keepdims=True), motif.sites)


def _counts(text: str, kind: str, source: str) -> list[Motif]:
    """JASPAR and TRANSFAC, which hold counts of DNA letters."""
    from Bio import motifs

    try:
        records = motifs.parse(io.StringIO(text), kind)
        found = [_from_counts(record, kind, source) for record in records]
    except InputError:
        raise
    except Exception as error:  # Biopython raises whatever its parsing meets
        raise InputError(f"is no {kind.upper()} motif file ({error})", path=source) from None
    num_headers = len(re.findall(r"^>", text, re.MULTILINE))
    if kind == "jaspar" and num_headers != len(found):  # Biopython drops a motif without its four rows
        raise InputError(f"there are {num_headers} headers but {len(found)} motifs of four rows", path=source)
    return found


def _from_counts(record: object, kind: str, source: str) -> Motif:
    counts = record.counts  # type: ignore[attr-defined]
    rows = np.array([counts[letter] for letter in "ACGT"], dtype=np.float64).T
    name = str(getattr(record, "name", "") or "")
    key = str(getattr(record, "matrix_id", "") or "")
    if kind == "transfac":
        key = str(record.get("AC") or record.get("ID") or name)  # type: ignore[attr-defined]
        name = str(record.get("NA") or record.get("ID") or "")  # type: ignore[attr-defined]
    totals = rows.sum(axis=1, keepdims=True)
    if rows.size == 0 or not np.all(np.isfinite(rows)) or np.any(rows < 0) or np.any(totals <= 0):
        raise InputError(f"motif {key or name}: every position needs counts of at least 0", path=source)
    return Motif(key or name or "motif", name, "ACGT", rows / totals, float(totals.max()))
