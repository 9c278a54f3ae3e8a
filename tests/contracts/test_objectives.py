"""What every objective promises, over the registry: outcomes (N,) -> scores (N,), larger is better.

A member is such a function of ``outcome``, or a function of one number that makes one.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

from seqdesign.registry import Registry

REGISTRY = Registry("objective", "seqdesign.objectives")


def objective(name: str) -> Callable[[Tensor], Tensor]:
    member = REGISTRY.load(name)
    return member if "outcome" in inspect.signature(member).parameters else member(0.7)


@pytest.fixture(params=REGISTRY.names())
def score(request: pytest.FixtureRequest) -> Callable[[Tensor], Tensor]:
    return objective(request.param)


def test_the_registry_holds_the_three_goals_of_the_command_line() -> None:
    assert {"maximize", "minimize", "target"} <= set(REGISTRY.names())


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("n", [0, 1, 7])
def test_one_finite_score_for_each_outcome(
    score: Callable[[Tensor], Tensor], n: int, dtype: torch.dtype
) -> None:
    scores = score(torch.linspace(-3, 3, n, dtype=dtype))
    assert scores.shape == (n,)
    assert scores.dtype == dtype
    assert bool(scores.isfinite().all())


def test_the_argument_is_left_as_it_was(score: Callable[[Tensor], Tensor]) -> None:
    outcome = torch.linspace(-3, 3, 5)
    before = outcome.clone()
    score(outcome)
    assert torch.equal(outcome, before)


def test_each_score_depends_on_its_own_outcome_with_the_slope_of_finite_differences(
    score: Callable[[Tensor], Tensor],
) -> None:
    outcome = torch.linspace(-3, 3, 6, dtype=torch.float64, requires_grad=True)
    jacobian = torch.autograd.functional.jacobian(score, outcome)
    step = 1e-6
    slope = (score(outcome + step) - score(outcome - step)) / (2 * step)
    torch.testing.assert_close(jacobian, torch.diag(slope.detach()), atol=1e-7, rtol=1e-6)
    assert bool((slope != 0).any())
