"""Which designs to order: good ones that differ from each other, within quotas.

The choice maximises (1 - d) * sum of standardised qualities + d * log det of the similarities of those that
are chosen: the greedy search for the mode of a determinantal point process (Kulesza and Taskar 2012), by the
algorithm of Chen, Zhang and Zhou (2018), in which each pick costs one row of similarities. With
d = 0 they are the best N.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdesign.metrics.edits import letter_codes

FloatArray = NDArray[np.float64]
DIVERSITY = 0.2
WORD = 3
_PAIRS = 2_000
"""Random pairs from which the scale of distances is taken."""
_FLOOR = 1e-10


@dataclass(frozen=True)
class Pick:
    """place: index of the design. gain: what it added to the objective."""

    place: int
    gain: float
    similarity: float
    """To the nearest of those picked before, 0 to 1."""


def choose(
    sequences: Sequence[str],
    quality: Sequence[float] | FloatArray,
    num: int,
    *,
    diversity: float = DIVERSITY,
    groups: Sequence[str] | None = None,
    per_group: int | None = None,
) -> list[Pick]:
    """At most ``num`` of N sequences, in the order of picking; fewer where quotas leave no more.

    quality: (N,) finite, larger is better; its scale does not matter. diversity: d in [0, 1]. groups: (N,)
    such as parents, of each of which at most ``per_group`` are picked. Equal sequences are never picked
    twice. Ties go to the first.
    """
    values = np.asarray(quality, dtype=np.float64)
    spread = float(values.std())
    score = (1.0 - diversity) * (values - values.mean()) / (spread if spread > 0 else 1.0)
    kernel = Similarity(sequences)
    left = np.full(len(values), 1.0)  # what of each is not yet explained by those picked
    nearest = np.zeros(len(values))
    rows = np.zeros((min(num, len(values)), len(values)))
    open_ = np.ones(len(values), dtype=bool)
    taken: Counter[str] = Counter()
    seen: set[str] = set()
    picks: list[Pick] = []
    while len(picks) < num and open_.any():
        gains = score + diversity * np.log(np.maximum(left, _FLOOR))
        best = int(np.where(open_, gains, -np.inf).argmax())
        open_[best] = False
        if sequences[best] in seen:
            continue
        seen.add(sequences[best])
        row = kernel.row(best)
        done = len(picks)
        new = (row - rows[:done].T @ rows[:done, best]) / np.sqrt(max(left[best], _FLOOR))
        rows[done] = new
        left = np.maximum(left - new**2, 0.0)
        picks.append(Pick(best, float(gains[best]), float(nearest[best])))
        nearest = np.maximum(nearest, row)
        if groups is not None and per_group is not None:
            taken[groups[best]] += 1
            if taken[groups[best]] >= per_group:
                open_ &= np.array([group != groups[best] for group in groups])
    return picks


class Similarity:
    """How alike sequences are, 1 for equal ones; a positive definite kernel.

    Of one length: exp(-Hamming distance / its median over random pairs). Else exp(-squared distance of
    frequencies of words of three letters / its median).
    """

    def __init__(self, sequences: Sequence[str]) -> None:
        self.same_length = len({len(text) for text in sequences}) == 1
        self.features = letter_codes(sequences) if self.same_length else _words(sequences)
        rng = np.random.default_rng(0)
        pairs = rng.integers(0, len(sequences), (2, _PAIRS))
        distances = self._distance(self.features[pairs[0]], self.features[pairs[1]])
        positive = distances[distances > 0]
        self.scale = float(np.median(positive)) if len(positive) else 1.0

    def row(self, place: int) -> FloatArray:
        """(N,) similarities to one of them."""
        return np.exp(-self._distance(self.features, self.features[place]) / self.scale)

    def _distance(self, a: NDArray[np.generic], b: NDArray[np.generic]) -> FloatArray:
        if self.same_length:
            return (a != b).sum(axis=-1).astype(np.float64)
        return ((a.astype(np.float64) - b.astype(np.float64)) ** 2).sum(axis=-1)


def _words(sequences: Sequence[str]) -> NDArray[np.float32]:
    """(N, W) frequencies of words, of those that occur."""
    found = [Counter(text[i : i + WORD] for i in range(max(len(text) - WORD + 1, 1))) for text in sequences]
    index = {word: i for i, word in enumerate(sorted(set().union(*found)))}
    table = np.zeros((len(sequences), len(index)), dtype=np.float32)
    for i, counts in enumerate(found):
        for word, count in counts.items():
            table[i, index[word]] = count / counts.total()
    return table
