"""Wasserstein GAN with gradient penalty: Gulrajani et al. (NeurIPS 2017), algorithm 1."""

from __future__ import annotations

from torch import Generator, Tensor

from seqdesign.adversarial.objective import Critic, Objective, one_centred_penalty


def _critic_loss(
    critic: Critic, real: Tensor, fake: Tensor, rng: Generator, weight: float
) -> dict[str, Tensor]:
    gap = critic(real).mean() - critic(fake).mean()
    if weight == 0:
        return {"loss": -gap}
    penalty = one_centred_penalty(critic, real, fake, rng)
    return {"loss": weight * penalty - gap, "penalty": penalty}


def _generator_loss(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return -critic(fake).mean()


wgan_gp = Objective(critic_loss=_critic_loss, generator_loss=_generator_loss, critic_steps=5, penalty=10.0)
