"""Promises of the k-mer counts and the divergences between spectra."""

from __future__ import annotations

import math
from collections import Counter

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.spatial.distance import jensenshannon
from scipy.stats import wasserstein_distance

from seqdesign.metrics.kmers import MOST_COLUMNS, indicator, kmer_matrix, position_matrix
from seqdesign.metrics.spectra import (
    frequencies,
    jensen_shannon,
    kl_divergence,
    mean_profile_divergence,
    profile_divergence,
    wasserstein,
)

SEQUENCES = st.lists(st.text("ACGTN", max_size=12), min_size=1, max_size=6)
VALUES = st.lists(st.integers(-5, 5), min_size=1, max_size=20)
COUNTS = st.lists(st.integers(0, 50), min_size=4, max_size=4).filter(any)


@settings(max_examples=40)
@given(SEQUENCES, st.integers(1, 4))
def test_every_word_of_known_letters_is_counted_in_its_sequence(sequences: list[str], k: int) -> None:
    """Oracle: slices counted one by one, columns by the base-V number of the word."""
    found = kmer_matrix(sequences, "ACGT", k).toarray()
    assert found.shape == (len(sequences), 4**k)
    for row, text in zip(found, sequences, strict=True):
        words = Counter(w for i in range(len(text) - k + 1) if "N" not in (w := text[i : i + k]))
        expected = np.zeros(4**k)
        for word, count in words.items():
            expected[int("".join(str("ACGT".index(c)) for c in word), 4)] = count
        assert (row == expected).all()


def test_words_beyond_a_million_are_counted_where_they_occur() -> None:
    letters = "ACDEFGHIKLMNPQRSTVWY"
    found = kmer_matrix(["ACDEFGACDEFG", "ACDEFY"], letters, 6).toarray()
    assert len(letters) ** 6 > MOST_COLUMNS
    # ACDEFG, ACDEFY, CDEFGA, DEFGAC, EFGACD, FGACDE, GACDEF in alphabetic order.
    assert found.tolist() == [[2, 0, 1, 1, 1, 1, 1], [0, 1, 0, 0, 0, 0, 0]]


def test_one_hot_rows_have_a_one_for_each_known_letter() -> None:
    assert position_matrix(["AC", "NG"], "ACGT").toarray().tolist() == [
        [1, 0, 0, 0, 0, 1, 0, 0],
        [0, 0, 0, 0, 0, 0, 1, 0],
    ]
    assert indicator(np.array([2, 0]), 3).toarray().tolist() == [[0, 0, 1], [1, 0, 0]]
    with pytest.raises(ValueError, match="one length, got 1 to 2"):
        position_matrix(["A", "AC"], "ACGT")


@pytest.mark.parametrize(("letters", "k"), [("AA", 1), ("", 1), ("ACGT", 0)])
def test_counting_refuses_a_wrong_alphabet_or_word_length(letters: str, k: int) -> None:
    with pytest.raises(ValueError, match="must be"):
        kmer_matrix(["ACGT"], letters, k)


@settings(max_examples=40)
@given(COUNTS, COUNTS)
def test_jensen_shannon_is_what_scipy_says(first: list[int], second: list[int]) -> None:
    """Oracles.md 20: symmetric, in [0, 1]; scipy returns the square root, here with base 2."""
    found = float(jensen_shannon(first, second))
    assert 0.0 <= found <= 1.0
    assert found == pytest.approx(float(jensen_shannon(second, first)), abs=1e-12)
    assert found == pytest.approx(float(jensenshannon(first, second, base=2)) ** 2, abs=1e-7)


def test_jensen_shannon_of_equal_and_disjoint_counts() -> None:
    """Oracles.md 20 and 6: JS((.7,.3), (.2,.8)) = .1325054509 nats."""
    assert jensen_shannon([1, 2, 3], [2, 4, 6]) == pytest.approx(0, abs=1e-15)
    assert jensen_shannon([1, 1, 0], [0, 0, 5]) == 1.0
    assert float(jensen_shannon([7, 3], [2, 8])) * math.log(2) == pytest.approx(0.1325054509, abs=1e-10)


def test_kl_has_its_pseudocount_and_its_direction() -> None:
    """p = (2/3, 1/3) and q = (1/4, 3/4) after one count is added to each."""
    expected = 2 / 3 * math.log2((2 / 3) / (1 / 4)) + 1 / 3 * math.log2((1 / 3) / (3 / 4))
    assert float(kl_divergence([1, 0], [0, 2])) == pytest.approx(expected)
    assert kl_divergence([1, 0], [0, 2], pseudocount=0) == math.inf
    assert kl_divergence([3, 5], [3, 5]) == 0


def test_rows_are_compared_at_once_as_one_by_one() -> None:
    rng = np.random.default_rng(0)
    a, b = rng.integers(1, 9, (5, 6)), rng.integers(1, 9, (1, 6))
    for divergence in (jensen_shannon, kl_divergence):
        assert divergence(a, b) == pytest.approx([float(divergence(row, b[0])) for row in a])


def test_a_profile_is_compared_position_by_position() -> None:
    """Position 1 equal, position 2 disjoint, position 3 without letters on one side."""
    first, second = [[2, 0, 1, 0, 1, 0]], [[4, 0, 0, 3, 0, 0]]
    found = profile_divergence(first, second, 2)
    assert found[0, :2].tolist() == [0, 1]
    assert math.isnan(found[0, 2])
    assert mean_profile_divergence(first, second, 2) == pytest.approx([1 / 3])
    assert np.isnan(frequencies([0, 0])).all()


@settings(max_examples=40)
@given(VALUES, VALUES)
def test_the_distance_is_that_of_scipy(first: list[int], second: list[int]) -> None:
    values = np.arange(-5.0, 6.0)
    counts = [[sample.count(v) for v in values] for sample in (first, second)]
    assert float(wasserstein(values, *counts)) == pytest.approx(
        wasserstein_distance(first, second), abs=1e-12
    )


def test_distances_in_closed_form() -> None:
    """{0: .5, 1: .5} against {0: .25, 3: .75} is 1.75; a point against another is their gap."""
    assert float(wasserstein(np.array([0.0, 1.0, 3.0]), [2, 2, 0], [1, 0, 3])) == 1.75
    assert float(wasserstein(np.array([2.0, 5.5]), [1, 0], [0, 1])) == 3.5


def test_distances_of_many_samples_at_once() -> None:
    values = np.array([0.0, 1.0, 3.0])
    rows = np.array([[1.0, 1, 0], [0, 0, 2]])
    assert wasserstein(values, rows, np.array([[1.0, 0, 0]])).tolist() == [0.5, 3.0]
