"""Find all windows that match a motif, exactly, by an index of short words.

The joined sequences are indexed once by their words of k letters (8 for DNA). For each motif, the scores of
all words come from one small table; only the places of words that can still reach the threshold are looked
at, column by column. The outcome is that of scoring every window. Long texts are indexed
a block at a time, so the memory for it has a limit.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seqdesign.motifs.motif import FloatArray, Motif
from seqdesign.motifs.pvalues import ScoreTable, score_table

IntArray = NDArray[np.int64]

_MAX_WORDS = 65536  # so that a word is 16 bits, which numpy sorts in linear time
_NEVER = -(10**8)  # weight of an unknown letter or of the end of a sequence
BLOCK_LETTERS, BLOCK_SEQUENCES = 4_000_000, 20_000
"""What is indexed and scanned at once."""


@dataclass(frozen=True, eq=False)
class Hits:
    """The M matches of one motif, by sequence and start.

    sequence: (M,) place of the sequence. start: (M,) from 0. forward: (M,) bool, False on the other strand.
    score: (M,) bits. p_value: (M,). num_tests: windows scored, over both strands.
    """

    sequence: NDArray[np.int32]
    start: NDArray[np.int32]
    forward: NDArray[np.bool_]
    score: FloatArray
    p_value: FloatArray
    num_tests: int

    def __len__(self) -> int:
        return int(self.sequence.size)

    def moved(self, first: int) -> Hits:
        """The same hits in a text in which ``first`` sequences stand before."""
        return replace(self, sequence=self.sequence + np.int32(first)) if first else self

    @classmethod
    def join(cls, parts: Iterable[Hits]) -> Hits:
        """The hits of one motif in several blocks, in their order."""
        some = list(parts)
        return cls(
            sequence=np.concatenate([part.sequence for part in some]),
            start=np.concatenate([part.start for part in some]),
            forward=np.concatenate([part.forward for part in some]),
            score=np.concatenate([part.score for part in some]),
            p_value=np.concatenate([part.p_value for part in some]),
            num_tests=sum(part.num_tests for part in some),
        )

    def found(self, num_sequences: int) -> NDArray[np.bool_]:
        """(num_sequences,) whether a sequence has at least one hit."""
        seen = np.zeros(num_sequences, dtype=np.bool_)
        seen[self.sequence] = True
        return seen


@dataclass(frozen=True, eq=False)
class WordIndex:
    """Words of k letters. words: the word that begins at each place, V^k with an unknown letter in it.
    order: places by word; begins: (V^k + 1,) where those of each word begin.
    """

    words: NDArray[np.int32]
    order: NDArray[np.int32]
    begins: IntArray


class JoinedText:
    """N sequences as one array of letters, each followed by a letter that matches nothing, and its indices.

    letters: token ids; ``num_letters`` stands for an unknown letter and for the end of a sequence.
    begins: (N + 1,) where the sequences begin, and the length of all.
    """

    def __init__(self, letters: NDArray[np.uint8], begins: IntArray, num_letters: int) -> None:
        self.letters, self.begins, self.num_letters = letters, begins, num_letters
        self._indices: dict[int, WordIndex] = {}
        self._windows: dict[int, int] = {}
        self.longest_word = int(np.floor(np.log(_MAX_WORDS) / np.log(num_letters) + 1e-9))

    @classmethod
    def of(cls, codes: NDArray[np.uint8], lengths: IntArray, num_letters: int) -> JoinedText:
        """From (N, L) token ids, of which those of ``num_letters`` or more are unknown, and (N,) lengths."""
        closed = np.pad(np.minimum(codes, num_letters), ((0, 0), (0, 1)), constant_values=num_letters)
        closed[np.arange(len(lengths)), lengths] = num_letters
        letters = closed[np.arange(codes.shape[1] + 1) <= lengths[:, None]].astype(np.uint8)
        begins = np.concatenate([[0], np.cumsum(lengths + 1)]).astype(np.int64)
        return cls(letters, begins, num_letters)

    @classmethod
    def join(cls, parts: Sequence[JoinedText]) -> JoinedText:
        """Texts over the same letters, one after the other."""
        ends = np.cumsum([0, *(part.letters.size for part in parts)])
        begins = [part.begins[:-1] + end for part, end in zip(parts, ends, strict=False)]
        letters = np.concatenate([part.letters for part in parts])
        return cls(letters, np.concatenate([*begins, ends[-1:]]).astype(np.int64), parts[0].num_letters)

    @property
    def is_block(self) -> bool:
        """Whether it is short enough to be scanned at once."""
        return self.letters.size <= BLOCK_LETTERS and self.num_sequences <= BLOCK_SEQUENCES

    def blocks(self) -> Iterator[tuple[int, JoinedText]]:
        """Parts of whole sequences to scan one at a time, each with the place of its first sequence.

        A short text is one block, and keeps its index.
        """
        if self.is_block:
            yield 0, self
            return
        first = 0
        while first < self.num_sequences:
            begin = int(self.begins[first])
            last = int(np.searchsorted(self.begins, begin + BLOCK_LETTERS, side="right")) - 1
            last = max(first + 1, min(last, first + BLOCK_SEQUENCES, self.num_sequences))
            letters = self.letters[begin : self.begins[last]]
            yield first, JoinedText(letters, self.begins[first : last + 1] - begin, self.num_letters)
            first = last

    @property
    def lengths(self) -> IntArray:
        """(N,) letters of each sequence."""
        return np.diff(self.begins) - 1

    @property
    def num_sequences(self) -> int:
        """N."""
        return len(self.begins) - 1

    def take(self, places: IntArray) -> JoinedText:
        """Some of the sequences, in the order given."""
        parts = [self.letters[self.begins[i] : self.begins[i + 1]] for i in places.tolist()]
        lengths = self.begins[places + 1] - self.begins[places]
        begins = np.concatenate([[0], np.cumsum(lengths)]).astype(np.int64)
        return JoinedText(np.concatenate(parts), begins, self.num_letters)

    def sequence_of(self, places: IntArray) -> IntArray:
        """Which sequence each place of ``letters`` belongs to."""
        owner: IntArray = np.searchsorted(self.begins, places, side="right") - 1
        return owner

    def frequencies(self) -> FloatArray:
        """(V,) share of each letter; one sequence of each letter is added, so none is zero."""
        counts = np.ones(self.num_letters)
        for _, part in self.blocks():  # bincount widens its input
            counts += np.bincount(part.letters, minlength=self.num_letters)[: self.num_letters]
        shares: FloatArray = counts / counts.sum()
        return shares

    def num_windows(self, width: int) -> int:
        """How many windows of ``width`` known letters there are."""
        if width not in self._windows:
            count = 0
            for _, part in self.blocks():
                blocked = np.concatenate([[0], np.cumsum(part.letters >= part.num_letters, dtype=np.int32)])
                count += int(np.sum(blocked[width:] == blocked[:-width]))
            self._windows[width] = count
        return self._windows[width]

    def index(self, k: int) -> WordIndex:
        """The words of k letters."""
        if k not in self._indices:
            size = max(self.letters.size - k + 1, 0)
            words = np.zeros(size, dtype=np.int32)
            unknown = np.zeros(size, dtype=np.bool_)
            for j in range(k):
                part = self.letters[j : j + size]
                unknown |= part >= self.num_letters
                words = words * np.int32(self.num_letters) + part
            words[unknown] = self.num_letters**k
            places = np.flatnonzero(~unknown).astype(np.int32)
            known = words[places].astype(np.uint16)
            counts = np.bincount(known, minlength=self.num_letters**k)
            order = places[np.argsort(known, kind="stable")]
            self._indices[k] = WordIndex(words, order, np.concatenate([[0], np.cumsum(counts)]))
        return self._indices[k]


@dataclass(frozen=True, eq=False)
class Matcher:
    """A motif made ready: weights in bits (w, V), their integer table, and the smallest total that counts.

    ``best_only``: even the best match is less rare than was asked for, so it alone counts.
    """

    weights: FloatArray
    table: ScoreTable
    threshold: int
    best_only: bool


def matcher(motif: Motif, background: FloatArray, pseudocount: float, p_value: float) -> Matcher:
    """Weights, p-values and threshold of ``motif`` for letters of the ``background`` (V,)."""
    weights = motif.weights(background, pseudocount)
    table = score_table(weights, background)
    wanted, best = table.threshold(p_value), table.tail.size - 1
    return Matcher(weights, table, min(wanted, best), wanted > best)


def scan(
    text: JoinedText, motifs: Sequence[Motif], matchers: Sequence[Matcher], *, both_strands: bool
) -> Iterator[Hits]:
    """The hits of each motif in turn, as rare as its matcher asks for.

    For both strands, the background of the matchers must be the same for a letter and its complement. The
    hits of a text of several blocks are held in memory.
    """
    if text.is_block:
        yield from scan_block(text, motifs, matchers, both_strands=both_strands)
        return
    kept: list[list[Hits]] = [[] for _ in motifs]
    for first, part in text.blocks():
        found = scan_block(part, motifs, matchers, both_strands=both_strands)
        for parts, hits in zip(kept, found, strict=True):
            parts.append(hits.moved(first))
    yield from map(Hits.join, kept)


def scan_block(
    text: JoinedText, motifs: Sequence[Motif], matchers: Sequence[Matcher], *, both_strands: bool
) -> Iterator[Hits]:
    """``scan`` of one block of a text, which is indexed whole."""
    for motif, ready in zip(motifs, matchers, strict=True):
        forward, totals = _places(text, ready.table.weights, ready.threshold)
        strand = np.ones(forward.size, dtype=np.bool_)
        if both_strands:
            turned = np.ascontiguousarray(ready.table.weights[::-1, ::-1])
            backward, more = _places(text, turned, ready.threshold)
            forward, totals = np.concatenate([forward, backward]), np.concatenate([totals, more])
            strand = np.concatenate([strand, np.zeros(backward.size, dtype=np.bool_)])
        order = np.lexsort((~strand, forward))
        places, strand, totals = forward[order], strand[order], totals[order]
        sequence = text.sequence_of(places)
        yield Hits(
            sequence=sequence.astype(np.int32),
            start=(places - text.begins[sequence]).astype(np.int32),
            forward=strand,
            score=_scores(text, ready.weights, places, strand),
            p_value=ready.table.tail[totals],
            num_tests=text.num_windows(motif.width) * (2 if both_strands else 1),
        )


def _scores(text: JoinedText, weights: FloatArray, places: IntArray, strand: NDArray[np.bool_]) -> FloatArray:
    """Sums of the unrounded weights."""
    score = np.zeros(places.size)
    for j in range(len(weights)):
        letters = text.letters[places + j]
        score += np.where(strand, weights[j][letters], weights[-1 - j][len(weights[0]) - 1 - letters])
    return score


def _places(text: JoinedText, weights: NDArray[np.int32], threshold: int) -> tuple[IntArray, IntArray]:
    """Places and totals of the windows whose integer total reaches ``threshold``."""
    width = len(weights)
    best = weights.max(axis=1)
    missing = int(best.sum())
    if text.letters.size < width or threshold > missing:
        return np.empty(0, dtype=np.int64), np.empty(0, dtype=np.int64)
    k = min(width, text.longest_word)
    # The k neighbouring columns that weigh most decide most windows.
    first = int(np.argmax(np.convolve(best, np.ones(k), "valid")))
    index = text.index(k)
    table = _word_scores(weights[first : first + k])
    missing -= int(best[first : first + k].sum())
    chosen = np.flatnonzero(table >= threshold - missing)
    counts = index.begins[chosen + 1] - index.begins[chosen]
    total = np.repeat(table[chosen], counts)
    shift = np.repeat(index.begins[chosen] - np.concatenate([[0], np.cumsum(counts)[:-1]]), counts)
    place = index.order[shift + np.arange(total.size)] - first
    inside = (place >= 0) & (place + width <= text.letters.size)
    place, total = place[inside], total[inside]
    for begin, columns in _other_words(width, k, first):
        part = np.zeros((k, weights.shape[1]), dtype=np.int32)
        part[columns] = weights[begin : begin + k][columns]
        missing -= int(part.max(axis=1).sum())
        table = np.append(_word_scores(part), np.int32(_NEVER))
        total = total + table[index.words[place + begin]]
        alive = np.flatnonzero(total >= threshold - missing)
        place, total = place[alive], total[alive]
    return place.astype(np.int64), total.astype(np.int64)


def _word_scores(columns: NDArray[np.int32]) -> NDArray[np.int32]:
    """(k, V) weights -> (V^k,) score of every word."""
    if len(columns) == 1:
        return columns[0]
    half = len(columns) // 2  # long rows are added fast
    return np.add.outer(_word_scores(columns[:half]), _word_scores(columns[half:])).ravel()


def _other_words(width: int, k: int, first: int) -> Iterator[tuple[int, slice]]:
    """Words of k columns that cover what ``first : first + k`` leaves out: (begin, the new columns in it)."""
    for end in range(first, 0, -k):
        begin = max(end - k, 0)
        yield begin, slice(0, end - begin)
    for start in range(first + k, width, k):
        begin = min(start, width - k)
        yield begin, slice(start - begin, k)
