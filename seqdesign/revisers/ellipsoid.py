"""The feasible set of REVISE: latent points at which the posterior of x0 has at least a given density.

For q = N(mean, diag scale^2) and m2(z) = sum_i ((z_i - mean_i) / scale_i)^2,

    {z: q(z) >= alpha} = {z: m2(z) <= kappa2},   kappa2 = 2 (log q(mean) - log alpha),

an ellipsoid around the mean, one point if kappa2 = 0 and empty below (Mueller, Gifford and Jaakkola 2017).
Everything stays in log space and float64, so that thousands of dimensions neither over- nor underflow.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal, get_args

import torch
from torch import Tensor

from seqdesign.devices.blocks import block_size, in_blocks
from seqdesign.errors import UsageError

AlphaScale = Literal["original", "density", "relative", "coverage", "radius"]

_LOG_2PI = math.log(2.0 * math.pi)
_TOGETHER = 1 << 12  # points of `contain` that a CPU keeps in its cache
_MARGIN = 1e-3  # how far inside the boundary `shrink` ends, as a fraction of the radius


@dataclass(frozen=True)
class Ellipsoid:
    """One ellipsoid per item; all tensors are float64. Build it with `from_alpha`."""

    mean: Tensor
    """Posterior means, (N, d)."""
    scale: Tensor
    """Posterior standard deviations, (N, d), positive."""
    kappa2: Tensor
    """Squared Mahalanobis radius, (N,); negative where no point is feasible."""
    log_mode: Tensor
    """log q(mean), the highest log density, (N,)."""

    @classmethod
    def from_alpha(
        cls,
        mean: Tensor,
        scale: Tensor,
        log_alpha: float,
        alpha_scale: AlphaScale = "original",
        min_scale: float = 0.01,
    ) -> Ellipsoid:
        """Ellipsoids of N posteriors, from the number given to ``--alpha``.

        Args:
            mean: (N, d).
            scale: (N, d), raised to ``min_scale`` so that over-confident posteriors leave room to move.
            log_alpha: the bound, on ``alpha_scale``.
            alpha_scale: what the bound means:
                original: log alpha without the constant of the density, as in the authors' code;
                kappa2 = -2 (log alpha + sum log scale). Any number; 0 and less is feasible if scale <= 1.
                density: log alpha as a density. Any number; above log q(mean) nothing is feasible.
                relative: log(alpha / q(mean)), at most 0; kappa2 = -2 log_alpha.
                coverage: mass of the posterior inside, above 0 and below 1; kappa2 is that quantile of
                chi-square with d degrees of freedom.
                radius: Mahalanobis distance from the mean, at least 0; kappa2 = radius^2.
            min_scale: least standard deviation; 0 leaves ``scale`` as it is.

        Raises:
            UsageError: a bound that means nothing on its scale.
            ValueError: shapes that differ, a scale that is not positive, or numbers that are not finite.
        """
        if mean.ndim != 2 or mean.shape != scale.shape or mean.shape[1] == 0:
            raise ValueError(
                "mean and scale must have the same shape (N, d) with d >= 1, "
                f"got {tuple(mean.shape)} and {tuple(scale.shape)}"
            )
        # Apple's GPUs have no float64; there the ellipsoid stays on the CPU.
        device = torch.device("cpu") if mean.device.type == "mps" else mean.device
        mean = mean.detach().to(device).double()
        scale = scale.detach().to(device).double().clamp_min(min_scale)
        if not bool(torch.isfinite(mean).all() and torch.isfinite(scale).all() and (scale > 0).all()):
            raise ValueError("mean and scale must be finite and scale positive; is the model damaged?")
        volume = scale.log().sum(dim=1)
        log_mode = -0.5 * mean.shape[1] * _LOG_2PI - volume
        kappa2 = _kappa2(log_alpha, alpha_scale, log_mode, volume, mean.shape[1])
        if not bool(torch.isfinite(kappa2).all()):
            raise UsageError(f"{log_alpha:g} is too large; use a number closer to 0", option="--alpha")
        return cls(mean, scale, kappa2, log_mode)

    def __getitem__(self, rows: Tensor) -> Ellipsoid:
        """Those of some items (M,)."""
        rows = rows.to(self.mean.device)
        return Ellipsoid(self.mean[rows], self.scale[rows], self.kappa2[rows], self.log_mode[rows])

    @property
    def feasible(self) -> Tensor:
        """Which items have at least one feasible point, (N,) bool."""
        return self.kappa2 >= 0

    def wide(self, tensor: Tensor) -> Tensor:
        """``tensor`` as float64 on the device of the ellipsoid."""
        return tensor.to(self.mean.device).double()

    def mahalanobis2(self, z: Tensor) -> Tensor:
        """m2 of points (..., N, d): (..., N)."""
        return ((self.wide(z) - self.mean) / self.scale).square().sum(dim=-1)

    def contains(self, z: Tensor) -> Tensor:
        """Which points (..., N, d) lie strictly inside: (..., N) bool."""
        return self.mahalanobis2(z) < self.kappa2

    def contain(self, codes: Tensor, which: Tensor, items: Tensor) -> Tensor:
        """Whether code ``which`` (M,) out of (U, d) lies in that of item ``items`` (M,); on their device."""

        def part(rows: slice) -> Tensor:
            return self[items[rows]].contains(codes[which[rows]])

        size = block_size(items.device, 64 * codes.shape[1], cpu=_TOGETHER)
        return torch.cat(list(in_blocks(part, len(items), size))).to(items.device)

    def log_density(self, z: Tensor) -> Tensor:
        """Log density of points (..., N, d): (..., N), in nats."""
        return self.log_mode - 0.5 * self.mahalanobis2(z)

    def coverage(self) -> Tensor:
        """Mass of the posterior inside, P(m2 <= kappa2) of chi-square with d degrees of freedom, (N,)."""
        half_dim = torch.full_like(self.kappa2, 0.5 * self.mean.shape[1])
        return torch.special.gammainc(half_dim, 0.5 * self.kappa2.clamp_min(0.0))

    def boundary_step(self, z: Tensor, direction: Tensor) -> Tensor:
        """Largest t with z + t * direction inside, (N,): the positive root of m2(z + t direction) = kappa2.

        ``z`` (N, d) lies inside; ``direction`` (N, d). Infinite for a zero direction; 0 from the
        boundary or outside and where kappa2 <= 0.
        """
        half_axes = self.half_axes()
        step = unit_ball_step((self.wide(z) - self.mean) / half_axes, self.wide(direction) / half_axes)
        return torch.where(self.kappa2 > 0, step, torch.zeros_like(step))

    def shrink(self, z: Tensor) -> Tensor:
        """Points (N, d) moved towards the mean just far enough to be well inside, in the dtype of ``z``.

        A point beyond 0.999 of the radius is put at 0.999 of it on its segment from the mean; others stay.
        Where kappa2 <= 0, or where no such point exists in the dtype of ``z``, the result is the mean.
        """
        distance = (self.mahalanobis2(z) / self._safe_kappa2()).sqrt().unsqueeze(1)
        factor = (1.0 - _MARGIN) / distance.clamp_min(1.0 - _MARGIN)
        moved = (self.mean + factor * (self.wide(z) - self.mean)).to(z)
        moved = torch.where((factor < 1.0).to(z.device), moved, z)
        return torch.where(self.contains(moved).to(z.device).unsqueeze(1), moved, self.mean.to(z))

    def _safe_kappa2(self) -> Tensor:
        return torch.where(self.kappa2 > 0, self.kappa2, torch.ones_like(self.kappa2))

    def half_axes(self) -> Tensor:
        """sqrt(kappa2) * scale, (N, d); the scale alone where kappa2 <= 0."""
        return self._safe_kappa2().sqrt().unsqueeze(1) * self.scale


def unit_ball_step(u: Tensor, v: Tensor) -> Tensor:
    """Largest t with |u + t v| <= 1, (N,), for ``u`` (N, d) inside the unit ball and ``v`` (N, d).

    Infinite for v = 0; 0 for u on the sphere or outside. v is scaled first so that neither tiny nor huge
    numbers matter. t |v| is exact to a few roundings of 1, as the distance of u from the sphere is.
    """
    largest = v.abs().amax(dim=1)
    unit = v / torch.where(largest > 0, largest, torch.ones_like(largest)).unsqueeze(1)
    length2 = unit.square().sum(dim=1)
    along = (u * unit).sum(dim=1)
    slack = (1.0 - u.square().sum(dim=1)).clamp_min(0.0)
    root = (along.square() + slack * length2).sqrt()
    step = (root - along) / length2 / largest
    step = torch.where(largest > 0, step, torch.full_like(step, math.inf))
    return torch.where(slack > 0, step, torch.zeros_like(step))


def _kappa2(bound: float, alpha_scale: AlphaScale, log_mode: Tensor, volume: Tensor, dim: int) -> Tensor:
    """Squared Mahalanobis radius of each item, (N,); ``volume`` is sum log scale."""
    if alpha_scale not in get_args(AlphaScale):
        known = ", ".join(get_args(AlphaScale))
        raise UsageError(f"must be one of {known}, got {alpha_scale!r}", option="--alpha-scale")
    admissible = {
        "relative": (bound <= 0, "at most 0: it is the log of a fraction of the highest density"),
        "coverage": (0 < bound < 1, "above 0 and below 1: it is the share of the posterior inside"),
        "radius": (bound >= 0, "at least 0: it is a distance in standard deviations"),
    }
    holds, wanted = admissible.get(alpha_scale, (True, ""))
    if not math.isfinite(bound):
        holds, wanted = False, "a finite number"
    if not holds:
        message = f"must be {wanted} with --alpha-scale {alpha_scale}; got {bound:g}"
        raise UsageError(message, option="--alpha")
    if alpha_scale == "original":
        return -2.0 * (bound + volume)
    if alpha_scale == "density":
        return 2.0 * (log_mode - bound)
    if alpha_scale == "relative":
        return torch.full_like(log_mode, -2.0 * bound)
    if alpha_scale == "radius":
        return torch.full_like(log_mode, bound * bound)
    from scipy.special import gammaincinv

    return torch.full_like(log_mode, 2.0 * float(gammaincinv(0.5 * dim, bound)))
