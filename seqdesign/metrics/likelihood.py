"""Lower bounds on the log likelihood of a latent-variable model, in nats."""

from __future__ import annotations

import math

import torch
from torch import Tensor

_LOG_TWO_PI = math.log(2.0 * math.pi)


def normal_log_prob(z: Tensor, mean: Tensor | float, scale: Tensor | float) -> Tensor:
    """Log density of a diagonal normal at ``z`` (..., d), summed over the last axis: (...).

    ``mean`` and ``scale`` (standard deviation, > 0) broadcast against ``z``.
    """
    spread = torch.as_tensor(scale, dtype=z.dtype, device=z.device)
    terms = -0.5 * ((z - mean) / spread).square() - spread.log() - 0.5 * _LOG_TWO_PI
    return terms.sum(dim=-1)


def log_weights(z: Tensor, log_likelihood: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    """Log importance weights log p(x|z) + log p(z) - log q(z|x) for the prior N(0, 1), shape (...).

    ``z`` (..., d) are draws from q = N(mean, scale^2); ``log_likelihood`` (...) is log p(x|z).
    """
    return log_likelihood + normal_log_prob(z, 0.0, 1.0) - normal_log_prob(z, mean, scale)


def iwae_bound(log_weight: Tensor, *, dim: int = 0) -> Tensor:
    """Importance-weighted bound log(1/K sum_k exp(log_weight_k)) over axis ``dim`` (Burda et al. 2016).

    K = 1 is a single-draw ELBO; the bound rises in expectation with K and tends to log p(x).
    """
    return torch.logsumexp(log_weight, dim=dim) - math.log(log_weight.shape[dim])
