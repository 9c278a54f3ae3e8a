"""Edit distances against known pairs, a plain recurrence and the axioms of a metric."""

from __future__ import annotations

import re

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.metrics.edits import apply_edits as applied
from seqdesign.metrics.edits import (
    carry_over,
    edit_list,
    edits_in_frame,
    hamming_matrix,
    letter_codes,
    levenshtein,
    levenshtein_matrix,
    levenshtein_pairs,
)

words = st.text("ACGT", max_size=12)
EDIT = re.compile(
    r"^(?:(?P<old>[A-Z])(?P<at>\d+)(?P<new>[A-Z])|(?P<kind>del|ins)(?P<place>\d+)(?P<letter>[A-Z]))$"
)


def apply_edits(original: str, edits: list[str]) -> str:
    """Read the notation back; an independent reference for the round trip."""
    kept, inserted = list(original), [""] * (len(original) + 1)
    for edit in edits:
        match = EDIT.match(edit)
        assert match is not None
        if match["kind"] == "ins":
            inserted[int(match["place"]) - 1] += match["letter"]
            continue
        at = int(match["at"] or match["place"]) - 1
        assert original[at] == (match["old"] or match["letter"])
        kept[at] = match["new"] or ""
    return "".join(a + b for a, b in zip(inserted, [*kept, ""], strict=True))


def recurrence(a: str, b: str) -> int:
    """The textbook dynamic programme."""
    row = list(range(len(b) + 1))
    for i, x in enumerate(a, 1):
        previous, row = row, [i]
        for j, y in enumerate(b, 1):
            row.append(min(previous[j] + 1, row[-1] + 1, previous[j - 1] + (x != y)))
    return row[-1]


@pytest.mark.parametrize(
    ("a", "b", "distance"),
    [("kitten", "sitting", 3), ("intention", "execution", 5), ("flaw", "lawn", 2), ("", "abc", 3)],
)
def test_levenshtein_has_the_known_values(a, b, distance):
    """Oracle 16."""
    assert levenshtein(a, b) == levenshtein(b, a) == distance
    assert len(edit_list(a, b)) == distance


@given(words, words)
def test_levenshtein_matches_the_recurrence(a, b):
    assert levenshtein(a, b) == recurrence(a, b)


@given(words, words, words)
def test_levenshtein_is_a_metric(a, b, c):
    """Oracle 16: symmetry and triangle inequality."""
    assert (levenshtein(a, b) == 0) == (a == b)
    assert levenshtein(a, b) == levenshtein(b, a)
    assert levenshtein(a, c) <= levenshtein(a, b) + levenshtein(b, c)


@given(st.lists(words, max_size=5), st.lists(words, max_size=5))
def test_matrix_and_pairs_agree_with_single_distances(first, second):
    matrix = levenshtein_matrix(first, second)
    assert matrix.shape == (len(first), len(second))
    assert matrix.dtype == np.int64
    assert matrix.tolist() == [[levenshtein(a, b) for b in second] for a in first]
    size = min(len(first), len(second))
    pairs = levenshtein_pairs(first[:size], second[:size])
    assert pairs.dtype == np.int64
    assert pairs.tolist() == np.diag(matrix)[:size].tolist()


def test_edits_name_letters_and_one_based_positions_of_the_original():
    assert edit_list("AAAAA", "AAAAG") == ["A5G"]
    assert edit_list("ACTGA", "ACGA") == ["del3T"]
    assert edit_list("AAAAAAGG", "AAAAAACGG") == ["ins7C"]
    assert edit_list("GG", "GGAC") == ["ins3A", "ins3C"]
    assert edit_list("ACGT", "ACGT") == []


@given(words, words)
def test_applying_the_edit_list_gives_the_revised_sequence(a, b):
    edits = edit_list(a, b)
    assert len(edits) == levenshtein(a, b)
    assert apply_edits(a, edits) == b


@given(st.integers(0, 8).flatmap(lambda n: st.tuples(*[st.text("ACGT", min_size=n, max_size=n)] * 4)))
def test_hamming_counts_differing_positions(strings):
    first, second = list(strings[:2]), list(strings[2:])
    expected = [[sum(x != y for x, y in zip(a, b, strict=True)) for b in second] for a in first]
    matrix = hamming_matrix(letter_codes(first), letter_codes(second))
    assert matrix.tolist() == expected


def test_unequal_counts_or_lengths_and_other_letters_are_refused():
    with pytest.raises(ValueError, match="got 1 and 2"):
        levenshtein_pairs(["A"], ["A", "C"])
    with pytest.raises(ValueError, match=r"\(2\), got 3 letters at index 1"):
        letter_codes(["AC", "ACG"])
    with pytest.raises(ValueError, match="'é'"):
        letter_codes(["Aé"])
    with pytest.raises(ValueError, match="got 2 and 3"):
        hamming_matrix(letter_codes(["AC"]), letter_codes(["ACG"]))


@pytest.mark.parametrize(
    ("original", "revised"),
    [("ACGT", "ACGT"), ("ACGT", "AGGTT"), ("AAAA", "AA"), ("", "ACG"), ("ACG", ""), ("GATTACA", "TACACAT")],
)
def test_applying_all_edits_of_a_list_makes_the_revised_sequence(original: str, revised: str) -> None:
    edits = edit_list(original, revised)
    assert applied(original, edits) == revised == apply_edits(original, edits)
    assert applied(original, []) == original


def test_any_of_the_edits_can_be_left_out() -> None:
    assert applied("ACGT", ["A1T", "ins2G", "ins2C", "del4T", "ins5A"]) == "TGCCGA"
    assert applied("ACGT", ["ins2C", "ins5A"]) == "ACCGTA"
    assert applied("ACGT", ["A1T"]) == "TCGT"


@pytest.mark.parametrize("edit", ["A5G", "A0G", "ins6A", "del5T", "AG", "5", "del", "A1", ""])
def test_text_that_is_no_edit_of_the_sequence_is_refused(edit: str) -> None:
    with pytest.raises(ValueError, match="must be like A5G"):
        applied("ACGT", [edit])


def test_what_a_model_cannot_read_is_carried_over():
    # The model read the first R as N and wrote N where it changed nothing.
    assert carry_over("ARGT", "ANGT", "ANGA") == "ARGA"
    assert carry_over("ARGTR", "ANGTN", "NGTTN") == "RGTTR"
    assert carry_over("ACGT", "ACGT", "TTTT") == "TTTT"
    with pytest.raises(ValueError, match="same length, got 2 and 3"):
        carry_over("AR", "ANN", "A")


@pytest.mark.parametrize(
    ("original", "revised", "edits"),
    [
        ("ACGT", "ACCGT", ["ins2C"]),
        ("AAAT", "AAT", ["del1A"]),
        ("ACACACT", "ACACT", ["del1A", "del2C"]),
        ("GGAT", "GGGAT", ["ins1G"]),
    ],
)
def test_of_equal_letters_the_first_one_goes_or_comes(original: str, revised: str, edits: list[str]) -> None:
    assert edit_list(original, revised) == edits


@given(words, words, st.data())
def test_edits_in_a_frame_lead_there_with_its_indels_at_most(a: str, b: str, data: st.DataObject) -> None:
    revised = data.draw(st.text("ACGT", min_size=len(b), max_size=len(b)))
    found = [edit for edit, _ in edits_in_frame(a, b, revised)]
    assert apply_edits(a, found) == revised

    def indels(edits: list[str]) -> int:
        return sum(edit.startswith(("del", "ins")) for edit in edits)

    assert indels(found) <= indels(edit_list(a, b))
