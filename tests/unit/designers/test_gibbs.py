"""Gibbs with gradients: the stationary law, by the explicit transition matrix and by a long walk."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign.designers.black_box_options import GibbsOptions
from seqdesign.designers.chains import Walk, log_acceptance, log_proposal, relative_slope
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.methods.gibbs import gibbs
from seqdesign.designers.problem import SequenceProblem
from seqdesign.errors import UsageError

Make = Callable[..., SequenceProblem]
EVERY = torch.tensor(list(itertools.product(range(3), repeat=3)))
RULES = [[], [("forbid", "AA"), ("forbid", "BCB")], [("keep", "2")]]


def one_hot(tokens: Tensor) -> Tensor:
    return torch.nn.functional.one_hot(tokens, 3).movedim(2, 1).double()


def slopes(function: Callable[[Tensor], Tensor], tokens: Tensor) -> tuple[Tensor, Tensor]:
    x = one_hot(tokens).requires_grad_(True)
    score = function(x)
    (slope,) = torch.autograd.grad(score.sum(), x)
    return score.detach(), slope


def transition_matrix(
    function: Callable[[Tensor], Tensor], states: Tensor, heat: float
) -> tuple[Tensor, Tensor, Tensor]:
    """P (S, S) and pi (S,) on the feasible ``states`` (S, 3), and the mean acceptance."""
    score, slope = slopes(function, states)
    number = {tuple(state): i for i, state in enumerate(states.tolist())}
    temperature = torch.full((len(states),), heat, dtype=torch.double)
    allowed = torch.zeros(len(states), 9, dtype=torch.bool)
    target = torch.full((len(states), 9), -1)
    for (i, state), move in itertools.product(enumerate(states.tolist()), range(9)):
        other = [move % 3 if place == move // 3 else v for place, v in enumerate(state)]
        if other != state and tuple(other) in number:
            allowed[i, move], target[i, move] = True, number[tuple(other)]
    log_q = log_proposal(slope, states, allowed, temperature)
    matrix = torch.zeros(len(states), len(states), dtype=torch.double)
    for i, move in allowed.nonzero().tolist():
        j = int(target[i, move])
        back = move // 3 * 3 + int(states[i, move // 3])
        one = slice(0, 1)
        ratio = log_acceptance(
            score[j : j + 1] - score[i : i + 1],
            log_q[i, move : move + 1],
            log_q[j, back : back + 1],
            temperature[one],
        )
        matrix[i, j] = (log_q[i, move] + ratio.clamp(max=0.0).squeeze()).exp()
    matrix += torch.diag(1.0 - matrix.sum(1))
    pi = torch.softmax(score / heat, 0)
    return matrix, pi, 1.0 - pi @ matrix.diag()


@pytest.mark.parametrize("heat", [1.0, 0.5])
@pytest.mark.parametrize("rules", RULES, ids=range(len(RULES)))
def test_the_transition_matrix_keeps_the_law(
    make: Make, pairwise: Any, rules: list[tuple[str, str]], heat: float
) -> None:
    """pi P = pi and detailed balance on the feasible states, after oracle 21; the chain is not idle."""
    function = pairwise(3, 3)
    problem = make(function, torch.tensor([[1, 0, 2]]), 3, rules)
    feasible = problem.rules.is_feasible(EVERY, torch.zeros(27, dtype=torch.long))
    matrix, pi, acceptance = transition_matrix(function, EVERY[feasible], heat)
    assert float(matrix.min()) >= -1e-15
    assert float((pi @ matrix - pi).abs().max()) < 1e-12
    flow = pi[:, None] * matrix
    assert float((flow - flow.T).abs().max()) < 1e-12
    assert 0.1 < float(acceptance) < 1.0


def test_for_a_linear_score_the_first_order_is_exact(pairwise: Any) -> None:
    """Then q(i, v) is proportional to the root of pi(x') / pi(x)."""
    function = pairwise(3, 3, strength=0.0)
    score, slope = slopes(function, EVERY)
    change = relative_slope(slope, EVERY)
    allowed = (torch.arange(3) != EVERY.unsqueeze(2)).flatten(1)
    log_q = log_proposal(slope, EVERY, allowed, torch.full((27,), 0.7, dtype=torch.double))
    for i, move in allowed.nonzero().tolist():
        other = EVERY[i].clone()
        other[move // 3] = move % 3
        true = function(one_hot(other[None]))[0] - score[i]
        torch.testing.assert_close(change[i, move], true)
    root = (change / 1.4).exp() * allowed
    torch.testing.assert_close(log_q.exp(), root / root.sum(1, keepdim=True))


@pytest.mark.parametrize("rules", RULES, ids=range(len(RULES)))
def test_a_long_walk_visits_sequences_by_the_law(
    make: Make, pairwise: Any, rules: list[tuple[str, str]]
) -> None:
    """Of 600 independent chains after 40 steps; total variation beside that of exact draws."""
    function = pairwise(3, 3, seed=2, strength=0.6)
    problem = make(
        function, torch.tensor([[1, 0, 2]]), 3, rules, differentiable=True, budget=100_000, objective=first
    )
    walk = Walk(Crowd(problem, 4), 600, 1.0)
    for _ in range(40):
        walk.step(torch.tensor([0]))
    feasible = problem.rules.is_feasible(EVERY, torch.zeros(27, dtype=torch.long))
    pi = function(one_hot(EVERY)).masked_fill(~feasible, -torch.inf).softmax(0)
    where = (walk.tokens[0] * torch.tensor([9, 3, 1])).sum(1)
    counts = torch.bincount(where, minlength=27)
    assert int(counts[~feasible].sum()) == 0
    exact = torch.multinomial(pi, 600 * 200, True, generator=torch.Generator().manual_seed(0)).view(200, 600)
    spread = torch.stack([distance(torch.bincount(row, minlength=27), pi) for row in exact])
    assert float(distance(counts, pi)) < float(spread.max()) * 1.2


def distance(counts: Tensor, pi: Tensor) -> Tensor:
    """Total variation."""
    return 0.5 * (counts / counts.sum() - pi).abs().sum()


def first(predictions: Tensor, rows: Tensor) -> Tensor:
    return predictions[0, :, 0]


def test_a_colder_chain_finds_better_sequences(make: Make, pairwise: Any) -> None:
    starts = torch.zeros(12, 8, dtype=torch.long)
    starts[:, ::2] = 1
    scores = []
    for heat in (10.0, 0.3):
        problem = make(pairwise(4, 8, strength=0.3), starts, 4, differentiable=True, budget=120)
        scores.append(float(gibbs(problem, GibbsOptions(temperature=heat), 0).score.mean()))
    assert scores[1] > scores[0]


def test_the_automatic_temperature_has_the_unit_of_the_score(make: Make, pairwise: Any) -> None:
    """A score times 1024 is searched in exactly the same way."""
    function = pairwise(4, 6)
    starts = torch.tensor([[0, 1, 2, 3, 0, 1]])
    results = [
        gibbs(make(scaled, starts, 4, differentiable=True, budget=60), GibbsOptions(), 0)
        for scaled in (function, lambda x: 1024.0 * function(x))
    ]
    assert torch.equal(results[0].tokens, results[1].tokens)
    assert torch.equal(1024.0 * results[0].score, results[1].score)


def test_an_oracle_without_gradients_is_refused(make: Make, pairwise: Any) -> None:
    problem = make(pairwise(4, 6), torch.zeros(1, 6, dtype=torch.long), 4)
    with pytest.raises(UsageError, match="gibbs.*gradient"):
        gibbs(problem, GibbsOptions(), 0)
