"""Goals of one outcome by their formulas; of two groups of outcomes in test_parse.py."""

from __future__ import annotations

import pytest
import torch

from seqdesign.objectives.goals.maximize import maximize
from seqdesign.objectives.goals.minimize import minimize
from seqdesign.objectives.goals.target import target

OUTCOMES = torch.tensor([-2.0, 0.5, 3.0])


def test_maximize_is_the_outcome_itself() -> None:
    assert maximize(OUTCOMES).tolist() == [-2.0, 0.5, 3.0]


def test_minimize_is_its_negative() -> None:
    assert minimize(OUTCOMES).tolist() == [2.0, -0.5, -3.0]


def test_target_is_the_negative_distance() -> None:
    assert target(1.0)(OUTCOMES).tolist() == [-3.0, -0.5, -2.0]


def test_target_is_flat_at_the_target_and_leads_there_from_both_sides() -> None:
    outcomes = torch.tensor([0.0, 1.0, 2.0], requires_grad=True)
    (slope,) = torch.autograd.grad(target(1.0)(outcomes).sum(), outcomes)
    assert slope.tolist() == [1.0, 0.0, -1.0]


def test_a_missing_outcome_stays_missing() -> None:
    """So that it never counts as better than anything."""
    missing = torch.tensor([torch.nan])
    for score in (maximize, minimize, target(0.0)):
        assert not bool(score(missing) > -torch.inf)


@pytest.mark.parametrize("value", [0.0, -1.5, 1e6])
def test_nothing_beats_the_target(value: float) -> None:
    around = value + torch.linspace(-1, 1, 5, dtype=torch.float64)
    assert int(target(value)(around).argmax()) == 2
