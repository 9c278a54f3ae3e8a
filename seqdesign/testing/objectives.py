"""What every goal promises, alone and under a risk over the members of an ensemble.

A goal is a function of ``outcome``, of one number ``value`` or ``limit`` that makes such a function, or of
two groups of outcomes ``on`` and ``off``; larger is better.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import torch
from torch import Tensor

from seqdesign.objectives.by_name import NUMBERS, needs_of
from seqdesign.objectives.composite import Composite, Term
from seqdesign.objectives.risk import parse_risk
from seqdesign.testing.battery import Battery, name_of

Goal = Callable[..., Any]
CHECKS: Battery[Goal] = Battery("goal")
RISKS = ("mean", "lower:1.0", "quantile:0.3")
SIZES = {"no sequence": (1, 0), "one": (1, 1), "ensemble": (3, 7)}
"""Members and sequences."""
VALUE = 0.7
"""The number of goals that need one."""


def check_objective(
    goal: Goal,
    *,
    name: str | None = None,
    checks: Iterable[str] | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> None:
    """Check that a goal keeps the promises of ``--objective``: shapes, slopes, and what is not measured.

    Args:
        goal: a function of ``outcome`` (...), element by element; of ``value`` or ``limit``, a number, that
            makes such a function; or of ``on`` (..., A) and ``off`` (..., B). Larger scores are better.
        name: what messages call it; the name of the function when not given.
        checks: names of the checks to run, of `objective_checks()`; all of them when None.
        expected_failures: check -> why it fails; one that passes is an error.

    Raises:
        AssertionError: lists all checks that fail.
        UsageError: a check that does not exist.

    Example:
        >>> check_objective(capped)
    """
    CHECKS.run(goal, name=name or name_of(goal), checks=checks, expected_failures=expected_failures)


def objective_checks() -> list[str]:
    """Names of the checks of `check_objective`."""
    return CHECKS.names()


def objective_of(goal: Goal, risk: str = "mean") -> Composite:
    """The goal on the second of three outcomes, against the others where it needs two groups."""
    needs = needs_of(goal)
    function = goal(VALUE) if needs in NUMBERS else goal
    term = Term("goal", function, (1,), (0, 2) if needs == "on-off" else (), needs=needs)
    return Composite((term,), parse_risk(risk))


def predictions(members: int, n: int, dtype: torch.dtype = torch.float64) -> Tensor:
    """Random outcomes (members, n, 3)."""
    rng = torch.Generator().manual_seed(members + n)
    return torch.randn(members, n, 3, generator=rng, dtype=dtype)


def rows(n: int) -> Tensor:
    """All sequences belong to the same start."""
    return torch.zeros(n, dtype=torch.long)


@CHECKS.check(risk=RISKS, dtype=(torch.float32, torch.float64), size=SIZES)
def one_finite_score_for_each_sequence(
    goal: Goal, risk: str, dtype: torch.dtype, size: tuple[int, int]
) -> None:
    members, n = size
    scores = objective_of(goal, risk)(predictions(members, n, dtype), rows(n))
    assert scores.shape == (n,)
    assert scores.dtype == dtype
    assert bool(scores.isfinite().all())


@CHECKS.check(risk=RISKS)
def the_argument_is_left_as_it_was(goal: Goal, risk: str) -> None:
    x = predictions(3, 5)
    before = x.clone()
    objective_of(goal, risk)(x, rows(5))
    assert torch.equal(x, before)


@CHECKS.check(risk=RISKS)
def a_score_depends_on_its_own_predictions_with_the_slope_of_finite_differences(
    goal: Goal, risk: str
) -> None:
    objective, x = objective_of(goal, risk), predictions(3, 4).requires_grad_()
    assert torch.autograd.gradcheck(lambda y: objective(y, rows(4)), (x,))
    jacobian = torch.autograd.functional.jacobian(lambda y: objective(y, rows(4)), x)
    for i in range(4):
        others = [j for j in range(4) if j != i]
        assert not bool(jacobian[i][:, others].any())
        assert bool(jacobian[i][:, i].any())


@CHECKS.check(risk=RISKS)
def one_member_has_no_spread_and_a_finite_slope(goal: Goal, risk: str) -> None:
    x = predictions(1, 4).requires_grad_()
    (slope,) = torch.autograd.grad(objective_of(goal, risk)(x, rows(4)).sum(), x)
    assert bool(slope.isfinite().all())


@CHECKS.check(risk=RISKS, value=(torch.nan, -torch.inf, torch.inf))
def what_is_not_measured_or_not_feasible_never_counts_as_better(goal: Goal, risk: str, value: float) -> None:
    objective, x = objective_of(goal, risk), predictions(2, 3)
    x[:, 1] = value
    x.requires_grad_()
    scores = objective(x, rows(3))
    assert scores.isfinite().tolist() == [True, False, True]
    assert scores[1] == objective.values(x)[1, 0] == -torch.inf
    (slope,) = torch.autograd.grad(scores[[0, 2]].sum(), x)
    assert bool(slope.isfinite().all())


@CHECKS.check()
def outcomes_of_no_goal_may_be_missing(goal: Goal) -> None:
    x = torch.cat([predictions(2, 3), torch.full((2, 3, 1), torch.nan, dtype=torch.float64)], 2)
    assert bool(objective_of(goal)(x, rows(3)).isfinite().all())


@CHECKS.check(risk=RISKS)
def a_block_scores_like_each_sequence_alone(goal: Goal, risk: str) -> None:
    objective, x = objective_of(goal, risk), predictions(3, 6)
    alone = [objective(x[:, i : i + 1], rows(1)) for i in range(6)]
    torch.testing.assert_close(objective(x, rows(6)), torch.cat(alone))


@CHECKS.check()
def goals_work_element_by_element_on_any_shape(goal: Goal) -> None:
    x = predictions(2, 6)
    term = objective_of(goal).terms[0]
    torch.testing.assert_close(term(x.view(2, 3, 2, 3)), term(x).view(2, 3, 2))
