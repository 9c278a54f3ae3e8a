"""The first GAN's own game: Goodfellow et al. (NeurIPS 2014), eq. 1; D(x) is the sigmoid of the critic."""

from __future__ import annotations

from torch import Generator, Tensor
from torch.nn.functional import softplus

from seqdesign.adversarial.objective import Critic, Objective, zero_centred_penalty


def discrimination_loss(
    critic: Critic, real: Tensor, fake: Tensor, rng: Generator, weight: float
) -> dict[str, Tensor]:
    """-E log D(real) - E log(1 - D(fake)) + weight/2 R1; R1 is that of Mescheder et al. (ICML 2018)."""
    if weight == 0:
        return {"loss": softplus(-critic(real)).mean() + softplus(critic(fake)).mean()}
    score, penalty = zero_centred_penalty(critic, real)
    loss = softplus(-score).mean() + softplus(critic(fake)).mean()
    return {"loss": loss + weight / 2 * penalty, "penalty": penalty}


def _generator_loss(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """E log(1 - D(fake)): minus the part of the critic's loss that the generator can change."""
    return -softplus(critic(fake)).mean()


minimax = Objective(
    critic_loss=discrimination_loss, generator_loss=_generator_loss, betas=(0.5, 0.999), learning_rate=2e-4
)
