"""Which members design, which judge, and what confirmation means."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from seqdesign.design.jury import Jury, share_of, split_members
from seqdesign.design.opening import open_model


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
    """Half of a gain of 2; none; more than all; and no gain that would need confirmation."""
    share = share_of(torch.tensor([2.0, 2.0, 2.0, 0.0]), torch.tensor([1.0, -0.5, 8.5, -0.5]))
    assert share.tolist() == [0.5, 0.0, 1.0, 1.0]


def test_the_members_of_a_trained_predictor_design_and_judge(tiny_predictor: Path) -> None:
    """Whatever stands between the folder and the oracle, the ensemble must stay one."""
    assert open_model(tiny_predictor, torch.device("cpu")).jury == Jury((0, 1, 2), (3, 4))
