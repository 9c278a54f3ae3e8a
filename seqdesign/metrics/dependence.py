"""Dependence of what stands far apart, and of words on their places.

Pairs of positions, pairs of words at a distance, stems and repeats wherever they are, chimeras, words out of
place: counts of words and GC content say nothing about any of these. Sequences are codes (N, L) of letters
0 .. V - 1; anything else, such as what stands behind the end of a shorter one, is V.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from seqdesign.metrics.kmers import letter_places

FloatArray = npt.NDArray[np.float64]
Codes = npt.NDArray[np.int64]
Flags = npt.NDArray[np.bool_]

MOST_FEATURES = 1600
"""Letters times positions whose covariances are compared; of longer ones every second, third ... position."""
NEAR = 4
"""Positions closer than this make words, which other measures count."""
MOST_WORDS = 64
"""Most kinds of words whose pairs are counted."""
EXPECTED = 50.0
"""A word that even places would lead to expect so often, and that is not there, is missing by no chance."""
HARDLY = 0.01
"""Up to this share of what even places lead to expect, and in this share of sequences, words hardly occur."""
LOOP = 3
"""Letters between the strands of a stem, at least."""
_CHUNK = 256


def codes_of(texts: Sequence[str], letters: str, length: int) -> Codes:
    """(N, length) letters as numbers; V behind the end and for any other letter, cut off at ``length``."""
    text = "".join(t[:length].ljust(length, "\0") for t in texts)
    return letter_places(text, letters, other=len(letters)).reshape(len(texts), length)


def pair_dependence(first: Codes, second: Codes, size: int) -> FloatArray:
    """(P, P): how much the covariance of letters at two positions differs between two sets, over chance.

    An entry is the squared Frobenius norm of the difference of the two V x V covariances over what sampling
    alone leads to expect of it, so about 1 where both sets come from one source; 0 for positions closer than
    ``NEAR``. P positions are compared, all of them unless V P would be above ``MOST_FEATURES``.
    """
    step = -(-first.shape[1] * (size + 1) // MOST_FEATURES)
    width = len(range(0, first.shape[1], step))
    difference = np.zeros((width * (size + 1),) * 2)
    noise = np.zeros_like(difference)
    for sign, codes in ((1.0, first[:, ::step]), (-1.0, second[:, ::step])):
        hot = (codes[:, :, None] == np.arange(size + 1)).reshape(len(codes), -1).astype(np.float32)
        hot -= hot.mean(axis=0)
        covariance = (hot.T @ hot).astype(np.float64) / len(codes)
        np.square(hot, out=hot)
        difference += sign * covariance
        noise += np.maximum((hot.T @ hot) / len(codes) - covariance**2, 0.0) / len(codes)
    apart, chance = (_blocks(part, size + 1) for part in (difference**2, noise))
    near = np.abs(np.subtract.outer(np.arange(width), np.arange(width))) * step < NEAR
    least = 1.0 / min(len(first), len(second)) ** 2  # one pair of letters that only one sequence has
    return np.where(near, 0.0, apart / (chance + least))


def _blocks(matrix: FloatArray, size: int) -> FloatArray:
    """Sums over the blocks of ``size`` x ``size``."""
    num = len(matrix) // size
    return np.asarray(matrix.reshape(num, size, num, size).sum(axis=(1, 3)))


def word_length(size: int) -> int:
    """Letters of the words whose pairs are counted: 3 of an alphabet of 4, 1 of 20."""
    return max([1] + [k for k in (2, 3) if size**k <= MOST_WORDS])


def word_pairs(first: Codes, second: Codes, size: int) -> FloatArray:
    """(D,): at each distance 1 .. D, the largest difference in how often two words stand so far apart.

    In squared standard errors: with n and m pairs of words, 4 (sqrt(n + 3/8) - sqrt(s m + 3/8))^2 / (1 + s),
    where s is the number of sequences in ``first`` over that in ``second`` (Anscombe 1948). Words
    that overlap are left out (0).
    """
    k, scale = word_length(size), len(first) / len(second)
    words = [_words(codes, size, k) for codes in (first, second)]
    kinds, found = size**k, np.zeros(max(0, first.shape[1] - k))
    for distance in range(k, len(found) + 1):
        n, m = (_pairs(part, distance, kinds) for part in words)
        error = 2 * (np.sqrt(n + 0.375) - np.sqrt(scale * m + 0.375))
        found[distance - 1] = float((error**2).max()) / (1 + scale)
    return found


def _words(codes: Codes, size: int, k: int) -> npt.NDArray[np.int32]:
    """(N, L - k + 1) the number of the word at each start, V^k where one hangs over the end."""
    windows = max(0, codes.shape[1] - k + 1)
    number, sound = (
        np.zeros((len(codes), windows), dtype=np.int64),
        np.ones((len(codes), windows), dtype=bool),
    )
    for i in range(k):
        part = codes[:, i : i + windows]
        number, sound = number * size + part, sound & (part < size)
    return np.where(sound, number, size**k).astype(np.int32).T.copy()


def _pairs(words: npt.NDArray[np.int32], distance: int, kinds: int) -> FloatArray:
    joint = words[:-distance] * (kinds + 1) + words[distance:]
    counts = np.bincount(joint.ravel(), minlength=(kinds + 1) ** 2).reshape(kinds + 1, kinds + 1)
    return counts[:kinds, :kinds].ravel().astype(np.float64)


def longest_repeats(codes: Codes, size: int) -> Codes:
    """(N,): letters of the longest word that stands in a sequence twice; both may overlap."""
    return _longest_again(codes, np.append(np.arange(size), -1), step=1)


def longest_stems(codes: Codes, complement: Codes) -> Codes:
    """(N,): letters of the longest word whose reverse complement follows, ``LOOP`` letters later or more.

    complement: (V,) of each letter.
    """
    return _longest_again(codes, np.append(complement, -1), step=-1)


def _longest_again(codes: Codes, partner: Codes, *, step: int) -> Codes:
    """Longest run of places i, i + 1, ... and j, j + ``step``, ... where one has the partner of the other."""
    num, length = codes.shape
    gap = 1 if step > 0 else LOOP + 1
    best = np.zeros(num, dtype=np.int64)
    before = np.zeros((num, length + 2), dtype=np.int16)
    small, wanted = codes.astype(np.int32), partner.astype(np.int32)[codes]
    for i in reversed(range(length - gap)):
        runs = before[:, i + gap + 1 + step : length + 1 + step] + np.int16(1)
        runs *= wanted[:, i, None] == small[:, i + gap :]
        before[:, i + gap + 1 : length + 1] = runs
        np.maximum(best, runs.max(axis=1), out=best)
    return best


def halves_apart(texts: Codes, references: Codes, size: int) -> Codes:
    """(N,): letters by which the nearest reference is worse than the best ones for each half taken alone.

    Large for a chimera, whose halves are each like some real sequence, but not like the same one. Distances
    are Hamming's; what stands behind the end counts as one more letter.
    """
    middle = texts.shape[1] // 2
    parts = [slice(0, middle), slice(middle, None)]
    hot = [_hot(references[:, part], size) for part in parts]
    excess = []
    for first in range(0, len(texts), _CHUNK):
        rows = texts[first : first + _CHUNK]
        distances = [
            rows[:, part].shape[1] - _hot(rows[:, part], size) @ known.T
            for part, known in zip(parts, hot, strict=True)
        ]
        together = (distances[0] + distances[1]).min(axis=1)
        excess.append(together - distances[0].min(axis=1) - distances[1].min(axis=1))
    return np.concatenate(excess).round().astype(np.int64)


def _hot(codes: Codes, size: int) -> npt.NDArray[np.float32]:
    flags = codes[:, :, None] == np.arange(size + 1)
    return flags.reshape(len(codes), -1).astype(np.float32)


def placed_words(codes: Codes, size: int, k: int, period: int) -> Codes:
    """(W, N): for the word of ``k`` letters at each start, V^k r + its number, r being the start modulo
    ``period``; ``period`` V^k where there is none.

    Where places are not all told apart, words on the first or the last k letters are left out: what begins
    and ends a sequence is not what stands within.
    """
    words, none = _words(codes, size, k).astype(np.int64), size**k
    if period < len(words):
        words[:k] = none
        behind = np.pad(words, ((0, k), (0, 0)), constant_values=none)[k:]
        words[behind == none] = none
    places = np.arange(len(words))[:, None] % period
    return np.where(words == none, period * none, places * none + words)


def out_of_place(placed: Codes, period: int, kinds: int) -> Flags:
    """(``period`` ``kinds`` + 1,): which of the numbers of `placed_words` hardly ever occur; the last never.

    That is, even places would lead to expect such a word there ``EXPECTED`` times, and at most ``HARDLY`` of
    that is found; the rarest first, until ``HARDLY`` of the sequences may have one. In genes, stop codons are
    so in steps of three letters; where all sequences have one letter at a place, the others are.
    """
    found = np.bincount(placed.ravel(), minlength=period * kinds + 1)[:-1].astype(np.float64)
    counts = found.reshape(period, kinds)
    expected = np.outer(counts.sum(axis=1), counts.sum(axis=0)).ravel() / max(1.0, found.sum())
    share = found / np.maximum(expected, EXPECTED)
    order = np.argsort(share, kind="stable")
    rare = (expected >= EXPECTED) & (share <= HARDLY)
    order = order[rare[order]]
    rare[order[np.cumsum(found[order]) > HARDLY * placed.shape[1]]] = False
    return np.append(rare, False)
