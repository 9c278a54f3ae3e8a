"""Promises of the maximum mean discrepancy."""

from __future__ import annotations

import math

import numpy as np
import pytest
from scipy.sparse import csr_array

from seqdesign.metrics.kmers import kmer_matrix, position_matrix
from seqdesign.metrics.mmd import linear_features, linear_mmd, median_bandwidth, mmd_rbf, rbf_kernel


@pytest.mark.parametrize(
    ("dimensions", "shift", "expected"), [(1, 1.0, 0.1772676349), (4, 0.5, 0.0341151722)]
)
def test_the_unbiased_estimate_averages_to_the_closed_form(
    dimensions: int, shift: float, expected: float
) -> None:
    """Oracles.md 17: normals with s = l = 1; d = 1 with shift 1, d = 4 with .5 in each dimension."""
    moved = dimensions * shift**2
    assert 2 * (1 / 3) ** (dimensions / 2) * (1 - math.exp(-moved / 6)) == pytest.approx(expected, abs=1e-10)
    rng = np.random.default_rng(0)
    found = [
        mmd_rbf(rng.normal(size=(100, dimensions)), rng.normal(shift, size=(100, dimensions)), 1.0)
        for _ in range(100)
    ]
    assert np.mean(found) == pytest.approx(expected, abs=4 * np.std(found) / 10)


def test_the_unbiased_estimate_is_zero_on_average_and_negative_at_times() -> None:
    """Oracles.md 17: under equal distributions U averages to 0 where V cannot be negative."""
    rng = np.random.default_rng(1)
    pairs = [(rng.normal(size=(30, 2)), rng.normal(size=(40, 2))) for _ in range(200)]
    u = np.array([mmd_rbf(x, y, 1.0) for x, y in pairs])
    v = np.array([mmd_rbf(x, y, 1.0, unbiased=False) for x, y in pairs])
    assert abs(u.mean()) < 4 * u.std() / math.sqrt(len(u))
    assert u.min() < 0 < v.min()


def test_the_biased_estimate_is_zero_for_identical_samples() -> None:
    x = np.random.default_rng(2).normal(size=(20, 3))
    assert mmd_rbf(x, x, 0.7, unbiased=False) == pytest.approx(0, abs=1e-14)


def test_both_estimates_are_their_sums_over_pairs() -> None:
    """Oracle: the definition with loops."""
    rng = np.random.default_rng(3)
    x, y = rng.normal(size=(5, 2)), rng.normal(size=(7, 2))

    def kernel(a: np.ndarray, b: np.ndarray) -> float:
        return math.exp(-float(((a - b) ** 2).sum()) / (2 * 0.8**2))

    across = np.mean([kernel(a, b) for a in x for b in y])
    inside = [[kernel(a, b) for i, a in enumerate(z) for j, b in enumerate(z) if i != j] for z in (x, y)]
    assert mmd_rbf(x, y, 0.8) == pytest.approx(np.mean(inside[0]) + np.mean(inside[1]) - 2 * across)
    whole = [np.mean([kernel(a, b) for a in z for b in z]) for z in (x, y)]
    assert mmd_rbf(x, y, 0.8, unbiased=False) == pytest.approx(whole[0] + whole[1] - 2 * across)


def test_the_linear_kernel_on_one_hots_is_the_frobenius_distance_of_the_profiles() -> None:
    """Oracles.md 17: an exact identity for the V-statistic."""
    first, second = ["ACGT", "ACGA", "TTGA"], ["CCGT", "ACTT"]
    sums = [linear_features(position_matrix(s, "ACGT")).sum(axis=0) for s in (first, second)]
    profiles = [position_matrix(s, "ACGT").toarray().mean(axis=0) for s in (first, second)]
    expected = float(((profiles[0] - profiles[1]) ** 2).sum())
    assert float(linear_mmd(sums[0], sums[1], unbiased=False)) == pytest.approx(expected, abs=1e-12)


def test_the_linear_estimate_without_equal_pairs_is_its_sum_over_pairs() -> None:
    """Oracle: the spectrum kernel of 2-mers as dot products of dense rows."""
    x, y = (kmer_matrix(s, "ACGT", 2).toarray() for s in (["ACGT", "AACC", "GT"], ["TTT", "ACAC"]))
    sums = [linear_features(csr_array(z)).sum(axis=0) for z in (x, y)]
    inside = [((z @ z.T).sum() - (z * z).sum()) / (len(z) * (len(z) - 1)) for z in (x, y)]
    assert float(linear_mmd(*sums)) == pytest.approx(inside[0] + inside[1] - 2 * (x @ y.T).mean())


def test_kernel_and_bandwidth() -> None:
    x = np.array([[0.0], [3.0], [4.0]])
    assert rbf_kernel(x[:1], x[1:2], 3.0)[0, 0] == pytest.approx(math.exp(-0.5))
    assert median_bandwidth(x) == 3.0
    assert median_bandwidth(np.zeros((4, 2))) == 1.0
