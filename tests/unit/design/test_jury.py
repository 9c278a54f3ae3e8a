"""Which members design, which judge, and what confirmation means."""

from __future__ import annotations

import math
from pathlib import Path

import pytest
import torch

from seqdesign.design.jury import Jury, confirmed_share, split_members
from seqdesign.design.model import open_model
from seqdesign.objectives.parse import parse_objective


@pytest.mark.parametrize(
    ("members", "share", "design", "judges"),
    [
        (5, 0.4, 3, 2),
        (8, 0.4, 5, 3),
        (2, 0.4, 2, 0),
        (2, 0.5, 1, 1),
        (1, 0.4, 1, 0),
        (5, 0.0, 5, 0),
        (3, 0.9, 1, 2),
    ],
)
def test_members_are_divided(members: int, share: float, design: int, judges: int) -> None:
    jury = split_members(members, share)
    assert (len(jury.design), len(jury.judge)) == (design, judges)
    assert sorted(jury.design + jury.judge) == list(range(members))


def test_confirmation_is_the_share_of_the_gain_that_judges_see() -> None:
    objective, jury = parse_objective((), ("y",)), Jury((0, 1), (2,))
    before = torch.tensor([[1.0], [1.0], [0.5]]).view(3, 1, 1).expand(3, 4, 1)
    after = torch.tensor([[3.0, 3.0, 3.0, 1.0], [3.0, 3.0, 3.0, 0.0], [1.5, 0.0, 9.0, 0.0]]).unsqueeze(2)
    share = confirmed_share(objective, jury, after, before, torch.arange(4))
    # Half of the gain of 2; none; more than all; and no gain that would need confirmation.
    assert share.tolist() == [0.5, 0.0, 1.0, 1.0]


def test_nobody_judges_without_judges() -> None:
    objective = parse_objective((), ("y",))
    share = confirmed_share(
        objective, Jury((0,), ()), torch.ones(1, 2, 1), torch.zeros(1, 2, 1), torch.arange(2)
    )
    assert all(math.isnan(value) for value in share)


def test_the_members_of_a_trained_predictor_design_and_judge(tiny_predictor: Path) -> None:
    """Whatever stands between the folder and the oracle, the ensemble must stay one."""
    assert open_model(tiny_predictor, torch.device("cpu")).jury == Jury((0, 1, 2), (3, 4))
