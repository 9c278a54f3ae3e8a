"""Hashes of strings on their device: the same for equal strings, on every device and in every batch."""

from __future__ import annotations

import torch
from torch import Tensor


def hashes(owner: Tensor, tokens: Tensor) -> Tensor:
    """64 bits (M,) of sequences (M, T) of starts (M,): the finaliser of SplitMix64, letter by letter.

    Steele, Lea and Flood (OOPSLA 2014). On the device, and the same on each.
    """
    places = torch.arange(1, tokens.shape[1] + 1, device=tokens.device) * _WEYL
    letters = mix((tokens.long() + 1) * _FIRST + places)
    return mix(letters.sum(1) ^ mix(owner.long() * _SECOND - 1))


def luck(keys: Tensor, moves: Tensor) -> Tensor:
    """Gumbel noise, the same for equal keys and moves, int64 that broadcast; float64 of their shape.

    The largest of log-probabilities and noise is a draw, the k largest are k draws without replacement (Kool,
    van Hoof and Welling, ICML 2019).
    """
    uniform = ((mix(keys ^ mix(moves)) >> 11 & (1 << 53) - 1).double() + 0.5) / (1 << 53)
    return -(-uniform.log()).log()


_WEYL, _FIRST, _SECOND = -7046029254386353131, -4658895280553007687, -7723592293110705685


def mix(x: Tensor) -> Tensor:
    """64 bits of 64 bits, each of which depends on all."""
    x = (x ^ (x >> 30 & (1 << 34) - 1)) * _FIRST
    x = (x ^ (x >> 27 & (1 << 37) - 1)) * _SECOND
    return x ^ (x >> 31 & (1 << 33) - 1)


def once(tokens: Tensor) -> tuple[Tensor, Tensor]:
    """Of equal strings (M, T) one: the places (U,) of those, and which of them each string is, (M,)."""
    found = hashes(torch.zeros_like(tokens[:, 0]), tokens)
    kinds, which = found.unique(return_inverse=True)
    every = torch.arange(len(tokens), device=tokens.device)
    first = torch.full_like(kinds, len(tokens)).scatter_reduce(0, which, every, "amin")
    if torch.equal(tokens[first[which]], tokens):
        return first, which
    return every, every  # different strings have one hash; that costs no more than time
