"""Every goal of the registry keeps the promises of `seqdesign.testing.check_objective`."""

from __future__ import annotations

import pytest
import torch

from seqdesign.objectives.by_name import REGISTRY, needs
from seqdesign.objectives.parse import parse_objective
from seqdesign.testing import check_objective, objective_checks
from seqdesign.testing.objectives import RISKS, objective_of, predictions, rows

TEXTS = {"outcome": "{}:b", "value": "{}:b=0.7", "limit": "{}:b=0.7", "on-off": "{}:b-a-c"}


@pytest.mark.parametrize("check", objective_checks())
@pytest.mark.parametrize("name", REGISTRY.names())
def test_a_goal_keeps_its_promises(name: str, check: str) -> None:
    check_objective(REGISTRY.load(name), name=name, checks=[check])


@pytest.mark.parametrize("risk", RISKS)
@pytest.mark.parametrize("name", REGISTRY.names())
def test_the_text_of_the_command_line_makes_the_goal_that_is_checked(name: str, risk: str) -> None:
    typed = parse_objective([TEXTS[needs(name)].format(name)], ("a", "b", "c"), risk=risk)
    x = predictions(3, 7)
    assert torch.equal(typed(x, rows(7)), objective_of(REGISTRY.load(name), risk)(x, rows(7)))


def test_the_registry_holds_the_goals_of_the_command_line() -> None:
    assert {"maximize", "minimize", "target", "specific", "contrast"} <= set(REGISTRY.names())
