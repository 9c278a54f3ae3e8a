"""Wasserstein critic with a zero-centred penalty: the Sobolev GAN of Mroueh et al. (ICLR 2018, 1711.04894).

The critic maximises E D(real) - E D(fake) - weight E |grad D(x)|^2, x anywhere on the segment between a real
and a generated sequence (the measure mu of the paper, as Gulrajani et al. 2017 take it). Its value at the
optimum is the squared Sobolev distance over 4 weight: a Wasserstein-2 distance, linearised, where ``wgan-gp``
estimates Wasserstein-1. Gradients are kept short, not made one: the critic is steep as soon as it has found
a difference, and flat once there is none (Mescheder et al. 2018 show that a game with such a penalty
converges locally, and that one with the other need not).

Why between: letters are whole, so there is nothing near a sequence. A critic whose gradients are kept short
at real and generated sequences only learns to be flat there and steep in between, which costs it nothing; the
generator then hears nothing, and scores run away (gap^2 / E|grad D|^2 beyond the squared distance of any two
sequences, which is the most that a critic of gradients so short could have).

Why paced: a critic c times as large has the value c gap - weight c^2 E|grad D|^2, so at the optimum the gap
is twice the weighted penalty. One that has learned the noise of its batches has such a penalty, and no gap on
the next batch.
"""

from __future__ import annotations

from torch import Generator, Tensor

from seqdesign.adversarial.objective import Critic, Objective, between, zero_centred_penalty


def _critic_loss(
    critic: Critic, real: Tensor, fake: Tensor, rng: Generator, weight: float
) -> dict[str, Tensor]:
    """E D(fake) - E D(real) + weight R."""
    gap = critic(real).mean() - critic(fake).mean()
    if weight == 0:
        return {"loss": -gap, "gap": gap}
    penalty = zero_centred_penalty(critic, between(real, fake, rng))[1]
    return {"loss": weight * penalty - gap, "penalty": penalty, "gap": gap}


def _generator_loss(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return -critic(fake).mean()


sobolev = Objective(
    critic_loss=_critic_loss,
    generator_loss=_generator_loss,
    betas=(0.0, 0.99),
    learning_rate=2e-3,
    rate_symbols=5,
    penalty=10.0,
    paced=True,
)
