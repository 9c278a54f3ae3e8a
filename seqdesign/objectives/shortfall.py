"""What it costs to miss a limit."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor

STEEP = 10.0
"""Cost of one standard deviation beyond the limit, in standard deviations of the other goals."""
SOFT = 0.1
"""Width of the bend, in standard deviations: what is just within the limit costs a little, too, so that
designs keep a margin and gradients tell which way the limit lies."""


def shortfall(missing: Tensor) -> Tensor:
    """Minus the cost of what is missing to a limit, in standard deviations, negative within it."""
    import torch.nn.functional as F

    return -STEEP * SOFT * F.softplus(missing / SOFT)
