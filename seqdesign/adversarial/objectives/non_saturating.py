"""The non-saturating GAN: Goodfellow et al. (NeurIPS 2014), section 3; as minimax, but G minimises -log D."""

from __future__ import annotations

from torch import Tensor
from torch.nn.functional import softplus

from seqdesign.adversarial.objective import Critic, Objective
from seqdesign.adversarial.objectives.minimax import discrimination_loss


def _generator_loss(critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
    """-E log D(fake), whose gradient does not vanish where the critic is sure."""
    return softplus(-critic(fake)).mean()


non_saturating = Objective(
    critic_loss=discrimination_loss, generator_loss=_generator_loss, betas=(0.5, 0.999), learning_rate=2e-4
)
