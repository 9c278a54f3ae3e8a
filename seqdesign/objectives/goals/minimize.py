"""Lower the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def minimize(outcome: Tensor) -> Tensor:
    """The negative outcome, element by element."""
    return -outcome
