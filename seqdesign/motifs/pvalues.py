"""From a window's score to its p-value: the exact distribution of the score under independent letters.

Weights are rounded to multiples of ``STEP`` bits; the distribution of the rounded sum follows by convolving
the columns (Staden 1989, CABIOS 5:89; FIMO and MOODS do the same). Nothing else is approximated.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

STEP = 0.01
"""Bits between neighbouring scores."""


@dataclass(frozen=True, eq=False)
class ScoreTable:
    """Integer weights of one motif and the p-value of every total.

    weights: (w, V) int32, from 0; a total t stands for ``low + t * STEP`` bits.
    tail: (max total + 1,), P(total >= t) for a window of background letters.
    """

    weights: NDArray[np.int32]
    tail: FloatArray
    low: float

    def threshold(self, p_value: float) -> int:
        """The smallest total with a tail of at most ``p_value``; one above the largest if there is none."""
        # The tail falls with t, so it is searched from its end.
        return int(self.tail.size - np.searchsorted(self.tail[::-1], p_value, side="right"))


def score_table(weights: FloatArray, background: FloatArray) -> ScoreTable:
    """The table of (w, V) weights in bits, for letters drawn from ``background`` (V,)."""
    lowest = weights.min(axis=1)
    whole = np.rint((weights - lowest[:, None]) / STEP).astype(np.int32)
    density = np.ones(1)
    for column in whole:
        longer = np.zeros(density.size + int(column.max()))
        for value, probability in zip(column, background, strict=True):
            longer[value : value + density.size] += probability * density
        density = longer
    tail = np.minimum(np.cumsum(density[::-1])[::-1], 1.0)
    return ScoreTable(whole, tail, float(lowest.sum()))
