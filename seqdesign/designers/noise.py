"""Random numbers that depend on a seed and a start's own key alone: a batch draws what its items draw.

A counter is hashed (the finaliser of SplitMix64: Steele, Lea & Flood, OOPSLA 2014), so thousands of starts
draw in a few tensor operations, on any device, without generators of their own.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_WEYL, _FIRST, _SECOND = 0x9E3779B97F4A7C15, 0xBF58476D1CE4E5B9, 0x94D049BB133111EB
_BITS = 23  # so that a half can be added in float32


def uniform(seed: int, keys: Tensor, draw: int, count: int) -> Tensor:
    """Numbers (B, count) strictly between 0 and 1, float32, for the keys (B,) and the number of this draw."""
    stream = _mix(_mix(keys + _signed(seed * _WEYL)) + _signed((draw + 1) * _FIRST))
    counter = torch.arange(1, count + 1, device=keys.device) * _signed(_WEYL)
    bits = _shift(_mix(stream[:, None] + counter), 64 - _BITS)
    return (bits.float() + 0.5) * math.ldexp(1.0, -_BITS)


def gumbel(seed: int, keys: Tensor, draw: int, count: int) -> Tensor:
    """Standard Gumbel numbers (B, count)."""
    return -(-uniform(seed, keys, draw, count).log()).log()


def normal(seed: int, keys: Tensor, draw: int, count: int) -> Tensor:
    """Standard normal numbers (B, count), by Box and Muller (1958)."""
    half = (count + 1) // 2
    radius, angle = uniform(seed, keys, draw, 2 * half).split(half, 1)
    length, angle = (-2.0 * radius.log()).sqrt(), 2.0 * math.pi * angle
    return torch.cat([length * angle.cos(), length * angle.sin()], 1)[:, :count]


def _mix(x: Tensor) -> Tensor:
    x = (x ^ _shift(x, 30)) * _signed(_FIRST)
    x = (x ^ _shift(x, 27)) * _signed(_SECOND)
    return x ^ _shift(x, 31)


def _shift(x: Tensor, bits: int) -> Tensor:
    """Logical shift to the right; that of int64 would copy the sign."""
    return (x >> bits) & ((1 << (64 - bits)) - 1)


def _signed(x: int) -> int:
    """The last 64 bits as an int64."""
    return (x + 2**63) % 2**64 - 2**63
