"""Promises of the measures of copying, repeats and closeness to the training set."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binom, mannwhitneyu, norm

from seqdesign.metrics.memorization import closeness, preference
from seqdesign.metrics.nearest import Nearest, nearest
from seqdesign.metrics.novelty import excess_of_copies, num_copies, num_distinct


def test_repeats_and_copies_are_counted() -> None:
    assert num_distinct(["A", "C", "A"]) == 2
    assert num_copies(["A", "C", "A"], ["A", "G"]) == 2


def test_copies_of_training_are_compared_with_hits_of_held_out_sequences() -> None:
    """Three of training, one of held out, among 3 + 5 candidates; the shared one does not count."""
    training, held_out = ["A", "C", "G", "X"], ["T", "AA", "AC", "AG", "AT", "X"]
    hits = excess_of_copies(["A", "A", "C", "G", "T", "X", "new"], training, held_out)
    assert hits[:2] == (3, 1)
    assert hits[2] == pytest.approx(float(binom.pmf([3, 4], 4, 3 / 8).sum()))
    assert excess_of_copies(["new"], training, held_out) == (0, 0, 1.0)
    assert excess_of_copies(["A"], ["A"], ["A"]) == (0, 0, 1.0)


def test_the_rank_test_is_that_of_scipy() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 9, 40), rng.integers(1, 10, 70)
    found = closeness(first, second)
    p = mannwhitneyu(first, second, alternative="less", method="asymptotic", use_continuity=False).pvalue
    assert norm.sf(found.z) == pytest.approx(p)
    assert closeness(second, first).z == pytest.approx(-found.z)


def test_the_share_of_too_close_sequences_is_counted_below_the_quantile() -> None:
    held_out = np.arange(1, 1001)
    found = closeness(np.array([5, 9, 10, 500]), held_out)
    assert found.cut == 10
    assert (found.too_close.value, found.too_close.real) == (0.5, 0.009)
    assert closeness(np.full(5, 3), np.full(9, 3)).z == 0


def texts(rng: np.random.Generator, num: int, length: int = 30) -> list[str]:
    return ["".join("ACGT"[c] for c in row) for row in rng.integers(0, 4, (num, length))]


def test_copies_with_a_few_changes_prefer_training() -> None:
    rng = np.random.default_rng(1)
    training, held_out = texts(rng, 60), texts(rng, 30)
    copies = [t[:9] + t[10:] for t in training[:20]]
    found = preference(nearest(copies, training), nearest(copies, held_out), (60, 30), 5)
    assert found is not None
    assert (found.value, found.real) == (1.0, pytest.approx(2 / 3))
    assert found.z > 3


def test_nothing_near_gives_no_preference() -> None:
    far = Nearest(np.array([7, 8]), np.array([0, 0]), np.array([1, 1]))
    assert preference(far, far, (3, 3), 7) is None


def test_preference_is_standardised_when_labels_do_not_matter() -> None:
    """One source for all three sets: z over many draws has mean 0 and deviation 1, hubs included."""
    rng = np.random.default_rng(2)
    scores = []
    for _ in range(150):
        known = texts(rng, 60, 5)
        queries = texts(rng, 60, 5)
        found = preference(nearest(queries, known[:40]), nearest(queries, known[40:]), (40, 20), 4)
        assert found is not None
        scores.append(found.z)
    assert abs(np.mean(scores)) < 4 / np.sqrt(150)
    assert 0.75 < np.std(scores) < 1.25
