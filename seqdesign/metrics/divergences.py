"""Kullback-Leibler divergences between diagonal normal distributions, in nats.

For one dimension KL(N(m1, s1^2) || N(m2, s2^2)) = log(s2/s1) + (s1^2 + (m1 - m2)^2) / (2 s2^2) - 1/2;
dimensions of a diagonal normal add up.
"""

from __future__ import annotations

from torch import Tensor


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
