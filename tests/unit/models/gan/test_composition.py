"""Promises of the closed-form critic of composition, against NumPy."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import Generator, Tensor

from seqdesign.models.gan import composition
from seqdesign.models.gan.composition import LEAST_VARIANCE, CompositionCritic
from seqdesign.models.gan.words import MEMORY


def drawn(num: int, spread: float, seed: int) -> Tensor:
    """100 of 4 letters each; the log odds of the first two vary from sequence to sequence by ``spread``."""
    rng = Generator().manual_seed(seed)
    share = torch.sigmoid(spread * torch.randn(num, 1, generator=rng))
    first = torch.rand(num, 100, generator=rng) < share
    return torch.randint(2, (num, 100), generator=rng) + 2 * ~first


def critic_of(real: Tensor, generated: Tensor) -> tuple[CompositionCritic, Tensor]:
    critic = CompositionCritic(4)
    critic.learn(real)
    for part in generated.split(64):
        slope = critic(part)
    return critic, slope


def outwards(slope: Tensor, last: Tensor) -> float:
    """Covariance of the number of the first two letters and the slope from the others to them."""
    number = (last < 2).sum(1).float()
    gain = slope[:, :2].mean(1) - slope[:, 2:].mean(1)
    return float(((number - number.mean()) * gain).mean())


@pytest.mark.parametrize(("spread", "sign"), [(0.0, -1), (0.3, -1), (0.5, 1), (0.8, 1)])
def test_sequences_that_vary_too_little_are_driven_apart(spread: float, sign: int) -> None:
    """The slope is what the generator goes down: negative towards the outside where variety lacks."""
    generated = drawn(2560, spread, 1)
    _, slope = critic_of(drawn(10_000, 0.4, 0), generated)
    assert sign * outwards(slope, generated[-64:]) > 0.1


def test_what_may_be_chance_hardly_counts() -> None:
    generated = drawn(2560, 0.4, 1)
    _, alike = critic_of(drawn(10_000, 0.4, 0), generated)
    _, unlike = critic_of(drawn(10_000, 0.4, 0), drawn(2560, 0.5, 1))
    assert float(alike.abs().mean()) < 0.2 * float(unlike.abs().mean())


def test_the_slope_is_that_of_the_log_ratio_of_two_normal_distributions(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Where the generated one is wider along every axis and no difference is chance; means apart."""
    monkeypatch.setattr(composition, "SURE", 0.0)
    real, generated = torch.arange(4).repeat(500, 25), drawn(1280, 0.5, 1)  # real ones do not vary at all
    critic, slope = critic_of(real, generated)
    numbers = np.stack([(generated == v).sum(1).numpy() for v in range(4)], axis=1)
    weights = (1 - 64 / MEMORY) ** np.repeat(np.arange(len(numbers) // 64)[::-1], 64)
    mean = np.average(numbers, axis=0, weights=weights)
    wide = np.cov(numbers.T, aweights=weights, ddof=0) + LEAST_VARIANCE * np.eye(4)
    away = numbers[-64:] - mean
    expected = away / LEAST_VARIANCE - away @ np.linalg.inv(wide)
    np.testing.assert_allclose(slope.numpy(), expected, rtol=1e-3, atol=1e-3)
    assert float(critic.drawn[0, 0]) == pytest.approx(weights.sum(), rel=1e-5)
