"""An outcome that need only be small enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from seqdesign.objectives.shortfall import shortfall

if TYPE_CHECKING:
    from torch import Tensor


def at_most(limit: float) -> Callable[[Tensor], Tensor]:
    """Score minus ten times what an outcome is above the limit, element by element."""

    def score(outcome: Tensor) -> Tensor:
        return shortfall(outcome - limit)

    return score
