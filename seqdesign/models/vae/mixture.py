"""A mixture of normals with full covariances, fitted by EM; its number of components is that which other
points like best.

Shapes: N codes, d latent dimensions, K components.
"""

from __future__ import annotations

import math

import torch
from torch import Generator, Tensor, nn

from seqdesign.devices.arithmetic import running_sum

COMPONENTS = (1, 4, 16, 48)
"""Numbers of components that are tried, until more no longer help other codes."""
ROUNDS, GAIN = 40, 1e-3
"""Most rounds of EM, and nats a code by which one must help to go on."""
JITTER = 1e-4
"""Variance that every direction has at least: the square of the least posterior width."""


class Mixture(nn.Module):
    """Normals with weights (K,), means (K, d) and covariances by their lower Cholesky factors (K, d, d)."""

    weights: Tensor
    means: Tensor
    factors: Tensor

    def __init__(self, components: int, latent_dim: int) -> None:
        super().__init__()
        self.register_buffer("weights", torch.full((components,), 1.0 / components))
        self.register_buffer("means", torch.zeros(components, latent_dim))
        self.register_buffer("factors", torch.eye(latent_dim).repeat(components, 1, 1))

    def log_densities(self, z: Tensor) -> Tensor:
        """Log of weight times density, (N, K), of codes (N, d), in nats."""
        found = []
        for weight, mean, factor in zip(self.weights, self.means, self.factors, strict=True):
            white = torch.linalg.solve_triangular(factor, (z - mean).T, upper=False)
            spread = factor.diagonal().log().sum()
            found.append(weight.log() - spread - 0.5 * white.square().sum(0))
        return torch.stack(found, 1) - 0.5 * z.shape[1] * math.log(2 * math.pi)

    def log_prob(self, z: Tensor) -> Tensor:
        """Log density (N,) of codes (N, d), in nats."""
        return self.log_densities(z).logsumexp(1)

    def draw(self, noise: Tensor, luck: Tensor) -> Tensor:
        """Codes (N, d) from standard normal noise (N, d) and uniform numbers (N,) in [0, 1)."""
        total = running_sum(self.weights, 0)
        which = torch.searchsorted(total, luck * total[-1], right=True).clamp(max=len(total) - 1)
        return self.means[which] + torch.einsum("nij,nj->ni", self.factors[which], noise)


def fit_mixture(train: Tensor, judges: Tensor, rng: Generator, *, most: int) -> Mixture:
    """The mixture of codes (N, d), of ``most`` components or fewer, under which codes (M, d) are most likely.

    A covariance leans towards that of all components, the more the fewer codes it has (Friedman 1989).
    """
    train, judges = train.double(), judges.double()
    best, best_found = None, -math.inf
    for components in COMPONENTS:
        if components > max(1, most):
            break
        mixture = _fit(train, components, rng)
        found = mixture.log_prob(judges).mean().item()
        if not found > best_found + GAIN:
            break
        best, best_found = mixture, found
    assert best is not None, "one component always has a density"
    return best.float()


def _fit(z: Tensor, components: int, rng: Generator) -> Mixture:
    """EM from centres that k-means++ spreads out (Arthur and Vassilvitskii 2007)."""
    mixture = Mixture(components, z.shape[1]).double()
    centred = z - z.mean(0)
    whole = centred.T @ centred / len(z) + JITTER * torch.eye(z.shape[1], dtype=z.dtype)
    white = torch.linalg.solve_triangular(torch.linalg.cholesky(whole), centred.T, upper=False).T
    centres = _spread_out(white, components, rng)
    share = torch.nn.functional.one_hot(torch.cdist(white, centres).argmin(1), components).to(z)
    before = -math.inf
    for _ in range(ROUNDS):
        _maximise(mixture, z, share)
        densities = mixture.log_densities(z)
        now = densities.logsumexp(1).mean().item()
        if not now > before + GAIN:
            break
        share, before = densities.softmax(1), now
    return mixture


def _spread_out(z: Tensor, components: int, rng: Generator) -> Tensor:
    """Centres (K, d) among points (N, d), each drawn by the squared distance to those before."""
    first = int(torch.randint(len(z), (1,), generator=rng))
    centres, distance = [z[first]], (z - z[first]).square().sum(1)
    while len(centres) < components:
        following = z[int(torch.multinomial(distance.clamp(min=1e-12), 1, generator=rng))]
        centres.append(following)
        distance = torch.minimum(distance, (z - following).square().sum(1))
    return torch.stack(centres)


def _maximise(mixture: Mixture, z: Tensor, share: Tensor) -> None:
    """Weights, means and covariances from codes (N, d) and the shares (N, K) that components have in them."""
    counts = share.sum(0).clamp(min=1e-6)
    means = (share.T @ z) / counts[:, None]
    within = []
    for k in range(len(counts)):
        centred = z - means[k]
        within.append((share[:, k, None] * centred).T @ centred)
    scatter = torch.stack(within)
    dim = z.shape[1]
    shared = scatter.sum(0) / len(z)
    lean = float(dim) if len(counts) > 1 else 0.0
    covariance = (scatter + lean * shared) / (counts + lean)[:, None, None]
    covariance += JITTER * torch.eye(dim, dtype=z.dtype)
    mixture.weights.copy_(counts / counts.sum())
    mixture.means.copy_(means)
    mixture.factors.copy_(torch.linalg.cholesky(covariance))
