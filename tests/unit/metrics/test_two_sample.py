"""Promises of the distances between two samples of numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from seqdesign.metrics.two_sample import wasserstein

VALUES = st.lists(st.integers(-5, 5), min_size=1, max_size=20)


@settings(max_examples=40)
@given(VALUES, VALUES)
def test_the_distance_is_that_of_scipy(first: list[int], second: list[int]) -> None:
    values = np.arange(-5.0, 6.0)
    counts = [[sample.count(v) for v in values] for sample in (first, second)]
    assert float(wasserstein(values, *counts)) == pytest.approx(
        wasserstein_distance(first, second), abs=1e-12
    )


def test_closed_forms() -> None:
    """Oracles.md 7: {0: .5, 1: .5} against {0: .25, 3: .75} is 1.75; a point against another is their gap."""
    assert float(wasserstein(np.array([0.0, 1.0, 3.0]), [2, 2, 0], [1, 0, 3])) == 1.75
    assert float(wasserstein(np.array([2.0, 5.5]), [1, 0], [0, 1])) == 3.5


def test_many_samples_at_once() -> None:
    values = np.array([0.0, 1.0, 3.0])
    rows = np.array([[1.0, 1, 0], [0, 0, 2]])
    assert wasserstein(values, rows, np.array([[1.0, 0, 0]])).tolist() == [0.5, 3.0]
