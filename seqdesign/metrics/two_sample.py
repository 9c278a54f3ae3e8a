"""Distances between two samples of one number each, such as lengths or GC contents.

A sample is given by counts over the sorted values that occur: ``values`` (U,) increasing, and counts
(..., U) of each, so that many resampled versions are compared at once. See `on_common_values`.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seqdesign.metrics.spectra import frequencies

FloatArray = npt.NDArray[np.float64]


def on_common_values(
    first: npt.ArrayLike, second: npt.ArrayLike
) -> tuple[FloatArray, FloatArray, FloatArray]:
    """(values, counts of first, counts of second) of two plain samples."""
    a, b = (np.asarray(x, dtype=np.float64) for x in (first, second))
    values, places = np.unique(np.concatenate([a, b]), return_inverse=True)
    counts = [np.bincount(p, minlength=len(values)).astype(np.float64) for p in np.split(places, [len(a)])]
    return values, counts[0], counts[1]


def wasserstein(values: FloatArray, first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """1-Wasserstein distance, the integral of |F1 - F2| (Vallender 1974), in the units of ``values``."""
    gap = np.abs(_cdf(first) - _cdf(second))
    return (gap[..., :-1] * np.diff(values)).sum(axis=-1)


def kolmogorov_smirnov(first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """Largest |F1 - F2| over all values, in [0, 1] (Smirnov 1948)."""
    return np.abs(_cdf(first) - _cdf(second)).max(axis=-1)


def _cdf(counts: npt.ArrayLike) -> FloatArray:
    return np.cumsum(frequencies(counts), axis=-1)
