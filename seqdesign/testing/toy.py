"""Outcome functions on a latent space whose constrained maximum is known in closed form.

The feasible set is the ellipsoid m2(z) = sum_i ((z_i - mean_i) / scale_i)^2 <= kappa2 around a posterior
N(mean, diag scale^2); REVISE must reach these maxima. Points and ``mean`` are (N, d), ``scale``
broadcasts to (N, d), ``kappa2`` is a number or (N,) and at least 0. Everything is float64.
"""

from __future__ import annotations

import torch
from torch import Tensor

_BISECTIONS = 200  # float64 resolution of the multiplier is reached far earlier


def _problem(mean: Tensor, scale: Tensor, kappa2: Tensor | float) -> tuple[Tensor, Tensor, Tensor]:
    """The ellipsoid as float64 (N, d), (N, d) and (N, 1). ValueError for scale <= 0 or kappa2 < 0."""
    mean, scale = mean.double(), scale.double().expand_as(mean)
    radius2 = torch.as_tensor(kappa2, dtype=torch.float64).expand(len(mean)).unsqueeze(1)
    if not bool((scale > 0).all()):
        raise ValueError(f"scale must be positive, got {scale.min().item():g}")
    if not bool((radius2 >= 0).all()):
        raise ValueError(
            f"kappa2 must be at least 0 (else no point is feasible), got {radius2.min().item():g}"
        )
    return mean, scale, radius2


class ConstantOutcome:
    """F(z) = value. Without a slope the start is as good as any point, and REVISE must stay there."""

    def __init__(self, value: float = 0.0) -> None:
        self.value = value

    def __call__(self, z: Tensor) -> Tensor:
        """Outcome of ``z`` (N, d): (N,). Depends on z with gradient 0, so that autograd works."""
        return (z.double() * 0.0).sum(dim=-1) + self.value

    def optimum(self, mean: Tensor, scale: Tensor, kappa2: Tensor | float) -> Tensor:
        """The posterior mean, (N, d)."""
        return _problem(mean, scale, kappa2)[0].clone()


class LinearOutcome:
    """F(z) = weight . z + bias, with ``weight`` (d,)."""

    def __init__(self, weight: Tensor, bias: float = 0.0) -> None:
        if weight.ndim != 1:
            raise ValueError(f"weight must be a vector, got shape {tuple(weight.shape)}")
        self.weight = weight.double()
        self.bias = bias

    def __call__(self, z: Tensor) -> Tensor:
        """Outcome of ``z`` (N, d): (N,)."""
        return z.double() @ self.weight + self.bias

    def optimum(self, mean: Tensor, scale: Tensor, kappa2: Tensor | float) -> Tensor:
        """z* = mean + sqrt(kappa2) S^2 w / ||S w|| with S = diag(scale), on the boundary, (N, d).

        By Cauchy-Schwarz; the gain over the mean is sqrt(kappa2) ||S w||. A zero weight gives the mean.
        """
        return self._along_gradient(mean, scale, kappa2, 0.0)

    def barrier_optimum(self, mean: Tensor, scale: Tensor, kappa2: Tensor | float, barrier: float) -> Tensor:
        """Maximum of F(z) + barrier * log(1 - m2(z) / kappa2), strictly inside, (N, d).

        The direction of `optimum` at the fraction r = a / (barrier + sqrt(barrier^2 + a^2)) of the radius,
        a = sqrt(kappa2) ||S w||: the positive root of a (1 - r^2) = 2 barrier r.
        ValueError unless barrier > 0.
        """
        if not barrier > 0:
            raise ValueError(f"barrier must be positive, got {barrier:g}")
        return self._along_gradient(mean, scale, kappa2, barrier)

    def _along_gradient(self, mean: Tensor, scale: Tensor, kappa2: Tensor | float, barrier: float) -> Tensor:
        mean, scale, radius2 = _problem(mean, scale, kappa2)
        whitened = scale * self.weight
        norm = whitened.norm(dim=1, keepdim=True)
        slope = radius2.sqrt() * norm
        fraction = slope / (barrier + (barrier**2 + slope**2).sqrt())
        # Without a barrier the fraction is 1, also where the slope is 0 and the quotient is 0/0.
        fraction = fraction if barrier > 0 else torch.ones_like(slope)
        direction = whitened / norm.clamp_min(torch.finfo(torch.float64).tiny)
        points: Tensor = mean + fraction * radius2.sqrt() * scale * direction
        return points


class QuadraticOutcome:
    """F(z) = -1/2 (z - center)' H (z - center), with ``center`` (d,) and symmetric H > 0 (d, d).

    Raises ValueError if H has another shape, is not symmetric or has an eigenvalue <= 0.
    """

    def __init__(self, hessian: Tensor, center: Tensor) -> None:
        self.hessian = hessian.double()
        self.center = center.double()
        size = len(self.center)
        if self.hessian.shape != (size, size):
            raise ValueError(f"hessian must be ({size}, {size}) like center, got {tuple(hessian.shape)}")
        if not torch.allclose(self.hessian, self.hessian.T):
            raise ValueError("hessian must be symmetric; use (H + H.T) / 2")
        smallest = torch.linalg.eigvalsh(self.hessian)[0].item()
        if smallest <= 0:
            raise ValueError(f"hessian must be positive definite, got smallest eigenvalue {smallest:g}")

    def __call__(self, z: Tensor) -> Tensor:
        """Outcome of ``z`` (N, d): (N,), at most 0."""
        offset = z.double() - self.center
        values: Tensor = -0.5 * ((offset @ self.hessian) * offset).sum(dim=-1)
        return values

    def optimum(self, mean: Tensor, scale: Tensor, kappa2: Tensor | float) -> Tensor:
        """The feasible maximum (N, d), by the conditions of Karush, Kuhn and Tucker.

        If the center is feasible it is the center. Otherwise H (c - z) = 2 lam S^-2 (z - mean) with
        m2(z) = kappa2. In whitened coordinates u = S^-1 (z - mean) that is u = (S H S + 2 lam I)^-1 S H
        (c - mean), whose length falls strictly with lam: bisection on lam.
        """
        mean, scale, radius2 = _problem(mean, scale, kappa2)
        values, vectors = torch.linalg.eigh(scale[:, :, None] * self.hessian * scale[:, None, :])
        gradient = scale * ((self.center - mean) @ self.hessian)
        gradient = (vectors.mT @ gradient[:, :, None]).squeeze(2)

        def steps(multiplier: Tensor) -> Tensor:
            lengths: Tensor = gradient / (values + 2.0 * multiplier)
            return lengths

        low = torch.zeros_like(radius2)
        # ||u|| <= ||gradient|| / (2 lam), so that this multiplier is already inside.
        high = gradient.norm(dim=1, keepdim=True) / (2.0 * radius2.sqrt())
        high = torch.where(radius2 > 0, high, low)
        for _ in range(_BISECTIONS):
            middle = 0.5 * (low + high)
            outside = steps(middle).square().sum(dim=1, keepdim=True) > radius2
            low, high = torch.where(outside, middle, low), torch.where(outside, high, middle)
        u = (vectors @ steps(high)[:, :, None]).squeeze(2)
        constrained = mean + torch.where(radius2 > 0, scale * u, torch.zeros_like(u))
        center = self.center.expand_as(mean)
        feasible = ((center - mean) / scale).square().sum(dim=1, keepdim=True) <= radius2
        return torch.where(feasible, center, constrained)
