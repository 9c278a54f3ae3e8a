"""What every goal promises, over the registry, through the text that names it on the command line.

A goal is a function of ``outcome``, of one number ``value`` that makes such a function, or of two groups of
outcomes ``on`` and ``off``; larger is better.
"""

from __future__ import annotations

import pytest
import torch

from seqdesign.objectives.by_name import REGISTRY, needs
from seqdesign.objectives.composite import Composite
from seqdesign.objectives.parse import parse_objective

OUTCOMES = ("a", "b", "c")
TEXTS = {"outcome": "{}:b", "value": "{}:b=0.7", "on-off": "{}:b-a-c"}
RISKS = ["mean", "lower:1.0", "quantile:0.3"]


@pytest.fixture(params=REGISTRY.names())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture(params=RISKS)
def objective(name: str, request: pytest.FixtureRequest) -> Composite:
    return parse_objective([TEXTS[needs(name)].format(name)], OUTCOMES, risk=request.param)


def predictions(members: int, n: int, dtype: torch.dtype = torch.float64) -> torch.Tensor:
    rng = torch.Generator().manual_seed(members + n)
    return torch.randn(members, n, len(OUTCOMES), generator=rng, dtype=dtype)


def rows(n: int) -> torch.Tensor:
    return torch.zeros(n, dtype=torch.long)


def test_the_registry_holds_the_goals_of_the_command_line() -> None:
    assert {"maximize", "minimize", "target", "specific", "contrast"} <= set(REGISTRY.names())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize(("members", "n"), [(1, 0), (1, 1), (3, 7)])
def test_one_finite_score_for_each_sequence(
    objective: Composite, members: int, n: int, dtype: torch.dtype
) -> None:
    scores = objective(predictions(members, n, dtype), rows(n))
    assert scores.shape == (n,)
    assert scores.dtype == dtype
    assert bool(scores.isfinite().all())


def test_the_argument_is_left_as_it_was(objective: Composite) -> None:
    x = predictions(3, 5)
    before = x.clone()
    objective(x, rows(5))
    assert torch.equal(x, before)


def test_a_score_depends_on_its_own_predictions_with_the_slope_of_finite_differences(
    objective: Composite,
) -> None:
    x = predictions(3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda y: objective(y, rows(4)), (x,))
    jacobian = torch.autograd.functional.jacobian(lambda y: objective(y, rows(4)), x)
    for i in range(4):
        others = [j for j in range(4) if j != i]
        assert not bool(jacobian[i][:, others].any())
        assert bool(jacobian[i][:, i].any())


def test_one_member_has_no_spread_and_a_finite_slope(objective: Composite) -> None:
    x = predictions(1, 4).requires_grad_()
    (slope,) = torch.autograd.grad(objective(x, rows(4)).sum(), x)
    assert bool(slope.isfinite().all())


@pytest.mark.parametrize("value", [torch.nan, -torch.inf, torch.inf])
def test_what_is_not_measured_or_not_feasible_never_counts_as_better(
    objective: Composite, value: float
) -> None:
    x = predictions(2, 3)
    x[:, 1] = value
    x.requires_grad_()
    scores = objective(x, rows(3))
    assert scores.isfinite().tolist() == [True, False, True]
    assert scores[1] == objective.values(x)[1, 0] == -torch.inf
    (slope,) = torch.autograd.grad(scores[[0, 2]].sum(), x)
    assert bool(slope.isfinite().all())


def test_outcomes_of_no_goal_may_be_missing(name: str) -> None:
    objective = parse_objective([TEXTS[needs(name)].format(name)], (*OUTCOMES, "unused"))
    x = torch.cat([predictions(2, 3), torch.full((2, 3, 1), torch.nan, dtype=torch.float64)], 2)
    assert bool(objective(x, rows(3)).isfinite().all())


def test_a_block_scores_like_each_sequence_alone(objective: Composite) -> None:
    x = predictions(3, 6)
    alone = [objective(x[:, i : i + 1], rows(1)) for i in range(6)]
    torch.testing.assert_close(objective(x, rows(6)), torch.cat(alone))


def test_goals_work_element_by_element_on_any_shape(name: str) -> None:
    objective = parse_objective([TEXTS[needs(name)].format(name)], OUTCOMES)
    x = predictions(2, 6)
    term = objective.terms[0]
    torch.testing.assert_close(term(x.view(2, 3, 2, 3)), term(x).view(2, 3, 2))
