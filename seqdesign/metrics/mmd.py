"""Squared maximum mean discrepancy between two samples (Gretton et al. 2012, JMLR 13:723).

MMD^2 = E k(x, x') + E k(y, y') - 2 E k(x, y). The V-statistic averages over all pairs: never negative, 0 for
identical samples, biased upwards. The U-statistic leaves the pairs (i, i) out (equation 3): unbiased, and
negative about half of the time when both samples come from one distribution.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array, hstack
from scipy.spatial.distance import cdist

FloatArray = npt.NDArray[np.float64]


def rbf_kernel(x: FloatArray, y: FloatArray, bandwidth: float) -> FloatArray:
    """k(x, y) = exp(-||x - y||^2 / (2 bandwidth^2)) of rows of (N, D) and (M, D), shape (N, M)."""
    return np.exp(cdist(x, y, "sqeuclidean") / (-2.0 * bandwidth**2))


def median_bandwidth(x: FloatArray) -> float:
    """Median distance between different rows of (N, D), N >= 2; 1 where all are equal."""
    distances = cdist(x, x)[np.triu_indices(len(x), 1)]
    return float(np.median(distances[distances > 0])) if (distances > 0).any() else 1.0


def mmd_rbf(x: FloatArray, y: FloatArray, bandwidth: float, *, unbiased: bool = True) -> float:
    """MMD^2 with the Gaussian kernel of rows of (N, D) and (M, D); N, M >= 2 for the U-statistic.

    Between N(0, s^2 I) and the same moved by D in d dimensions its expectation is
    2 (l^2 / (l^2 + 2 s^2))^(d/2) (1 - exp(-||D||^2 / (2 (l^2 + 2 s^2)))), with l the bandwidth.
    """
    rows = np.vstack([x, y])
    kernel = rbf_kernel(rows, rows, bandwidth)
    first = np.repeat([1.0, 0.0], [len(x), len(y)])
    return float(kernel_mmd(kernel, first, 1.0 - first, unbiased=unbiased))


def kernel_mmd(
    kernel: FloatArray, first: FloatArray, second: FloatArray, *, unbiased: bool = True
) -> FloatArray:
    """MMD^2 from a kernel matrix (N, N) and how often each item is in either sample, (..., N) each."""
    diagonal = kernel.diagonal()
    products = first @ kernel
    within = [
        _mean((products * first).sum(axis=-1), first @ diagonal, first.sum(axis=-1), unbiased),
        _mean(((second @ kernel) * second).sum(axis=-1), second @ diagonal, second.sum(axis=-1), unbiased),
    ]
    across = (products * second).sum(axis=-1) / (first.sum(axis=-1) * second.sum(axis=-1))
    return within[0] + within[1] - 2 * across


def linear_features(x: csr_array) -> csr_array:
    """(N, D + 2): the features, then ||x||^2 and 1, whose sums over a sample are all `linear_mmd` needs."""
    squares = x.multiply(x).sum(axis=1)
    return hstack([x, csr_array(np.column_stack([squares, np.ones(x.shape[0])]))], format="csr")


def linear_mmd(first: FloatArray, second: FloatArray, *, unbiased: bool = True) -> FloatArray:
    """MMD^2 with k(x, y) = x.y, from sums (..., D + 2) of `linear_features` over either sample.

    The V-statistic is ||mean x - mean y||^2. On one-hot sequences this is the squared Frobenius distance of
    the two position frequency matrices; on k-mer counts it is the spectrum kernel (Leslie et al. 2002).
    """
    means, within = [], []
    for sums in (first, second):
        total, squares, number = sums[..., :-2], sums[..., -2], sums[..., -1]
        means.append(total / number[..., None])
        within.append(_mean((total**2).sum(axis=-1), squares, number, unbiased))
    return within[0] + within[1] - 2 * (means[0] * means[1]).sum(axis=-1)


def _mean(total: FloatArray, diagonal: FloatArray, number: FloatArray, unbiased: bool) -> FloatArray:
    """Mean of k over all pairs of one sample, without the pairs (i, i) if ``unbiased``."""
    if not unbiased:
        return total / number**2
    return (total - diagonal) / np.maximum(number * (number - 1), 1)  # one alone has no pairs
