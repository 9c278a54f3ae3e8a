"""Promises of intervals and of the comparison with real sequences."""

from __future__ import annotations

import math
from typing import Literal

import numpy as np
import pytest
from scipy.sparse import csr_array
from scipy.stats import binomtest, fisher_exact, norm

from seqdesign.metrics.kmers import indicator
from seqdesign.metrics.mmd import linear_features, linear_mmd
from seqdesign.metrics.resampling import Comparison, Statistic, compare, share, standard_score
from seqdesign.metrics.spectra import jensen_shannon, wasserstein

GRID = np.arange(20.0)


def run(labels: np.ndarray, sizes: tuple[int, int, int], seed: int = 0, resamples: int = 100) -> Comparison:
    ends = np.cumsum(sizes)
    places = np.split(np.arange(ends[-1]), ends[:-1])
    statistic = Statistic(indicator(labels, 20), lambda a, b: wasserstein(GRID, a, b))
    return compare(statistic, *places, np.random.default_rng(seed), resamples)


def test_value_and_real_are_the_distances_of_the_sets() -> None:
    labels = np.array([1, 3, 1, 1, 2, 2, 2])
    found = run(labels, (2, 2, 3))
    assert (found.value, found.real) == (1.0, 1.0)
    assert found.z == 0


def test_one_source_is_as_real_and_another_is_not() -> None:
    """z under the null is standardised; a shift by one of twenty values is far outside."""
    rng = np.random.default_rng(1)
    scores = [run(rng.binomial(19, 0.5, 160), (50, 50, 60), seed, 50).z for seed in range(100)]
    assert abs(np.mean(scores)) < 0.4
    assert 0.75 < np.std(scores) < 1.3
    real = rng.binomial(19, 0.5, 700)
    moved = np.concatenate([rng.binomial(19, 0.6, 200), real[200:]])
    assert run(moved, (200, 200, 300)).z > 3 > run(real, (200, 200, 300)).z


def test_the_interval_is_as_wide_as_the_spread_over_samples() -> None:
    rng = np.random.default_rng(2)
    found = [
        run(np.concatenate([rng.binomial(19, 0.6, 80), rng.binomial(19, 0.4, 160)]), (80, 80, 80), i, 50)
        for i in range(60)
    ]
    width = np.mean([(f.high - f.low) / (2 * 1.96) for f in found])
    assert width == pytest.approx(np.std([f.value for f in found]), rel=0.3)


@pytest.mark.parametrize("shift", [0.1, 0.4, 1.0])
@pytest.mark.parametrize("degree", [1, 2])
def test_a_distance_says_how_well_it_tells_single_rows_apart(shift: float, degree: Literal[1, 2]) -> None:
    """Normal numbers that are moved by so many standard deviations, alone or beside four that are not."""
    rng = np.random.default_rng(4)
    rows = rng.normal(size=(7500, 5 if degree == 2 else 1))
    rows[:2500, 0] += shift
    if degree == 2:
        statistic = Statistic(linear_features(csr_array(rows)), linear_mmd)
    else:
        grid, labels = np.unique(rows.round(1), return_inverse=True)
        features = indicator(labels.ravel(), len(grid))
        statistic = Statistic(features, lambda a, b: wasserstein(grid, a, b), degree=1)
    found = compare(statistic, *np.split(np.arange(7500), 3), rng, 200)
    assert found.auc == pytest.approx(norm.cdf(shift / math.sqrt(2)), abs=0.02)


def test_the_seed_decides_everything() -> None:
    labels = np.random.default_rng(3).integers(0, 20, 60)
    assert run(labels, (20, 20, 20), 7) == run(labels, (20, 20, 20), 7)
    assert run(labels, (20, 20, 20), 7) != run(labels, (20, 20, 20), 8)
    with pytest.raises(ValueError, match="must be 20 indices"):
        run(labels, (20, 15, 25))


def test_sums_are_weighted_counts() -> None:
    statistic = Statistic(indicator(np.array([0, 2, 2]), 3), jensen_shannon)
    assert statistic.sums(np.array([[1.0, 2, 0], [0, 1, 1]])).tolist() == [[1, 0, 2], [0, 0, 2]]


@pytest.mark.parametrize(("hits", "number"), [(0, 30), (7, 30), (30, 30), (3, 1000)])
def test_the_interval_of_a_share_is_wilsons(hits: int, number: int) -> None:
    found = share(hits, number)
    expected = binomtest(hits, number).proportion_ci(0.95, "wilson")
    assert (found.low, found.high) == (pytest.approx(expected.low), pytest.approx(expected.high))
    assert math.isnan(found.real)


@pytest.mark.parametrize(("hits", "real_hits"), [(30, 20), (100, 0), (3, 2)])
def test_two_shares_are_compared_exactly(hits: int, real_hits: int) -> None:
    """One of 20 beside none of 2,000 is chance, though many standard errors of a normal approximation."""
    found, turned = share(hits, 100, real_hits, 100), share(real_hits, 100, hits, 100)
    table = [[hits, 100 - hits], [real_hits, 100 - real_hits]]
    assert norm.sf(found.z) == pytest.approx(fisher_exact(table, "greater").pvalue)
    assert (found.real, turned.z) == (real_hits / 100, -found.z)
    assert share(0, 10, 0, 2000).z == 0
    assert 0 < share(1, 20, 0, 2000).z < 3


def test_a_difference_without_error_is_infinitely_sure() -> None:
    assert standard_score(1.0, 0.0) == math.inf
    assert standard_score(-2.0, 0.0) == -math.inf
    assert standard_score(0.0, 0.0) == 0
