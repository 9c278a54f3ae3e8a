"""Wasserstein GAN with clipped weights: Arjovsky, Chintala and Bottou (ICML 2017), algorithm 1."""

from __future__ import annotations

from torch import Generator, Tensor

from seqdesign.adversarial.objective import Critic, Objective


def _critic_loss(
    critic: Critic, real: Tensor, fake: Tensor, rng: Generator, weight: float
) -> dict[str, Tensor]:
    """E D(fake) - E D(real), so that its minimum is minus the distance (up to the Lipschitz constant)."""
    return {"loss": critic(fake).mean() - critic(real).mean()}


def _generator_loss(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return -critic(fake).mean()


wgan = Objective(
    critic_loss=_critic_loss,
    generator_loss=_generator_loss,
    optimizer="rmsprop",
    learning_rate=5e-5,
    schedule="constant",
    critic_steps=5,
    max_weight=0.01,
)
