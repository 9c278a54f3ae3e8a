"""Promises of the measures of diversity, and agreement with seqme."""

from __future__ import annotations

import math

import numpy as np
import pytest

from seqdesign.metrics.diversity import effective_number, mean_pairwise_distance


def test_pairs_of_known_distance() -> None:
    """Pairs at 1/2, 1/2 and 1; the rows' means are 1/2, 3/4 and 3/4."""
    mean, error = mean_pairwise_distance(["AC", "AG", "CC"])
    assert mean == pytest.approx(2 / 3)
    assert error == pytest.approx(2 * np.std([0.5, 0.75, 0.75], ddof=1) / math.sqrt(3))
    assert mean_pairwise_distance(["AC", "AC"]) == (0.0, 0.0)
    with pytest.raises(ValueError, match="at least 2"):
        mean_pairwise_distance(["AC"])


def test_the_error_is_the_spread_over_samples() -> None:
    rng = np.random.default_rng(0)
    found = [
        mean_pairwise_distance(["".join("ACGT"[c] for c in r) for r in rng.binomial(3, 0.3, (40, 8))])
        for _ in range(100)
    ]
    assert np.mean([e for _, e in found]) == pytest.approx(np.std([m for m, _ in found]), rel=0.25)


def test_the_effective_number_of_equal_clusters_is_their_number() -> None:
    assert effective_number([0, 1, 2, 3]) == (pytest.approx(4.0), pytest.approx(0.0, abs=1e-8))
    assert effective_number([7, 7, 7])[0] == 1.0


def test_the_effective_number_and_its_error_follow_the_entropy() -> None:
    """Shares 3/4 and 1/4; the error against the spread over samples of 200."""
    p = np.array([0.75, 0.25])
    entropy = -(p * np.log(p)).sum()
    number, error = effective_number([0, 0, 0, 1])
    assert number == pytest.approx(math.exp(entropy))
    rng = np.random.default_rng(1)
    draws = [effective_number(rng.choice(2, 200, p=p)) for _ in range(300)]
    assert np.std([math.log(n) for n, _ in draws]) == pytest.approx(error * math.sqrt(4 / 200), rel=0.15)
