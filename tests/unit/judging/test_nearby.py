"""What sequences near a row have of what it measures beyond its prediction."""

import math

import torch

from seqdesign.judging.nearby import beside

ROWS = torch.tensor([[0] * 20, [1] * 20, [2] * 20, [3] * 20])


def test_half_of_it_counts_and_less_with_every_change() -> None:
    beyond = torch.tensor([2.0, -1.0, 1.0, -2.0]).double()
    one, two = ROWS[0].clone(), ROWS[0].clone()
    one[3], two[:2] = 2, 1
    found = beside(torch.stack([ROWS[0], one, two, ROWS[3]]), ROWS, beyond)
    wanted = [1.0, math.exp(-0.5), math.exp(-1.0), -1.0]
    assert torch.allclose(found, torch.tensor(wanted).double())


def test_an_outlier_counts_little_and_the_unknown_not_at_all() -> None:
    rows = torch.randint(4, (40, 20), generator=torch.Generator().manual_seed(1))
    beyond = torch.linspace(-1, 1, 40).double()
    beyond[5], beyond[6], beyond[7] = 1000.0, torch.nan, 2.5
    at_outlier, at_unknown, large = beside(rows[5:8], rows, beyond).tolist()
    assert 0 < at_outlier < 0.01
    assert 0.9 < large < 1.15  # half of (3 x .75)^2 / 2.5
    assert abs(at_unknown) < 0.01
    assert beside(rows[:3], rows, torch.full((40,), torch.nan)).tolist() == [0.0] * 3


def test_padding_counts_as_other_letters() -> None:
    longer = torch.cat([ROWS, torch.full((4, 1), 255)], 1)
    beyond = torch.tensor([2.0, -1.0, 1.0, -2.0]).double()
    whole = torch.full((1, 21), 3)
    assert torch.allclose(beside(whole, longer, beyond), torch.tensor(-math.exp(-1 / 2.1)).double())
    shorter = beside(ROWS[:1], longer, beyond)
    assert torch.allclose(shorter, torch.tensor(math.exp(-1 / 2)).double())
