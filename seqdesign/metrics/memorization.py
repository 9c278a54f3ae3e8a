"""Whether generated sequences lie closer to the training set than new real ones do."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from scipy.stats import mannwhitneyu

from seqdesign.metrics.resampling import Comparison, share, standard_score

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Closeness:
    """Nearest-training distances of generated sequences against those of held-out ones."""

    cut: int
    """The 1% quantile of the held-out distances."""
    too_close: Comparison
    """Share of generated sequences closer than ``cut``; ``real`` is the share of held-out ones, at most 1%."""
    p_closer: float
    """One-sided p of the Mann-Whitney test that generated distances are smaller."""
    z: float
    """Standard score of that test; positive is closer, negative is further away."""


def closeness(generated: IntArray, held_out: IntArray) -> Closeness:
    """The data-copying test of Meehan, Chaudhuri and Dasgupta (2020), in one cell.

    ``generated`` (N,) and ``held_out`` (M,) are distances to the nearest training sequence. A model that
    copies puts its sequences closer than fresh ones from the same source are (Mann and Whitney 1947, with
    ties); one that misses the data puts them further away. The share below the 1% quantile sees a few
    copies that the test of the whole distribution does not.
    """
    cut = int(np.quantile(held_out, 0.01, method="lower"))
    near = share(int((generated < cut).sum()), len(generated), int((held_out < cut).sum()), len(held_out))
    both = np.concatenate([generated, held_out])
    if both.min() == both.max():
        return Closeness(cut, near, 0.5, 0.0)
    p = float(mannwhitneyu(generated, held_out, alternative="less", method="asymptotic").pvalue)
    return Closeness(cut, near, p, _rank_z(generated, held_out))


def _rank_z(first: IntArray, second: IntArray) -> float:
    """(n1 n2 / 2 - U) over its standard deviation with ties; positive where ``first`` is smaller."""
    n, m = len(first), len(second)
    u = float(mannwhitneyu(first, second, method="asymptotic").statistic)
    counts = np.unique(np.concatenate([first, second]), return_counts=True)[1].astype(np.float64)
    total = n + m
    ties = float((counts**3 - counts).sum()) / (total * (total - 1))
    return standard_score(n * m / 2 - u, math.sqrt(n * m / 12 * (total + 1 - ties)))


def preference(
    to_training: IntArray,
    training_index: IntArray,
    to_held_out: IntArray,
    held_out_index: IntArray,
    size: int,
) -> Comparison:
    """Share of N generated sequences that lie nearer to training than to held-out sequences; real is 0.5.

    All arguments are (N,): distance to and index of the nearest among ``size`` training sequences, and among
    as many held-out ones; a tie counts half. Held-out and training sequences are exchangeable for a model
    that does not copy (Yale et al. 2020 call the excess privacy loss). A sequence in the middle of the data
    is the nearest of many, so the standard error comes from the references: each one's wins are summed, and
    the two sets of sums are compared as two samples.
    """
    first = np.where(to_training < to_held_out, 1.0, np.where(to_training > to_held_out, 0.0, 0.5))
    wins = (
        np.bincount(training_index, weights=first, minlength=size),
        np.bincount(held_out_index, weights=1.0 - first, minlength=size),
    )
    num = len(first)
    # Shares add up to 1, so the difference of the sums moves the share by half as much.
    error = math.sqrt(sum(float(w.var(ddof=1)) * size for w in wins)) / (2 * num)
    value = float(first.mean())
    return Comparison(
        value, max(0.0, value - 1.96 * error), min(1.0, value + 1.96 * error), 0.5,
        standard_score(value - 0.5, error),
    )  # fmt: skip
