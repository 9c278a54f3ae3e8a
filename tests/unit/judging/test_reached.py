"""What rows reached that judges would have chosen blind, and what labels they bear out."""

import torch

from seqdesign.judging.link import borne_out, within
from seqdesign.judging.reached import reached, shares_reached, uncorrelated

NAN = torch.nan


def _rows(count: int = 500) -> tuple[torch.Tensor, torch.Tensor]:
    luck = torch.randn(2, count, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    return luck[0, :, None], luck[1, :, None]


def test_a_choice_by_predictions_reaches_what_the_first_rows_measure() -> None:
    predicted, luck = _rows()
    found = reached(predicted, predicted + luck)
    first = predicted[:, 0].argsort(descending=True)[:10]
    assert float(found.level[1, 0]) == float((predicted + luck)[first].mean())
    assert float(found.level[1, 0]) < float((predicted + luck).max()) - 0.5  # the best row had luck
    assert 0.2 < float(found.error[1, 0]) < 0.5


def test_beyond_an_optimum_a_choice_leads_to_less_than_others_have() -> None:
    predicted, luck = _rows()
    fallen = torch.where(predicted > 1.8, predicted - 10 * (predicted - 1.8), predicted)
    found = reached(predicted, fallen + 0.1 * luck)
    assert float(found.level[1, 0]) < 0
    assert float(found.level[0, 0]) < -2  # downwards nothing is wrong
    assert found.rising[:, 0].tolist() == [True, False]


def test_where_measurements_still_rise_the_best_row_may_count() -> None:
    predicted, luck = _rows()
    rising = reached(predicted, predicted + 0.3 * luck)
    level = reached(predicted, predicted.clamp(max=1.5) + 0.3 * luck)
    assert (bool(rising.rising[1]), bool(level.rising[1])) == (True, False)
    middle, draws = torch.full((3, 1), 9.0).double(), torch.full((8, 3, 1), 9.0).double()
    unknown, variance = torch.full((2, 1), NAN).double(), torch.full_like(predicted, 1e-6)
    assert torch.allclose(borne_out(middle, draws, predicted, unknown, rising), predicted.max())
    held = within(draws, predicted, variance, unknown, rising)
    assert torch.allclose(held, predicted.max().expand_as(held), atol=0.02)


def test_headlines_end_there_and_draws_with_them_unless_judges_were_tested() -> None:
    predicted, luck = _rows()
    top = reached(predicted, 0.5 * predicted.clamp(-1.5, 1.5) + 0.1 * luck)
    middle, draws = torch.full((3, 1), 4.0).double(), torch.full((8, 3, 1), 4.0).double()
    fitted, variance = predicted, torch.full_like(predicted, 0.01)
    unknown = torch.full((2, 1), NAN).double()
    assert torch.allclose(borne_out(middle, draws, fitted, unknown, top), top.level[1].expand(3, 1))
    held = within(draws, fitted, variance, unknown, top)
    assert bool((held - top.level[1]).abs().max() < 5 * top.error[1])
    known = torch.tensor([[NAN], [5.0]]).double()
    assert torch.allclose(borne_out(middle, draws, fitted, known, top), middle)
    assert torch.equal(within(draws, fitted, variance, known, top), draws)


def test_unknown_values_count_for_nothing() -> None:
    predicted, luck = _rows()
    measured = (predicted + luck).clone()
    measured[predicted[:, 0].argsort(descending=True)[:50]] = NAN
    known = ~measured[:, 0].isnan()
    assert torch.equal(reached(predicted, measured).level, reached(predicted[known], measured[known]).level)
    nothing = reached(predicted[:0], measured[:0])
    assert torch.equal(nothing.error, torch.ones(2, 1))


def test_no_probability_is_surer_than_the_rows() -> None:
    predicted, _ = _rows(100)
    labels = (predicted > 0).double()
    low, high = shares_reached(predicted, labels)[:, 0].tolist()
    ones = int(labels.sum())
    assert high == (ones + 1) / (ones + 2)
    assert abs(low - 1 / (100 - ones + 2)) < 1e-12
    # A label that has nothing to do with what is predicted is borne out about as often as it is met.
    chance = torch.rand(400, 1, generator=torch.Generator().manual_seed(1)).double()
    low, high = shares_reached(_rows(400)[0], (chance < 0.3).double())[:, 0].tolist()
    assert 0.1 < low < 0.3 < high < 0.6
    assert shares_reached(predicted[:9], labels[:9])[:, 0].tolist() == [0.5, 0.5]


def test_chance_correlates_with_nothing() -> None:
    predicted, luck = _rows()
    assert uncorrelated(predicted[:, 0], luck[:, 0])
    assert not uncorrelated(predicted[:, 0], (predicted + luck)[:, 0])
    assert uncorrelated(predicted[:2, 0], predicted[:2, 0])
