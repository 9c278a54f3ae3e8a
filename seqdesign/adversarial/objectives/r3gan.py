"""Relativistic pairing with zero-centred penalties on both sides: Huang et al. (NeurIPS 2024), 2501.05441."""

from __future__ import annotations

from torch import Generator, Tensor
from torch.nn.functional import softplus

from seqdesign.adversarial.objective import Critic, Objective, zero_centred_penalty


def _critic_loss(
    critic: Critic, real: Tensor, fake: Tensor, rng: Generator, weight: float
) -> dict[str, Tensor]:
    """E softplus(D(fake) - D(real)) over pairs + weight/2 (R1 + R2)."""
    if weight == 0:
        return {"loss": softplus(critic(fake) - critic(real)).mean()}
    (real_score, r1), (fake_score, r2) = (zero_centred_penalty(critic, rows) for rows in (real, fake))
    loss = softplus(fake_score - real_score).mean()
    return {"loss": loss + weight / 2 * (r1 + r2), "penalty": r1 + r2}


def _generator_loss(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    return softplus(critic(real).detach() - critic(fake)).mean()


r3gan = Objective(
    critic_loss=_critic_loss,
    generator_loss=_generator_loss,
    betas=(0.0, 0.99),
    learning_rate=2e-3,
    rate_symbols=5,
    penalty=0.1,
    penalty_every=4,
)
