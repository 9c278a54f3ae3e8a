"""What every attribution method gives: the effect of each letter at each position."""

from __future__ import annotations

from collections.abc import Callable

from torch import Tensor

Score = Callable[[Tensor], Tensor]
"""One-hot or soft (N, V, L) -> the score to explain by each member, (M, N); rows never influence others."""

Method = Callable[[Score, Tensor], Tensor]
"""``method(score, x)``: effects (M, N, V, L) at x (N, V, L), centred over the letters; NaN is unknown.

The module of a method has ``NEEDS_GRADIENT``: whether ``score`` must be differentiable in soft input.
"""

_CELLS = 1 << 15
"""Letters that are scored at once: some tens of MB of activations."""


def centred(effects: Tensor) -> Tensor:
    """Effects (M, N, V, L) less their mean over the letters of a position; NaN letters do not count.

    One-hot input never leaves the plane where the letters of a position sum to one, so a gradient across
    that plane means nothing (Majdandzic, Rajesh and Koo 2023, Genome Biology 24:109). Taking the mean off
    removes exactly that part; what is left says how much better a letter is than the average one.
    """
    return effects - effects.nanmean(2, keepdim=True)


def contributions(effects: Tensor, x: Tensor) -> Tensor:
    """The effect of the letter that is there, (M, N, L); 0 at a masked letter, which is the average one."""
    return (effects * x).masked_fill(x == 0, 0.0).sum(2)


def rows_at_once(length: int) -> int:
    """How many sequences of ``length`` letters to score in one call."""
    return max(1, _CELLS // max(1, length))
