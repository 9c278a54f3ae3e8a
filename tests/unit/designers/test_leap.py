"""The learned proposal: exact whatever it has learned, farther than it began, alone with its start."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign.designers.black_box_options import GibbsOptions
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.leap import Leap
from seqdesign.designers.methods.gibbs import gibbs
from seqdesign.designers.problem import SequenceProblem

Make = Callable[..., SequenceProblem]
EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))
RULES = [[], [("forbid", "AA"), ("forbid", "BCB")], [("keep", "2")]]


def first(predictions: Tensor, rows: Tensor) -> Tensor:
    return predictions[0, :, 0]


def scatter_parameters(leap: Leap) -> None:
    """Anything may have been learned."""
    generator = torch.Generator().manual_seed(1)
    with torch.no_grad():
        for part in (leap.trust, leap.inertia, leap.taste):
            part += torch.randn(part.shape, generator=generator, dtype=part.dtype)


@pytest.mark.parametrize("rules", RULES, ids=range(len(RULES)))
def test_the_transition_matrix_keeps_the_law(make: Make, pairwise: Any, rules: list[tuple[str, str]]) -> None:
    """pi P = pi over all feasible states, with P from the proposal's own probabilities at both ends."""
    function = pairwise(3, 3)
    problem = make(function, torch.tensor([[1, 0, 2]]), 3, rules, differentiable=True, objective=first)
    leap = Leap(Crowd(problem, 0), 1, 0.7, 0)
    scatter_parameters(leap)
    states = EVERY[problem.rules.is_feasible(EVERY, torch.zeros(27, dtype=torch.long))]
    x = torch.nn.functional.one_hot(states, 3).movedim(2, 1).double().requires_grad_(True)
    score = function(x)
    (slope,) = torch.autograd.grad(score.sum(), x)
    rows = torch.zeros(len(states), dtype=torch.long)
    with torch.no_grad():
        log_q = leap.log_q(slope, states, rows)
    torch.testing.assert_close(log_q.exp().sum(2), torch.ones(states.shape, dtype=torch.double))
    places = torch.arange(3)
    forth = log_q[:, places, states].sum(2)
    ratio = (score - score[:, None]).detach() / 0.7 + forth.T - forth
    matrix = (forth + ratio.clamp(max=0.0)).exp()
    matrix.fill_diagonal_(0.0)
    matrix += torch.diag(1.0 - matrix.sum(1))
    pi = (score.detach() / 0.7).softmax(0)
    assert float((pi @ matrix - pi).abs().max()) < 1e-12
    assert 1.0 - float(pi @ matrix.diag()) > 0.05


@pytest.mark.parametrize("rules", RULES, ids=range(len(RULES)))
def test_a_long_walk_visits_sequences_by_the_law(
    make: Make, pairwise: Any, rules: list[tuple[str, str]]
) -> None:
    """The chains' own bookkeeping too: after a warm-up, 600 chains beside exact draws of 600."""
    function = pairwise(3, 3, seed=2, strength=0.6)
    start = torch.tensor([[1, 0, 2]])
    problem = make(function, start, 3, rules, differentiable=True, budget=100_000, objective=first)
    leap = Leap(Crowd(problem, 4), 600, 1.0, 30)
    for _ in range(70):
        leap.step(torch.tensor([0]))
    feasible = problem.rules.is_feasible(EVERY, torch.zeros(27, dtype=torch.long))
    x = torch.nn.functional.one_hot(EVERY, 3).movedim(2, 1).double()
    pi = function(x).masked_fill(~feasible, -torch.inf).softmax(0)
    counts = torch.bincount((leap.tokens[0] * torch.tensor([9, 3, 1])).sum(1), minlength=27)
    assert int(counts[~feasible].sum()) == 0
    exact = torch.multinomial(pi, 600 * 200, True, generator=torch.Generator().manual_seed(0)).view(200, 600)
    spread = max(distance(torch.bincount(row, minlength=27), pi) for row in exact)
    assert distance(counts, pi) < spread * 1.2


def distance(counts: Tensor, pi: Tensor) -> float:
    """Total variation."""
    return float(0.5 * (counts / counts.sum() - pi).abs().sum())


def test_it_learns_to_go_farther(make: Make, pairwise: Any) -> None:
    """Substitutions accepted in a step, after learning and without; the law is flat enough for many."""
    start = torch.zeros(1, 12, dtype=torch.long)
    moved = {}
    for warm_up in (0, 150):
        problem = make(pairwise(4, 12, strength=0.05), start, 4, differentiable=True, budget=100_000)
        leap = Leap(Crowd(problem, 4), 32, 3.0, warm_up)
        total = 0.0
        for turn in range(200):
            before = leap.tokens.clone()
            leap.step(torch.tensor([0]))
            total += float((leap.tokens != before).sum(2).float().mean()) * (turn >= 150)
        moved[warm_up] = total / 50
    assert moved[150] > 1.5 * moved[0] > 0.3


def test_after_the_warm_up_nothing_is_learned(make: Make, pairwise: Any) -> None:
    problem = make(pairwise(4, 6), torch.zeros(1, 6, dtype=torch.long), 4, differentiable=True, budget=1000)
    leap = Leap(Crowd(problem, 0), 4, 1.0, 5)
    for _ in range(5):
        leap.step(torch.tensor([0]))
    learned = [part.detach().clone() for part in (leap.trust, leap.inertia, leap.taste)]
    assert all(float(part.std()) > 0 for part in learned)
    leap.step(torch.tensor([0]))
    assert all(map(torch.equal, learned, (leap.trust, leap.inertia, leap.taste)))


def test_a_start_learns_from_its_own_chains(make: Make, pairwise: Any) -> None:
    function, options = pairwise(4, 6), GibbsOptions(proposal="learned", chains=2)
    starts = torch.tensor([[0, 1, 2, 3, 0, 1], [3, 3, 1, 0, 2, 2]])
    both = gibbs(make(function, starts, 4, differentiable=True, budget=250), options, 3)
    alone = gibbs(make(function, starts[:1], 4, differentiable=True, budget=250), options, 3)
    assert torch.equal(both.tokens[:1], alone.tokens)
    torch.testing.assert_close(both.score[:1], alone.score)
    assert bool((both.score > both.start_score).all())
    assert both.num_queries.tolist() == [250, 250]
