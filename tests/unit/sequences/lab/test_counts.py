"""Log enrichment from counts, against values made by hand and a simulated selection."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from seqdesign.sequences.lab.counts import enrichment

SEED = 7


def selection(
    rng: np.random.Generator, fitness: NDArray[np.float64], *, rounds: int, extra: float
) -> NDArray[np.float64]:
    """Counts (T, N) of a library whose sequences grow by their fitness in all rounds together."""
    shares = rng.lognormal(0, 0.7, len(fitness))
    table = []
    for time in np.linspace(0, 1, rounds):
        grown = shares * np.exp(fitness * time) * np.exp(rng.normal(0, extra, len(fitness)))
        table.append(rng.poisson(200 * len(fitness) * grown / grown.sum()))
    return np.array(table, dtype=np.float64)


def test_two_rounds_are_a_difference_of_logarithms_with_the_error_of_counting() -> None:
    counts = np.array([[100.0, 50, 0, 0], [20, 50, 3, 0]])
    found = enrichment([counts])
    shares = np.log(counts + 0.5) - np.log(counts.sum(axis=1, keepdims=True) + 0.5)
    assert found.values[:3] == pytest.approx((shares[1] - shares[0])[:3])
    assert found.stderr[:3] == pytest.approx(np.sqrt((1 / (counts + 0.5)).sum(axis=0))[:3])
    assert np.isnan([found.values[3], found.stderr[3]]).all()
    assert found.replicates.tolist() == [1, 1, 1, 0]


@pytest.mark.parametrize(
    ("rounds", "replicates", "extra"), [(2, 2, 0.0), (2, 3, 0.3), (3, 1, 0.2), (4, 2, 0.2)]
)
def test_errors_are_as_large_as_they_say(rounds: int, replicates: int, extra: float) -> None:
    rng = np.random.default_rng(SEED)
    fitness = rng.normal(0, 1, 3000)
    found = enrichment([selection(rng, fitness, rounds=rounds, extra=extra) for _ in range(replicates)])
    off = found.values - fitness
    scores = (off - np.median(off)) / found.stderr
    assert np.std(scores) == pytest.approx(1, abs=0.1)
    assert np.corrcoef(found.values, fitness)[0, 1] > 0.9
    assert found.noise is not None
    assert found.noise.r == pytest.approx(np.corrcoef(found.values, fitness)[0, 1], abs=0.02)


def test_replicates_at_other_levels_are_one_and_a_lost_one_changes_nothing_but_the_error() -> None:
    rng = np.random.default_rng(SEED)
    fitness = rng.normal(0, 1, 500)
    one, two = (selection(rng, fitness, rounds=2, extra=0) for _ in range(2))
    two[1] *= 1 + 4 * (np.arange(500) == 0)  # one sequence takes the place of the others
    two[:, 1] = 0
    found = enrichment([one, two])
    assert found.replicates[1] == 1
    assert found.stderr[1] > np.median(found.stderr)
    off = found.values - fitness
    assert abs(off[1] - np.median(off[2:])) < 4 * found.stderr[1]
