"""How well predicted numbers follow measured ones. All functions take (N,) arrays and return a float.

Degenerate inputs have no value rather than a wrong one: the result is NaN when fewer than two pairs are
left, or when the measured values (for correlations either side) are constant.
A NaN in either array makes the result NaN, unless ``skip_nan=True`` drops such pairs.
"""

from __future__ import annotations

import math

import numpy as np
import numpy.typing as npt

FloatArray = npt.NDArray[np.float64]

LEAST_SLOPE = 0.1
"""The smallest slope of `shrinkage`; what is shrunk keeps saying which way is up."""


def _pairs(
    measured: npt.ArrayLike, predicted: npt.ArrayLike, skip_nan: bool
) -> tuple[FloatArray, FloatArray] | None:
    """The two arrays in float64, or None where a NaN leaves nothing to say. ValueError for other shapes."""
    truth = np.asarray(measured, dtype=np.float64)
    guess = np.asarray(predicted, dtype=np.float64)
    if truth.ndim != 1 or truth.shape != guess.shape:
        raise ValueError(
            "measured and predicted must be vectors of one length, "
            f"got shapes {truth.shape} and {guess.shape}"
        )
    missing = np.isnan(truth) | np.isnan(guess)
    if not missing.any():
        return truth, guess
    return (truth[~missing], guess[~missing]) if skip_nan else None


def _is_constant(values: FloatArray) -> bool:
    return len(values) < 2 or bool(values.min() == values.max())


def r2(measured: npt.ArrayLike, predicted: npt.ArrayLike, *, skip_nan: bool = False) -> float:
    """Coefficient of determination, 1 - sum((y - f)^2) / sum((y - mean y)^2).

    1 is perfect, 0 is as good as the mean, negative is worse; NaN for constant measured values.
    """
    pairs = _pairs(measured, predicted, skip_nan)
    if pairs is None or _is_constant(pairs[0]):
        return math.nan
    truth, guess = pairs
    return float(1.0 - np.sum((truth - guess) ** 2) / np.sum((truth - truth.mean()) ** 2))


def pearson(measured: npt.ArrayLike, predicted: npt.ArrayLike, *, skip_nan: bool = False) -> float:
    """Linear correlation, cov(y, f) / (sd(y) sd(f)), in [-1, 1]; NaN if either side is constant."""
    pairs = _pairs(measured, predicted, skip_nan)
    if pairs is None or _is_constant(pairs[0]) or _is_constant(pairs[1]):
        return math.nan
    truth, guess = (values - values.mean() for values in pairs)
    # Unit vectors first: the product of two tiny sums of squares would underflow.
    correlation = float(np.dot(truth / np.linalg.norm(truth), guess / np.linalg.norm(guess)))
    return min(1.0, max(-1.0, correlation))


def average_ranks(values: npt.ArrayLike) -> FloatArray:
    """Ranks from 1, shape (N,); tied values share the mean of the ranks that they cover."""
    _, inverse, counts = np.unique(np.asarray(values), return_inverse=True, return_counts=True)
    last = np.cumsum(counts)
    means: FloatArray = last - (counts - 1) / 2.0
    return means[inverse]


def spearman(measured: npt.ArrayLike, predicted: npt.ArrayLike, *, skip_nan: bool = False) -> float:
    """Rank correlation: `pearson` of the ranks, ties averaged (Spearman 1904); NaN if a side is constant."""
    pairs = _pairs(measured, predicted, skip_nan)
    if pairs is None or len(pairs[0]) == 0:
        return math.nan
    return pearson(average_ranks(pairs[0]), average_ranks(pairs[1]))


def auroc(labels: npt.ArrayLike, scores: npt.ArrayLike, *, skip_nan: bool = False) -> float:
    """Area under the ROC curve: P(score of a positive > score of a negative), ties counted half.

    ``labels`` are 0/1 or bool (ValueError otherwise); NaN unless both classes occur. By ranks, after
    Mann and Whitney (1947): (R_pos - n_pos (n_pos + 1) / 2) / (n_pos n_neg).
    """
    pairs = _pairs(labels, scores, skip_nan)
    if pairs is None:
        return math.nan
    truth, guess = pairs
    if not np.isin(truth, (0.0, 1.0)).all():
        wrong = truth[~np.isin(truth, (0.0, 1.0))][0]
        raise ValueError(f"labels must be 0 or 1, got {wrong:g}")
    positive = truth == 1.0
    num_positive, num_negative = int(positive.sum()), int((~positive).sum())
    if num_positive == 0 or num_negative == 0:
        return math.nan
    rank_sum = average_ranks(guess)[positive].sum()
    return float((rank_sum - num_positive * (num_positive + 1) / 2) / (num_positive * num_negative))


def shrinkage(measured: npt.ArrayLike, predicted: npt.ArrayLike) -> float:
    """The factor b, 0.1 to 1, by which predictions promise too much: measured is b predicted on average.

    Both are counted from the mean of what was learned from, and are not of rows that were. Least squares
    (Copas 1983, JRSS B 45, 311-354), drawn towards 1 where few or noisy rows leave b unsure (positive part of
    James and Stein); 1 for fewer than three pairs or predictions that are all 0.
    """
    truth, guess = np.asarray(measured, dtype=np.float64), np.asarray(predicted, dtype=np.float64)
    power = float(np.square(guess).sum())
    if len(guess) < 3 or power == 0:
        return 1.0
    slope = float(guess @ truth) / power
    unsure = float(np.square(truth - slope * guess).sum()) / (len(guess) - 1) / power
    if slope >= 1 or unsure >= (1 - slope) ** 2:
        return 1.0
    return max(LEAST_SLOPE, 1 - (1 - slope) * (1 - unsure / (1 - slope) ** 2))
