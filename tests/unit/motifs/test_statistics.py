"""Promises of the tests and q-values, against scipy."""

from __future__ import annotations

import numpy as np
import pytest
from scipy import stats

from seqdesign.motifs.statistics import fisher_enrichment, odds_ratio, q_values, sign_test


def test_q_values_equal_scipys():
    p = np.random.default_rng(0).random(200) ** 3
    np.testing.assert_allclose(q_values(p), stats.false_discovery_control(p), rtol=1e-12)


def test_q_values_of_the_smallest_are_never_too_small():
    p = np.sort(np.random.default_rng(1).random(300) ** 2)
    whole = stats.false_discovery_control(p)
    kept = q_values(p[:40], 300)
    assert np.all(kept >= whole[:40] - 1e-15)
    assert kept[0] == pytest.approx(min(1, np.min(p[:40] * 300 / np.arange(1, 41))))


def test_no_p_values_have_no_q_values_and_too_few_tests_are_refused():
    assert q_values([]).size == 0
    with pytest.raises(ValueError, match="at least 2"):
        q_values([0.1, 0.2], 1)


def test_fishers_test_equals_scipys():
    for a, n, b, m in [(3, 10, 1, 12), (0, 5, 4, 9), (7, 7, 0, 8), (0, 4, 0, 4)]:
        wanted = stats.fisher_exact([[a, n - a], [b, m - b]], alternative="greater").pvalue
        assert fisher_enrichment(a, n, b, m) == pytest.approx(wanted, rel=1e-9)


def test_odds_are_corrected_by_a_half():
    assert odds_ratio(3, 10, 0, 10) == pytest.approx(3.5 * 10.5 / (7.5 * 0.5))


def test_the_sign_test_equals_scipys():
    gained, lost = np.array([5, 0, 9, 0]), np.array([1, 4, 9, 0])
    wanted = [
        stats.binomtest(int(g), int(g + k)).pvalue if g + k else 1.0
        for g, k in zip(gained, lost, strict=True)
    ]
    np.testing.assert_allclose(sign_test(gained, lost), wanted)
