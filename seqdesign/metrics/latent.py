"""Whether the latent variables of a VAE carry information, or the posterior has collapsed to the prior.

Posteriors are diagonal normals q(z|x_n) = N(mean_n, scale_n^2), given as two (N, d) tensors.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdesign.metrics.normals import kl_standard_normal

COLLAPSE_NATS = 0.1
_CHUNK_CELLS = 16_000_000  # elements of the (chunk, N, d) intermediate of mutual_information


def active_units(means: Tensor, threshold: float = 0.01) -> int:
    """Number of latent dimensions whose posterior mean varies over the data: Var_n(mean_nd) > threshold.

    ``means`` is (N, d), N >= 1 (population variance). Burda, Grosse and Salakhutdinov 2016.
    """
    return int((means.var(dim=0, correction=0) > threshold).sum())


def mutual_information(mean: Tensor, scale: Tensor, generator: torch.Generator) -> float:
    """Monte Carlo estimate of I(x; z) under q in nats (Hoffman and Johnson 2016).

    With one draw z_n ~ q(z|x_n) per datum: mean_n of log q(z_n|x_n) - log(1/N sum_m q(z_n|x_m)). It never
    exceeds log N, so N must be large for informative codes. Computed in float64; cost N^2 d.
    """
    mean, scale = mean.double(), scale.double()
    num, dim = mean.shape
    noise = torch.randn(mean.shape, dtype=torch.float64, device=generator.device, generator=generator)
    z = mean + scale * noise.to(mean.device)
    log_scale = scale.log().sum(dim=1)
    # The constant -d/2 log 2 pi is part of both terms and cancels.
    own = -0.5 * ((z - mean) / scale).square().sum(dim=1) - log_scale
    chunk = max(1, _CHUNK_CELLS // (num * dim))
    aggregate = torch.cat(
        [
            torch.logsumexp(-0.5 * ((rows[:, None] - mean) / scale).square().sum(dim=2) - log_scale, dim=1)
            for rows in torch.split(z, chunk)
        ]
    )
    return float((own - aggregate).mean()) + math.log(num)


@dataclass(frozen=True)
class LatentSummary:
    """What the collapse warning looks at."""

    num_dimensions: int
    """Size of the latent space."""
    active_units: int
    """Dimensions whose posterior mean varies over the data (`active_units`)."""
    kl: float
    """Mean KL(q(z|x) || N(0, I)) in nats, summed over dimensions."""
    mutual_information: float
    """Estimated I(x; z) in nats, at most log of the number of sequences."""
    marginal_kl: float
    """KL(aggregated posterior || prior) in nats: kl - mutual_information (Hoffman and Johnson 2016)."""

    @property
    def collapsed(self) -> bool:
        """Whether z tells less than 0.1 nats about the sequence, so that a decoder has nothing to listen to.

        Not judged by active units: small means under still smaller scales are inactive but informative.
        """
        return self.mutual_information < COLLAPSE_NATS


def latent_summary(mean: Tensor, scale: Tensor, generator: torch.Generator) -> LatentSummary:
    """Summary of posteriors ``mean`` and ``scale`` (N, d); the generator drives the one Monte Carlo estimate.

    ``collapsed`` needs N >= 2, since one sequence alone has no information to carry.
    """
    kl = float(kl_standard_normal(mean.double(), scale.double()).mean())
    information = mutual_information(mean, scale, generator)
    return LatentSummary(
        num_dimensions=mean.shape[1],
        active_units=active_units(mean),
        kl=kl,
        mutual_information=information,
        marginal_kl=kl - information,
    )
