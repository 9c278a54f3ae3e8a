"""What ridge regression reads of sequences of several lengths: letters by their distance from either end.

Where lengths differ a place has no meaning of its own, but its distance from an end often has: anchors of
peptides lie near both ends, what precedes a start codon counts from the last letter. Each letter stands once
in a frame of places counted from the first letter, and once in one counted from the last.

Shapes: N sequences, V letters, L positions, R places from each end.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.ensembles.features import MAX_WORDS, linear_features, num_linear_features


def num_places(letters: int, max_length: int) -> int:
    """Places R from each end; 0 where there are too many letters for a column each."""
    return min(max_length, MAX_WORDS // (2 * letters))


def num_ends(letters: int, max_length: int) -> int:
    """Columns of ``ends_features``."""
    whole = num_linear_features(letters, max_length, positional=False)
    return 2 * num_places(letters, max_length) * letters + whole


def both_ends(x: Tensor, lengths: Tensor, places: int, beyond: int = 0) -> Tensor:
    """(N, ..., 2 R) of x (N, ..., L): its first places, then its last ones from the last backwards.

    beyond: what stands where a sequence is shorter.
    """
    steps = torch.arange(places, device=x.device)
    ends = lengths.view(-1, *[1] * (x.ndim - 1))
    first, last = steps.expand(*x.shape[:-1], -1), (ends - 1 - steps).expand(*x.shape[:-1], -1)
    found = [x.gather(-1, at.clamp(0, x.shape[-1] - 1)) for at in (first, last)]
    there = (steps < ends).expand_as(first)
    return torch.cat([part.masked_fill(~there, beyond) for part in found], -1)


def ends_features(framed: Tensor, x: Tensor, inside: Tensor, max_length: int) -> Tensor:
    """Features (N, I): one-hot letters ``framed`` (N, V, 2 R) by ``both_ends``, and what ridge regression
    reads of sequences x (N, V, L) wherever it stands.
    """
    whole = linear_features(x, inside, max_length, positional=False)
    return torch.cat([framed.flatten(1), whole], 1)
