"""Promises of the classifier two-sample test."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.optimize import minimize
from scipy.stats import norm

from seqdesign.metrics.classifier import auc_with_error, logistic_ridge, two_sample_auc
from seqdesign.metrics.regression import auroc


def test_the_fit_is_the_minimum_that_another_optimizer_finds() -> None:
    rng = np.random.default_rng(0)
    x, y = rng.normal(size=(60, 4)), (rng.random(60) < 0.5).astype(float)

    def loss(w: np.ndarray) -> float:
        score = x @ w[:-1] + w[-1]
        return float((np.logaddexp(0, score) - y * score).sum() + 1.5 * (w[:-1] ** 2).sum())

    other = minimize(loss, np.zeros(5), method="BFGS", options={"gtol": 1e-8})
    assert logistic_ridge(x, y, 3.0) == pytest.approx(other.x, abs=1e-4)


def test_separable_classes_have_a_finite_fit() -> None:
    x = np.array([[-2.0], [-1.0], [1.0], [2.0]])
    w = logistic_ridge(x, np.array([0.0, 0, 1, 1]), 1e-3)
    assert np.isfinite(w).all()
    assert w[0] > 1


def test_the_area_is_that_of_auroc_and_counts_ties_half() -> None:
    rng = np.random.default_rng(1)
    first, second = rng.integers(2, 8, 30).astype(float), rng.integers(0, 6, 50).astype(float)
    labels = np.repeat([1, 0], [30, 50])
    assert auc_with_error(first, second)[0] == pytest.approx(auroc(labels, np.concatenate([first, second])))
    assert auc_with_error(np.ones(3), np.ones(4)) == (0.5, 0.0)


def test_the_error_is_the_spread_over_samples() -> None:
    """Normals one apart: the area is Phi(1 / sqrt 2)."""
    rng = np.random.default_rng(2)
    found = [auc_with_error(rng.normal(1, size=60), rng.normal(size=40)) for _ in range(400)]
    areas = np.array([a for a, _ in found])
    assert areas.mean() == pytest.approx(norm.cdf(1 / np.sqrt(2)), abs=0.01)
    assert np.mean([e for _, e in found]) == pytest.approx(areas.std(), rel=0.1)


def test_one_source_cannot_be_told_apart_and_two_can() -> None:
    rng = np.random.default_rng(3)
    x, y = rng.poisson(3, (200, 10)).astype(float), rng.poisson(3, (150, 10)).astype(float)
    area, error = two_sample_auc(x, y, np.random.default_rng(0))
    assert abs(area - 0.5) < 3.5 * error
    area, _ = two_sample_auc(x + np.eye(10)[0] * 4, y, np.random.default_rng(0))
    assert area > 0.9
    assert two_sample_auc(x, y, np.random.default_rng(5)) == two_sample_auc(x, y, np.random.default_rng(5))


def test_too_few_rows_are_refused() -> None:
    with pytest.raises(ValueError, match="5 folds need 10 rows each, got 9 and 20"):
        two_sample_auc(np.zeros((9, 2)), np.zeros((20, 2)), np.random.default_rng(0))
