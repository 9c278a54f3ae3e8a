"""Simulated annealing."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from seqdesign.designers.black_box_options import AnnealingOptions, GreedyOptions
from seqdesign.designers.methods.annealing import annealing
from seqdesign.designers.methods.greedy import greedy
from seqdesign.designers.problem import SequenceProblem

Make = Callable[..., SequenceProblem]
STARTS = torch.tensor([[0, 1, 2, 3, 0, 1]])


def test_the_schedule_has_no_unit(make: Make, pairwise: Any) -> None:
    """A score times 1024 is searched in exactly the same way."""
    function = pairwise(4, 6)
    results = [
        annealing(make(scaled, STARTS, 4, budget=150), AnnealingOptions(), 0)
        for scaled in (function, lambda x: 1024.0 * function(x))
    ]
    assert torch.equal(results[0].tokens, results[1].tokens)
    assert torch.equal(1024.0 * results[0].score, results[1].score)


def trap(x: Tensor) -> Tensor:
    """Each A costs 0.3, but all of them together bring 3: greedy search stays at the start."""
    number = x[:, 0].sum(1)
    return torch.where(number == x.shape[2], 3.0, -0.3 * number)


def test_it_gets_out_of_a_local_optimum_that_holds_greedy_search(make: Make) -> None:
    starts = torch.ones(4, 3, dtype=torch.long)
    stays = greedy(make(trap, starts, 4, budget=1500), GreedyOptions(), 0)
    assert stays.score.tolist() == [0.0] * 4
    found = annealing(make(trap, starts, 4, budget=1500), AnnealingOptions(hot=20.0, cold=0.1), 0)
    assert found.score.tolist() == [3.0] * 4


def test_cold_from_the_beginning_is_a_hill_climb(make: Make, pairwise: Any) -> None:
    """Of an additive score, which has one optimum."""
    function = pairwise(4, 6, strength=0.0)
    options = AnnealingOptions(chains=1, hot=1e-9, cold=1e-9)
    found = annealing(make(function, STARTS, 4, budget=200), options, 0)
    assert found.tokens.tolist() == [function.single.argmax(0).tolist()]
    assert int(found.num_queries) == 200


def test_chains_share_the_budget_and_small_budgets_have_one(make: Make, pairwise: Any) -> None:
    for budget, chains in ((50, 1), (301, 3), (1601, 8)):
        found = annealing(make(pairwise(4, 6), STARTS, 4, budget=budget), AnnealingOptions(), 0)
        assert int(found.num_queries) == budget
        assert int(found.steps) == -(-(budget - 1) // chains)
