"""Bring the outcome to a value."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def target(value: float) -> Callable[[Tensor], Tensor]:
    """Score -|outcome - value|, element by element: minus the distance in the outcome's own units."""

    def score(outcome: Tensor) -> Tensor:
        return -(outcome - value).abs()

    return score
