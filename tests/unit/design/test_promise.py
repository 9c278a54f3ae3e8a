"""Promises about the mean of designs: kept as often as they say, and not made without evidence."""

from __future__ import annotations

import numpy as np
import pytest

from seqdesign.design.promise import Promise, balanced, promise
from seqdesign.objectives.reading import Reading

IDS = ["a", "b", "c", "d"]


def world(rng: np.random.Generator, *, bias: float, rows: int = 800, designs: int = 40) -> tuple[float, bool]:
    """One set of designs whose judge errs by ``bias`` times the score: promise less truth, and if broken."""
    score = rng.standard_normal(rows)
    true = score - bias * np.maximum(score, 0) + 0.5 * rng.standard_normal(rows)
    chosen = 1.0 + 0.4 * rng.standard_normal(designs)
    real = chosen - bias * np.maximum(chosen, 0)
    found = promise(
        chosen, np.full(designs, 0.5), score, np.full(rows, 0.5), true, chosen - 1, np.ones(designs),
        [f"d{i}" for i in range(designs)], independent=designs, start=-10.0, headline=10.0,
    )  # fmt: skip
    assert found.least is not None
    return found.least - real.mean(), found.least > real.mean()


@pytest.mark.parametrize("bias", [0.0, 0.5])
def test_at_most_one_promise_in_ten_is_broken_even_if_the_judges_are_biased(bias: float) -> None:
    rng = np.random.default_rng(0)
    gaps, broken = zip(*(world(rng, bias=bias) for _ in range(200)), strict=True)
    assert np.mean(broken) <= 0.15
    assert np.mean(gaps) > -0.6


def far(rng: np.random.Generator, start: float) -> Promise:
    """Of designs that no row is like, with lower bounds 5 to 8."""
    rows = rng.standard_normal(300)
    return promise(
        np.array([30.0, 31.0, 32.0, 33.0]), np.ones(4), rows, np.ones(300), rows, np.arange(5.0, 9.0),
        np.array([0.1, 5.0, 0.1, 2.0]), IDS, independent=4.0, start=start, headline=20.0,
    )  # fmt: skip


def test_of_designs_unlike_all_rows_the_lower_bounds_of_the_judges_are_promised() -> None:
    found = far(np.random.default_rng(1), start=0.0)
    assert not found.alike
    assert found.least == found.bounds == 6.5
    assert "few measured sequences are like them" in found.text(Reading())


def test_without_evidence_for_a_gain_the_reader_is_told_what_to_measure() -> None:
    found = far(np.random.default_rng(1), start=7.0)
    assert found.least is None
    assert found.measure[:2] == ("b", "d")
    assert "not enough evidence" in found.text(Reading())
    assert "b, d" in found.text(Reading())


def test_alike_designs_are_promised_less_and_no_more_than_headlines_say() -> None:
    rng = np.random.default_rng(2)
    rows = rng.standard_normal(500)
    true = rows + 0.5 * rng.standard_normal(500)
    designs = np.full(20, 0.8)

    def least(independent: float, headline: float) -> float | None:
        return promise(
            designs, np.ones(20), rows, np.ones(500), true, designs - 9, np.ones(20), ["d"] * 20,
            independent=independent, start=-10.0, headline=headline,
        ).least  # fmt: skip

    many, one = least(20.0, 10.0), least(1.0, 10.0)
    assert many is not None
    assert one is not None
    assert one < many - 0.2
    assert least(20.0, many - 1) == many - 1


def test_weights_are_the_density_ratio_of_two_normal_distributions() -> None:
    rng = np.random.default_rng(3)
    rows = rng.standard_normal((4000, 1))
    designs = 1.0 + rng.standard_normal((4000, 1))
    found = np.log(balanced(rows, designs))
    slope = np.polyfit(rows[:, 0], found, 1)[0]
    assert slope == pytest.approx(1.0, abs=0.15)  # log N(x; 1, 1) - log N(x; 0, 1) = x - 1/2


def test_weighted_rows_are_like_the_designs_on_average() -> None:
    rng = np.random.default_rng(4)
    rows, designs = rng.standard_normal((500, 2)), np.array([[0.5, -0.3], [0.9, 0.1]])
    weights = balanced(rows, designs)
    assert (weights @ rows / weights.sum()).tolist() == pytest.approx([0.7, -0.1], abs=0.01)
