"""Bring the outcome to a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def target(value: float) -> Callable[[Tensor], Tensor]:
    """Score -(outcome - value)^2, element by element: smooth, and 0 at the target."""

    def score(outcome: Tensor) -> Tensor:
        return -(outcome - value).square()

    return score
