"""Whether generated sequences lie closer to the training set than new real ones do."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from seqdesign.metrics.nearest import Nearest
from seqdesign.metrics.regression import average_ranks
from seqdesign.metrics.resampling import Comparison, share, standard_score

IntArray = npt.NDArray[np.int64]


@dataclass(frozen=True)
class Closeness:
    """Nearest-training distances of generated sequences against those of held-out ones."""

    cut: int
    """The 1% quantile of the held-out distances."""
    too_close: Comparison
    """Share of generated sequences closer than ``cut``; real is that of held-out ones, at most 1%."""
    z: float
    """Standard score of the Mann-Whitney test; positive is closer, negative is further away."""


def closeness(generated: IntArray, held_out: IntArray) -> Closeness:
    """The data-copying test of Meehan, Chaudhuri and Dasgupta (2020), in one cell.

    ``generated`` (N,) and ``held_out`` (M,) are distances to the nearest training sequence. A model that
    copies puts its sequences closer than fresh ones from the same source are; one that misses the data puts
    them further away. The share below the 1% quantile sees a few copies that the whole distribution hides.
    z is (n m / 2 - U) over its standard deviation with ties (Mann and Whitney 1947).
    """
    cut = int(np.quantile(held_out, 0.01, method="lower"))
    near = share(int((generated < cut).sum()), len(generated), int((held_out < cut).sum()), len(held_out))
    n, m = len(generated), len(held_out)
    both = np.concatenate([generated, held_out]).astype(np.float64)
    u = average_ranks(both)[:n].sum() - n * (n + 1) / 2
    counts = np.unique(both, return_counts=True)[1].astype(np.float64)
    ties = float((counts**3 - counts).sum()) / ((n + m) * (n + m - 1))
    return Closeness(
        cut, near, standard_score(n * m / 2 - float(u), math.sqrt(n * m / 12 * (n + m + 1 - ties)))
    )


def preference(training: Nearest, held_out: Nearest, sizes: tuple[int, int], cut: int) -> Comparison | None:
    """Of generated sequences close to a real one, the share whose nearest real one is a training sequence.

    ``training`` and ``held_out`` are the nearest of each N generated sequences in either set, ``sizes`` how
    many sequences those have; only distances below ``cut`` count (None where there are none). To a model that
    does not copy, which real sequence served for training is as good as random, so its nearest one is a
    training sequence with probability m_T / (m_T + m_H), which is ``real``. Equally near ones share. (The
    excess is the privacy loss of Yale et al. 2020, here for sets of different sizes.)

    A real sequence in the middle of the data is the nearest of many. So what is shuffled is the label of
    real sequences: each one's wins are summed, and the variance is that of m_T sums drawn from all.
    """
    close = np.minimum(training.distance, held_out.distance) < cut
    num = int(close.sum())
    if num == 0:
        return None
    expected = sizes[0] / sum(sizes)
    first, second = training.distance[close], held_out.distance[close]
    fair = training.ties[close] / (training.ties[close] + held_out.ties[close])
    won = np.where(first < second, 1.0, np.where(first > second, 0.0, fair))
    wins = np.concatenate(
        [
            np.bincount(training.index[close], weights=won, minlength=sizes[0]),
            np.bincount(held_out.index[close], weights=1.0 - won, minlength=sizes[1]),
        ]
    )
    error = math.sqrt(sizes[0] * (1 - expected) * float(wins.var(ddof=1))) / num
    value = float(won.mean())
    low, high = max(0.0, value - 1.96 * error), min(1.0, value + 1.96 * error)
    return Comparison(value, low, high, expected, standard_score(value - expected, error))
