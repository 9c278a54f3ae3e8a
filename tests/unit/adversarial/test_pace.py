"""Promises of the pace of a generator."""

from __future__ import annotations

import pytest
import torch

from seqdesign.adversarial.pace import SLOWEST, Pace


def share(weight: float, *steps: tuple[float, float]) -> float:
    """After critic steps of (gap, penalty)."""
    pace = Pace(weight)
    for gap, penalty in steps:
        pace.hear(torch.tensor(gap), torch.tensor(penalty))
    return float(pace.share())


def test_it_is_full_where_the_gap_is_twice_the_weighted_penalty() -> None:
    """That is the critic's optimum, whatever its weight; half a gap is half the pace."""
    assert share(10.0, (0.2, 0.01), (0.3, 0.015)) == 1.0
    assert share(10.0, (0.1, 0.01)) == pytest.approx(0.5)
    assert share(1.0, (0.1, 0.1)) == pytest.approx(0.5)


def test_it_is_the_least_where_the_critic_knows_noise() -> None:
    assert share(10.0, (0.2, 0.01), (-0.2, 0.01)) == pytest.approx(SLOWEST)
    noisy = [(0.4, 0.01), (-0.3, 0.01)] * 200
    assert share(10.0, *noisy) == pytest.approx(0.05 / 0.2, rel=0.1)
    assert share(10.0) == pytest.approx(SLOWEST)


def test_what_was_heard_is_part_of_a_run_and_not_of_older_ones() -> None:
    pace, other = Pace(1.0), Pace(1.0)
    pace.hear(torch.tensor(0.1), torch.tensor(0.01))
    other.load_state_dict(pace.state_dict())
    assert torch.equal(other.heard, pace.heard)
    Pace(1.0).load_state_dict({})
