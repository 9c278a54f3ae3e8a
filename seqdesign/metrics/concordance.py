"""Concordance of predictions with values some of which are limits (Harrell et al. 1982)."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]
_ROWS = 512


def concordance(y: FloatArray, predicted: FloatArray, side: FloatArray) -> float:
    """Share of pairs in the right order among those whose order is known; ties of predictions count half.

    y, predicted, side (N,): a value is exact (side 0), or the true one lies below (-1) or above it (1). Of i
    and j it is known that i is less where y_i < y_j and neither is i above its value nor j below its own; a
    limit below also lies under an exact value that equals it. NaN without such a pair.
    """
    low = np.where(side < 0, -np.inf, y)
    high = np.where(side > 0, np.inf, y)
    pairs = right = 0.0
    for start in range(0, len(y), _ROWS):
        part = slice(start, start + _ROWS)
        # i is less: all that i may be lies below all that j may be.
        less = (high[part, None] < low[None]) | (
            (high[part, None] == low[None]) & ((side[part, None] < 0) | (side[None] > 0))
        )
        ahead = predicted[None] - predicted[part, None]
        pairs += float(less.sum())
        right += float((less & (ahead > 0)).sum()) + 0.5 * float((less & (ahead == 0)).sum())
    return right / pairs if pairs else math.nan
