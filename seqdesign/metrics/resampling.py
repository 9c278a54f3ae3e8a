"""A distance between two sets with its interval, beside the same distance between two real sets.

Every distance here depends on a set only through a sum of features over its sequences, so any resampled set
is a row of weights times the feature matrix, and many of them are one matrix product.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array
from scipy.special import ndtr, ndtri, ndtri_exp
from scipy.stats import hypergeom

FloatArray = npt.NDArray[np.float64]
Indices = npt.NDArray[np.int64]

_ROWS = 25  # resampled sets a product


@dataclass(frozen=True)
class Statistic:
    """A distance between two sets of rows out of N."""

    features: csr_array
    """(N, D), summed over a set."""
    between: Callable[[FloatArray, FloatArray], FloatArray]
    """From sums (R, D) and (R, D) or (1, D) to distances (R,); larger is further apart."""
    degree: Literal[1, 2] = 2
    """Whether it grows with small differences as they do (1), or as their square."""

    def sums(self, weights: FloatArray) -> FloatArray:
        """(R, N) weights to (R, D) sums."""
        return np.ascontiguousarray((self.features.T @ weights.T).T)


@dataclass(frozen=True)
class Comparison:
    """A number about the generated set, and the same for real sequences; NaN is unknown."""

    value: float
    low: float = math.nan
    high: float = math.nan
    """95% interval: value -+ 1.96 standard errors, or Wilson's for a share."""
    real: float = math.nan
    """The same number with training sequences in the place of generated ones: as good as real gets."""
    z: float = math.nan
    """How many standard errors of the difference ``value`` is worse than ``real``."""
    auc: float = math.nan
    """Of a distance, how well one sequence is told apart by that in which the sets differ."""


def compare(
    statistic: Statistic,
    generated: Indices,
    training: Indices,
    held_out: Indices,
    rng: np.random.Generator,
    resamples: int,
) -> Comparison:
    """Distance generated-held out, and as ``real`` the distance training-held out; index arrays into N.

    ``training`` must be as many as ``generated`` (ValueError), since every such distance grows as sets
    shrink. The standard error of the value is that of a bootstrap over sequences of both sets (Efron 1979);
    not its quantiles, because a resampled set repeats sequences and so lies further away. ``z`` is
    (value - real) over the standard deviation of that difference when the labels "generated" and "training"
    are shuffled; where both come from one source it is symmetric around 0. ``auc`` see `told_apart`.
    """
    if len(training) != len(generated):
        raise ValueError(f"training must be {len(generated)} indices as generated, got {len(training)}")
    num = statistic.features.shape[0]
    whole = {
        name: statistic.sums(_weights(chosen[None], num))
        for name, chosen in (("generated", generated), ("training", training), ("held_out", held_out))
    }
    value = float(statistic.between(whole["generated"], whole["held_out"])[0])
    real = float(statistic.between(whole["training"], whole["held_out"])[0])
    pooled_sums = whole["generated"] + whole["training"]
    pooled = np.concatenate([generated, training])
    boots, shuffled = [], []
    for first in range(0, resamples, _ROWS):
        rows = min(_ROWS, resamples - first)
        drawn = [statistic.sums(_weights(_redrawn(x, rows, rng), num)) for x in (generated, held_out)]
        boots.append(statistic.between(drawn[0], drawn[1]))
        mixed = rng.permuted(np.tile(pooled, (rows, 1)), axis=1)[:, : len(generated)]
        sums = statistic.sums(_weights(mixed, num))
        shuffled.append(
            statistic.between(sums, whole["held_out"])
            - statistic.between(pooled_sums - sums, whole["held_out"])
        )
    error = float(np.std(np.concatenate(boots), ddof=1))
    spread = float(np.sqrt(np.mean(np.concatenate(shuffled) ** 2)))
    return Comparison(
        value,
        value - 1.96 * error,
        value + 1.96 * error,
        real,
        standard_score(value - real, spread),
        told_apart(statistic.degree * (value - real), error, len(generated), len(held_out)),
    )


def told_apart(difference: float, error: float, num: int, other: int) -> float:
    """AUC by which single sequences of two sets are told apart, from a distance and its standard error.

    A distance that is a squared mean difference ||w||^2 looks at w.x of each sequence x. Its mean differs by
    ||w||^2 between the sets, and its standard deviation s makes the error: 2 s (1/num + 1/other)^0.5. So
    d' = 2 ||w||^2 / (error / (1/num + 1/other)^0.5), and AUC = Phi(d' / 2^0.5), as of two normal scores.
    ``difference`` is the degree of the distance times its excess over that of real sequences. With few
    sequences, chance is part of the error, and the result too small.
    """
    score = standard_score(difference, error) * math.sqrt(1 / num + 1 / other)
    return float(ndtr(score / math.sqrt(2)))


def standard_score(difference: float, error: float) -> float:
    """Difference / error; 0 for no difference, infinite for one without any error."""
    if abs(difference) < 1e-12:
        return 0.0
    return difference / error if error > 0 else math.copysign(math.inf, difference)


def share(hits: int, number: int, real_hits: int | None = None, real_number: int = 0) -> Comparison:
    """A share with Wilson's (1927) 95% interval, and z of its difference from that of a real sample.

    z is that of the one-sided p of Fisher's exact test (1922), in the direction of the difference.
    """
    value = hits / number
    z = float(ndtri(0.975))
    centre = (value + z * z / (2 * number)) / (1 + z * z / number)
    half = z / (1 + z * z / number) * math.sqrt(value * (1 - value) / number + z * z / (4 * number**2))
    # At 0 and 1 the ends are exact; rounding must not push them past the value.
    low, high = min(value, max(0.0, centre - half)), max(value, min(1.0, centre + half))
    if real_hits is None:
        return Comparison(value, low, high)
    real = real_hits / real_number
    first = (hits, number) if value > real else (real_hits, real_number)  # the larger of the two
    log_p = hypergeom.logsf(first[0] - 1, number + real_number, hits + real_hits, first[1])
    return Comparison(value, low, high, real, math.copysign(max(0.0, float(-ndtri_exp(log_p))), value - real))


def _redrawn(chosen: Indices, rows: int, rng: np.random.Generator) -> Indices:
    return chosen[rng.integers(len(chosen), size=(rows, len(chosen)))]


def _weights(chosen: Indices, num: int) -> FloatArray:
    """(R, n) indices to (R, num): how often each stands in its row."""
    rows = len(chosen)
    flat = chosen + num * np.arange(rows)[:, None]
    return np.bincount(flat.ravel(), minlength=rows * num).reshape(rows, num).astype(np.float64)
