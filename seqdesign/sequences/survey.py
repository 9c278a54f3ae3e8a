"""Counts over a stream of sequences in constant memory: what ``seqdesign inspect`` reports."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError
from seqdesign.sequences.alphabets import Alphabet, LetterCounts
from seqdesign.sequences.lab.replicates import NoiseCeiling
from seqdesign.sequences.numbers import Tally
from seqdesign.sequences.origin import Origin
from seqdesign.sequences.reader import SequenceSet
from seqdesign.symbols import name_of

MOST_NAMED = 60
"""Letters with names that a summary lists."""
DUPLICATES_CHECKED = 1_000_000  # records; 16 MB of hashes

_OTHER = 0  # stands for every character outside ASCII


@dataclass(frozen=True)
class UnknownLetter:
    """A character outside the alphabet: how often, and where first (position is 1-based)."""

    letter: str
    count: int
    record: str
    line: int | None
    position: int
    stands_for: str = ""


@dataclass(frozen=True)
class OutcomeSummary:
    """What a column of measured values holds, and the moments of its numbers; sd with n - 1 (NaN for one)."""

    name: str
    kind: str
    """numbers, labels, or mixed, which training refuses."""
    said: str
    """The same in words, with the cells that do not fit."""
    num_strange: int
    """Cells that do not fit."""
    labels: dict[str, int]
    """How often each label occurs, where the column holds labels."""
    count: int
    missing: int
    mean: float
    sd: float
    minimum: float
    maximum: float
    at_minimum: int
    """Numbers that are equal to the smallest."""
    at_maximum: int


@dataclass
class Survey:
    """Feed batches to ``add``; then read the counts and call the summaries."""

    n_records: int = 0
    n_letters: int = 0
    n_lower: int = 0
    lengths: Counter[int] = field(default_factory=Counter)
    _characters: NDArray[np.int64] = field(default_factory=lambda: np.zeros(256, dtype=np.int64))
    _first: dict[int, tuple[str, str, int | None, int]] = field(default_factory=dict)
    _letters: LetterCounts = field(default_factory=LetterCounts)
    _hashes: list[NDArray[np.int64]] = field(default_factory=list)
    _reference: NDArray[np.uint8] | None = None
    _varied: NDArray[np.bool_] | None = None
    tokenize: Callable[[str], str] | None = None
    """Cuts text into letters with names; None where letters are characters."""
    _named: Counter[str] = field(default_factory=Counter)
    tally: Tally | None = None
    """Of the measured values; None looks at none."""
    origin: Origin | None = None
    """The command of seqdesign that wrote the file; its predictions are not counted as measured."""
    dialect: str = ""
    unused: tuple[str, ...] = ()
    """Columns that are not read."""
    noise: NoiseCeiling | None = None
    """Of an outcome that is the mean of replicates."""

    def add(self, batch: SequenceSet) -> None:
        """Count one batch."""
        self.dialect, self.unused = batch.dialect, batch.unused
        self.noise = batch.noise.get(self.tally.name) if self.tally is not None else None
        if self.tokenize is not None:
            batch = replace(batch, sequences=list(map(self.tokenize, batch.sequences)))
        n_room = max(0, DUPLICATES_CHECKED - self.n_records)
        if n_room:
            pairs = [
                [hash(i) for i in batch.ids[:n_room]],
                [hash(s.upper()) for s in batch.sequences[:n_room]],
            ]
            self._hashes.append(np.array(pairs, dtype=np.int64))
        lengths = np.fromiter(map(len, batch.sequences), dtype=np.int64, count=len(batch))
        for length, count in zip(*np.unique(lengths, return_counts=True), strict=True):
            self.lengths[int(length)] += int(count)
        self.n_records += len(batch)
        self.n_letters += int(lengths.sum())
        self._add_outcomes(batch)
        if self.tokenize is not None:
            self._count_named(batch)
            return
        text = "".join(batch.sequences)
        if not text.isascii():
            text = "".join(c if c.isascii() else chr(_OTHER) for c in text)
        codes = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
        upper = np.frombuffer(text.upper().encode("ascii"), dtype=np.uint8)
        self.n_lower += int((codes != upper).sum())
        counts = np.bincount(upper, minlength=256)
        self._remember_first(np.flatnonzero((counts > 0) & (self._characters == 0)), upper, lengths, batch)
        self._characters += counts
        self._letters.add(batch.sequences)
        self._compare_places(upper, lengths)

    def _count_named(self, batch: SequenceSet) -> None:
        """Letters with names, and where each stands first."""
        for i, text in enumerate(batch.sequences):
            for letter in set(text) - self._named.keys():
                line = None if batch.lines is None else int(batch.lines[i])
                self._first[ord(letter)] = (letter, batch.ids[i], line, text.index(letter) + 1)
            self._named.update(text)

    def _compare_places(self, codes: NDArray[np.uint8], lengths: NDArray[np.int64]) -> None:
        """Note at which places sequences differ from the first, while all have one length."""
        if len(self.lengths) != 1 or not lengths[0]:
            self._reference = self._varied = None
            return
        table = codes.reshape(len(lengths), -1)
        if self._reference is None or self._varied is None:
            self._reference, self._varied = table[0].copy(), np.zeros(table.shape[1], dtype=np.bool_)
        self._varied |= (table != self._reference).any(axis=0)

    def varying(self) -> list[int] | None:
        """Places, from 1, at which sequences differ; None where lengths differ or there is but one record."""
        if self._varied is None or self.n_records < 2:
            return None
        return [int(i) + 1 for i in np.flatnonzero(self._varied)]

    def _remember_first(
        self,
        fresh: NDArray[np.int64],
        codes: NDArray[np.uint8],
        lengths: NDArray[np.int64],
        batch: SequenceSet,
    ) -> None:
        ends = np.cumsum(lengths)
        for code in fresh.tolist():
            place = int((codes == code).argmax())
            record = int(np.searchsorted(ends, place, side="right"))
            position = place - int(ends[record] - lengths[record])
            line = None if batch.lines is None else int(batch.lines[record])
            self._first[code] = (batch.sequences[record][position], batch.ids[record], line, position + 1)

    def _add_outcomes(self, batch: SequenceSet) -> None:
        if self.tally is None or self.tally.name not in batch.columns:
            return
        self.origin = batch.origin
        if batch.origin is not None and batch.origin.is_prediction(self.tally.name):
            return
        self.tally.add(batch.columns[self.tally.name], batch.line_numbers(), batch.ids)

    def guess(self) -> Alphabet | None:
        """The alphabet of all letters so far, None where it cannot be told."""
        try:
            return self._letters.guess()
        except InputError:
            return None

    def composition(self) -> dict[str, int]:
        """Character (upper case) -> count, most frequent first; characters outside ASCII together as '?'.

        Of letters with names, at most ``MOST_NAMED``.
        """
        if self.tokenize is not None:
            return {name_of(letter): count for letter, count in self._named.most_common(MOST_NAMED)}
        order = np.argsort(-self._characters, kind="stable")
        return {
            "?" if code == _OTHER else chr(code): int(self._characters[code])
            for code in order.tolist()
            if self._characters[code]
        }

    def unknown_letters(self, alphabet: Alphabet) -> tuple[UnknownLetter, ...]:
        """What is not in the alphabet, gaps and stops included, in order of first appearance."""
        return tuple(
            UnknownLetter(
                letter=name_of(letter),
                count=int(self._characters[code]) if self.tokenize is None else self._named[letter],
                record=record,
                line=line,
                position=position,
                stands_for=alphabet.ambiguity.get(chr(code), ""),
            )
            for code, (letter, record, line, position) in self._first.items()
            if chr(code) not in (alphabet.letters if self.tokenize else alphabet.letters.upper())
        )

    def duplicates(self) -> tuple[int, int, int]:
        """(repeated ids, repeated sequences, records compared): the first million, by 64-bit hashes."""
        if not self._hashes:
            return 0, 0, 0
        ids, sequences = np.concatenate(self._hashes, axis=1)
        return ids.size - np.unique(ids).size, sequences.size - np.unique(sequences).size, ids.size

    def same_records(self) -> int:
        """Repeated ids that have the same sequence again."""
        if not self._hashes:
            return 0
        pairs = np.concatenate(self._hashes, axis=1)
        return pairs.shape[1] - np.unique(pairs, axis=1).shape[1]

    def outcome(self) -> OutcomeSummary | None:
        """Summary of the measured values, None when there is none."""
        tally = self.tally
        if tally is None or tally.kind == "nothing":
            return None
        numbers = tally.plain
        n = numbers.count
        return OutcomeSummary(
            name=tally.name,
            kind=tally.kind,
            said=tally.says(),
            num_strange=tally.num_strange,
            labels=dict(tally.labels) if tally.kind == "labels" else {},
            count=tally.numbers,
            missing=tally.missing,
            mean=numbers.mean if n else math.nan,
            sd=math.sqrt(numbers.squares / (n - 1)) if n > 1 else math.nan,
            minimum=numbers.least if n else math.nan,
            maximum=numbers.most if n else math.nan,
            at_minimum=numbers.at_least,
            at_maximum=numbers.at_most,
        )

    def median_length(self) -> float:
        """Median of the lengths; 0 without a record."""
        half, seen = self.n_records / 2, 0
        ordered = sorted(self.lengths.items())
        for i, (length, count) in enumerate(ordered):
            seen += count
            if seen == half:
                return (length + ordered[i + 1][0]) / 2
            if seen > half:
                return float(length)
        return 0.0

    def length_histogram(self, n_bins: int = 10) -> tuple[tuple[int, int, int], ...]:
        """(shortest, longest, records) of at most ``n_bins`` bins of equal width; empty bins included."""
        if not self.lengths:
            return ()
        low, high = min(self.lengths), max(self.lengths)
        width = max(1, math.ceil((high - low + 1) / n_bins))
        counts = Counter[int]()
        for length, count in self.lengths.items():
            counts[(length - low) // width] += count
        return tuple(
            (low + i * width, min(high, low + (i + 1) * width - 1), counts[i])
            for i in range((high - low) // width + 1)
        )
