"""Tests of counts, and q-values for many tests."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

FloatArray = NDArray[np.float64]


def q_values(p_values: ArrayLike, num_tests: int | None = None) -> FloatArray:
    """Benjamini-Hochberg (1995) q-values, (M,) -> (M,).

    ``num_tests`` is the number of tests made when only the smallest p-values were kept. Those left out
    are larger, so the q-values given are never too small; they are exact when all are there.
    Raises ValueError if fewer tests are claimed than there are p-values.
    """
    p = np.asarray(p_values, dtype=np.float64)
    total = p.size if num_tests is None else num_tests
    if total < p.size:
        raise ValueError(f"num_tests must be at least {p.size}, got {total}")
    order = np.argsort(p, kind="stable")
    scaled = p[order] * total / np.arange(1, p.size + 1)
    q = np.empty_like(p)
    q[order] = np.minimum(np.minimum.accumulate(scaled[::-1])[::-1], 1.0)
    return q


def fisher_enrichment(
    hits: ArrayLike, total: int, background_hits: ArrayLike, background_total: int
) -> FloatArray:
    """One-sided Fisher's exact test, (M,) and (M,) -> (M,): P(at least as many hits), margins fixed."""
    from scipy.stats import hypergeom

    a, b = np.asarray(hits), np.asarray(background_hits)
    p: FloatArray = hypergeom.sf(a - 1, total + background_total, a + b, total)
    return np.clip(p, 0.0, 1.0)


def odds_ratio(hits: ArrayLike, total: int, background_hits: ArrayLike, background_total: int) -> FloatArray:
    """(M,) and (M,) -> (M,) odds of a hit over those in the background, 0.5 added to each of the four counts
    (Haldane 1956, Ann. Hum. Genet. 20:309), so that it is finite.
    """
    a, b = np.asarray(hits, dtype=np.float64), np.asarray(background_hits, dtype=np.float64)
    ratio: FloatArray = (a + 0.5) * (background_total - b + 0.5) / ((total - a + 0.5) * (b + 0.5))
    return ratio


def sign_test(gained: ArrayLike, lost: ArrayLike) -> FloatArray:
    """Two-sided exact McNemar test, (M,) and (M,) -> (M,): are gains and losses equally likely?"""
    from scipy.stats import binom

    g, n = np.asarray(gained), np.asarray(gained) + np.asarray(lost)
    tail = binom.cdf(np.minimum(g, n - g), n, 0.5)
    p: FloatArray = np.minimum(2.0 * tail, 1.0)
    return p
