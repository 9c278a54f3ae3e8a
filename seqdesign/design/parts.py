"""Places that sequences fill together, such as the parts of an assembly, codons, or the strands of a stem."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

SURE = 20.0
"""Nats against chance where two places are tied: that nobody has the missing pairs of their letters."""
NEW = 0.05
"""Share of sequences from which on a further one may well have a combination that none has."""
MOST_CELLS = 5_000
"""Letters at places, of which pairs are looked at."""

IntArray = NDArray[np.int64]


@dataclass(frozen=True)
class Part:
    """Places (k,), in order, and the combinations of letters (W, k) that sequences have there."""

    places: IntArray
    words: IntArray


def parts_of(rows: NDArray[Any], num_letters: int) -> list[Part]:
    """The parts of different sequences (n, L) of tokens; none where there are too many letters to look at.

    Two places are tied where pairs of their letters are missing that would be there by chance; a part is all
    places that are tied to each other, also by way of others. It counts where hardly a sequence has a
    combination of its own, so that a further sequence would have a new one with a probability below ``NEW``
    (Good 1953). Relatives tie places too, but have new combinations all the time.
    """
    n, length = rows.shape
    seen = np.stack([(rows == v).any(axis=0) for v in range(num_letters)], axis=1)
    if n == 0 or length * num_letters > MOST_CELLS:
        return []
    tied = _tied(rows, seen)
    found, left = [], tied.any(axis=1)
    while left.any():
        group = np.arange(length) == left.argmax()
        while (more := group | tied[group].any(axis=0)).sum() > group.sum():
            group = more
        left &= ~group
        places = np.flatnonzero(group)
        words, counts = np.unique(rows[:, places].astype(np.int64), axis=0, return_counts=True)
        if (counts == 1).sum() < NEW * n:
            found.append(Part(places, words))
    return found


def _tied(rows: NDArray[Any], seen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Whether every two places (L, L) are tied: the missing pairs of letters, each of which would be in e
    sequences by chance, have all together a probability of exp(-sum(e)), and there are at most m^k sets of k
    among m pairs. So the sum of e - log m, where it is positive, is the evidence against chance.
    """
    place, letter = np.nonzero(seen)
    x = (rows[:, place] == letter).astype(np.float32)
    count, several = x.sum(axis=0), np.log(seen.sum(axis=1))
    penalty = several[place][:, None] + several[place]
    against = np.maximum(0.0, np.outer(count, count) / len(rows) - penalty) * (x.T @ x == 0)
    # Every place has a letter, so that each has its own stretch of the cells.
    first = np.searchsorted(place, np.arange(len(seen)))
    evidence = np.add.reduceat(np.add.reduceat(against, first, axis=0), first, axis=1)
    np.fill_diagonal(evidence, 0.0)
    return np.asarray(evidence >= SURE)
