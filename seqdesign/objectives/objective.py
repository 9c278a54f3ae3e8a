"""What design asks of an objective."""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from torch import Tensor


class Objective(Protocol):
    """Predictions (M, N, K) of M ensemble members and K outcomes -> scores (N,), larger is better.

    Differentiable. ``rows`` (N,) int64 says which start each sequence belongs to, for objectives that differ
    from start to start, as along a Pareto front.
    """

    def __call__(self, predictions: Tensor, rows: Tensor, /) -> Tensor:
        """Scores (N,)."""
        ...
