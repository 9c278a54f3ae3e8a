"""Diagonal normal distributions, in nats: log densities, divergences, and bounds on likelihoods by draws.

For one dimension KL(N(m1, s1^2) || N(m2, s2^2)) = log(s2/s1) + (s1^2 + (m1 - m2)^2) / (2 s2^2) - 1/2;
dimensions of a diagonal normal add up.
"""

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


def kl_standard_normal(mean: Tensor, scale: Tensor, *, per_dimension: bool = False) -> Tensor:
    """KL(N(mean, scale^2) || N(0, 1)) = 1/2 sum(mean^2 + scale^2 - 1 - 2 log scale).

    The prior term of the VAE objective (Kingma and Welling 2014).
    ``mean`` and ``scale`` (standard deviation, > 0) are (..., d). Returns (...), summed over the last
    axis, or (..., d) with ``per_dimension``.
    """
    kl = 0.5 * (mean.square() + scale.square() - 1.0) - scale.log()
    return kl if per_dimension else kl.sum(dim=-1)


def kl_normals(
    mean: Tensor, scale: Tensor, other_mean: Tensor, other_scale: Tensor, *, per_dimension: bool = False
) -> Tensor:
    """KL(N(mean, scale^2) || N(other_mean, other_scale^2)) of diagonal normals.

    All arguments are (..., d) and broadcast; scales are standard deviations > 0. Returns (...), summed
    over the last axis, or (..., d) with ``per_dimension``.
    """
    distance = ((mean - other_mean) / other_scale).square()
    # log(s2) - log(s1) and not the log of the ratio: the ratio under- or overflows for extreme scales.
    kl = 0.5 * (distance + (scale / other_scale).square() - 1.0) + other_scale.log() - scale.log()
    return kl if per_dimension else kl.sum(dim=-1)


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
