"""High on target, low off target: the smallest gap."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def specific(on: Tensor, off: Tensor) -> Tensor:
    """Mean of ``on`` (..., A) less the largest of ``off`` (..., B), (...).

    MinGap of Gosai et al. (2024, Nature 634:1211): a gain counts only as far as it clears every off-target.
    """
    return on.mean(-1) - off.amax(-1)
