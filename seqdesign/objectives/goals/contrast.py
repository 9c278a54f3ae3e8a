"""High on target, low off target on average."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def contrast(on: Tensor, off: Tensor) -> Tensor:
    """Mean of ``on`` (..., A) less the mean of ``off`` (..., B), (...)."""
    return on.mean(-1) - off.mean(-1)
