"""Letters by their distance from either end, where sequences have several lengths.

A place has no meaning of its own there, but its distance from an end often has: anchors of peptides lie near
both ends, what precedes a start codon counts from the last letter. Each letter near an end stands in a frame
of places, counted from the first letter or, backwards, from the last.

Shapes: N sequences, V letters, L positions, R places from each end.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.ensembles.evidence import LetterShares
from seqdesign.ensembles.features import MAX_WORDS
from seqdesign.ensembles.reader import Basis, Reader

MAX_PLACES = 32
REACH = 8.0
"""Places over which what a letter may say falls by e."""
GAIN = 4.0
"""By how much more than a word a letter at the very end may say."""


def num_places(letters: int, max_length: int) -> int:
    """Places R from each end; 0 where there are too many letters for a column each."""
    return min(max_length, MAX_PLACES, MAX_WORDS // (2 * letters))


def both_ends(x: Tensor, lengths: Tensor, places: int, beyond: int = 0) -> Tensor:
    """(N, ..., 2 R) of x (N, ..., L): its first places, then its last ones from the last backwards.

    lengths (N,); beyond: what stands where a sequence is shorter.
    """
    steps = torch.arange(places, device=x.device)
    ends = lengths.view(-1, *[1] * (x.ndim - 1))
    first, last = steps.expand(*x.shape[:-1], -1), (ends - 1 - steps).expand(*x.shape[:-1], -1)
    found = [x.gather(-1, at.clamp(0, x.shape[-1] - 1)) for at in (first, last)]
    there = (steps < ends).expand_as(first)
    return torch.cat([part.masked_fill(~there, beyond) for part in found], -1)


def ends_gain(places: int, like: Tensor) -> Tensor:
    """(2 R,): by how much more than a word a letter at each place may say."""
    steps = torch.arange(places, device=like.device, dtype=like.dtype)
    return GAIN * torch.exp(-steps / REACH).repeat(2)


class Ends(Reader):
    """Letters by their distance from either end, of which, once learned, those never seen there have no
    effect.
    """

    def __init__(self, basis: Basis) -> None:
        size = basis.alphabet.size
        places = num_places(size, basis.max_length)
        super().__init__(basis, 2 * places * size)
        self.places, self.shares = places, LetterShares(size, 2 * places)

    def forward(self, x: Tensor, inside: Tensor) -> list[Tensor]:
        """One group."""
        framed = self.shares(both_ends(x, inside.sum(1), self.places)) * ends_gain(self.places, x)
        return [framed.flatten(1)]

    def learn(self, tokens: Tensor, lengths: Tensor) -> None:
        """Which letters each place from either end has."""
        framed = both_ends(tokens, lengths, self.places, beyond=self.alphabet.size)
        self.shares.learn(framed, torch.full_like(lengths, framed.shape[1]), positional=True)
