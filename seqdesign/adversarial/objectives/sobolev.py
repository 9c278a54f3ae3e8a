"""Wasserstein critic with zero-centred penalties: the Sobolev GAN of Mroueh et al. (ICLR 2018, 1711.04894).

The critic maximises E D(real) - E D(fake) - weight/2 (E |grad D(real)|^2 + E |grad D(fake)|^2). Its value at
the optimum is the squared Sobolev distance over 4 weight: a Wasserstein-2 distance, linearised, where
``wgan-gp`` estimates Wasserstein-1. Gradients are kept short where sequences are, not made one in between:
the critic is steep as soon as it has found a difference, and flat once there is none (Mescheder et al. 2018
show that a game with such a penalty converges locally, and that one with the other need not).
"""

from __future__ import annotations

from torch import Generator, Tensor

from seqdesign.adversarial.objective import Critic, Objective, zero_centred_penalty


def _critic_loss(
    critic: Critic, real: Tensor, fake: Tensor, rng: Generator, weight: float
) -> dict[str, Tensor]:
    """E D(fake) - E D(real) + weight/2 (R1 + R2)."""
    if weight == 0:
        return {"loss": critic(fake).mean() - critic(real).mean()}
    (real_score, r1), (fake_score, r2) = (zero_centred_penalty(critic, rows) for rows in (real, fake))
    gap = real_score.mean() - fake_score.mean()
    return {"loss": weight / 2 * (r1 + r2) - gap, "penalty": r1 + r2}


def _generator_loss(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return -critic(fake).mean()


sobolev = Objective(
    critic_loss=_critic_loss,
    generator_loss=_generator_loss,
    betas=(0.0, 0.99),
    learning_rate=2e-3,
    rate_symbols=5,
    penalty=10.0,
)
