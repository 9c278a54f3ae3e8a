"""Latent diagnostics on posteriors whose information content is known."""

from __future__ import annotations

import math

import pytest
import torch

from seqdesign.metrics.latent import active_units, latent_summary, mutual_information


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def test_a_unit_is_active_when_its_mean_varies_by_more_than_the_threshold():
    means = torch.tensor([[0.0, 5.0, 0.09], [0.4, 5.0, -0.09], [-0.4, 5.0, 0.09], [0.0, 5.0, -0.09]])
    assert active_units(means) == 1
    assert active_units(means, threshold=0.005) == 2
    assert active_units(means, threshold=0.1) == 0
    assert active_units(means[:1]) == 0


def test_equal_posteriors_carry_no_information():
    mean, scale = torch.full((50, 3), 0.7), torch.full((50, 3), 0.4)
    assert mutual_information(mean, scale, generator()) == pytest.approx(0.0, abs=1e-12)


def test_separate_posteriors_tell_which_datum_it_was():
    """The information about one of N data cannot exceed log N."""
    mean = torch.arange(40.0)[:, None] * torch.ones(2)
    assert mutual_information(mean, torch.full_like(mean, 1e-3), generator()) == pytest.approx(math.log(40))


def test_gaussian_channel_has_its_known_capacity():
    """Means N(0, v), noise s: I = 1/2 log(1 + v / s^2) per dimension."""
    mean = math.sqrt(3.0) * torch.randn(2_000, 2, generator=generator(1))
    information = mutual_information(mean, torch.ones_like(mean), generator(2))
    assert information == pytest.approx(2 * 0.5 * math.log(4.0), abs=0.06)


def test_chunks_do_not_change_the_estimate(monkeypatch):
    mean = torch.randn(30, 4, generator=generator(3))
    scale = torch.rand(30, 4, generator=generator(4)) + 0.1
    whole = mutual_information(mean, scale, generator(5))
    monkeypatch.setattr("seqdesign.metrics.latent._CHUNK_CELLS", 7 * 30 * 4)
    assert mutual_information(mean, scale, generator(5)) == pytest.approx(whole, abs=1e-12)


def test_summary_splits_the_divergence_into_information_and_marginal_part():
    """Hoffman and Johnson: mean KL = I(x; z) + KL(aggregated posterior || prior); here the latter is 0."""
    scale = math.sqrt(0.5)
    mean = scale * torch.randn(2_000, 1, generator=generator(6))
    summary = latent_summary(mean, torch.full_like(mean, scale), generator(7))
    assert summary.kl == pytest.approx(0.5 * math.log(2.0), abs=0.03)
    assert summary.marginal_kl == pytest.approx(0.0, abs=0.03)
    assert summary.kl == pytest.approx(summary.mutual_information + summary.marginal_kl)
    assert (summary.num_dimensions, summary.active_units, summary.collapsed) == (1, 1, False)


def test_a_posterior_that_ignores_its_input_counts_as_collapsed():
    prior = latent_summary(torch.zeros(100, 4), torch.ones(100, 4), generator())
    assert prior.collapsed
    assert prior.kl == 0.0
    # Far from the prior, so KL is large, but the same for every input.
    shifted = latent_summary(torch.full((100, 4), 3.0), torch.full((100, 4), 0.2), generator())
    assert shifted.collapsed
    assert shifted.kl > 1.0
    # One dimension moves a little more than the threshold, under noise ten times as wide.
    faint = latent_summary(
        0.11 * torch.randn(400, 1, generator=generator(8)), torch.ones(400, 1), generator()
    )
    assert faint.active_units == 1
    assert faint.collapsed


def test_small_but_sharp_codes_are_not_a_collapse():
    mean = 0.05 * torch.randn(200, 2, generator=generator(9))
    sharp = latent_summary(mean, torch.full_like(mean, 1e-3), generator(10))
    assert sharp.active_units == 0
    assert not sharp.collapsed
