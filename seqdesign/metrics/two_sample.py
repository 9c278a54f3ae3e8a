"""Distances between two samples of one number each, such as lengths or GC contents.

A sample is given by counts over the sorted values that occur: ``values`` (U,) increasing, and counts
(..., U) of each, so that many resampled versions are compared at once.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from seqdesign.metrics.spectra import frequencies

FloatArray = npt.NDArray[np.float64]


def wasserstein(values: FloatArray, first: npt.ArrayLike, second: npt.ArrayLike) -> FloatArray:
    """1-Wasserstein distance, the integral of |F1 - F2| (Vallender 1974), in the units of ``values``."""
    gap = np.abs(_cdf(first) - _cdf(second))
    return (gap[..., :-1] * np.diff(values)).sum(axis=-1)


def _cdf(counts: npt.ArrayLike) -> FloatArray:
    return np.cumsum(frequencies(counts), axis=-1)
