"""The few words that carry an outcome: short, degenerate where the rows say so, found by forward search.

A word is found where rows with more of it, with more of it to one end, or with more of it near, before or
behind a word found before, measure more (or less) than chance allows after all words that were looked at.
It grows and loosens by one letter as long as that explains more than so many choices explain by chance, and
what is found is taken off the outcomes before the next is looked for. Rows of noise have none.

Shapes: N rows, K outcomes, R reads (a row, or both of its strands), V letters, L positions, W places.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import scipy.special
from numpy.typing import NDArray

from seqdesign.sequences.alphabets import Alphabet

MOST_WORDS = 6
"""Words that are found, at most."""
FEWEST_ROWS = 10
"""Rows that must have a word."""
MOST_CODES, LEAST_CODES = 8_000, 256
"""Words of one shape with which a search begins, at most, and at least: shorter ones are in most rows."""
SPAN = 4
"""Letters from the first to the last of a pair with a gap."""
LONGEST = 12
STEPS = 16
"""Changes of a word, at most."""
FALSE = 0.05
"""Chance that rows without any word yield one."""
CHOICE = 8.0
"""What a change of a word must explain, as a square of standard errors: the best of about forty does by
chance in one case of ten."""
NEAR = 30
"""Letters within which a word stands near another."""
FREE, SHRUNK = 1e-6, 0.005
"""Penalties of what is taken off, as shares of the rows: of the composition, and of what words say."""

FloatArray = NDArray[np.float64]
Bools = NDArray[np.bool_]
Word = NDArray[np.bool_]
"""(W, V): letters that each of its places may have."""


@dataclass(frozen=True, eq=False)
class Reads:
    """Tokens (R, L), the row of each read (R,), which hold a letter (R, L); of N rows."""

    tokens: NDArray[np.int64]
    owner: NDArray[np.int64]
    inside: Bools
    count: int
    letters: int

    @classmethod
    def of(cls, tokens: NDArray[np.int64], alphabet: Alphabet, *, both_strands: bool) -> Reads:
        """Rows (N, L), padded with codes beyond the alphabet; with both strands, where these are alike."""
        size, count = alphabet.size, len(tokens)
        tokens = np.minimum(tokens, size)
        owner = np.arange(count)
        if both_strands and alphabet.complement:
            partner = np.array([*alphabet.partners, size])
            ends = (tokens < size).sum(1)[:, None]
            place = np.maximum(ends - 1 - np.arange(tokens.shape[1]), 0)
            other = np.take_along_axis(partner[tokens], place, 1)
            other[np.arange(tokens.shape[1]) >= ends] = size
            tokens, owner = np.concatenate([tokens, other]), np.concatenate([owner, owner])
        return cls(tokens, owner, tokens < size, count, size)

    def sums(self, weights: FloatArray) -> FloatArray:
        """(N,) of weights (R, L')."""
        return _added(self.owner, weights.sum(1), self.count)

    def matches(self, word: Word) -> Bools:
        """Where it begins, (R, L - W + 1)."""
        return _misses(self, word)[0] == 0


def _added(places: NDArray[np.int64], weights: FloatArray, count: int) -> FloatArray:
    """Sums (count,) of weights by place."""
    return np.asarray(np.bincount(places, weights, count), dtype=np.float64)


def find_words(
    tokens: NDArray[np.int64],
    values: FloatArray,
    alphabet: Alphabet,
    *,
    both_strands: bool,
    described: Callable[[list[Word]], FloatArray],
) -> list[Word]:
    """Words by which rows with tokens (N, L) and values (N, K), NaN unknown, differ; the surest first.

    described: what a model reads of such words, (N, I), to be taken off before the next is looked for.
    """
    if len(tokens) < 2 * FEWEST_ROWS:
        return []
    reads = Reads.of(tokens, alphabet, both_strands=both_strands)
    seeds = [_Seeds.of(reads, shape) for shape in _shapes(reads)]
    target = _scores(values)
    base = _composition(reads)
    words: list[Word] = []
    rest = _taken_off(base, base[:, :0], target)
    while len(words) < MOST_WORDS:
        best = _best_seed(reads, seeds, words, rest)
        if best is None:
            break
        word = _refined(reads, best.word, best.weights, rest[:, best.outcome])
        if any(word.shape == other.shape and bool((word == other).all()) for other in words):
            break
        words.append(word)
        rest = _taken_off(base, described(words), target)
    return words


def _scores(values: FloatArray) -> FloatArray:
    """Normal scores of values (N, K): no single measurement decides. 0 where there is none."""
    found = np.zeros_like(values)
    for k, column in enumerate(values.T):
        known = ~np.isnan(column)
        _, place, alike = np.unique(column[known], return_inverse=True, return_counts=True)
        ranks = (np.cumsum(alike) - (alike - 1) / 2)[place]  # of equal values the mean
        found[known, k] = scipy.special.ndtri((ranks - 0.5) / max(1, known.sum()))
    return found


def _composition(reads: Reads) -> FloatArray:
    """Counts of letters, and of pairs of neighbours where these are few (N, I)."""
    size, rows = reads.letters, reads.owner[:, None]
    single = np.bincount((rows * (size + 1) + reads.tokens).ravel(), minlength=reads.count * (size + 1))
    parts = [single.reshape(reads.count, -1)[:, :size]]
    if 10 * size * size <= reads.count:
        code = reads.tokens[:, :-1] * size + reads.tokens[:, 1:]
        both = reads.inside[:, :-1] & reads.inside[:, 1:]
        keys = (rows * size * size + code)[both]
        parts.append(np.bincount(keys, minlength=reads.count * size * size).reshape(reads.count, -1))
    return np.concatenate(parts, 1).astype(np.float64)


def _taken_off(base: FloatArray, more: FloatArray, y: FloatArray) -> FloatArray:
    """What regression on ``base`` (N, I), and with a penalty on ``more`` (N, J), leaves of y (N, K), of unit
    variance.
    """
    x = np.concatenate([base, more], 1)
    penalty = len(x) * np.repeat([FREE, SHRUNK], [base.shape[1], more.shape[1]])
    x = x - x.mean(0)
    spread = x.std(0)
    varies = spread > 1e-9
    x = x[:, varies] / spread[varies]
    y = y - y.mean(0)
    gram = x.T @ x + np.diag(penalty[varies])
    rest = y - x @ np.linalg.solve(gram, x.T @ y)
    rest -= rest.mean(0)
    return np.asarray(rest / np.maximum(rest.std(0), 1e-9))


def _shapes(reads: Reads) -> list[tuple[int, ...]]:
    """Places of the letters of words with which a search begins."""
    size, length = reads.letters, reads.tokens.shape[1]
    whole = [tuple(range(k)) for k in range(2, 9) if LEAST_CODES <= size**k <= MOST_CODES]
    gapped = [(0, step) for step in range(2, SPAN + 1) if size**2 >= LEAST_CODES]
    return [shape for shape in whole + gapped if shape[-1] < length]


@dataclass(frozen=True, eq=False)
class _Seeds:
    """All words of one shape: places in reads, sorted by row and word; ``first`` begins each such group."""

    shape: tuple[int, ...]
    places: NDArray[np.int64]
    """Of flattened (R, L), where a word begins."""
    first: NDArray[np.int64]
    row: NDArray[np.int64]
    code: NDArray[np.int64]
    enough: Bools
    """Words that enough rows have."""

    @classmethod
    def of(cls, reads: Reads, shape: tuple[int, ...]) -> _Seeds:
        width = reads.tokens.shape[1] - shape[-1]
        code = np.zeros((len(reads.tokens), width), dtype=np.int64)
        real = np.ones_like(code, dtype=np.bool_)
        for place in shape:
            code = code * reads.letters + reads.tokens[:, place : place + width]
            real &= reads.inside[:, place : place + width]
        total = reads.letters ** len(shape)
        keys = (reads.owner[:, None] * total + code)[real]
        starts = (np.arange(len(reads.tokens))[:, None] * reads.tokens.shape[1] + np.arange(width))[real]
        order = np.argsort(keys, kind="stable")
        keys = keys[order]
        first = np.flatnonzero(np.diff(keys, prepend=-1))
        row, code = keys[first] // total, keys[first] % total
        rows = np.bincount(code, minlength=total)
        enough = (rows >= FEWEST_ROWS) & (reads.count >= FEWEST_ROWS)
        return cls(shape, starts[order], first, row, code, enough)

    def z(self, weights: FloatArray, rest: FloatArray) -> FloatArray:
        """(V^k, K): how surely rows with more of each word, weighted by place (R, L), have more of ``rest``,
        in squared standard errors.
        """
        each = np.add.reduceat(weights.ravel()[self.places], self.first)
        total, count = len(self.enough), len(rest)
        sums = [_added(self.code, each**power, total) for power in (1, 2, 3)]
        has = np.bincount(self.code, each != 0, total) >= FEWEST_ROWS
        found = [_added(self.code, each * y[self.row], total) for y in rest.T]
        sure = [_sureness(s, sums, y, count) for s, y in zip(found, rest.T, strict=True)]
        return np.where((self.enough & has)[:, None], np.stack(sure, 1), 0.0)

    def word(self, code: int, letters: int) -> Word:
        """By its number."""
        word = np.ones((self.shape[-1] + 1, letters), dtype=np.bool_)
        for place in reversed(self.shape):
            word[place] = np.arange(letters) == code % letters
            code //= letters
        return word


class _Seed(NamedTuple):
    word: Word
    weights: FloatArray
    outcome: int


def _best_seed(
    reads: Reads, seeds: Sequence[_Seeds], words: Sequence[Word], rest: FloatArray
) -> _Seed | None:
    """The surest word under any weights of places; None where none is surer than chance."""
    best, top, tests = None, 0.0, 0
    for weights in _weightings(reads, words):
        for some in seeds:
            z = some.z(weights, rest)
            tests += int((z > 0).sum())
            code, outcome = np.unravel_index(int(z.argmax()), z.shape)
            if z[code, outcome] > top:
                top = float(z[code, outcome])
                best = _Seed(some.word(int(code), reads.letters), weights, int(outcome))
    if not tests or scipy.special.ndtr(-np.sqrt(top)) * 2 * tests > FALSE:
        return None
    return best


def _weightings(reads: Reads, words: Sequence[Word]) -> Iterator[FloatArray]:
    """What an occurrence counts by its place (R, L): 1; how far behind the middle; near, before and behind
    each word that was found.
    """
    yield reads.inside.astype(np.float64)
    ends = np.maximum(reads.inside.sum(1), 1)[:, None]
    place = np.arange(reads.tokens.shape[1])
    yield reads.inside * (2 * (place + 0.5) / ends - 1)
    for word in words:
        there = np.zeros(reads.inside.shape)
        found = reads.matches(word)
        there[:, : found.shape[1]] = found
        before = np.cumsum(there, 1)
        behind = before - there  # of the word, to the left
        ahead = before[:, -1:] - before
        yield (behind > 0).astype(np.float64)
        yield (ahead > 0).astype(np.float64)
        low, high = np.maximum(place - NEAR, 0), np.minimum(place + NEAR, len(place) - 1)
        around = before[:, high] - before[:, low] + there[:, low] - there
        yield (around > 0).astype(np.float64)


def _misses(reads: Reads, word: Word) -> tuple[NDArray[np.int64], list[Bools]]:
    """How many places of a word do not fit, (R, L - W + 1), and which (W of them)."""
    width = max(0, reads.tokens.shape[1] - len(word) + 1)
    wrong = []
    for j, letters in enumerate(word):
        table = np.append(~letters, True)
        wrong.append(table[reads.tokens[:, j : j + width]])
    return np.sum(wrong, axis=0, dtype=np.int64), wrong


def _refined(reads: Reads, word: Word, weights: FloatArray, y: FloatArray) -> Word:
    """The word, changed as long as a change explains more of y (N,) than the best of several by chance."""
    for _ in range(STEPS):
        now, changes = _changes(reads, word, weights)
        base = _explained(now[:, None], y)[0]
        best, gain = None, CHOICE
        for column, changed in changes:
            value = _explained(column, y)
            k = int(value.argmax())
            if value[k] - base > gain:
                best, gain = changed[k], float(value[k] - base)
        if best is None:
            return word
        word = best
    return word


def _explained(u: FloatArray, y: FloatArray) -> FloatArray:
    """Squared standard errors (C,) by which y (N,) follows columns (N, C)."""
    enough = (u != 0).sum(0) >= FEWEST_ROWS
    return np.where(enough, _sureness(y @ u, [(u**power).sum(0) for power in (1, 2, 3)], y, len(u)), 0.0)


def _sureness(found: FloatArray, sums: Sequence[FloatArray], y: FloatArray, count: int) -> FloatArray:
    """Squared standard errors (C,) of sums of u y (C,), ``sums`` being those of u, u^2 and u^3 (C,) over N
    rows, by y (N,) of mean 0 and variance 1.

    Where y is skewed, as of labels of which few are yes, chance leads far to its longer side: that is taken
    off by a Cornish-Fisher expansion.
    """
    mean = sums[0] / count
    power = sums[1] - sums[0] * mean
    cube = sums[2] - 3 * mean * sums[1] + 2 * sums[0] * mean**2
    size = np.maximum(power, 1e-9)
    z = found / np.sqrt(size)
    skew = (y**3).mean() * cube / size**1.5 * np.sign(z)
    z = np.abs(z)
    near = np.minimum(z, 3 / np.maximum(skew, 1e-9))  # further out the expansion does not hold
    z = np.where(skew > 0, np.maximum(near - skew / 6 * (near**2 - 1), 0), z)
    return np.asarray(np.where(power > 1e-6, z, 0.0) ** 2)


def _changes(
    reads: Reads, word: Word, weights: FloatArray
) -> tuple[FloatArray, list[tuple[FloatArray, list[Word]]]]:
    """What counts of the word (N,), and of those that differ in one place or are longer, (N, C) each."""
    misses, wrong = _misses(reads, word)
    found = misses == 0
    worth = weights[:, : found.shape[1]]
    now = reads.sums(worth * found)
    changes = []
    for j in range(len(word)):
        table = _by_letter(reads, found | ((misses == 1) & wrong[j]), worth, j)
        sets = [s for s in _sets(word[j]) if s.any() and not (s == word[j]).all()]
        changed = []
        for letters in sets:
            other = word.copy()
            other[j] = letters
            changed.append(_trimmed(other))
        kept = [k for k, other in enumerate(changed) if len(other) > 1]
        columns = np.stack([table @ sets[k] for k in kept], 1) if kept else np.zeros((len(now), 1))
        changes.append((columns, [changed[k] for k in kept] or [word]))
    reach = [*range(-3, 0), *range(len(word), len(word) + 3)]
    for j in reach:
        longer = max(len(word), j + 1) - min(0, j)
        if longer > LONGEST:
            continue
        table = _by_letter(reads, found, worth, j)
        sets = _sets(np.ones(reads.letters, dtype=np.bool_), grow=True)
        changed = []
        for letters in sets:
            other = np.ones((longer, reads.letters), dtype=np.bool_)
            begin = max(0, -j)
            other[begin : begin + len(word)] = word
            other[begin + j] = letters
            changed.append(other)
        changes.append((np.stack([table @ letters for letters in sets], 1), changed))
    return now, changes


def _by_letter(reads: Reads, found: Bools, worth: FloatArray, step: int) -> FloatArray:
    """(N, V): matches of each row by the letter ``step`` behind where they begin."""
    read, place = np.nonzero(found)
    at = place + step
    kept = (at >= 0) & (at < reads.tokens.shape[1])
    read, place, at = read[kept], place[kept], at[kept]
    size = reads.letters + 1
    keys = reads.owner[read] * size + reads.tokens[read, at]
    table = _added(keys, worth[read, place], reads.count * size)
    return table.reshape(reads.count, size)[:, : reads.letters]


def _sets(now: Bools, *, grow: bool = False) -> list[Bools]:
    """Sets of letters to try in the place of ``now``: one letter more or less, any one, two of few, all."""
    size = len(now)
    eye = np.eye(size, dtype=np.bool_)
    found = list(eye)
    if size <= 6:
        found += [eye[i] | eye[j] for i in range(size) for j in range(i)]
    if not grow:
        found += [now ^ row for row in eye]
        found.append(np.ones(size, dtype=np.bool_))
    return found


def _trimmed(word: Word) -> Word:
    """Without places at its ends that may have any letter."""
    kept = np.flatnonzero(~word.all(1))
    return word[kept[0] : kept[-1] + 1] if len(kept) else word[:0]
