"""The conditional VAE: its prior against closed forms, what F is told, and that the outcome is used."""

from __future__ import annotations

import math
import re
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from torch.distributions import Normal, kl_divergence

from seqdesign.errors import InputError, UsageError
from seqdesign.models.vae.condition import HIDDEN, hide_some
from seqdesign.models.vae.drawing import Draws, check_condition, codes, source
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.models.vae.store import TrainedVAE


def conditional(small: SimpleNamespace, **options: Any) -> SequenceVAE:
    """A prior that differs from N(0, I), and a posterior that hears the outcome."""
    model: SequenceVAE = small.vae(condition="outcome", **options)
    assert model.condition is not None
    torch.manual_seed(3)
    with torch.no_grad():
        for parameter in model.condition.parameters():
            parameter.normal_()
    return model


def test_the_prior_starts_as_the_standard_normal_and_stays_it_without_outcome(small: SimpleNamespace) -> None:
    fresh = small.vae(condition="outcome").prior(torch.tensor([0.5, 3.0]))
    assert torch.equal(fresh.mean, torch.zeros(2, 2))
    assert torch.equal(fresh.stddev, torch.ones(2, 2))
    moved = conditional(small).prior(torch.tensor([0.5, 3.0, math.nan]))
    assert (moved.mean[:2].abs() > 0.01).all()
    assert torch.equal(moved.mean[2], torch.zeros(2))
    assert torch.equal(moved.stddev[2], torch.ones(2))


def test_the_kl_is_that_of_two_normals(small: SimpleNamespace) -> None:
    """Against torch's, and against the closed form of one dimension written out."""
    model = conditional(small)
    posterior = Normal(torch.tensor([[0.3, -1.0]]), torch.tensor([[0.2, 0.9]]))
    prior = model.prior(torch.tensor([1.7]))
    found = model._kl(posterior, prior)
    torch.testing.assert_close(found, kl_divergence(posterior, prior))
    m, s, mp, sp = 0.3, 0.2, prior.mean[0, 0].item(), prior.stddev[0, 0].item()
    by_hand = math.log(sp / s) + (s * s + (m - mp) ** 2) / (2 * sp * sp) - 0.5
    assert found[0, 0].item() == pytest.approx(by_hand, rel=1e-5)
    assert model._kl(prior, prior).abs().max() < 1e-6


def test_the_loss_charges_the_kl_to_the_prior_of_each_outcome(small: SimpleNamespace) -> None:
    model, batch = conditional(small), small.batch(12)
    features = model.features(batch.tokens, batch.lengths)
    given = (batch.outcomes - model.outcome_mean) / model.outcome_scale
    assert model.condition is not None
    posterior = model._posterior(features + model.condition.seen(given))
    expected = kl_divergence(posterior, model.prior(batch.outcomes)).sum(1).mean()
    terms = model.losses("vae", batch, small.generator(), 1.0)
    torch.testing.assert_close(terms["kl"], expected)


def test_f_learns_from_codes_that_were_not_told_the_outcome(small: SimpleNamespace) -> None:
    model, batch = conditional(small, outcome_on="mean"), small.batch(12)
    alone = model.encode(batch.tokens, batch.lengths)
    target = (batch.outcomes - model.outcome_mean) / model.outcome_scale
    expected = (model.standard_outcome(alone.mean) - target).square().mean()
    torch.testing.assert_close(model.losses("vae", batch, small.generator(), 1.0)["outcome"], expected)


def test_a_share_of_the_outcomes_is_hidden() -> None:
    hidden = hide_some(torch.zeros(20_000), torch.Generator().manual_seed(0)).isnan()
    assert hidden.float().mean().item() == pytest.approx(HIDDEN, abs=0.015)


def letters(flip: bool) -> tuple[list[str], np.ndarray]:
    """Strings rich in A with one outcome, rich in T with the other."""
    rng = np.random.default_rng(0)
    rich = [rng.choice(list("ACGT"), 8, p=p) for p in ([0.7, 0.1, 0.1, 0.1], [0.1, 0.1, 0.1, 0.7]) * 100]
    return ["".join(t) for t in rich], np.arange(200) % 2 * (-1.0 if flip else 1.0) + flip


@pytest.mark.parametrize("flip", [False, True])
def test_samples_follow_the_outcome_and_change_sides_when_labels_are_swapped(
    tiny: SimpleNamespace, flip: bool
) -> None:
    texts, outcomes = letters(flip)
    trained = tiny.train(
        texts, outcomes, encoder="dense", decoder="gru", condition="outcome", kl_weight=1.0, hidden=16,
        invariance_weight=0.0, epochs=25, batch_size=32, learning_rate=0.01,
    ).trained  # fmt: skip
    counts = []
    for asked in (0.0, 1.0):
        drawn = source(trained, Draws(seed=0, condition=asked, choose_from=1), None).block(0)
        letters_drawn = "".join(drawn.texts)
        counts.append(letters_drawn.count("A") / letters_drawn.count("T"))
    few, many = counts if flip else counts[::-1]
    assert many > 3 * few, counts
    # Of several draws the one is kept whose prediction is nearest; the first of them is the only one of one.
    one, four, eight = (
        np.abs(predicted(trained, **chosen) - 0.5) for chosen in ({"choose_from": 1}, {"choose_from": 4}, {})
    )
    assert (four <= one).all()
    assert (eight <= four).all()
    assert eight.sum() < four.sum() < 0.7 * one.sum()


def predicted(trained: TrainedVAE, **chosen: int) -> np.ndarray:
    """F(E(x)) of samples that are asked for 0.5."""
    drawn = source(trained, Draws(seed=0, condition=0.5, **chosen), None).block(0)
    return np.array([float(re.findall(r"predicted_\w+=(\S+)", label)[0]) for label in drawn.labels])


def test_what_cannot_be_asked_for_is_refused(tiny: SimpleNamespace, small: SimpleNamespace) -> None:
    texts = tiny.strings()
    plain = tiny.train(texts, tiny.outcomes(texts)).trained
    with pytest.raises(UsageError, match="without train-vae --condition"):
        check_condition(plain, 1.0)
    trained = tiny.train(texts, tiny.outcomes(texts), condition="outcome").trained
    assert check_condition(trained, None) is None
    _, high = trained.record.outcome_range
    assert check_condition(trained, high) == high
    with pytest.raises(UsageError, match="must lie between"):
        check_condition(trained, high + 1)
    with pytest.raises(UsageError, match="must be a number"):
        check_condition(trained, "strong")
    with pytest.raises(InputError, match="to be conditional on"):
        tiny.train(texts, None, condition="outcome")
    noise = torch.randn(3, 2)
    model = conditional(small)
    noise = torch.randn(3, 2, generator=small.generator())
    assert torch.equal(codes(model, 3, small.generator(), None), noise)
    prior = model.prior(torch.ones(3))
    assert torch.equal(codes(model, 3, small.generator(), 1.0), prior.mean + prior.stddev * noise)
