"""Greedy in-silico mutagenesis against brute force."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seqdesign.designers.black_box_options import GreedyOptions
from seqdesign.designers.methods.greedy import greedy
from seqdesign.designers.problem import SequenceProblem

Make = Callable[..., SequenceProblem]
STARTS = torch.tensor([[0, 1, 2, 3, 0, 1], [3, 3, 2, 1, 0, 0], [2, 2, 2, 2, 2, 2]])
OPTIONS = GreedyOptions()


def one_hot(tokens: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(tokens, 4).movedim(2, 1).float()


def by_hand(function: Callable[[Tensor], Tensor], start: Tensor, most: int = 100) -> tuple[list[int], int]:
    """The plain algorithm: every neighbour, the first best, until none is better; and the number of moves."""
    now, moves = start.tolist(), 0
    while moves < most:
        near = [[*now[:i], v, *now[i + 1 :]] for i, v in itertools.product(range(6), range(4)) if now[i] != v]
        scores = function(one_hot(torch.tensor([now, *near])))
        if not bool(scores[1:].max() > scores[0]):
            break
        now, moves = near[int(scores[1:].argmax())], moves + 1
    return now, moves


def test_it_is_the_plain_algorithm(make: Make, pairwise: Any) -> None:
    function = pairwise(4, 6)
    found = greedy(make(function, STARTS, 4), OPTIONS, 0)
    expected = [by_hand(function, start) for start in STARTS]
    assert found.tokens.tolist() == [tokens for tokens, _ in expected]
    assert found.steps.tolist() == [moves for _, moves in expected]
    assert found.stop == ("converged",) * 3


def test_nothing_is_scored_twice(make: Make, pairwise: Any) -> None:
    problem = make(pairwise(4, 6), STARTS[:1], 4)
    found = greedy(problem, OPTIONS, 0)
    asked = torch.cat(problem.oracle.asked[:-1])
    assert len(asked.unique(dim=0)) == len(asked) == int(found.num_queries)


def test_an_additive_score_takes_one_move_for_each_wrong_position(make: Make, pairwise: Any) -> None:
    function = pairwise(4, 6, strength=0.0)
    best = function.single.argmax(0)
    found = greedy(make(function, STARTS, 4), OPTIONS, 0)
    assert found.tokens.tolist() == [best.tolist()] * 3
    assert torch.equal(found.steps, (best != STARTS).sum(1))


def test_enough_is_reached_with_the_fewest_edits(make: Make, pairwise: Any) -> None:
    """Of an additive score the largest gains first are the fewest edits that can do it."""
    function = pairwise(4, 6, strength=0.0)
    gain = (function.single.amax(0) - function.single.gather(0, STARTS)).sort(descending=True).values
    start = function(one_hot(STARTS))
    level = float((start + gain[:, :3].sum(1)).min()) - 1e-6
    found = greedy(make(function, STARTS, 4, enough=level), OPTIONS, 0)
    reached = (start[:, None] + gain.cumsum(1) >= level) | (start[:, None] >= level)
    fewest = reached.int().argmax(1) + 1 - (start >= level).long()
    assert (found.tokens != STARTS).sum(1).tolist() == fewest.tolist()
    assert found.stop == ("target",) * 3


def test_a_scan_that_the_budget_cuts_short_still_gives_its_best(make: Make, pairwise: Any) -> None:
    found = greedy(make(pairwise(4, 6, strength=0.0), STARTS, 4, budget=12), OPTIONS, 0)
    assert found.num_queries.tolist() == [12, 12, 12]
    assert found.stop == ("budget",) * 3
    assert bool((found.score > found.start_score).all())


def test_only_feasible_substitutions_are_scored(make: Make, pairwise: Any) -> None:
    """Position 6 of ACGTAC may become G or T, but not A behind A; without G and T there is no move."""
    problem = make(pairwise(4, 6), STARTS[:1], 4, [("keep", "1-5"), ("forbid", "AA"), ("max-edits", "1")])
    assert int(greedy(problem, OPTIONS, 0).num_queries) == 3
    rules = [("keep", "1-5"), ("forbid", "AA"), ("forbid", "AG"), ("forbid", "AT")]
    found = greedy(make(pairwise(4, 6), STARTS[:1], 4, rules), OPTIONS, 0)
    assert found.tokens.tolist() == STARTS[:1].tolist()
    assert (found.stop, int(found.num_queries)) == (("stuck",), 1)
