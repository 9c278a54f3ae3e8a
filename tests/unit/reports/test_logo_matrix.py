from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays

from seqdesign.reports.logo_matrix import count_letters, difference, information, probabilities

COUNTS = arrays(np.float64, (5, 4), elements=st.integers(0, 60).map(float)).filter(
    lambda c: bool((c.sum(axis=1) > 0).all())
)


@pytest.fixture(scope="module")
def logomaker_information():
    """logomaker 0.8, independent implementation of the heights without small-sample correction."""
    pandas = pytest.importorskip("pandas")
    logomaker = pytest.importorskip("logomaker")

    def transform(counts, pseudocount):
        frame = pandas.DataFrame(counts, columns=list("ACDEFGHIKLMNPQRSTVWY"[: counts.shape[1]]))
        options = {"from_type": "counts", "to_type": "information", "pseudocount": pseudocount}
        return logomaker.transform_matrix(frame, **options).to_numpy()

    return transform


@pytest.mark.parametrize("pseudocount", [0.5, 1.0, 3.0])
@pytest.mark.parametrize("num_letters", [4, 20])
def test_heights_equal_logomakers(logomaker_information, pseudocount, num_letters):
    counts = np.random.default_rng(0).integers(0, 40, (30, num_letters)).astype(float)
    ours = information(counts, small_sample=False, pseudocount=pseudocount)
    np.testing.assert_allclose(ours, logomaker_information(counts, pseudocount), atol=1e-9)


def test_heights_equal_logomakers_without_pseudocount(logomaker_information):
    counts = np.array([[10.0, 0, 0, 0], [5, 5, 0, 0], [1, 2, 3, 4]])
    ours = information(counts, small_sample=False)
    np.testing.assert_allclose(ours, logomaker_information(counts, 0), atol=1e-6)


def test_information_of_known_columns():
    """By hand: one letter carries log2 4 = 2 bits, two equal letters 1 bit, four equal letters none."""
    counts = np.array([[8.0, 0, 0, 0], [4, 4, 0, 0], [2, 2, 2, 2]])
    heights = information(counts, small_sample=False)
    np.testing.assert_allclose(heights, [[2, 0, 0, 0], [0.5, 0.5, 0, 0], [0, 0, 0, 0]], atol=1e-12)


def test_small_sample_correction_is_schneider_and_stephens():
    """By hand: e(n) = (4 - 1) / (2 ln 2 n) = 0.2164 bits for n = 10."""
    counts = np.array([[10.0, 0, 0, 0]])
    assert information(counts)[0, 0] == pytest.approx(2 - 0.216404, abs=1e-6)


def test_the_correction_uses_the_letters_of_each_position():
    """A column with gaps has fewer letters, so a larger correction."""
    counts = count_letters(["AC", "A-", "A-", "A-"], "ACGT").counts
    full, gapped = information(np.repeat(counts, 1, axis=0))
    assert full.sum() == pytest.approx(2 - 3 / (8 * np.log(2)))
    assert gapped.sum() == 0.0


def test_frequencies_need_the_correction_switched_off():
    frequencies = np.array([[0.5, 0.5, 0, 0]])
    with pytest.raises(ValueError, match="needs counts"):
        information(frequencies)
    np.testing.assert_allclose(information(frequencies, small_sample=False).sum(), 1.0)


@given(COUNTS)
def test_stacks_stay_between_zero_and_log2_v(counts):
    for small_sample in (True, False):
        total = information(counts, small_sample=small_sample).sum(axis=1)
        assert (total >= 0).all()
        assert (total <= 2 + 1e-12).all()


@given(COUNTS)
def test_probabilities_sum_to_one(counts):
    np.testing.assert_allclose(probabilities(counts).sum(axis=1), 1.0)


def test_the_most_frequent_length_is_counted_and_told():
    counted = count_letters(["ACG", "AC", "AT", "AN", ""], "ACGT")
    assert (counted.used, counted.total) == (3, 5)
    np.testing.assert_array_equal(counted.counts, [[3, 0, 0, 0], [0, 1, 0, 1]])


def test_equally_frequent_lengths_take_the_longest():
    assert count_letters(["AC", "ACG"], "ACGT").counts.shape == (3, 4)


def test_counts_equal_a_plain_loop():
    rng = np.random.default_rng(1)
    sequences = ["".join(rng.choice(list("ACGTN"), 7)) for _ in range(50)]
    expected = [[sum(s[i] == letter for s in sequences) for letter in "ACGT"] for i in range(7)]
    np.testing.assert_array_equal(count_letters(sequences, "ACGT").counts, expected)


@pytest.mark.parametrize("sequences", [[], ["", ""]])
def test_no_positions_is_an_error(sequences):
    with pytest.raises(ValueError, match="at least one non-empty sequence"):
        count_letters(sequences, "ACGT")


def test_letters_listed_twice_are_an_error():
    with pytest.raises(ValueError, match="distinct"):
        count_letters(["A"], "AA")


@given(COUNTS, COUNTS)
def test_differences_are_antisymmetric(first, second):
    for kind in ("probability", "log-odds"):
        forth, back = difference(first, second, kind=kind), difference(second, first, kind=kind)
        np.testing.assert_allclose(forth, -back, atol=1e-12)


def test_differences_of_known_columns():
    """By hand: p from 3/4 to 1/4; log2 ((1 + 1) / (3 + 1)) = -1 with a pseudocount of one."""
    first, second = np.array([[3.0, 1, 0, 0]]), np.array([[1.0, 3, 0, 0]])
    np.testing.assert_allclose(difference(first, second), [[-0.5, 0.5, 0, 0]])
    np.testing.assert_allclose(difference(first, second, kind="log-odds"), [[-1, 1, 0, 0]])


def test_sets_of_different_length_have_no_difference():
    with pytest.raises(ValueError, match="same length"):
        difference(np.ones((2, 4)), np.ones((3, 4)))


def test_log_odds_without_pseudocount_are_refused():
    with pytest.raises(ValueError, match="above 0, got 0"):
        difference(np.ones((1, 4)), np.ones((1, 4)), kind="log-odds", pseudocount=0)


def test_counts_are_not_changed():
    counts = np.array([[3.0, 1, 0, 0], [0, 0, 0, 0]])
    kept = counts.copy()
    information(counts, pseudocount=1)
    difference(counts, counts)
    np.testing.assert_array_equal(counts, kept)
