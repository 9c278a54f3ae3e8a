"""Adam for many designs at once, and a cosine schedule."""

from __future__ import annotations

import math

import torch
from torch import Tensor

BETA1, BETA2, TINY = 0.9, 0.999, 1e-8


def cosine(rate: float, step: int, steps: int) -> float:
    """``rate`` at step 0, falling to 0 at ``steps`` along half a cosine."""
    return rate * 0.5 * (1.0 + math.cos(math.pi * step / max(1, steps)))


class Adam:
    """Kingma & Ba (2015), ascending, with its moments row by row, so that finished rows can leave."""

    def __init__(self, parameters: list[Tensor]) -> None:
        self.parameters = parameters
        self.first = [torch.zeros_like(p) for p in parameters]
        self.second = [torch.zeros_like(p) for p in parameters]
        self.count = 0

    def step(self, slopes: list[Tensor], rate: float) -> None:
        """One step up the ``slopes``, changing the parameters in place."""
        self.count += 1
        scale = math.sqrt(1.0 - BETA2**self.count) / (1.0 - BETA1**self.count)
        for p, slope, first, second in zip(self.parameters, slopes, self.first, self.second, strict=True):
            first.mul_(BETA1).add_(slope, alpha=1.0 - BETA1)
            second.mul_(BETA2).addcmul_(slope, slope, value=1.0 - BETA2)
            p.addcdiv_(first, second.sqrt().add_(TINY), value=rate * scale)

    def keep(self, rows: Tensor) -> None:
        """Go on with these rows (B',) bool only."""
        self.parameters = [p[rows] for p in self.parameters]
        self.first, self.second = [m[rows] for m in self.first], [m[rows] for m in self.second]
