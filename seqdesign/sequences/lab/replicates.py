"""Replicates of a measurement: mean, standard error, and the noise ceiling of any prediction.

Standard errors are moderated: with two or three replicates the spread of a single record says little, so
variances are drawn towards a common one, as strongly as the data say (empirical Bayes; Smyth 2004,
Statistical Applications in Genetics and Molecular Biology 3:3).
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.special import digamma, polygamma

FloatArray = NDArray[np.float64]

ROUNDS = 200
"""Of the fit of offsets, which halves its error in each where columns overlap."""
STDERR, COUNT = "stderr", "replicates"
"""Columns that averaged records have besides the mean."""


@dataclass(frozen=True)
class NoiseCeiling:
    """How well the means of replicates could be predicted at best.

    reliability: share of the variance of the means that is not noise, ``1 - mean(stderr^2) / variance``; a
    perfect prediction of the true values has this R2, and its square root as correlation, with the means.
    """

    records: int
    values: int
    """Measurements in all."""
    repeated: int
    """Records with two or more."""
    spread: float
    """Standard deviation of a single measurement, in the unit of the outcome; of a record where counted."""
    reliability: float
    counted: bool = False
    """Whether measurements are reads of sequencing, from which the outcome was made."""

    @property
    def r2(self) -> float:
        """Highest R2 that can be expected against the means."""
        return self.reliability

    @property
    def r(self) -> float:
        """Highest correlation that can be expected with the means."""
        return math.sqrt(self.reliability)

    def ceiling(self) -> str:
        """Such as ``R2 0.912, correlation 0.955 at best``."""
        return f"R2 {self.r2:.3f}, correlation {self.r:.3f} at best"

    def text(self) -> str:
        """One line."""
        each = self.values / self.records
        if self.counted:
            return (
                f"{self.values:,} reads of {self.records:,} sequences ({each:.3g} each), standard error of a "
                f"log enrichment {self.spread:.3g}; noise allows {self.ceiling()}"
            )
        return (
            f"{self.values:,} measurements of {self.records:,} sequences ({each:.3g} each), standard "
            f"deviation of one {self.spread:.3g}; noise allows {self.ceiling()}"
        )


@dataclass(frozen=True, eq=False)
class Averaged:
    """Means (N,), standard errors (N,) and counts (N,) of N records; NaN, NaN and 0 where nothing is known.

    A record measured once has the standard error that the others tell; NaN where no record has two values.
    """

    means: FloatArray
    stderr: FloatArray
    counts: NDArray[np.int64]
    noise: NoiseCeiling | None
    """None where no record has two values, or all means are alike."""


def average(
    values: FloatArray, owner: NDArray[np.int64], num: int, column: NDArray[np.int64] | None = None
) -> Averaged:
    """Means of measurements (V,), NaN for none, of which each belongs to one of ``num`` records (V,).

    column: the replicate that each is of (V,). A constant difference between columns is no noise of a
    measurement, so it is taken out of standard errors and ceiling; means stay those of what was measured.
    Raises ValueError for values and owners of different number.
    """
    if values.shape != owner.shape:
        raise ValueError(f"one owner for each value is needed, got {values.shape} and {owner.shape}")
    known = ~np.isnan(values)
    values, owner = values[known], owner[known]
    counts = np.bincount(owner, minlength=num).astype(np.int64)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = np.bincount(owner, values, minlength=num) / counts
    freedom = np.maximum(counts - 1, 0)
    if not freedom.any():
        return Averaged(means, np.full(num, np.nan), counts, None)
    level = values if column is None else values - offsets(values, owner, column[known], counts)
    with np.errstate(invalid="ignore", divide="ignore"):
        middle = np.bincount(owner, level, minlength=num) / counts
    squares = np.bincount(owner, np.square(level - middle[owner]), minlength=num).astype(np.float64)
    if column is not None:  # offsets were fitted to the same values
        fitted = len(np.unique(column[known])) - 1
        squares *= freedom.sum() / max(1, freedom.sum() - fitted)
    variances = _moderated(squares, freedom)
    with np.errstate(invalid="ignore", divide="ignore"):
        stderr = np.where(counts > 0, np.sqrt(variances / np.maximum(counts, 1)), np.nan)
    return Averaged(means, stderr, counts, _ceiling(means, squares, freedom, counts))


def offsets(
    values: FloatArray, owner: NDArray[np.int64], column: NDArray[np.int64], counts: NDArray[np.int64]
) -> FloatArray:
    """What the column of each value (V,) adds to it, by least squares beside a mean of each record."""
    size = np.bincount(column)
    found = np.zeros(len(size))
    for _ in range(ROUNDS):
        level = values - found[column]
        middle = np.bincount(owner, level, minlength=len(counts))[owner] / counts[owner]
        step = np.bincount(column, level - middle) / np.maximum(size, 1)
        found += step
        if np.abs(step).max() <= 1e-9 * max(1e-30, float(np.abs(found).max())):
            break
    return np.asarray(found[column])


def _ceiling(
    means: FloatArray, squares: FloatArray, freedom: NDArray[np.int64], counts: NDArray[np.int64]
) -> NoiseCeiling | None:
    """From the pooled variance of single measurements within records and columns: random effects."""
    measured = counts > 0
    pooled = float(squares.sum() / freedom.sum())
    total = float(np.var(means[measured], ddof=1)) if measured.sum() > 1 else 0.0
    if total <= 0:
        return None
    noise = pooled * float((1 / counts[measured]).mean())
    return NoiseCeiling(
        records=int(measured.sum()),
        values=int(counts.sum()),
        repeated=int((counts > 1).sum()),
        spread=math.sqrt(pooled),
        reliability=min(1.0, max(0.0, 1 - noise / total)),
    )


def _moderated(squares: FloatArray, freedom: NDArray[np.int64]) -> FloatArray:
    """Variance of one measurement of each record (N,): its own and the common one, weighed by their degrees
    of freedom. The common one has as many as the scatter of the logarithms of variances says.
    """
    pooled = float(squares.sum() / freedom.sum())
    several = (freedom > 0) & (squares > 0)
    if several.sum() < 3:
        return np.full(len(squares), pooled)
    half = freedom[several] / 2
    logs = np.log(squares[several] / freedom[several]) - digamma(half) + np.log(half)
    excess = float(np.var(logs, ddof=1) - polygamma(1, half).mean())
    if excess <= 0:  # no more scatter than chance gives: one variance for all
        return np.full(len(squares), pooled)
    prior = 2 * _inverse_trigamma(excess)
    common = math.exp(float(logs.mean()) + float(digamma(prior / 2)) - math.log(prior / 2))
    return np.asarray((prior * common + squares) / (prior + freedom), dtype=np.float64)


def _inverse_trigamma(value: float) -> float:
    """X with trigamma(x) = value, by Newton's method on 1 / trigamma (Smyth 2004, appendix)."""
    x = 0.5 + 1 / value
    for _ in range(50):
        now = float(polygamma(1, x))
        step = now * (1 - now / value) / float(polygamma(2, x))
        x += step
        if abs(step) < 1e-8 * x:
            break
    return x


def group_equal(texts: Sequence[str]) -> tuple[NDArray[np.int64], list[int]]:
    """(group of each text (N,), place of the first text of each group); case does not matter."""
    places: dict[str, int] = {}
    first: list[int] = []
    groups = np.empty(len(texts), dtype=np.int64)
    for i, text in enumerate(texts):
        group = places.setdefault(text.upper(), len(first))
        if group == len(first):
            first.append(i)
        groups[i] = group
    return groups, first
