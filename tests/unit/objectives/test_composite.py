"""Risk over members, calibrated noise, chosen members, and directions along a Pareto front."""

from __future__ import annotations

import math

import pytest
import torch

from seqdesign.objectives.directions import simplex_directions
from seqdesign.objectives.parse import parse_objective

ONE = ("y",)
TWO = ("a", "b")
ROW = torch.zeros(1, dtype=torch.long)


def members(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)


@pytest.mark.parametrize(
    ("risk", "expected"),
    [("mean", 3.0), ("lower:2", 3 - 2 * math.sqrt(8 / 3)), ("quantile:0", 1.0), ("quantile:0.25", 2.0)],
)
def test_risk_by_its_formula(risk: str, expected: float) -> None:
    score = parse_objective(["max"], ONE, risk=risk)(members(1, 3, 5), ROW)
    assert score.item() == pytest.approx(expected, abs=1e-12)


def test_low_risk_prefers_certainty_when_lowering_too() -> None:
    score = parse_objective(["min"], ONE, risk="lower:1")
    certain, doubtful = score(members(2, 2), ROW), score(members(1, 3), ROW)
    assert certain.item() == -2.0
    assert doubtful.item() == -3.0


def test_noise_adds_to_the_variance_of_the_members_exactly() -> None:
    objective = parse_objective(["max:a", "min:b*2"], TWO, risk="lower:1", noise=(0.5, 0.25))
    x = torch.tensor([[[1.0, 0.0]], [[3.0, 1.0]]], dtype=torch.float64)  # scores 1 and 1: no spread
    assert objective(x, ROW).item() == pytest.approx(1.0 - math.sqrt(0.25 + 4 * 0.0625), abs=1e-12)


def test_noise_moves_a_quantile_and_not_a_mean() -> None:
    """Of one member with normal noise the quantile is the normal one, within the error of 64 draws."""
    mean, low = (
        parse_objective(["max"], ONE, risk=risk, noise=(2.0,))(members(1.0), ROW).item()
        for risk in ("mean", "quantile:0.1")
    )
    assert mean == 1.0
    assert low == pytest.approx(1.0 - 2.0 * 1.2816, abs=0.5)


def test_noise_is_the_same_in_every_call() -> None:
    objective = parse_objective(["max"], ONE, risk="quantile:0.1", noise=(1.0,))
    torch.manual_seed(0)
    first = objective(members(1, 2), ROW)
    torch.manual_seed(1)
    assert torch.equal(objective(members(1, 2), ROW), first)


def test_values_are_the_terms_before_they_are_added() -> None:
    objective = parse_objective(["max:a", "min:b"], TWO)
    x = torch.tensor([[[1.0, 2.0], [3.0, 5.0]]])
    assert objective.values(x).tolist() == [[1.0, -2.0], [3.0, -5.0]]


def test_limits_are_no_axes_of_a_front_and_hold_all_along_it() -> None:
    objective = parse_objective(["at-least:b=4", "max:a", "min:b"], TWO, scales=(1.0, 1.0))
    assert [term.text for term in objective.terms] == ["max:a", "min:b"]
    assert objective.text == "max:a + min:b + at-least:b=4"
    x = torch.tensor([[[1.0, 2.0], [3.0, 5.0]]])
    torch.testing.assert_close(
        objective.values(x), torch.tensor([[-19.0, -22.0], [3.0, -5.0]]), atol=1e-3, rtol=0
    )
    along = objective.along(torch.tensor([[1.0, 0.0], [0.0, 1.0]]), torch.zeros(2))
    for row in (0, 1):
        broken, kept = along(x, torch.full((2,), row))
        assert kept > broken
    (limit,) = objective.limits
    assert limit.met(x).tolist() == [[False, True]]


@pytest.mark.parametrize(("text", "safe"), [("at-least:b=4", 7.0), ("at-most:b=4", 1.0)])
def test_a_margin_moves_a_limit_to_the_safe_side(text: str, safe: float) -> None:
    objective = parse_objective(["max:a", text], TWO, scales=(1.0, 2.0))
    held = objective.within({1: 2.0})
    x = torch.tensor([[[0.0, 4.0], [0.0, safe]]])
    cost = objective(x, torch.zeros(2, dtype=torch.long))
    more = held(x, torch.zeros(2, dtype=torch.long))
    assert more[0] == pytest.approx(-10.0, abs=1e-3)  # one standard deviation is missing
    assert more[1] == pytest.approx(cost[1].item(), abs=0.05)


FRONT = torch.stack([torch.linspace(0, 1, 201).sqrt(), (1 - torch.linspace(0, 1, 201)).sqrt()], 1).double()
"""Points of the quarter circle a^2 + b^2 = 1."""
DENT = 1 - FRONT
"""Points of a front that bends inwards: no straight line touches any but its ends."""


def chosen(points: torch.Tensor, kind: str, count: int = 5) -> torch.Tensor:
    objective = parse_objective(["max:a", "max:b"], TWO)
    directions = simplex_directions(count, 2, torch.Generator())
    along = objective.along(directions, torch.zeros(2), kind)  # type: ignore[arg-type]
    scores = [along(points[None], torch.full((len(points),), i)) for i in range(count)]
    return torch.stack([points[s.argmax()] for s in scores])


def test_each_start_goes_to_its_own_place_on_the_front() -> None:
    """Where the ray from the reference along the direction meets the quarter circle, but for the 0.01."""
    directions = simplex_directions(5, 2, torch.Generator())
    expected = directions / directions.norm(dim=1, keepdim=True)
    torch.testing.assert_close(chosen(FRONT, "chebyshev"), expected, atol=0.08, rtol=0)


def test_the_achievement_function_reaches_a_front_that_bends_inwards_and_the_sum_does_not() -> None:
    assert len(chosen(DENT, "chebyshev").unique(dim=0)) == 5
    ends = {(1.0, 0.0), (0.0, 1.0)}
    assert {tuple(p) for p in chosen(DENT, "linear").tolist()} <= ends


def test_no_point_with_a_better_one_is_chosen() -> None:
    """(1, 0.3) beats (1, 0.2) in the direction of a as well, by the augmentation."""
    objective = parse_objective(["max:a", "max:b"], TWO)
    along = objective.along(torch.tensor([[1.0, 0.0]]), torch.zeros(2))
    better, worse = along(torch.tensor([[[1.0, 0.3], [1.0, 0.2]]]), torch.zeros(2, dtype=torch.long))
    assert better > worse


def test_a_front_with_risk_is_differentiable() -> None:
    objective = parse_objective(["max:a", "target:b=1"], TWO, risk="lower:0.5", noise=(0.1, 0.2))
    along = objective.along(torch.tensor([[0.3, 0.7], [0.5, 0.5]]), torch.zeros(2, 2))
    x = torch.randn(3, 2, 2, generator=torch.Generator().manual_seed(0), dtype=torch.float64).requires_grad_()
    assert torch.autograd.gradcheck(lambda y: along(y, torch.tensor([1, 0])), (x,))


def test_directions_of_another_shape_are_refused() -> None:
    objective = parse_objective(["max:a", "max:b"], TWO)
    with pytest.raises(ValueError, match=r"\(starts, 2\)"):
        objective.along(torch.ones(4, 3), torch.zeros(2))
    with pytest.raises(ValueError, match="not negative"):
        objective.along(torch.tensor([[-1.0, 2.0]]), torch.zeros(2))
    with pytest.raises(ValueError, match="reference must be finite"):
        objective.along(torch.ones(4, 2), torch.tensor([0.0, torch.nan]))


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_two_goals_are_spaced_evenly() -> None:
    assert simplex_directions(5, 2, rng())[:, 0].tolist() == [1.0, 0.75, 0.5, 0.25, 0.0]
    assert simplex_directions(1, 2, rng()).tolist() == [[0.5, 0.5]]
    assert simplex_directions(3, 1, rng()).tolist() == [[1.0]] * 3


@pytest.mark.parametrize(("count", "terms"), [(1, 3), (2, 3), (3, 3), (40, 3), (30, 5)])
def test_directions_lie_on_the_simplex_and_follow_the_seed(count: int, terms: int) -> None:
    points = simplex_directions(count, terms, rng())
    assert points.shape == (count, terms)
    assert bool((points >= 0).all())
    torch.testing.assert_close(points.sum(1), torch.ones(count, dtype=torch.float64))
    assert torch.equal(points, simplex_directions(count, terms, rng()))


def test_directions_are_spread_better_than_random_ones() -> None:
    def smallest_gap(points: torch.Tensor) -> float:
        return float((torch.cdist(points, points) + 9 * torch.eye(len(points))).min())

    random = -torch.rand(40, 3, generator=rng(), dtype=torch.float64).log()
    random /= random.sum(1, keepdim=True)
    spread = simplex_directions(40, 3, rng())
    assert smallest_gap(spread) > 0.12 > 3 * smallest_gap(random)
    assert len(torch.unique(spread[:3], dim=0)) == 3
