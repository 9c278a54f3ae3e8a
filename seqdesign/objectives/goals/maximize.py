"""Raise the outcome."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from torch import Tensor


def maximize(outcome: Tensor) -> Tensor:
    """The outcome itself, element by element."""
    return outcome
