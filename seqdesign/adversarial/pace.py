"""How fast a generator moves: as far as what the critic says holds on fresh batches."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

MEMORY = 0.98
"""Decay of the running sums of what the critic said."""
SLOWEST = 0.05
"""Of the learning rate what is left where that was noise."""
_TINY = 1e-12


class Pace(nn.Module):
    """The share rho = gap / (2 weight R), SLOWEST to 1, of the generator's learning rate.

    At its optimum a critic's gap is twice its weighted penalty, and so it is on batches that it has not
    learned from. Where the gap is less, the critic has learned noise, which a generator whose steps do not
    depend on the size of the gradient (Adam) would follow faster than the critic can find what differs.
    """

    heard: Tensor
    """(2,) running sums of the gap and of the penalty R."""

    def __init__(self, weight: float) -> None:
        super().__init__()
        self.weight = weight
        self.register_buffer("heard", torch.zeros(2))

    def hear(self, gap: Tensor, penalty: Tensor) -> None:
        """Scalars of a critic step, before it is taken."""
        self.heard.mul_(MEMORY).add_(torch.stack([gap, penalty]))

    def share(self) -> Tensor:
        """Scalar; changes nothing and reads nothing from the device."""
        gap, penalty = self.heard
        return (gap / (2 * self.weight * penalty).clamp_min(_TINY)).clamp(SLOWEST, 1.0)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """Models of before have none, and a finished one needs none."""
        state_dict.setdefault(f"{prefix}heard", self.heard)
        super()._load_from_state_dict(state_dict, prefix, *args)
