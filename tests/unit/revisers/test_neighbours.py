"""Neighbours of strings, against all strings of the alphabet."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
import torch

from seqdesign.constraints.mask import MaskConstraint
from seqdesign.constraints.rules import Rules
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
    own, own_lengths = MODEL.tokens(strings)
    source, found = neighbours(problem, torch.arange(len(strings)), own, count)
    texts = MODEL.strings(found, own_lengths[source])
    rows = [
        [t for t, i in zip(texts, source.tolist(), strict=True) if i == row] for row in range(len(strings))
    ]
    assert all(len(row) == len(set(row)) for row in rows)
    return [set(row) for row in rows]


def apart(a: str, b: str) -> int:
    return sum(x != y for x, y in zip(a, b, strict=True))


def strings(length: int) -> list[str]:
    return ["".join(letters) for letters in itertools.product("ABC", repeat=length)]


def test_without_a_budget_one_letter_differs() -> None:
    for own, found in zip(["ABCA", "BB"], near(["ABCA", "BB"], ["AAAA", "CC"]), strict=True):
        assert found == {s for s in strings(len(own)) if apart(s, own) == 1}


def test_with_a_budget_an_edit_is_exchanged_for_another() -> None:
    """ABCA has two edits of AAAA: what one of them back and another place changed gives is near, too."""
    (found,) = near(["ABCA"], ["AAAA"], max_edits=2)
    plain = {s for s in strings(4) if apart(s, "ABCA") == 1}
    exchanged = {s for s in strings(4) if s[1] == "A" and s[2] in "BC" and apart(s, "AACA") == 1}
    exchanged |= {s for s in strings(4) if s[2] == "A" and s[1] in "BC" and apart(s, "ABAA") == 1}
    assert found == plain | exchanged


def test_a_string_of_another_length_takes_nothing_back() -> None:
    (found,) = near(["ABC"], ["AAAA"], max_edits=3)
    assert found == {s for s in strings(3) if apart(s, "ABC") == 1}


def test_fixed_positions_and_rules_hold() -> None:
    forced = torch.tensor([[0, -1, -1, -1]])
    allowed = torch.ones(1, 4, 3, dtype=torch.bool)
    allowed[:, 1, 2] = False
    rule = MaskConstraint("--letters", allowed, lambda row, place: "allowed")
    rules = Rules([rule], num_starts=1, length=4, num_letters=3)
    (found,) = near(["AAAA"], ["AAAA"], forced=forced, rules=rules)
    assert found == {"ABAA", "AABA", "AACA", "AAAB", "AAAC"}


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
