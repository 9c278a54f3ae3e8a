"""F is drawn towards the mean of training by rows that it has not learned from, and no more than they say."""

from __future__ import annotations

from types import SimpleNamespace

import numpy as np
import pytest
import torch

from seqdesign.metrics.regression import r2
from seqdesign.models.vae.calibration import calibrate
from seqdesign.training.data import TokenData


def test_f_that_promises_too_much_is_shrunk_around_the_mean_of_training(tiny: SimpleNamespace) -> None:
    texts = tiny.strings(128)
    model = tiny.train(texts, tiny.outcomes(texts), epochs=1).trained.model
    tokens = tiny.dna(texts)
    array = TokenData.of(tokens, None)
    with torch.no_grad():
        before = model.outcome(model.encode(array.tokens.long(), array.lengths).mean)
    own = before.double().numpy() - model.outcome_mean
    true = model.outcome_mean + 0.4 * own
    true[::7] = np.nan
    found = calibrate(model, TokenData.of(tokens, true))
    assert found is not None
    assert found.slope == pytest.approx(0.4, abs=1e-3)
    assert found.r2 == pytest.approx(1.0, abs=1e-3)
    with torch.no_grad():
        after = model.outcome(model.encode(array.tokens.long(), array.lengths).mean).double().numpy()
    assert np.allclose(after - model.outcome_mean, 0.4 * own, atol=1e-3)


def test_the_r2_of_rows_that_calibrate_is_not_by_their_own_slope(tiny: SimpleNamespace) -> None:
    texts = tiny.strings(64)
    model = tiny.train(texts, tiny.outcomes(texts), epochs=1).trained.model
    tokens, noise = tiny.dna(texts), np.random.default_rng(0).normal(size=64)
    data = TokenData.of(tokens, model.outcome_mean + model.outcome_scale * noise)
    found = calibrate(model, data)
    assert found is not None
    with torch.no_grad():
        after = model.standard_outcome(model.encode(data.tokens.long(), data.lengths).mean).double().numpy()
    assert found.r2 < r2(noise, after) + 1e-6


def test_without_outcomes_nothing_is_shrunk(tiny: SimpleNamespace) -> None:
    texts = tiny.strings(64)
    plain = tiny.train(texts, None)
    assert calibrate(plain.trained.model, TokenData.of(tiny.dna(texts), None)) is None
    assert plain.quality.outcome_slope is None
    taught = tiny.train(texts, tiny.outcomes(texts), epochs=1)
    none = np.full(64, np.nan)
    assert calibrate(taught.trained.model, TokenData.of(tiny.dna(texts), none)) is None


def test_the_best_outcomes_do_not_calibrate(tiny: SimpleNamespace) -> None:
    """They are chosen by what was measured, which would make any F look as if it promised too little."""
    texts = tiny.strings(64)
    assert tiny.train(texts, tiny.outcomes(texts), split="quantile").quality.outcome_slope is None
    assert tiny.train(texts, tiny.outcomes(texts)).quality.outcome_slope is not None
