"""The learned proposal: exact whatever it has learned, farther than single steps, alone with its start."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign.designers.black_box_options import GibbsOptions
from seqdesign.designers.chains import Walk
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.methods.gibbs import gibbs
from seqdesign.designers.problem import SequenceProblem
from seqdesign.designers.surrogate import Surrogate
from seqdesign.errors import UsageError

Make = Callable[..., SequenceProblem]
EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))
RULES = [[], [("forbid", "AA"), ("forbid", "BCB")], [("keep", "2")]]


def first(predictions: Tensor, rows: Tensor) -> Tensor:
    return predictions[0, :, 0]


ONE = torch.tensor([0])


def learned(walk: Surrogate) -> dict[str, Tensor]:
    return {name: getattr(walk, name).clone() for name in ("field", "pair", "moved")}


@pytest.mark.parametrize("rules", RULES, ids=range(len(RULES)))
@pytest.mark.parametrize("wrong", [0.0, 1.0])
def test_a_long_walk_visits_sequences_by_the_law(
    make: Make, pairwise: Any, rules: list[tuple[str, str]], wrong: float
) -> None:
    """600 chains beside exact draws of 600; also where what was learned is spoilt."""
    function = pairwise(3, 3, seed=2, strength=0.6)
    start = torch.tensor([[1, 0, 2]])
    problem = make(function, start, 3, rules, differentiable=True, budget=100_000, objective=first)
    walk = Surrogate(Crowd(problem, 4), 600, 1.0, 24)
    for _ in range(25):
        walk.step(ONE)
    # The longest proposals from here on, whatever paid.
    walk.moved[:] = torch.tensor([0.0, 0.0, 0.0, 1.0])
    generator = torch.Generator().manual_seed(0)
    walk.field += wrong * torch.randn(walk.field.shape, generator=generator)
    for _ in range(40):
        walk.step(ONE)
    feasible = problem.rules.is_feasible(EVERY, torch.zeros(27, dtype=torch.long))
    x = torch.nn.functional.one_hot(EVERY, 3).movedim(2, 1).double()
    pi = function(x).masked_fill(~feasible, -torch.inf).softmax(0)
    counts = torch.bincount((walk.tokens[0] * torch.tensor([9, 3, 1])).sum(1), minlength=27)
    assert int(counts[~feasible].sum()) == 0
    exact = torch.multinomial(pi, 600 * 200, True, generator=torch.Generator().manual_seed(0)).view(200, 600)
    spread = max(distance(torch.bincount(row, minlength=27), pi) for row in exact)
    assert distance(counts, pi) < spread * 1.2


def distance(counts: Tensor, pi: Tensor) -> float:
    """Total variation."""
    return float(0.5 * (counts / counts.sum() - pi).abs().sum())


def test_the_score_of_a_walk_is_that_of_its_sequence(make: Make, pairwise: Any) -> None:
    """Through gradients, leaps while learning and leaps afterwards."""
    function = pairwise(4, 8, strength=0.3)
    problem = make(function, torch.zeros(2, 8, dtype=torch.long), 4, differentiable=True, budget=100_000)
    walk = Surrogate(Crowd(problem, 1), 5, 1.0, 24)
    for _ in range(40):
        walk.step(torch.tensor([0, 1]))
        x = torch.nn.functional.one_hot(walk.tokens.flatten(0, 1), 4).movedim(2, 1).double()
        torch.testing.assert_close(walk.score, function(x).view(2, 5))
    assert len(walk.tokens.flatten(0, 1).unique(dim=0)) > 5


def test_a_pairwise_score_is_learned_as_it_is(make: Make, pairwise: Any) -> None:
    """Then every proposal on it is accepted, and a chain goes much farther than by single steps."""
    function = pairwise(4, 8, strength=0.3)
    problem = make(function, torch.zeros(1, 8, dtype=torch.long), 4, differentiable=True, budget=1_000_000)
    walk, plain = (kind(Crowd(problem, 4), 64, 1.0, *more) for kind, more in ((Surrogate, (64,)), (Walk, ())))
    for _ in range(64):
        walk.step(ONE)
    walk._fit(ONE)
    tokens = torch.randint(4, (200, 8), generator=torch.Generator().manual_seed(0))
    noise = torch.rand(200, 16, 4, generator=torch.Generator().manual_seed(1))
    order = torch.rand(200, 2, 8, generator=torch.Generator().manual_seed(2)).argsort(2).flatten(1)
    after, ahead = walk.heat_bath(tokens, torch.zeros(200, dtype=torch.long), order, noise)
    true = [function(torch.nn.functional.one_hot(x, 4).movedim(2, 1).double()) for x in (tokens, after)]
    assert float(torch.corrcoef(torch.stack([ahead, true[1] - true[0]]))[0, 1]) > 0.99
    moved = {}
    for name, one in (("learned", walk), ("gradient", plain)):
        moved[name] = 0.0
        for _ in range(20):
            before = one.tokens.clone()
            one.step(ONE)
            moved[name] += float((one.tokens != before).sum(2).float().mean()) / 20
    assert moved["learned"] > 3 * moved["gradient"] > 1.0


def test_a_longer_proposal_must_be_worth_its_time(make: Make, pairwise: Any) -> None:
    """Ten sweeps in a hundred more or less do not count: one sweep is as good as four."""
    function = pairwise(4, 8, strength=0.3)
    problem = make(function, torch.zeros(1, 8, dtype=torch.long), 4, differentiable=True, budget=100_000)
    walk = Surrogate(Crowd(problem, 4), 8, 1.0, 8)
    for _ in range(8):
        walk.step(ONE)
    lengths = []
    walk._propose = lambda rows, kind: lengths.append(walk.lengths[kind])  # type: ignore[method-assign]
    for moved in ([0.0, 50.0, 91.0, 100.0], [0.0, 50.0, 89.0, 100.0], [95.0, 50.0, 91.0, 100.0]):
        walk.moved[:] = torch.tensor(moved)
        walk.step(ONE)
    assert lengths == [8, 32, 0]


def test_after_the_warm_up_nothing_is_learned(make: Make, pairwise: Any) -> None:
    problem = make(pairwise(4, 6), torch.zeros(1, 6, dtype=torch.long), 4, differentiable=True, budget=1000)
    walk = Surrogate(Crowd(problem, 0), 4, 1.0, 16)
    for _ in range(17):
        walk.step(ONE)
    before = learned(walk)
    assert all(float(part.abs().max()) > 0 for part in before.values())
    for _ in range(3):
        walk.step(ONE)
    assert all(torch.equal(part, before[name]) for name, part in learned(walk).items())


@pytest.mark.parametrize("warm_up", [0.0, 0.01, 0.5])
def test_a_start_learns_from_its_own_chains(make: Make, pairwise: Any, warm_up: float) -> None:
    function, options = pairwise(4, 6), GibbsOptions(proposal="learned", chains=2, warm_up=warm_up)
    starts = torch.tensor([[0, 1, 2, 3, 0, 1], [3, 3, 1, 0, 2, 2]])
    both = gibbs(make(function, starts, 4, differentiable=True, budget=250), options, 3)
    alone = gibbs(make(function, starts[:1], 4, differentiable=True, budget=250), options, 3)
    assert torch.equal(both.tokens[:1], alone.tokens)
    torch.testing.assert_close(both.score[:1], alone.score)
    assert bool((both.score > both.start_score).all())
    assert both.num_queries.tolist() == [250, 250]


def test_rules_and_sizes_that_are_too_much(make: Make, pairwise: Any) -> None:
    starts = torch.zeros(1, 700, dtype=torch.long)
    problem = make(lambda x: x[:, 0].sum(1), starts, 4, differentiable=True)
    with pytest.raises(UsageError, match="2,048 .* 2,800; leave it"):
        gibbs(problem, GibbsOptions(proposal="learned"), 0)
