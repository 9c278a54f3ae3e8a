"""MEME: the minimal format, and the text output of MEME, STREME and DREME.

Biopython's reader insists on a background line and on the order of the sections, and refuses many files.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np

from seqdesign.errors import InputError
from seqdesign.motifs.formats.lines import LARGEST
from seqdesign.motifs.matrix import BY_SIZE, Matrix, in_order
from seqdesign.sequences.alphabets import ALPHABETS

_NAMED = {"DNA": "ACGT", "RNA": "ACGU", "PROTEIN": ALPHABETS["protein"].letters}
_ROW_SUM = 0.05  # rounded probabilities may miss one by this much
_NUMBER = re.compile(r"[-+]?(\d|\.\d)")


@dataclass
class _Open:
    """A motif whose rows are being read."""

    id: str
    name: str
    line: int
    rows: list[list[float]] = field(default_factory=list)
    width: int = -1
    sites: float | None = None
    reading: bool = True
    """Whether the next line with a number is a row."""
    log_odds: bool = False


class _Reader:
    """The state of reading one file, line by line."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.letters: str | None = None
        self.custom: list[str] | None = None
        self.found: list[Matrix] = []
        self.open: _Open | None = None

    def line(self, text: str, number: int) -> None:
        """Take one line."""
        words = text.split()
        if self.custom is not None:
            self._define(text, number)
        elif re.match(r"ALPHABET\b", text):
            self._alphabet(text, number)
        elif re.match(r"MOTIF\b", text):
            self._motif(words, number)
        elif self.open is not None and words:
            self._inside(self.open, text, words, number)

    def _inside(self, motif: _Open, text: str, words: Sequence[str], number: int) -> None:
        if text.startswith("letter-probability matrix"):
            self._begin(motif, text, number)
        elif text.startswith("log-odds matrix"):
            motif.log_odds = True
            motif.reading = False
        elif motif.reading and _NUMBER.match(words[0]) and len(motif.rows) != motif.width:
            motif.rows.append(self._row(words, number))
        elif not text.startswith("URL"):
            motif.reading = False

    def _motif(self, words: Sequence[str], number: int) -> None:
        if len(words) < 2:
            raise self._error("a motif must have an id", number)
        self._close()
        # MEME's own output goes on with 'width = 18 sites = ...' on the same line.
        name = words[2] if len(words) > 2 and words[2] != "width" else ""
        self.open = _Open(words[1], name, number, reading="width" not in words)

    def _begin(self, motif: _Open, text: str, number: int) -> None:
        fields = dict(re.findall(r"(\w+)\s*=\s*([\d.eE+-]+)", text))
        try:
            motif.width = int(fields.get("w", -1))
            motif.sites = float(fields.get("nsites", 0)) or None
            size = int(fields.get("alength", 0))
        except ValueError:
            raise self._error("alength, w and nsites must be numbers", number) from None
        if motif.sites is not None and not 0 < motif.sites <= LARGEST:
            raise self._error(f"nsites must be above 0, got {motif.sites:g}", number)
        if self.letters is None and size in BY_SIZE:
            self.letters = BY_SIZE[size]
        motif.rows, motif.reading = [], True

    def _row(self, words: Sequence[str], number: int) -> list[float]:
        letters = self.letters = self.letters or "ACGT"
        try:
            row = [float(word) for word in words]
        except ValueError:
            raise self._error(f"must be {len(letters)} numbers", number) from None
        if len(row) != len(letters):
            raise self._error(
                f"a row must have {len(letters)} probabilities ({letters}), got {len(row)}", number
            )
        if not all(0 <= value <= 1 for value in row) or abs(sum(row) - 1) > _ROW_SUM:
            raise self._error(f"the probabilities of a row must sum to 1, got {sum(row):.4g}", number)
        return row

    def _alphabet(self, text: str, number: int) -> None:
        name = re.sub(r"^ALPHABET\s*=?\s*", "", text).strip()
        like = re.search(r"\b(DNA|RNA|PROTEIN)-LIKE$", name)
        key = name.strip('"').upper()
        if key in _NAMED or key.replace("-LIKE", "") in _NAMED:
            self._agree(_NAMED[key.replace("-LIKE", "")], number)
        elif like or name.startswith('"') or not name:  # letters are defined on the lines that follow
            self.custom = []
        else:
            self._agree(key.split(" ")[0], number)

    def _define(self, text: str, number: int) -> None:
        """One line of an alphabet's definition: a letter, or a letter, ~ and its complement."""
        assert self.custom is not None
        if re.match(r"END\s+ALPHABET|MOTIF\b|letter-prob", text):
            letters, self.custom = self.custom, None
            # MEME's order: capitals, small letters, digits, other signs.
            order = sorted(dict.fromkeys(letters), key=lambda c: (not c.isupper(), not c.islower(), c))
            self._agree("".join(order), number, custom=True)
            if not text.startswith("END"):
                self.line(text, number)
            return
        plain = re.sub(r'"[^"]*"', "", text)
        if "=" not in plain and plain.strip():
            self.custom += [part.split()[0] for part in plain.split("~") if part.split()]

    def _agree(self, letters: str, number: int, *, custom: bool = False) -> None:
        distinct = len(set(letters)) == len(letters)
        if not distinct or len(letters) < 2 or not (custom or re.fullmatch(r"[A-Z]{2,}", letters)):
            raise self._error(f"the alphabet must be different letters, got {letters!r}", number)
        if (self.found or self.open) and letters != self.letters:
            raise self._error(
                f"the alphabet changes from {self.letters or 'ACGT'} to {letters} between motifs; all motifs "
                "of a file must have the same letters, so divide the file",
                number,
            )
        self.letters = letters

    def _close(self) -> None:
        motif, self.open = self.open, None
        if motif is None:
            return
        if not motif.rows and motif.log_odds:
            raise self._error(
                f"motif {motif.id} has a log-odds matrix only; give the file with its letter-probability "
                "matrix",
                motif.line,
            )
        if not motif.rows or motif.width not in (-1, len(motif.rows)):
            wanted = "at least 1" if motif.width < 1 else str(motif.width)
            raise self._error(
                f"motif {motif.id} must have {wanted} rows of probabilities, got {len(motif.rows)}",
                motif.line,
            )
        letters, values = in_order(self.letters or "ACGT", np.array(motif.rows))
        self.found.append(
            Matrix(motif.id, motif.name, letters, values, self.source, motif.line, motif.sites, counted=True)
        )

    def _error(self, message: str, line: int) -> InputError:
        return InputError(message, path=self.source, line=line)


def read_meme(text: str, source: str) -> list[Matrix]:
    """All motifs of a MEME file. Raises InputError with the line for a damaged one."""
    reader = _Reader(source)
    for number, line in enumerate(text.splitlines(), start=1):
        reader.line(line, number)
    reader._close()
    return reader.found
