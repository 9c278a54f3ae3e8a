"""Sums on the device, and the first step at which something was not a number."""

from __future__ import annotations

import torch

from seqdesign.training.tally import Fault, Tally

CPU = torch.device("cpu")


def test_sums_are_those_of_double_precision() -> None:
    values = torch.rand(50, 2)
    tally, wanted = Tally(("a", "b"), {"b": 2.0}, CPU), [0.0, 2.0]
    for i, row in enumerate(values):
        tally.add(row, 3, torch.tensor(i))
        wanted = [total + value * 3 for total, value in zip(wanted, row.tolist(), strict=True)]
    assert tally.read() == dict(zip("ab", wanted, strict=True))
    assert tally.fault() is None
    tally.reset()
    assert tally.read() == {"a": 0.0, "b": 0.0}


def test_the_first_fault_is_told() -> None:
    tally = Tally(("a", "b"), {}, CPU)
    for step, row in enumerate([[1.0, 1.0], [1.0, torch.inf], [torch.nan, torch.nan]]):
        tally.add(torch.tensor(row), 1, torch.tensor(step + 1))
    assert tally.fault() == Fault("b", torch.inf, 2)
