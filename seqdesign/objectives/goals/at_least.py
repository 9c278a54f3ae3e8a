"""An outcome that need only be large enough."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from seqdesign.objectives.shortfall import shortfall

if TYPE_CHECKING:
    from torch import Tensor


def at_least(limit: float) -> Callable[[Tensor], Tensor]:
    """Score minus ten times what an outcome is below the limit, element by element."""

    def score(outcome: Tensor) -> Tensor:
        return shortfall(limit - outcome)

    return score
