"""Promises about the mean of designs: kept as often as they say, and not made without evidence."""

from __future__ import annotations

import numpy as np
import pytest

from seqdesign.design.promise import ENOUGH, balanced, promise
from seqdesign.objectives.reading import Reading


def world(rng: np.random.Generator, *, bias: float, rows: int = 800, designs: int = 40) -> tuple[float, bool]:
    """One set of designs whose judge errs by ``bias`` times the score: promise less truth, and if broken."""
    score = rng.standard_normal(rows)
    true = score - bias * np.maximum(score, 0) + 0.5 * rng.standard_normal(rows)
    chosen = 1.0 + 0.4 * rng.standard_normal(designs)
    real = chosen - bias * np.maximum(chosen, 0)
    sd = np.full(designs, 0.5)
    draws = chosen + 0.1 * rng.standard_normal((64, 1))
    found = promise(
        chosen,
        sd,
        score,
        np.full(rows, 0.5),
        true,
        draws,
        [f"d{i}" for i in range(designs)],
        independent=designs,
    )
    assert found.least is not None
    return found.least - real.mean(), found.least > real.mean()


@pytest.mark.parametrize("bias", [0.0, 0.5])
def test_at_most_one_promise_in_ten_is_broken_even_if_the_judges_are_biased(bias: float) -> None:
    rng = np.random.default_rng(0)
    gaps, broken = zip(*(world(rng, bias=bias) for _ in range(200)), strict=True)
    assert np.mean(broken) <= 0.15
    assert np.mean(gaps) > -0.6


def test_designs_unlike_all_rows_get_no_promise_and_the_reader_is_told_what_to_measure() -> None:
    rng = np.random.default_rng(1)
    rows = rng.standard_normal(300)
    designs = np.array([30.0, 31.0, 32.0, 33.0])
    draws = designs + np.array([0.1, 5.0, 0.1, 2.0]) * rng.standard_normal((64, 4))
    found = promise(
        designs, np.ones(4), rows, np.ones(300), rows, draws, ["a", "b", "c", "d"], independent=4.0
    )
    assert found.least is None
    assert found.effective < ENOUGH
    assert found.measure[:2] == ("b", "d")
    assert "not enough evidence" in found.text(Reading())
    assert found.judges == pytest.approx(np.quantile(draws.mean(axis=1), 0.1))
    assert "b, d" in found.text(Reading())
    assert not found.tested
    found = promise(
        designs, np.ones(4), rows, np.ones(300), rows, draws, ["a", "b", "c", "d"],
        independent=4.0, tested=True,
    )  # fmt: skip
    assert found.least == found.judges
    assert "hidden from the judges" in found.text(Reading())
    held = promise(
        designs, np.ones(4), rows, np.ones(300), rows, draws, ["a", "b", "c", "d"],
        independent=4.0, tested=True, headline=found.judges - 1,
    )  # fmt: skip
    assert held.least == found.judges - 1


def test_alike_designs_are_promised_less() -> None:
    rng = np.random.default_rng(2)
    rows = rng.standard_normal(500)
    true = rows + 0.5 * rng.standard_normal(500)
    designs, draws = np.full(20, 0.8), np.full((64, 20), 0.8)
    least = [
        promise(designs, np.ones(20), rows, np.ones(500), true, draws, ["d"] * 20, independent=n).least
        for n in (20.0, 1.0)
    ]
    assert least[1] < least[0] - 0.2


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
