"""Random numbers that belong to a start."""

from __future__ import annotations

import torch

from seqdesign.designers.dice import Dice, gumbel, mix

KEYS = torch.tensor([3, 11, 12, 2**40])


def test_mix_is_splitmix64() -> None:
    """The first outputs for the seeds 0 and 1 of the published generator."""
    found = [value % 2**64 for value in mix(torch.tensor([0, 1])).tolist()]
    assert found == [0xE220A8397B1DCDAF, 0x910A2DEC89025CC1]


def test_what_a_start_draws_does_not_depend_on_who_else_draws() -> None:
    together, alone = Dice(5, KEYS), Dice(5, KEYS[2:3])
    everyone, one = torch.arange(4), torch.tensor([0])
    first = together.uniform(everyone, 3)
    together.uniform(torch.tensor([0, 3]), 50)
    second = together.uniform(torch.tensor([2, 1]), 2, 2)
    assert torch.equal(alone.uniform(one, 3), first[2:3])
    assert torch.equal(alone.uniform(one, 2, 2), second[:1])


def test_seeds_keys_and_draws_give_different_numbers() -> None:
    rows = torch.arange(4)
    dice = Dice(0, KEYS)
    numbers = torch.cat([dice.uniform(rows, 500), dice.uniform(rows, 500), Dice(1, KEYS).uniform(rows, 500)])
    correlation = torch.corrcoef(numbers) - torch.eye(12)
    assert float(correlation.abs().max()) < 4 / 500**0.5


def test_numbers_are_even_and_never_zero_or_one() -> None:
    numbers = Dice(2, KEYS).uniform(torch.arange(4), 50_000).flatten()
    assert float(numbers.min()) > 0.0
    assert float(numbers.max()) < 1.0
    counts = torch.histc(numbers, bins=20, min=0.0, max=1.0)
    chi_square = float(((counts - 10_000).square() / 10_000).sum())
    assert chi_square < 43.8  # 0.1% of 19 degrees of freedom
    assert abs(float(gumbel(numbers.double()).mean()) - 0.5772) < 0.02
