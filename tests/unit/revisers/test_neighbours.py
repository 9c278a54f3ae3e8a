"""Neighbours of strings, against all strings of the alphabet."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from seqdesign.constraints.mask import MaskConstraint
from seqdesign.constraints.rules import Rules
from seqdesign.metrics.edits import levenshtein
from seqdesign.objectives.goals.maximize import maximize
from seqdesign.revisers.neighbours import neighbours
from seqdesign.revisers.problem import DesignProblem
from seqdesign.testing.toy import LinearOutcome
from seqdesign.testing.toy_latent import ToyLatentModel

MODEL = ToyLatentModel(LinearOutcome(torch.tensor([1.0, 0.3, -0.6, 0.45])))


def near(strings: list[str], starts: list[str], count: int = 1000, **rules: Any) -> list[set[str]]:
    """Neighbours of each string, each of which has a start of its own."""
    tokens, lengths = MODEL.tokens(starts)
    problem = DesignProblem(MODEL, tokens, lengths, maximize, **rules)
    source, found, longer = neighbours(problem, torch.arange(len(strings)), *MODEL.tokens(strings), count)
    texts = MODEL.strings(found, longer)
    once = all(len(set(row)) == len(row) for row in _by_string(texts, source, len(strings)))
    assert once or "max_edits" in rules  # two exchanges may give one string
    # Nothing but padding behind the last letter.
    assert torch.equal(MODEL.tokens(texts)[0], found)
    return [set(row) for row in _by_string(texts, source, len(strings))]


def _by_string(texts: list[str], source: torch.Tensor, num: int) -> list[list[str]]:
    return [[t for t, i in zip(texts, source.tolist(), strict=True) if i == row] for row in range(num)]


def strings(*lengths: int) -> list[str]:
    return ["".join(letters) for length in lengths for letters in itertools.product("ABC", repeat=length)]


def one_edit(own: str, *, indels: bool = True) -> set[str]:
    """All strings one edit away, of 1 to 4 letters."""
    found = {s for s in strings(1, 2, 3, 4) if levenshtein(s, own) == 1}
    return {s for s in found if indels or len(s) == len(own)}


@pytest.mark.parametrize("indels", [True, False])
def test_without_a_budget_one_edit_is_made(indels: bool) -> None:
    own = ["ABCA", "BB", "C"]
    for string, found in zip(own, near(own, ["AAAA", "CC", "A"], indels=indels), strict=True):
        assert found == one_edit(string, indels=indels)


@pytest.mark.parametrize("indels", [True, False])
def test_with_a_budget_an_edit_is_exchanged_for_another(indels: bool) -> None:
    """ABCA has two edits of AAAA: what one of them back and another change elsewhere gives is near, too."""
    (found,) = near(["ABCA"], ["AAAA"], max_edits=2, indels=indels)
    within = {s for s in strings(1, 2, 3, 4) if levenshtein(s, "AAAA") <= 2}
    plain = one_edit("ABCA", indels=indels) & within
    assert {s for s in found if levenshtein(s, "ABCA") == 1} == plain
    exchanged = {s for s in strings(4) if s[1] == "A" and s[2] in "BC" and levenshtein(s, "AACA") == 1}
    exchanged |= {s for s in strings(4) if s[2] == "A" and s[1] in "BC" and levenshtein(s, "ABAA") == 1}
    assert exchanged <= found
    assert all(levenshtein(s, "AACA") == 1 or levenshtein(s, "ABAA") == 1 for s in found - plain)


@pytest.mark.parametrize("budget", [1, 2, 3])
def test_a_string_of_another_length_stays_within_the_budget(budget: int) -> None:
    """And takes nothing back. Against the distances of all strings."""
    pairs = [(own, start) for own in ("ABC", "BA", "CABB") for start in ("AAAA", "CB", "BCA")]
    pairs = [(own, start) for own, start in pairs if len(own) != len(start)]
    for (own, start), found in zip(
        pairs, near([own for own, _ in pairs], [start for _, start in pairs], max_edits=budget), strict=True
    ):
        assert found == {s for s in one_edit(own) if levenshtein(s, start) <= budget}, (own, start)


def test_fixed_positions_and_rules_hold() -> None:
    forced = torch.tensor([[0, -1, -1, -1]])
    allowed = torch.ones(1, 4, 3, dtype=torch.bool)
    allowed[:, 1, 2] = False
    rule = MaskConstraint("--letters", allowed, lambda row, place: "allowed")
    rules = Rules([rule], num_starts=1, length=4, num_letters=3)
    (found,) = near(["AAAA"], ["AAAA"], forced=forced, rules=rules)
    assert found == {"ABAA", "AABA", "AACA", "AAAB", "AAAC", "AAA"}
    (found,) = near(["ABAA"], ["ABAA"], forced=torch.tensor([[-1, 1, -1, -1]]), min_length=4)
    assert found == {"BBAA", "CBAA", "ABBA", "ABCA", "ABAB", "ABAC"}
    (found,) = near(["AB"], ["AB"], forced=torch.tensor([[-1, 1, -1, -1]]))
    assert found == {"BB", "CB", "ABA", "ABB", "ABC"}


def test_of_too_many_those_are_likelier_that_the_language_model_expects() -> None:
    share = torch.tensor([0.9, 0.05, 0.05]).log()
    model = ToyLatentModel(LinearOutcome(torch.ones(4)), letter_log_prob=share)
    tokens, lengths = model.tokens(strings(3))
    problem = DesignProblem(model, tokens, lengths, maximize, indels=False)
    source, found, _ = neighbours(problem, torch.arange(len(tokens)), tokens, lengths, 1)
    without = (tokens != 0).all(1)[source]  # A or B or C could be written at three places each
    assert 7 <= int((found[without] == 0).any(1).sum()) <= int(without.sum()) == 8


@pytest.mark.parametrize("count", [1, 3])
def test_fewer_are_the_same_in_every_batch(count: int) -> None:
    together = near(["ABCA", "CCCC", "BABA"], ["AAAA", "CCBB", "BBBB"], count, max_edits=3)
    assert [len(found) for found in together] == [count] * 3
    alone = near(["CCCC"], ["CCBB"], count, max_edits=3)
    assert together[1] == alone[0]


def test_of_too_many_moves_some_are_drawn(monkeypatch: pytest.MonkeyPatch) -> None:
    """Still neighbours, and the same in every batch."""
    every = near(["CCCC"], ["CCBB"], max_edits=3)[0]
    monkeypatch.setattr("seqdesign.revisers.neighbours.MOST_MOVES", 20)
    (alone,) = near(["CCCC"], ["CCBB"], max_edits=3, count=4)
    together = near(["ABCA", "CCCC"], ["AAAA", "CCBB"], max_edits=3, count=4)
    assert together[1] == alone
    assert alone
    assert alone <= every
