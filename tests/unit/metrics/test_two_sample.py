"""Promises of the distances between two samples of numbers."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.stats import wasserstein_distance

from seqdesign.metrics.two_sample import kolmogorov_smirnov, on_common_values, wasserstein

VALUES = st.lists(st.integers(-5, 5), min_size=1, max_size=20)


@settings(max_examples=40)
@given(VALUES, VALUES)
def test_the_distances_are_those_of_scipy_and_of_the_definition(first: list[int], second: list[int]) -> None:
    values, a, b = on_common_values(first, second)
    assert float(wasserstein(values, a, b)) == pytest.approx(wasserstein_distance(first, second), abs=1e-12)
    gaps = [abs(np.mean(np.array(first) <= v) - np.mean(np.array(second) <= v)) for v in range(-5, 6)]
    assert float(kolmogorov_smirnov(a, b)) == pytest.approx(max(gaps), abs=1e-12)


def test_closed_forms() -> None:
    """Oracles.md 7: {0: .5, 1: .5} against {0: .25, 3: .75} is 1.75; a point against another is their gap."""
    assert float(wasserstein(*on_common_values([0, 0, 1, 1], [0, 3, 3, 3]))) == 1.75
    values, a, b = on_common_values([2.0], [5.5])
    assert (float(wasserstein(values, a, b)), float(kolmogorov_smirnov(a, b))) == (3.5, 1.0)


def test_many_samples_at_once() -> None:
    values = np.array([0.0, 1.0, 3.0])
    rows = np.array([[1.0, 1, 0], [0, 0, 2]])
    assert wasserstein(values, rows, np.array([[1.0, 0, 0]])).tolist() == [0.5, 3.0]
