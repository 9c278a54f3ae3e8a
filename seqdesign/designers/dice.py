"""Random numbers that belong to a start: one stream for each, from the seed and the start's key.

Counters are hashed (splitmix64, Steele, Lea and Flood 2014, OOPSLA), so that all streams are drawn at once,
and what a start draws never depends on which other starts draw beside it, nor on the device.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

GOLDEN, FIRST, SECOND = -7046029254386353131, -4658895280553007687, -7723592293110705685
"""The constants of splitmix64 as signed numbers; int64 products wrap around."""
BITS = 23
"""A float32 holds k + 1/2 exactly for k of 23 bits, so that no draw is 0 or 1."""


def mix(x: Tensor) -> Tensor:
    """int64 -> int64, a bijection whose every output bit depends on every input bit."""
    x = x + GOLDEN
    x = x.bitwise_xor(_shift(x, 30)).mul_(FIRST)
    x = x.bitwise_xor(_shift(x, 27)).mul_(SECOND)
    return x.bitwise_xor_(_shift(x, 31))


def _shift(x: Tensor, bits: int) -> Tensor:
    """Shift right, with zeros from the left."""
    return (x >> bits).bitwise_and_((1 << (64 - bits)) - 1)


class Dice:
    """Streams of N starts; ``rows`` (R,) names the starts that draw, each at most once in a call."""

    def __init__(self, seed: int, keys: Tensor) -> None:
        self._stream = mix(mix(keys) ^ mix(torch.full_like(keys, seed)))
        self._drawn = torch.zeros_like(keys)

    def uniform(self, rows: Tensor, *shape: int) -> Tensor:
        """Float32 in the open interval (0, 1), (R, *shape)."""
        count = math.prod(shape)
        counter = self._drawn[rows, None] + torch.arange(count, device=rows.device)
        self._drawn[rows] += count
        bits = _shift(mix(self._stream[rows, None] + counter * GOLDEN), 64 - BITS)
        return bits.float().add_(0.5).mul_(0.5**BITS).view(len(rows), *shape)

    def integers(self, rows: Tensor, high: int | Tensor, *shape: int) -> Tensor:
        """int64 in [0, high), (R, *shape); ``high`` is one number or broadcasts over them."""
        limit = torch.as_tensor(high, device=rows.device)
        return (self.uniform(rows, *shape).double() * limit).long()


def gumbel(uniform: Tensor) -> Tensor:
    """Standard Gumbel numbers: the largest of these plus log-weights is a draw by weight."""
    return -(-uniform.log()).log()
