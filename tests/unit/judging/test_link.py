"""What corrects judges at their ends."""

from __future__ import annotations

import math

import torch

from seqdesign.judging.link import corrected, fit_link, followed


def rows(slope: float, count: int = 600) -> tuple[torch.Tensor, torch.Tensor]:
    """Predictions, and outcomes that follow them up to 1 and from there with a slope."""
    luck = torch.randn(2, count, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    predicted = luck[0]
    true = predicted.clamp(max=1.0) + slope * (predicted - 1.0).clamp(min=0) + 0.2 * luck[1]
    return predicted, true


def test_a_judge_that_saturates_is_held_and_one_in_line_goes_on() -> None:
    far = torch.tensor([0.0, 6.0], dtype=torch.float64)
    for slope, least, most in ((0.0, 0.8, 1.8), (1.0, 5.4, 6.6)):
        predicted, true = rows(slope)
        link = fit_link(predicted, torch.full_like(predicted, 0.04), true)
        found = link(far, torch.full_like(far, 0.01))
        assert abs(float(found.mean[0])) < 0.15
        assert least < float(found.mean[1]) < most
        assert float(found.down[1]) < 5 * 0.3


def test_doubt_grows_with_the_distance_and_does_not_turn_the_slope() -> None:
    predicted, true = rows(0.0, 60)
    link = fit_link(predicted, torch.full_like(predicted, 0.04), true)
    far = torch.tensor([3.0, 6.0, 12.0], dtype=torch.float64)
    found = link(far, torch.full_like(far, 0.01))
    assert (found.up.diff() > 0).all()
    edge = link(predicted.max()[None], torch.zeros(1, dtype=torch.float64)).mean
    assert (found.mean - found.down >= edge - 0.5).all()
    ascending = link(torch.linspace(-9, 9, 181, dtype=torch.float64), torch.zeros(181, dtype=torch.float64))
    assert (ascending.mean.diff() >= -1e-9).all()


def test_few_rows_leave_a_judge_as_it_is_but_doubted() -> None:
    few = torch.tensor([0.1, 0.5], dtype=torch.float64)
    link = fit_link(few, few * 0 + 0.1, few)
    found = link(torch.tensor([4.0], dtype=torch.float64), torch.tensor([0.2], dtype=torch.float64))
    assert abs(float(found.mean) - 4.0) < 1e-6
    assert float(found.up) > 1.0


def test_without_links_nothing_changes() -> None:
    mean = torch.ones(3, 2, dtype=torch.float64)
    found = corrected([], mean, 2 * mean)
    assert torch.equal(found.mean, mean)
    assert torch.equal(found.total, 2 * mean)


def test_predictions_beyond_an_edge_are_borne_out_where_measurements_follow() -> None:
    luck = torch.randn(2, 200, generator=torch.Generator().manual_seed(5), dtype=torch.float64)
    further = 2 * luck[0].abs()
    assert followed(further, further + luck[1]) == float(further.max())
    assert math.isnan(followed(further, 0.7 * further + 0.3 * luck[1]))  # surely less than they say
    assert math.isnan(followed(further, luck[1]))
    assert math.isnan(followed(further[:30], -3 * luck[1][:30]))  # anything may be
    assert math.isnan(followed(-further, luck[1]))
    assert math.isnan(followed(0.1 * further, 0.5 + luck[1]))  # beyond the edge, but in no order
