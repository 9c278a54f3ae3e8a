"""Sequences as motif search needs them: ids, and all letters in one array."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError, UsageError
from seqdesign.motifs.scan import Hits, IntArray, JoinedText
from seqdesign.motifs.shuffle import shuffle_dinucleotides
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import GapPolicy, OnUnknown, Vocabulary, encode, pad_rows
from seqdesign.sequences.reader import SequenceSet

_ROWS, _CELLS = 4096, 4_000_000  # sequences in a block, and letters once they are padded to one length


@dataclass(frozen=True, eq=False)
class Encoded:
    """N sequences. ``text`` has their letters by place in the ``alphabet``."""

    ids: list[str]
    text: JoinedText
    alphabet: Alphabet
    source: str = ""

    def __len__(self) -> int:
        return len(self.ids)

    def matches(self, hits: Hits, width: int) -> Iterator[str]:
        """The letters of each hit of a motif of this width, read along the motif."""
        table = np.frombuffer(self.alphabet.letters.encode(), dtype=np.uint8)
        begins = self.text.begins[hits.sequence] + hits.start
        for first in range(0, len(hits), _ROWS):
            places = begins[first : first + _ROWS, None] + np.arange(width)
            letters = self.text.letters[places]
            backward = ~hits.forward[first : first + _ROWS]
            letters[backward] = len(table) - 1 - letters[backward, ::-1]
            joined = table[letters].tobytes().decode("ascii")
            yield from (joined[i : i + width] for i in range(0, len(joined), width))


def encode_records(
    records: SequenceSet,
    alphabet: Alphabet,
    *,
    on_unknown: OnUnknown = "error",
    gaps: GapPolicy = "error",
    convert_ut: bool = False,
) -> Encoded:
    """Records as ``encode`` reads them, a block at a time.

    Raises InputError if ``skip`` leaves none, UsageError for letters with names.
    """
    if alphabet.named:
        raise UsageError(
            f"motifs are of letters of one character, but those of {alphabet.name} have names",
            option="--alphabet",
        )
    parts, ids = [], []
    lengths = np.fromiter(map(len, records.sequences), dtype=np.int64, count=len(records))
    for first, last in _blocks(lengths):
        array = encode(
            records.sequences[first:last],
            alphabet,
            on_unknown=on_unknown,
            ids=records.ids[first:last],
            source=records.source or None,
            lines=None if records.lines is None else records.lines[first:last],
            convert_ut=convert_ut,
            gaps=gaps,
        )
        if len(array):
            parts.append(JoinedText.of(array.tokens, array.lengths, alphabet.size))
            ids += [records.ids[first + i] for i in array.kept.tolist()]
    if not ids:
        raise InputError("no record is left after --on-unknown skip", path=records.source or None)
    return Encoded(ids, JoinedText.join(parts), alphabet, records.source)


def shuffled(sequences: Encoded, copies: int, rng: np.random.Generator) -> JoinedText:
    """``copies`` dinucleotide shuffles of each sequence: all of them once, then all of them again."""
    text, vocabulary = sequences.text, Vocabulary(sequences.alphabet)
    lengths = text.lengths
    letters = np.empty(copies * text.letters.size, dtype=np.uint8)
    end = 0
    for _ in range(copies):
        for first, last in _blocks(lengths):
            codes = text.letters[text.begins[first] : text.begins[last]]
            inside = np.ones(codes.size, dtype=np.bool_)
            inside[text.begins[first + 1 : last + 1] - text.begins[first] - 1] = False
            codes = codes[inside]
            codes[codes == text.num_letters] = vocabulary.unknown
            rows = pad_rows(codes, lengths[first:last], vocabulary.pad)
            part = JoinedText.of(
                shuffle_dinucleotides(rows, lengths[first:last], rng), lengths[first:last], text.num_letters
            )
            letters[end : end + part.letters.size] = part.letters
            end += part.letters.size
    begins: IntArray = np.concatenate([[0], np.cumsum(np.tile(lengths + 1, copies))]).astype(np.int64)
    return JoinedText(letters, begins, text.num_letters)


def _blocks(lengths: NDArray[np.int64]) -> Iterator[tuple[int, int]]:
    """Ranges of sequences that are small when padded to the longest of them."""
    first = 0
    while first < len(lengths):
        some = lengths[first : first + _ROWS]
        cells = np.maximum.accumulate(some) * np.arange(1, len(some) + 1)
        last = first + max(1, int(np.searchsorted(cells, _CELLS, side="right")))
        yield first, last
        first = last
