"""The pool: each candidate once, and which of them count, worked out by hand."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign.errors import InputError
from seqdesign.objectives.goals.maximize import maximize
from seqdesign.objectives.goals.target import target
from seqdesign.revisers import hashes as hashing
from seqdesign.revisers import pool as pooling
from seqdesign.revisers.pool import Pool, per_item_generator
from seqdesign.revisers.problem import DesignProblem
from seqdesign.testing.toy import LinearOutcome
from seqdesign.testing.toy_latent import ToyLatentModel

NATS = torch.tensor([-1.0, -2.0, -4.0])
"""Log-probabilities of A, B, C."""


class Counting(ToyLatentModel):
    """F is the number of the first letter; keeps how many sequences were scored and judged."""

    def __init__(self) -> None:
        super().__init__(LinearOutcome(torch.tensor([1.0, 0.0, 0.0])), max_length=3, letter_log_prob=NATS)
        self.scored: list[int] = []
        self.judged: list[int] = []

    def outcome(self, z: Tensor) -> Tensor:
        self.scored.append(len(z))
        return super().outcome(z)

    def log_likelihood(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        self.judged.append(len(tokens))
        return super().log_likelihood(tokens, lengths)


def make(starts: list[str], **rules: Any) -> tuple[Pool, Counting]:
    model = Counting()
    tokens, lengths = model.tokens(starts)
    return Pool(DesignProblem(model, tokens, lengths, **{"score": maximize, **rules})), model


def add(pool: Pool, candidates: list[tuple[int, str]], at_code: float = 0.0) -> None:
    tokens, lengths = Counting().tokens([text for _, text in candidates])
    owner = torch.tensor([i for i, _ in candidates], dtype=torch.long)
    pool.add(owner, tokens, lengths, torch.full((len(candidates),), at_code))


def best(pool: Pool, k: int) -> list[list[str]]:
    places, exist = pool.best(k)
    strings = Counting().strings(pool.tokens, pool.lengths)
    return [[strings[p] for p in row[e].tolist()] for row, e in zip(places, exist, strict=True)]


def test_each_start_and_string_is_scored_once() -> None:
    """The starts themselves are known from the beginning.

    Another start may have the same string, which is encoded once where both come together.
    """
    pool, model = make(["A", "B"])
    add(pool, [(0, "C"), (0, "C"), (1, "C"), (0, "A"), (1, "B")], at_code=1.5)
    add(pool, [(0, "C"), (1, "A"), (0, "B")], at_code=9.0)
    add(pool, [(0, "B")])
    assert model.scored == [2, 1, 2]
    assert pool.owner.tolist() == [0, 1, 0, 1, 1, 0]
    assert Counting().strings(pool.tokens, pool.lengths) == ["A", "B", "C", "C", "A", "B"]
    assert pool.at_code[2:].tolist() == [1.5, 1.5, 9.0, 9.0]
    assert pool.result().num_scored.tolist() == [2, 2]


def test_naturalness_is_computed_from_the_top_down_for_as_many_as_it_takes() -> None:
    """By score C > B > A as first letters, and C is not natural: of C, CB, B and BA all but BA are judged."""
    pool, model = make(["A"], min_loglik_change=-1.0)
    add(pool, [(0, "BA"), (0, "C"), (0, "B"), (0, "CB")])
    assert model.judged == [1]
    assert best(pool, 1) == [["B"]]
    assert sum(model.judged) == 1 + 4
    assert best(pool, 1) == [["B"]]
    assert sum(model.judged) == 1 + 4


def test_a_start_without_natural_strings_costs_the_others_nothing() -> None:
    """Of the first start all four are judged, of the other the two that are asked for."""
    pool, model = make(["A", "B"], min_loglik_change=-1.0)
    add(pool, [(0, "CA"), (0, "CB"), (0, "CC"), (0, "CAA")])
    add(pool, [(1, "BA"), (1, "CCB"), (1, "C"), (1, "CAB"), (1, "BAA")])
    pool.before.log_likelihood[1] = -99.0
    assert [len(each) for each in best(pool, 2)] == [0, 2]
    assert sum(model.judged) == 2 + 4 + 2


def test_of_equal_strings_of_different_starts_one_is_judged() -> None:
    pool, model = make(["A", "A", "AA"], min_loglik_change=-9.0)
    add(pool, [(0, "C"), (1, "C"), (2, "C"), (2, "CA")])
    assert best(pool, 2) == [["C"], ["C"], ["C", "CA"]]
    assert model.judged == [2, 2]


def test_strings_with_one_hash_are_told_apart(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hashing, "hashes", lambda owner, tokens: torch.zeros_like(owner))
    monkeypatch.setattr(pooling, "hashes", lambda owner, tokens: torch.zeros_like(owner))
    pool, model = make(["A", "B"])
    add(pool, [(0, "C"), (1, "CA"), (0, "BA")])
    assert pool.outcome.tolist() == [0.0, 1.0, 2.0, 2.0, 1.0]
    assert model.scored == [2, 3]


def test_of_what_is_settled_the_designs_stay() -> None:
    pool, _ = make(["A", "B"], top=1)
    add(pool, [(0, "C"), (1, "C"), (0, "BA"), (1, "CA")])
    pool.settle(torch.tensor([0]))
    assert Counting().strings(pool.tokens, pool.lengths) == ["A", "B", "C", "C", "CA"]
    assert best(pool, 2) == [["C"], ["C", "CA"]]
    add(pool, [(0, "C"), (1, "C")])
    assert pool.result().num_scored.tolist() == [2, 2]


def test_a_pool_is_as_it_was_where_memory_ran_out(monkeypatch: pytest.MonkeyPatch) -> None:
    pool, _ = make(["A", "B"])
    add(pool, [(0, "C")])
    left, cat = [4], torch.cat

    def scarce(tensors: Any, dim: int = 0) -> Tensor:
        left[0] -= 1
        if left[0] == 0:
            raise torch.OutOfMemoryError("CUDA out of memory (simulated)")
        return cat(tensors, dim)

    monkeypatch.setattr(torch, "cat", scarce)
    for _ in range(2):
        with pytest.raises(torch.OutOfMemoryError):
            add(pool, [(0, "BA"), (1, "C")])
        left[0] = 6
    monkeypatch.undo()
    add(pool, [(0, "BA"), (1, "C")])
    assert best(pool, 2) == [["C", "BA"], ["C"]]
    assert pool.result().num_scored.tolist() == [2, 1]


def test_naturalness_that_decides_nothing_is_computed_for_designs_alone() -> None:
    pool, model = make(["A", "B"])
    add(pool, [(0, "BA"), (0, "C"), (1, "B"), (1, "CB")])
    result = pool.result()
    assert model.judged == [2, 2]
    assert result.log_likelihood.flatten().tolist() == [-4.0, -6.0]


def test_strings_that_differ_in_length_only_are_different() -> None:
    pool, _ = make(["A"])
    add(pool, [(0, "B"), (0, "BA"), (0, "BAA"), (0, "BA")])
    assert Counting().strings(pool.tokens, pool.lengths) == ["A", "B", "BA", "BAA"]


def test_too_short_candidates_are_not_scored() -> None:
    pool, model = make(["AAA", "A"], min_length=2)
    add(pool, [(0, "C"), (1, "C"), (0, "CC")])
    assert model.scored == [2, 1]
    assert best(pool, 3) == [["CC"], []]


def test_the_best_come_first_and_ties_in_the_order_of_arrival() -> None:
    pool, _ = make(["A", "B", "C"])
    add(pool, [(1, "CA"), (0, "BB"), (0, "CC"), (2, "BC")])
    add(pool, [(0, "CA"), (0, "BA"), (0, "AC"), (1, "CB")])
    assert best(pool, 3) == [["CC", "CA", "BB"], ["CA", "CB"], []]
    assert best(pool, 1) == [["CC"], ["CA"], []]
    assert best(pool, 10)[0] == ["CC", "CA", "BB", "BA"]


def test_places_without_a_candidate_hold_the_start() -> None:
    pool, _ = make(["B", "C"], top=2)
    add(pool, [(0, "CC")])
    result = pool.result()
    assert result.found.tolist() == [[True, False], [False, False]]
    assert Counting().strings(result.tokens.flatten(0, 1), result.lengths.flatten()) == ["CC", "B", "C", "C"]
    assert result.outcome.tolist() == [[2.0, 1.0], [2.0, 2.0]]
    assert result.outcome_at_code[0, 0] == 0.0
    assert bool(result.outcome_at_code.flatten()[1:].isnan().all())


def test_only_what_scores_above_the_start_counts() -> None:
    """The score is what is compared, not the outcome: B is nearest to 0.9 from A."""
    pool, _ = make(["A"], score=target(0.9))
    add(pool, [(0, "C"), (0, "B"), (0, "AB")])
    assert best(pool, 3) == [["B"]]


def test_the_floor_is_per_letter_and_end_and_never_above_the_start() -> None:
    """Per letter and END: AAA -.75, B -1, CAA -1.5, CA -1.67, C -2, CC -2.67.

    From AAA the floor is -1.6. From B the same. From "BCC" (-10/4 = -2.5), below the floor itself, -2.5.
    """
    candidates = ["CAA", "CA", "C", "CC"]
    pool, _ = make(["AAA", "B", "BCC"], floor_per_letter=-1.6)
    add(pool, [(i, text) for i in range(3) for text in candidates])
    assert best(pool, 4) == [["CAA"], ["CAA"], ["CAA", "CA", "C"]]


def test_a_permitted_change_replaces_the_floor_and_counts_the_whole_string() -> None:
    """From AA (-2) with a change of -2: B -2, BA -3, BB -4 pass; C -4 passes too, CA -5 does not."""
    pool, _ = make(["AA"], min_loglik_change=-2.0, floor_per_letter=0.0)
    add(pool, [(0, text) for text in ["CA", "BB", "BA", "B", "C"]])
    assert best(pool, 9) == [["C", "BB", "BA", "B"]]


def test_without_a_rule_everything_is_natural_enough() -> None:
    pool, _ = make(["A"])
    add(pool, [(0, "CCC")])
    assert best(pool, 1) == [["CCC"]]


@pytest.mark.parametrize("text", ["A?", "AB"])
def test_only_known_letters_of_the_start_can_be_kept(text: str) -> None:
    """Position 2 of "A?" is unknown; position 3 of "AB" is past its end."""
    model = Counting()
    tokens, lengths = model.tokens(["ABC", text])
    forced = torch.full_like(tokens, -1)
    forced[1, len(text) - (text == "A?")] = tokens[1, len(text) - (text == "A?")]
    with pytest.raises(
        InputError, match=r"start 2: position [23] is to be kept, so it must hold a known letter"
    ):
        DesignProblem(model, tokens, lengths, maximize, forced=forced)


def test_another_letter_than_the_starts_cannot_be_kept() -> None:
    model = Counting()
    tokens, lengths = model.tokens(["ABC"])
    with pytest.raises(InputError, match="start 1: position 1 "):
        DesignProblem(model, tokens, lengths, maximize, forced=torch.tensor([[2, -1, -1]]))


def test_randomness_belongs_to_the_seed_and_the_sequence() -> None:
    a, b = torch.tensor([0, 1, 2]), torch.tensor([0, 2, 1])
    draws = [per_item_generator(*args).random() for args in ((1, a), (1, a), (1, b), (2, a))]
    assert draws[0] == draws[1]
    assert len(set(draws)) == 3
