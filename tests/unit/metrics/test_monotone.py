"""A curve is found where measurements clearly follow one, and only there; it rises and promises no more."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

import numpy as np
import pytest

from seqdesign.metrics.monotone import LEAST, Curve, fit_monotone

LAWS: dict[str, Any] = {
    "sigmoid": lambda f: 1 / (1 + np.exp(-3 * f)),
    "floor": lambda f: np.maximum(f, 0),
    "ceiling": lambda f: np.minimum(f, 0.3),
    "exponential": np.exp,
}


def rows(law: Any, n: int, seed: int, noise: float = 0.2, tails: bool = False) -> tuple[Any, Any]:
    """Predictions and measurements of n rows; noise in their standard deviations."""
    rng = np.random.default_rng(seed)
    x = rng.normal(size=n)
    y = law(x)
    return x, y + noise * y.std() * (rng.standard_t(3, size=n) if tails else rng.normal(size=n))


def fitted(x: Any, y: Any, **given: Any) -> Any:
    return fit_monotone(x, y, given.get("weights", np.ones(len(x))), given.get("groups", np.arange(len(x))))


@pytest.mark.parametrize("law", LAWS)
def test_a_known_curve_is_recovered(law: str) -> None:
    x, y = rows(LAWS[law], 400, 0)
    found = fitted(x, y)
    fresh = np.linspace(*np.quantile(x, [0.01, 0.99]), 200)
    assert np.abs(found.curve(fresh) - LAWS[law](fresh)).max() < 0.5 * y.std()
    wrong = np.square(LAWS[law](x) - found.curve(x)).mean()
    straight = np.square(LAWS[law](x) - np.polyval(np.polyfit(x, y, 1), x)).mean()
    assert wrong < 0.15 * straight
    assert np.square(y - found.unseen).mean() < 0.9 * np.square(y - np.polyval(np.polyfit(x, y, 1), x)).mean()


@pytest.mark.parametrize("tails", [False, True])
@pytest.mark.parametrize("noise", [0.1, 0.5, 2.0])
def test_a_straight_line_stays_one(noise: float, tails: bool) -> None:
    for seed in range(5):
        assert fitted(*rows(lambda f: 0.7 * f, 300, seed, noise, tails)) is None


def test_noise_has_no_curve_and_neither_has_what_falls() -> None:
    rng = np.random.default_rng(0)
    for n in (60, 300, 2000):
        assert fitted(rng.normal(size=n), rng.normal(size=n)) is None
    x, y = rows(LAWS["sigmoid"], 400, 0)
    assert fitted(-x, y) is None


def test_few_rows_or_values_have_none() -> None:
    x, y = rows(LAWS["floor"], 30, 0, 0.01)
    assert fitted(x, y) is None
    x, y = rows(LAWS["floor"], 400, 0)
    assert fitted(np.sign(x), y) is None
    assert fitted(np.zeros(400), y) is None
    assert fitted(x, y, groups=np.zeros(400, dtype=np.int64)) is None


@pytest.mark.parametrize("law", LAWS)
def test_it_rises_everywhere_and_beyond_all_rows_no_more_than_predictions_do(law: str) -> None:
    x, y = rows(LAWS[law], 400, 1)
    curve = fitted(x, y).curve
    far = np.linspace(x.min() - 5, x.max() + 5, 2001)
    steps = np.diff(curve(far)) / np.diff(far)
    assert steps.min() >= 0.99 * LEAST * np.polyfit(x, y, 1)[0]
    for end, slope, beyond in ((0, curve.below, far < x.min()), (-1, curve.above, far > x.max())):
        assert slope <= min(1.0, curve.slopes[end])
        assert steps[beyond[1:] & beyond[:-1]] == pytest.approx(slope)


def test_units_do_not_matter_and_ends_are_continuous() -> None:
    x, y = rows(LAWS["sigmoid"], 400, 0)
    one, other = fitted(x, y).curve, fitted(x, 3 + 0.5 * y).curve
    np.testing.assert_allclose(other(x), 3 + 0.5 * one(x), atol=1e-6)
    knots = np.array(one.knots)
    np.testing.assert_allclose(one(knots - 1e-9), one.values, atol=1e-6)
    np.testing.assert_allclose(one(knots + 1e-9), one.values, atol=1e-6)


def test_rows_of_no_weight_do_not_count() -> None:
    x, y = rows(LAWS["floor"], 400, 0)
    weights = np.where(np.arange(400) < 200, 1.0, 0.0)
    one, other = (fitted(x, np.where(weights > 0, y, wrong), weights=weights) for wrong in (-100.0, 7.0))
    assert one.curve == other.curve


def test_what_is_unseen_knows_nothing_of_its_group() -> None:
    x, y = rows(LAWS["floor"], 400, 0)
    groups = np.arange(400) // 2
    found = fitted(x, y, groups=groups).unseen
    moved = y.copy()
    moved[0] += 0.5
    again = fitted(x, moved, groups=groups).unseen
    np.testing.assert_allclose(again[:2], found[:2], atol=1e-9)
    assert np.abs(again - found).max() > 1e-4


def test_a_record_is_read_back_and_no_other() -> None:
    x, y = rows(LAWS["floor"], 400, 0)
    curve = fitted(x, y).curve
    assert Curve.of(asdict(curve)) == curve
    for wrong in (
        {"knots": curve.knots[::-1]}, {"values": curve.values[1:]}, {"above": 0.0}, {"slopes": ("a",)},
        {"values": (float("nan"),) * len(curve.values)},
    ):  # fmt: skip
        with pytest.raises(ValueError, match="curve|could not convert"):
            Curve.of({**asdict(curve), **wrong})
    with pytest.raises(KeyError):
        Curve.of({})
