"""What a conditional VAE knows of an outcome: its prior p(z|y), and what the posterior q(z|x, y) is told.

    E_q(z|x,y) log p(x|z) - KL( q(z|x, y) || p(z|y) )

after Sohn, Lee and Yan (2015, NeurIPS), with the sequence as the output and the outcome as the condition. The
code carries the outcome to the decoder, which is that of any VAE; what p(z|y) says of the outcome costs no
KL. Where y is unknown, p is N(0, I) and q is q(z|x); a share of the training rows hides y, so that a model
reads sequences without outcomes too.
Shapes: N sequences, d latent dimensions, H features.
"""

from __future__ import annotations

import torch
from torch import Generator, Tensor, nn
from torch.distributions import Normal

from seqdesign.devices.randomness import for_rows
from seqdesign.models.vae.config import VAEOptions

HIDDEN = 0.3
"""Share of training rows whose outcome is hidden."""
RANGE = 2.0
"""Scales of the prior lie within e^-2 and e^2."""


def hide_some(outcomes: Tensor, rng: Generator) -> Tensor:
    """Outcomes (N,), a share of them NaN."""
    luck = for_rows(lambda n: torch.rand(n, generator=rng, device=rng.device), len(outcomes))
    return outcomes.masked_fill((luck < HIDDEN).to(outcomes.device), torch.nan)


class Condition(nn.Module):
    """Networks of p(z|y) and of what q(z|x, y) sees of y, in standard deviations, NaN where unknown.

    Both start out at zero: N(0, I) and q(z|x) for all outcomes.
    """

    def __init__(self, hidden: int, num_features: int, latent_dim: int) -> None:
        super().__init__()
        self.prior_net = nn.Sequential(nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, 2 * latent_dim))
        self.seen_net = nn.Sequential(nn.Linear(1, hidden), nn.SiLU(), nn.Linear(hidden, num_features))
        for net in (self.prior_net, self.seen_net):
            for parameter in net[-1].parameters():
                nn.init.zeros_(parameter)

    @classmethod
    def of(cls, options: VAEOptions, num_features: int, latent_dim: int) -> Condition | None:
        """None for a model without a condition."""
        return None if options.condition is None else cls(options.hidden, num_features, latent_dim)

    def prior(self, outcomes: Tensor) -> Normal:
        """p(z|y), (N, d), of outcomes (N,)."""
        mean, width = self._of_known(self.prior_net, outcomes).chunk(2, dim=1)
        return Normal(mean, (RANGE * torch.tanh(width / RANGE)).exp(), validate_args=False)

    def seen(self, outcomes: Tensor) -> Tensor:
        """(N, H): what q(z|x, y) sees beside the sequence."""
        return self._of_known(self.seen_net, outcomes)

    @staticmethod
    def _of_known(net: nn.Module, outcomes: Tensor) -> Tensor:
        known = ~outcomes.isnan()[:, None]
        found: Tensor = net(outcomes.nan_to_num()[:, None]).float()
        return found.masked_fill(~known, 0.0)
