"""Regression metrics against scipy and hand-made values."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.stats
from hypothesis import assume, given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqdesign.metrics.regression import (
    LEAST_SLOPE,
    auroc,
    average_ranks,
    pearson,
    r2,
    shrinkage,
    spearman,
)

METRICS = [r2, spearman, pearson, auroc]
CORRELATIONS = [r2, spearman, pearson]
# Coarse values make ties common.
vectors = arrays(
    np.float64, st.tuples(st.just(2), st.integers(3, 30)), elements=st.integers(-5, 5).map(float)
)


def test_known_values_by_hand():
    """y = 1..4 against f = 1, 2, 3, 5: residual sum 1, total sum 5."""
    measured, predicted = [1, 2, 3, 4], [1, 2, 3, 5]
    assert r2(measured, predicted) == pytest.approx(0.8)
    assert spearman(measured, predicted) == pytest.approx(1.0)
    assert pearson(measured, predicted) == pytest.approx(6.5 / math.sqrt(5 * 8.75))
    assert auroc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]) == pytest.approx(0.75)


def test_r2_is_zero_for_the_mean_and_negative_for_worse():
    assert r2([1, 2, 3], [2, 2, 2]) == pytest.approx(0.0)
    assert r2([1, 2, 3], [3, 2, 1]) == pytest.approx(-3.0)


@given(vectors)
def test_correlations_match_scipy(pair):
    measured, predicted = pair
    assume(np.ptp(measured) > 0)
    assume(np.ptp(predicted) > 0)
    assert pearson(measured, predicted) == pytest.approx(
        scipy.stats.pearsonr(measured, predicted).statistic, abs=1e-12
    )
    assert spearman(measured, predicted) == pytest.approx(
        scipy.stats.spearmanr(measured, predicted).statistic, abs=1e-12
    )


@given(vectors)
def test_ranks_match_scipy(pair):
    np.testing.assert_array_equal(average_ranks(pair[0]), scipy.stats.rankdata(pair[0]))


@given(vectors)
def test_auroc_is_the_share_of_correctly_ordered_pairs(pair):
    labels, scores = pair[0] > 0, pair[1]
    assume(0 < labels.sum() < len(labels))
    differences = scores[labels][:, None] - scores[~labels][None, :]
    expected = np.mean((differences > 0) + 0.5 * (differences == 0))
    assert auroc(labels, scores) == pytest.approx(expected, abs=1e-12)


@pytest.mark.parametrize("metric", CORRELATIONS)
@pytest.mark.parametrize("measured", [[], [1.0], [0.1, 0.1, 0.1]])
def test_constant_or_too_few_measured_values_give_nan(metric, measured):
    assert math.isnan(metric(measured, np.arange(len(measured), dtype=float)))


@pytest.mark.parametrize("metric", [pearson, spearman])
def test_constant_predictions_have_no_correlation(metric):
    assert math.isnan(metric([1.0, 2.0, 3.0], [0.1, 0.1, 0.1]))


def test_auroc_needs_both_classes():
    assert math.isnan(auroc([1, 1], [0.1, 0.2]))
    assert math.isnan(auroc([0, 0], [0.1, 0.2]))


@pytest.mark.parametrize("metric", METRICS)
def test_nan_makes_nan_unless_it_is_skipped(metric):
    measured = np.array([0.0, 1.0, math.nan, 1.0, 0.0])
    predicted = np.array([0.1, 0.7, 0.3, math.nan, 0.4])
    assert math.isnan(metric(measured, predicted))
    whole = metric([0.0, 1.0, 0.0], [0.1, 0.7, 0.4])
    assert metric(measured, predicted, skip_nan=True) == pytest.approx(whole)


@pytest.mark.parametrize("metric", METRICS)
def test_other_shapes_are_refused_with_both_shapes(metric):
    with pytest.raises(ValueError, match=r"\(2,\) and \(1,\)"):
        metric([0.0, 1.0], [0.0])
    with pytest.raises(ValueError, match="vectors"):
        metric([[0.0, 1.0]], [[0.0, 1.0]])


def test_labels_other_than_zero_and_one_are_refused():
    with pytest.raises(ValueError, match=r"0 or 1, got 0\.5"):
        auroc([0.0, 0.5, 1.0], [1.0, 2.0, 3.0])


def test_tiny_and_huge_values_keep_their_correlation():
    x = np.array([1.0, 2.0, 4.0])
    assert pearson(x * 1e-150, x * 1e150) == pytest.approx(1.0)


def promised(count: int, slope: float, noise: float, seed: int = 0) -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(seed)
    predicted = rng.normal(size=count)
    return slope * predicted + noise * rng.normal(size=count), predicted


@pytest.mark.parametrize(("slope", "found"), [(0.6, 0.6), (1.0, 1.0), (1.7, 1.0), (-0.5, LEAST_SLOPE)])
def test_the_slope_is_that_of_least_squares_but_never_above_one(slope: float, found: float) -> None:
    assert shrinkage(*promised(2000, slope, 0.5)) == pytest.approx(found, abs=0.03)


def test_rows_that_are_few_and_noisy_change_little() -> None:
    """On average over small samples of a right F, and of one that promises twice too much."""
    right = [shrinkage(*promised(12, 1.0, 2.0, seed)) for seed in range(200)]
    wrong = [shrinkage(*promised(12, 0.5, 0.3, seed)) for seed in range(200)]
    assert np.median(right) == 1.0
    assert np.median(wrong) == pytest.approx(0.5, abs=0.05)
    assert shrinkage(np.arange(20.0), np.zeros(20)) == 1.0
