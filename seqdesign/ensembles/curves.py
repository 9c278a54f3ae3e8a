"""Monotone curves of outcomes between what members add up and what they predict.

Shapes: M members, N sequences, K outcomes, P knots.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from seqdesign.metrics.monotone import Curve


class Bend(nn.Module):
    """A ``Curve`` of standardised predictions, differentiable in them, with its slope as the derivative."""

    knots: Tensor
    values: Tensor
    slopes: Tensor

    def __init__(self, curve: Curve) -> None:
        super().__init__()
        self.below, self.above = curve.below, curve.above
        # The record of a model holds the curve, so that its weights need not.
        for name in ("knots", "values", "slopes"):
            self.register_buffer(name, torch.tensor(getattr(curve, name)), persistent=False)

    def forward(self, x: Tensor) -> Tensor:
        """Of predictions (...)."""
        inside = x.clamp(self.knots[0], self.knots[-1])
        place = torch.bucketize(inside.detach().contiguous(), self.knots[1:-1], right=True)
        along = inside - self.knots[place]
        slope, width = self.slopes[place], (self.knots[1:] - self.knots[:-1])[place]
        bend = (self.slopes[1:] - self.slopes[:-1])[place] / (2 * width)
        outside = torch.where(x < self.knots[0], self.below, self.above)
        return self.values[place] + along * (slope + bend * along) + outside * (x - inside)


class Curves(nn.Module):
    """(M, N, K) -> (M, N, K): one curve for each outcome, None for one that stays as it is."""

    def __init__(self, curves: Sequence[Curve | None]) -> None:
        super().__init__()
        self.each = nn.ModuleList(nn.Identity() if one is None else Bend(one) for one in curves)

    def forward(self, raw: Tensor) -> Tensor:
        """Each outcome by its own."""
        return torch.stack([bend(raw[..., k]) for k, bend in enumerate(self.each)], -1)
