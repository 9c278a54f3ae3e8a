"""Words that sequences have more often than a Markov chain of their positions explains, how often and where.

What sets promoters apart from such a chain are short motifs at many places: TATA boxes, initiators. A word is
held against the chain (its log-likelihood ratio), words one letter away count as the same motif where they
are in surplus too and stand alike, its sites are masked, the chain is learned anew, and the search goes on.
Words that stand at few places only are left out: composition by position says those. ``denovo`` asks another
question: which motif sets two sets of sequences apart, wherever it stands.

Shapes: N sequences, L letters, V letters of the alphabet, W words of k letters.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.stats import chi2

FloatArray = NDArray[np.float64]
IntArray = NDArray[np.int64]

SHORTEST, LONGEST = 4, 8
MOST_WORDS = 2**18
"""Kinds of words up to which a length is searched."""
MOST_CONTEXTS = 512
"""Words of ``order`` + 1 letters up to which the chain is of that order."""
LARGEST_ORDER = 3
SHRINKAGE = 50.0
"""Letters that what all positions have in common weighs at each position."""
MOST_LETTERS = 2_000_000
"""Of the sequences searched."""
CANDIDATES = 300
"""Words of each length that are held against each position."""
LEAST_COPIES, LEAST_SHARE, LEAST_GAIN = 20, 0.003, 30.0
"""Copies, copies per sequence and log-likelihood ratio (nats) that a word must have."""
SURPLUS = 1.5
"""Copies over those expected that a word must have."""
SIGMAS = 4.0
"""Standard deviations by which a neighbour must be in surplus."""
WIDEST = 6
"""Letters from which on neighbours count."""
PLACES = 20.0
"""Effective number of places (exponential of the entropy), or half of those there are if that is less, below
which a word is not a motif."""
STRETCHES, ALIKE = 10, 1e-3
"""Stretches of positions over which neighbours are held against the first word, and the p-value from which on
they may stand where it stands."""
SPREAD = 2.0
"""Standard deviation, in letters, by which counts of places are smoothed."""


@dataclass(frozen=True, eq=False)
class SurplusMotif:
    """A motif with letter probabilities (k, V)."""

    words: IntArray
    """Letters of its words, (W, k); the most surprising one comes first."""
    probabilities: FloatArray
    share: float
    """Sites per sequence beyond those that the chain explains; a repeat is one."""
    places: FloatArray
    """Probability of each start, (L - k + 1,)."""
    gain: float
    """Log-likelihood ratio of the first word, nats."""

    def spelled(self, letters: str) -> str:
        """The first word in the letters of an alphabet."""
        return "".join(letters[i] for i in self.words[0])


def find_surplus_motifs(tokens: IntArray, num_letters: int, most: int) -> list[SurplusMotif]:
    """At most ``most`` motifs of ``tokens`` (N, L), most surprising first; -1 is no letter (padding, masked).

    Large sets are searched in evenly spaced rows of about 2 million letters together.
    """
    length = tokens.shape[1]
    left: IntArray = tokens[:: -(-tokens.size // MOST_LETTERS)].astype(np.int64)
    sizes = [k for k in range(SHORTEST, LONGEST + 1) if num_letters**k <= MOST_WORDS and k <= length]
    found: list[tuple[IntArray, IntArray, float]] = []
    before: list[FloatArray] = []
    while len(found) < most:
        words = _all_words(left, num_letters, max([LARGEST_ORDER + 1, *sizes]))
        chain = _Chain(words, num_letters, length)
        bests = [best for k in sizes if (best := _best_word(words[k], chain, k)) is not None]
        if not bests:
            break
        gain, word = max(bests, key=lambda best: best[0])
        here = words[len(word)]
        group, weights = _group(here, chain, word)
        sites = np.isin(here, group @ num_letters ** np.arange(len(word) - 1, -1, -1))
        found.append((group, _first_sites(sites, len(word)).sum(axis=0), gain))
        before.append(_probabilities(group, weights, num_letters))
        for j in range(len(word)):
            left[:, j : j + sites.shape[1]][sites] = -1
    chain = _Chain(_all_words(left, num_letters, LARGEST_ORDER + 1), num_letters, length)
    motifs = [_motif(*each, p, chain, len(left)) for each, p in zip(found, before, strict=True)]
    return [m for m in motifs if _num_places(m) >= min(PLACES, len(m.places) / 2)]


class _Chain:
    """Markov chain with its own probabilities at each position, as far as there are data for them."""

    def __init__(self, all_words: dict[int, IntArray], num_letters: int, length: int) -> None:
        self.size = num_letters
        orders = range(LARGEST_ORDER + 1)
        self.order = max((o for o in orders if num_letters ** (o + 1) <= MOST_CONTEXTS), default=0)
        self.whole: list[FloatArray] = []
        self.here: list[FloatArray] = []
        for order in range(min(self.order, length - 1) + 1):
            words = all_words[order + 1]
            kinds = num_letters ** (order + 1)
            places = np.arange(words.shape[1]) * kinds
            counts = np.bincount((words + places)[words >= 0], minlength=words.shape[1] * kinds)
            counts = counts.reshape(words.shape[1], -1, num_letters).astype(float)
            shorter = np.tile(self.whole[-1], (num_letters, 1)) if order else np.full((1, self.size), 1.0)
            whole = _normal(counts.sum(axis=0) + 2 * _normal(shorter))
            tilt = self.here[0][order:] / self.whole[0] if order else 1.0
            prior = _normal(np.broadcast_to(whole * tilt, counts.shape))
            at_places = _normal(counts + SHRINKAGE * prior)
            self.whole.append(whole)
            self.here.append(np.concatenate([np.ones((order, *at_places.shape[1:])), at_places]))

    def expected(self, words: IntArray) -> FloatArray:
        """Probability (W,) of words (W, k) at a position that is like all of them."""
        return np.exp(sum(np.log(self.whole[o][c, x]) for o, c, x in self._steps(words)))

    def at_places(self, words: IntArray) -> FloatArray:
        """Probability (W, L - k + 1) of words (W, k) at each start."""
        starts = len(self.here[0]) - words.shape[1] + 1
        logs = np.zeros((starts, len(words)))
        for j, (order, context, letter) in enumerate(self._steps(words)):
            logs += np.log(self.here[order][j : j + starts, context, letter])
        return np.exp(logs.T)

    def _steps(self, words: IntArray) -> list[tuple[int, IntArray, IntArray]]:
        """(order, context (W,), letter (W,)) of each letter of words (W, k)."""
        steps = []
        for j in range(words.shape[1]):
            order = min(j, len(self.whole) - 1)
            powers = self.size ** np.arange(order - 1, -1, -1)
            steps.append((order, words[:, j - order : j] @ powers, words[:, j]))
        return steps


def _num_places(motif: SurplusMotif) -> float:
    return float(np.exp(-np.sum(motif.places * np.log(motif.places))))


def _normal(values: FloatArray) -> FloatArray:
    normal: FloatArray = values / values.sum(axis=-1, keepdims=True)
    return normal


def _all_words(tokens: IntArray, size: int, longest: int) -> dict[int, IntArray]:
    """For each k the number (N, L - k + 1) of the word at each start, -1 where a letter is missing."""
    words, known, found = np.zeros_like(tokens), np.ones(tokens.shape, dtype=bool), {}
    for k in range(1, min(longest, tokens.shape[1]) + 1):
        starts = tokens.shape[1] - k + 1
        words = words[:, :starts] * size + tokens[:, k - 1 :]
        known = known[:, :starts] & (tokens[:, k - 1 :] >= 0)
        found[k] = np.where(known, words, -1)
    return found


def _letters(words: IntArray, k: int, size: int) -> IntArray:
    """Letters (W, k) of word numbers (W,)."""
    letters: IntArray = words[:, None] // size ** np.arange(k - 1, -1, -1) % size
    return letters


def _ratio(copies: FloatArray, expected: FloatArray) -> FloatArray:
    """Log-likelihood ratio of counts; minus one of those not in surplus."""
    gain = copies * np.log(copies / expected) - (copies - expected)
    return np.where(copies >= SURPLUS * expected, gain, -1.0)


def _best_word(words: IntArray, chain: _Chain, k: int) -> tuple[float, IntArray] | None:
    """The most surprising word of k letters and its gain; None if no word has enough."""
    known = words >= 0
    counts = np.bincount(words[known], minlength=chain.size**k)
    frequent = np.flatnonzero(counts >= max(LEAST_COPIES, LEAST_SHARE * len(words)))
    if not frequent.size:
        return None
    copies, letters = counts[frequent].astype(float), _letters(frequent, k, chain.size)
    first = np.argsort(-_ratio(copies, chain.expected(letters) * known.sum()), kind="stable")[:CANDIDATES]
    expected = chain.at_places(letters[first]) @ known.sum(axis=0)
    gains = _ratio(copies[first], expected)
    best = int(gains.argmax())
    return (float(gains[best]), letters[first[best]]) if gains[best] >= LEAST_GAIN else None


def _group(words: IntArray, chain: _Chain, word: IntArray) -> tuple[IntArray, FloatArray]:
    """The word and its neighbours in surplus, (W, k), and how many copies each has too many."""
    k = len(word)
    changed = np.tile(word, (k * chain.size if k >= WIDEST else 0, 1))
    rows = np.arange(len(changed))
    changed[rows, rows // chain.size] = rows % chain.size
    letters = np.concatenate([word[None], changed[(changed != word).any(axis=1)]])
    known = words >= 0
    numbers = letters @ chain.size ** np.arange(k - 1, -1, -1)
    copies = np.bincount(words[known], minlength=chain.size**k)[numbers].astype(float)
    expected = chain.at_places(letters) @ known.sum(axis=0)
    surplus = copies - expected
    use = (copies >= SURPLUS * expected) & (surplus >= SIGMAS * np.sqrt(expected + 1))
    use &= _stand_alike(words, numbers)
    use[0] = True
    return letters[use], surplus[use]


def _stand_alike(words: IntArray, numbers: IntArray) -> NDArray[np.bool_]:
    """Which words (W,) may have the distribution over ``STRETCHES`` of positions that the first one has."""
    stretch = np.arange(words.shape[1]) * STRETCHES // words.shape[1]
    counts = np.array([np.bincount(stretch, (words == n).sum(axis=0), STRETCHES) for n in numbers])
    both = counts + counts[0]
    share = counts.sum(axis=1, keepdims=True) / np.maximum(both.sum(axis=1, keepdims=True), 1)
    expected = both * share, both * (1 - share)
    found = counts, np.broadcast_to(counts[0], counts.shape)
    terms = ((f - e) ** 2 / np.maximum(e, 1e-9) for f, e in zip(found, expected, strict=True))
    statistic = np.asarray(sum(terms)).sum(axis=1)
    return np.asarray(chi2.sf(statistic, STRETCHES - 1) >= ALIKE)


def _first_sites(sites: NDArray[np.bool_], k: int) -> NDArray[np.bool_]:
    """Those that overlap none before them: a repeat is one site."""
    first = sites.copy()
    for shift in range(1, min(k, sites.shape[1])):
        first[:, shift:] &= ~sites[:, :-shift]
    return first


def _probabilities(group: IntArray, weights: FloatArray, size: int) -> FloatArray:
    """Letters (k, V) of the group, each word as often as it is in surplus."""
    columns = np.full((group.shape[1], size), 1e-3 * weights.sum())
    for word, weight in zip(group, weights, strict=True):
        columns[np.arange(len(word)), word] += weight
    return _normal(columns)


def _motif(
    group: IntArray, sites: IntArray, gain: float, probabilities: FloatArray, chain: _Chain, num: int
) -> SurplusMotif:
    """What is beyond a chain that no motif is part of any more."""
    beyond = sites - chain.at_places(group).sum(axis=0) * num
    reach = round(3 * SPREAD)
    bell = np.exp(-((np.arange(-reach, reach + 1) / SPREAD) ** 2) / 2)
    padded = np.pad(beyond, reach, mode="edge")
    smooth = np.convolve(padded, bell / bell.sum(), "valid").clip(min=0)
    places = smooth + 0.05 * smooth.mean() + 1e-9
    return SurplusMotif(
        words=group,
        probabilities=probabilities,
        share=max(float(beyond.sum()) / num, 0.0),
        places=places / places.sum(),
        gain=gain,
    )
