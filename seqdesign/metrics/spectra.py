"""Divergences and distances between two discrete distributions given as counts.

Arguments are (..., D) counts or frequencies, each row at least 0 with a positive sum; rows are normalised
here. They broadcast, and the result has their shape without the last axis.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.special import rel_entr

FloatArray = npt.NDArray[np.float64]


def frequencies(counts: npt.ArrayLike, *, pseudocount: float = 0.0) -> FloatArray:
    """(count + c) / (sum + c D) along the last axis; NaN where a row sums to zero."""
    raised = np.asarray(counts, dtype=np.float64) + pseudocount
    totals = raised.sum(axis=-1, keepdims=True)
    return np.divide(raised, totals, out=np.full_like(raised, np.nan), where=totals > 0)


def jensen_shannon(first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """Jensen-Shannon divergence with logarithms to base 2 (Lin 1991): in [0, 1], symmetric.

    JS = KL(p || m)/2 + KL(q || m)/2 with m = (p + q)/2: 0 for equal frequencies, 1 for disjoint ones. Its
    square root, not taken here, is a metric.
    """
    p, q = frequencies(first), frequencies(second)
    m = (p + q) / 2
    bits = (rel_entr(p, m).sum(axis=-1) + rel_entr(q, m).sum(axis=-1)) / (2 * np.log(2))
    return np.clip(bits, 0.0, 1.0)


def kl_divergence(first: npt.ArrayLike, second: npt.ArrayLike, *, pseudocount: float = 1.0) -> FloatArray:
    """KL(first || second) = sum p log2(p / q) in bits, with ``pseudocount`` added to every count of both.

    How many bits a letter of ``first`` costs more when it is coded by the frequencies of ``second``.
    Without a pseudocount it is infinite as soon as ``second`` lacks something that ``first`` has.
    """
    p, q = (frequencies(c, pseudocount=pseudocount) for c in (first, second))
    return np.maximum(rel_entr(p, q).sum(axis=-1) / np.log(2), 0.0)


def profile_divergence(first: npt.ArrayLike, second: npt.ArrayLike, num_letters: int) -> FloatArray:
    """Jensen-Shannon divergence at each position, (..., L), of counts (..., L V) as ``position_matrix`` has.

    NaN at a position where either side has no letter.
    """
    a, b = (np.asarray(c, dtype=np.float64) for c in (first, second))
    return jensen_shannon(
        a.reshape(*a.shape[:-1], -1, num_letters), b.reshape(*b.shape[:-1], -1, num_letters)
    )


def mean_profile_divergence(first: npt.ArrayLike, second: npt.ArrayLike, num_letters: int) -> FloatArray:
    """Mean of `profile_divergence` over positions, (...); a position without letters on a side counts 0."""
    return np.nan_to_num(profile_divergence(first, second, num_letters)).mean(axis=-1)


def wasserstein(values: FloatArray, first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """1-Wasserstein distance, the integral of |F1 - F2| (Vallender 1974), in the units of ``values``.

    values: (D,) increasing, such as lengths, of which counts (..., D) say how often each occurs.
    """
    ones, others = (np.cumsum(frequencies(counts), axis=-1) for counts in (first, second))
    return (np.abs(ones - others)[..., :-1] * np.diff(values)).sum(axis=-1)
