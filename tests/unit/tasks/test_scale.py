"""Logarithms where outcomes are ratios."""

from __future__ import annotations

import pytest
import torch

from seqdesign.tasks.scale import as_measured, ratios

VALUES = torch.tensor([[1.0, 0.0, -1.0], [10.0, 4.0, 2.0], [torch.nan, 8.0, 3.0]]).double()


def test_logarithms_are_for_what_is_never_below_zero() -> None:
    assert ratios(VALUES).logs.tolist() == [True, True, False]
    assert ratios(VALUES).added[:2].tolist() == [0.0, 2.0]
    assert not as_measured(VALUES).logs.any()


def test_there_and_back_is_the_same_and_what_cannot_be_becomes_the_least() -> None:
    scale = ratios(VALUES)
    assert torch.allclose(scale.out(scale.into(VALUES)), VALUES, equal_nan=True)
    assert scale.into(torch.tensor([[-3.0, -9.0, -9.0]]).double()).isfinite().all()
    assert float(scale.into(VALUES)[1, 0]) == pytest.approx(2.302585)


def test_errors_are_shares_of_what_is_measured() -> None:
    scale = ratios(VALUES)
    mean, sd = torch.tensor([100.0, 98.0, 5.0]).double(), torch.tensor([10.0, 10.0, 0.3]).double()
    inside = scale.spread_into(mean, sd)
    assert inside.tolist() == pytest.approx([0.1, 0.1, 0.3], abs=0.001)
    assert scale.spread_out(scale.into(mean), inside).tolist() == pytest.approx(sd.tolist(), rel=0.02)
    assert torch.equal(as_measured(VALUES).spread_out(mean, sd), sd)
