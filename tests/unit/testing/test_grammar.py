"""The simulation grammar against published test vectors, exhaustive enumeration and sampling."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import scipy.stats
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.errors import UnknownLetterError
from seqdesign.testing.grammar import LETTERS, SimulationGrammar, letter_weights

GRAMMAR = SimulationGrammar()
STRINGS = st.text(LETTERS, min_size=10, max_size=20)
ALL_OF_LENGTH_4 = ["".join(letters) for letters in product(LETTERS, repeat=4)]

LENGTHS = range(10, 21)
MEAN_COUNT = (
    "1.04646 1.213806 1.282710 1.355731 1.427501 1.471466 1.599897 1.656979 1.719048 1.779620 1.818238"
)
VAR_COUNT = ".769523 .921260 .976975 1.051725 1.127979 1.174536 1.323676 1.380160 1.450163 1.522322 1.568123"
ENTROPY = (
    "17.549559 19.031322 20.397806 21.861399 23.259933 24.466456 "
    "25.729707 26.939084 28.236616 29.476399 30.597458"
)
MAX_LOG_PROB = (
    "-7.353779 -7.405072 -7.456365 -7.507658 -7.558952 -7.653730 "
    "-7.705023 -7.756317 -7.807610 -7.858903 -7.953682"
)
COUNT_PROBS = ".202755 .341375 .277920 .130615 .038600 .007650 .001004 .000080 .000003"
FRONTIER_20 = "-7.954 -10.749 -11.989 -12.631 -11.989 -12.685 -15.481 -16.177 -16.775 -18.973 -23.790 -29.943"


def numbers(row: str) -> list[float]:
    return [float(cell) for cell in row.split()]


def plain_log_prob(string: str) -> float:
    """The rules once more, for one string, with no shared code; the length is given."""
    total = 0.0
    for t in range(1, len(string) + 1):
        past = string[: t - 1]
        weight = dict.fromkeys(LETTERS, 1)
        rules = [
            (past.endswith("A"), "B", 171),
            (past[-3:-2] == "D", "D", 171),
            (past[-5:-4] == "E", "E", 171),
            (past.endswith("HI"), "J", 171),
            (past.endswith("IH"), "I", 171),
            (past[-3:-1] == "BC" and len(past) >= 3, "B", 171),
            (t >= 11 and past.endswith("F"), "F", 171),
            (t == 7 and past.endswith("F"), "G", 171),
            (t == 8 and past.endswith("F"), "G", 9),
            (t in {5, 10, 15, 20}, "C", 9),
            (past.endswith("C"), "A", 9),
        ]
        for holds, letter, value in rules:
            if holds:
                weight[letter] = value
        total += math.log(weight[string[t - 1]] / sum(weight.values()))
    return total


@pytest.mark.parametrize(
    ("string", "expected"),
    [
        ("ABCDEFGHIJ", -23.544066781),
        ("ABABABABAB", -14.798558987),
        ("AAAAAAAAAA", -51.524062248),
        ("HIJHIJHIJHIJ", -22.199322524),
        ("D" * 20, -10.351577004),
        ("F" * 15, -30.377429539),
        ("CABCABCABCABCABCABCA", -22.845277714),
    ],
)
def test_log_prob_has_the_known_values(string, expected):
    """Oracle 15, vectors of algorithms 2.3; they include log(1/11) for the length."""
    assert GRAMMAR.log_prob([string])[0] == pytest.approx(expected, abs=1e-9)
    without = GRAMMAR.log_prob([string], include_length=False)[0]
    assert without == pytest.approx(expected + math.log(11), abs=1e-9)


@given(st.lists(STRINGS, min_size=1, max_size=8))
def test_log_prob_of_a_batch_matches_the_rules_applied_one_by_one(strings):
    expected = [plain_log_prob(string) - math.log(11) for string in strings]
    np.testing.assert_allclose(GRAMMAR.log_prob(strings), expected, atol=1e-10)


def test_samples_and_best_strings_match_the_rules_too():
    """Uniform letters rarely meet a rule; samples meet them all the time."""
    strings = GRAMMAR.sample(300, np.random.default_rng(5))
    expected = [plain_log_prob(string) for string in strings]
    np.testing.assert_allclose(GRAMMAR.log_prob(strings, include_length=False), expected, atol=1e-10)


def test_probabilities_of_all_strings_of_length_four_sum_to_one():
    """Oracle 15."""
    grammar = SimulationGrammar(4, 4)
    log_probs = grammar.log_prob(ALL_OF_LENGTH_4)
    assert np.exp(log_probs).sum() == pytest.approx(1.0, abs=1e-12)
    np.testing.assert_allclose(log_probs, [plain_log_prob(string) for string in ALL_OF_LENGTH_4])


@pytest.mark.parametrize("include_length", [True, False])
def test_lengths_that_the_grammar_never_makes_get_minus_a_million(include_length):
    strings = ["", "A" * 9, "A" * 10, "A" * 20, "A" * 21, "A" * 60]
    log_probs = GRAMMAR.log_prob(strings, include_length=include_length)
    assert (log_probs == -1e6).tolist() == [True, True, False, False, True, True]
    assert GRAMMAR.log_prob([]).shape == (0,)


def test_other_letters_are_refused_with_their_place():
    with pytest.raises(UnknownLetterError, match=r"string 2 .* got 'K' at position 3") as caught:
        GRAMMAR.log_prob(["ABABABABAB", "ABKBABABAB"])
    assert (caught.value.letter, caught.value.position) == ("K", 3)


def test_rules_give_the_known_probabilities():
    """Algorithms 2.3: one strong .95, one weak .5, both 171/188 and 9/188, two strong 171/350."""
    blank = [6, 6, 6, 6, 6]

    def probabilities(context: list[int], position: int) -> np.ndarray:
        weights = letter_weights(np.array([context]), position)[0]
        return weights / weights.sum()

    assert probabilities([0, *blank[1:]], 2)[1] == pytest.approx(0.95)
    assert probabilities(blank, 5)[2] == pytest.approx(0.5)
    both = probabilities([0, *blank[1:]], 5)
    assert both[[1, 2]] == pytest.approx([171 / 188, 9 / 188])
    two = probabilities([0, 6, 3, 6, 6], 4)
    assert two[[1, 3]] == pytest.approx([171 / 350, 171 / 350])


def test_outcome_is_the_number_of_a_over_twenty_whatever_the_length():
    np.testing.assert_allclose(GRAMMAR.outcome(["A" * 20, "ABABABABAB", "B" * 12]), [1.0, 0.25, 0.0])


def test_exact_moments_by_length():
    """Oracle 15, table of algorithms 2.3."""
    rows = zip(*map(numbers, (MEAN_COUNT, VAR_COUNT, ENTROPY, MAX_LOG_PROB)), strict=True)
    for length, (mean, var, entropy, best) in zip(LENGTHS, rows, strict=True):
        moments = GRAMMAR.moments(length)
        assert moments.mean_count == pytest.approx(mean, abs=1e-6)
        assert moments.var_count == pytest.approx(var, abs=1e-6)
        assert moments.mean_nll == pytest.approx(entropy, abs=1e-6)
        assert GRAMMAR.frontier(length).max() == pytest.approx(best, abs=1e-6)


def test_exact_moments_of_the_whole_grammar():
    """Oracle 15: E y, sd y, E[-log p] with the length, its sd, and P(#A = k)."""
    moments = GRAMMAR.moments()
    assert moments.mean_outcome == pytest.approx(0.0744157079, abs=1e-10)
    assert moments.std_outcome == pytest.approx(0.0561829618, abs=1e-10)
    assert moments.mean_nll == pytest.approx(26.720235, abs=1e-6)
    assert moments.std_nll == pytest.approx(5.9905, abs=5e-5)
    np.testing.assert_allclose(moments.count_probs[:9], numbers(COUNT_PROBS), atol=5.1e-7)
    assert moments.count_probs.sum() == pytest.approx(1.0, abs=1e-12)


def test_best_log_prob_for_each_number_of_a():
    """Oracle 15: the frontier of algorithms 2.3 at length 20."""
    frontier = GRAMMAR.frontier(20)
    np.testing.assert_allclose(frontier[:12], numbers(FRONTIER_20), atol=5.1e-4)
    assert GRAMMAR.best_log_prob(5, 20) == frontier[5]
    assert GRAMMAR.best_log_prob(10, 10) == pytest.approx(-51.524062248 + math.log(11), abs=1e-9)


def test_moments_and_frontier_agree_with_enumeration():
    grammar = SimulationGrammar(3, 4)
    log_probs = grammar.log_prob(ALL_OF_LENGTH_4, include_length=False)
    counts = np.array([string.count("A") for string in ALL_OF_LENGTH_4])
    probabilities = np.exp(log_probs)
    moments = grammar.moments(4)
    mean_nll = -probabilities @ log_probs
    assert moments.mean_count == pytest.approx(probabilities @ counts)
    assert moments.var_count == pytest.approx(probabilities @ (counts - moments.mean_count) ** 2)
    assert moments.mean_nll == pytest.approx(mean_nll)
    assert moments.std_nll == pytest.approx(math.sqrt(probabilities @ (log_probs + mean_nll) ** 2))
    best = [log_probs[counts == k].max() for k in range(5)]
    np.testing.assert_allclose(grammar.frontier(4), best)


def test_sampler_follows_the_exact_distribution():
    """Oracle 15: chi-square of the number of A's and of the length, and the mean -log p within 4 SE."""
    strings = GRAMMAR.sample(40_000, np.random.default_rng(0))
    counts = np.bincount([string.count("A") for string in strings], minlength=6)
    observed = np.array([*counts[:5], counts[5:].sum()])
    expected = np.array([*GRAMMAR.moments().count_probs[:5], GRAMMAR.moments().count_probs[5:].sum()])
    assert scipy.stats.chisquare(observed, expected / expected.sum() * len(strings)).pvalue > 1e-3
    lengths = np.bincount([len(string) for string in strings])[10:]
    assert lengths.shape == (11,)
    assert scipy.stats.chisquare(lengths).pvalue > 1e-3
    nll = -GRAMMAR.log_prob(strings)
    assert abs(nll.mean() - 26.720235) < 4 * nll.std() / math.sqrt(len(nll))


def test_sampler_gives_each_string_its_probability():
    """Strings of length 2, one cell each: the draws of single letters, not only their number of A's."""
    grammar = SimulationGrammar(2, 2)
    cells = ["".join(pair) for pair in product(LETTERS, repeat=2)]
    draws = grammar.sample(50_000, np.random.default_rng(1))
    observed = np.array([draws.count(cell) for cell in cells])
    expected = np.exp(grammar.log_prob(cells)) * len(draws)
    assert scipy.stats.chisquare(observed, expected).pvalue > 1e-3


def test_same_seed_gives_the_same_strings():
    first = GRAMMAR.sample(20, np.random.default_rng(3))
    assert first == GRAMMAR.sample(20, np.random.default_rng(3))
    assert first != GRAMMAR.sample(20, np.random.default_rng(4))
    assert GRAMMAR.sample(0, np.random.default_rng(3)) == []


def test_impossible_requests_are_refused():
    with pytest.raises(ValueError, match="got 20 and 10"):
        SimulationGrammar(20, 10)
    with pytest.raises(ValueError, match="between 10 and 20, got 9"):
        GRAMMAR.moments(9)
    with pytest.raises(ValueError, match="between 10 and 20, got 21"):
        GRAMMAR.frontier(21)
    with pytest.raises(ValueError, match="length 10, got 11"):
        GRAMMAR.best_log_prob(11, 10)
