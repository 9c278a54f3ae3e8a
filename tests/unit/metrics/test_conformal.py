"""Intervals cover what they promise, whatever the errors are; temperature and novelty do their work."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from seqdesign.metrics.conformal import (
    LEVELS,
    NORMAL_QUANTILES,
    conformal_quantile,
    coverage,
    fit_conformal,
)
from seqdesign.metrics.novelty_model import fit_novelty
from seqdesign.metrics.probabilities import best_temperature, calibration_curve, calibration_error, log_loss


def heteroscedastic(n: int, seed: int, kind: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """measured, mean, spread: the error grows with the spread; heavy tails or ties on request."""
    rng = np.random.default_rng(seed)
    mean, spread = rng.normal(size=n), np.exp(rng.normal(size=n) - 1)
    noise = rng.standard_t(2, size=n) if kind == "heavy" else rng.normal(size=n)
    measured = mean + spread * noise
    if kind == "floor":
        measured, mean = np.maximum(measured, 0.0), np.maximum(mean, 0.0)
    return measured, mean, spread


@pytest.mark.parametrize("kind", ["normal", "heavy", "floor"])
def test_fresh_rows_are_covered_at_the_stated_rate(kind: str) -> None:
    fitted = fit_conformal(*heteroscedastic(1000, 0, kind), centre=0.0, unit=1.0)
    measured, mean, spread = heteroscedastic(20_000, 1, kind)
    found = coverage(measured, mean, fitted.half_widths(mean, spread))
    # Of 1,000 calibration rows the coverage has a standard deviation of sqrt(p (1 - p) / 1000) <= 1.6%.
    assert np.abs(np.array(found) - LEVELS).max() < 0.045


def test_the_scale_follows_the_spread() -> None:
    fitted = fit_conformal(*heteroscedastic(2000, 0, "normal"), centre=0.0, unit=1.0)
    sd = fitted.sd(np.zeros(2), np.array([0.1, 1.0]))
    assert sd == pytest.approx([0.1, 1.0], rel=0.25)


def test_units_do_not_matter() -> None:
    measured, mean, spread = heteroscedastic(300, 0, "normal")
    one = fit_conformal(measured, mean, spread, centre=0.0, unit=1.0)
    other = fit_conformal(50 + 10 * measured, 50 + 10 * mean, 10 * spread, centre=50.0, unit=10.0)
    np.testing.assert_allclose(
        other.half_widths(50 + 10 * mean, 10 * spread), 10 * one.half_widths(mean, spread), rtol=1e-3
    )


def test_the_quantile_is_that_of_conformal_prediction() -> None:
    ordered = np.arange(1.0, 20.0)
    assert conformal_quantile(ordered, 0.95) == 19.0  # ceil(20 * 0.95) = 19
    assert conformal_quantile(ordered, 0.5) == 10.0
    assert conformal_quantile(ordered[:5], 0.95) > 5.0


def test_the_temperature_undoes_overconfidence() -> None:
    rng = np.random.default_rng(0)
    logits = rng.normal(size=20_000) * 1.5
    labels = (rng.random(20_000) < 1 / (1 + np.exp(-logits))).astype(np.int64)
    assert best_temperature(3 * logits, labels) == pytest.approx(3, rel=0.1)
    two = np.stack([np.zeros_like(logits), logits], axis=1)
    assert log_loss(two, labels) == pytest.approx(log_loss(logits, labels))


def test_calibration_error_is_the_gap_between_said_and_found() -> None:
    p, right = np.array([0.95, 0.95, 0.95, 0.95]), np.array([1.0, 1.0, 0.0, 0.0])
    assert calibration_error(p, right) == pytest.approx(0.45)
    said, found, counts = calibration_curve(p, right)
    assert (said.tolist(), found.tolist(), counts.tolist()) == ([pytest.approx(0.95)], [0.5], [4.0])


@pytest.mark.parametrize("positional", [True, False])
def test_novelty_is_a_proper_model_and_prefers_its_likes(positional: bool) -> None:
    rng = np.random.default_rng(0)
    lengths = np.full(500, 6)
    known = np.where(rng.random((500, 6)) < 0.9, [0, 1, 2, 3, 0, 1], rng.integers(0, 4, (500, 6))).astype(
        np.uint8
    )
    model = fit_novelty(known, lengths, 4, positional=positional)
    every = np.stack(np.meshgrid(*[np.arange(4)] * 6, indexing="ij"), -1).reshape(-1, 6).astype(np.uint8)
    log_p = -model.nats(every, np.full(len(every), 6)) * 6
    assert np.exp(log_p).sum() == pytest.approx(1.0)
    strange = rng.integers(0, 4, (500, 6)).astype(np.uint8)
    assert np.median(model.nats(strange, lengths)) > np.quantile(model.nats(known, lengths), 0.9)


def test_letters_without_evidence_widen_an_interval_by_what_they_may_do() -> None:
    rng = np.random.default_rng(0)
    mean, spread = rng.normal(size=400), np.full(400, 0.1)
    fitted = fit_conformal(mean + rng.normal(0, 0.5, 400), mean, spread, centre=0.0, unit=1.0)
    wider = replace(fitted, unseen=2.0, usual=1.0)
    one = np.zeros(3), np.full(3, 0.1), np.array([0.0, 1.0, 5.0])
    plain, wide = fitted.half_widths(*one), wider.half_widths(*one)
    np.testing.assert_allclose(wide[:2], plain[:2])
    np.testing.assert_allclose(wide[2], np.hypot(plain[2], 4.0 * np.array(NORMAL_QUANTILES)))
    np.testing.assert_allclose(wider.sd(*one)[2], np.hypot(fitted.sd(*one)[2], 4.0))
