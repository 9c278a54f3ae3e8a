"""GC content: of the whole sequence and of every window.

Shapes: N starts, B prefixes, L positions, w letters of a window.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import torch
from torch import Tensor

from seqdesign.constraints.starts import Starts
from seqdesign.errors import UsageError

FAR = 1 << 20
"""More letters than any sequence has."""
_ROUNDING = 1e-9
"""0.3 of 10 letters is 3, whatever binary fractions say."""


def gc_of(starts: Starts, option: str) -> Tensor:
    """(V+1,) int64: 1 for G and C, 0 for other letters and for what is no letter. Raises UsageError."""
    starts.need_complement(option, "GC content")
    return torch.tensor([*(c in "GC" for c in starts.alphabet.letters), 0], device=starts.device).long()


def bounds(low: float, high: float, letters: int) -> tuple[int, int]:
    """Fewest and most G and C among so many letters; first > second: no number."""
    return math.ceil(low * letters - _ROUNDING), math.floor(high * letters + _ROUNDING)


def need_a_number(low: float, high: float, letters: int, text: str, option: str) -> tuple[int, int]:
    """``bounds``, or UsageError where no number of letters has such a share."""
    fewest, most = bounds(low, high, letters)
    if fewest > most:
        raise UsageError(
            f"no number of G and C out of {letters} letters is a share of {text}; the nearest are "
            f"{most}/{letters} = {most / letters:.4g} and {fewest}/{letters} = {fewest / letters:.4g}",
            option=option,
        )
    return fewest, most


def reach(gc: Tensor, mask: Tensor) -> tuple[Tensor, Tensor]:
    """Fewest and most G and C among the first t letters that the mask (N, L, V) permits, (N, L+1) each."""
    count = gc[:-1].expand(mask.shape)
    fewest = count.masked_fill(~mask, 1).amin(2).cumsum(1)
    most = count.masked_fill(~mask, 0).amax(2).cumsum(1)
    return torch.nn.functional.pad(fewest, (1, 0)), torch.nn.functional.pad(most, (1, 0))


def contradictory(gc: Tensor, mask: Tensor, windows: Sequence[tuple[int, int, int]]) -> Tensor:
    """(N,) bool: no sequence inside the mask (N, L, V) meets all (letters, fewest, most) in every window.

    The counts of G and C among the first t letters obey differences only, so they exist exactly when the
    graph of these differences has no negative cycle (Bellman 1958, Ford 1956).
    """
    fewest, most = reach(gc, mask)
    length = mask.shape[1]
    edges = [(1, most.diff(dim=1), fewest.diff(dim=1))]
    for width, low, high in windows:
        ones = torch.ones_like(fewest[:, width:])
        edges.append((width, ones * high, ones * low))
    limit = torch.full_like(most, FAR)
    limit[:, 0] = 0
    changed = torch.ones(len(mask), dtype=torch.bool, device=mask.device)
    for _ in range(length + 2):
        before = limit.clone()
        for width, above, below in edges:
            limit[:, width:] = torch.minimum(limit[:, width:], limit[:, :-width] + above)
            limit[:, :-width] = torch.minimum(limit[:, :-width], limit[:, width:] - below)
        changed = (limit != before).any(1)
        if not bool(changed.any()):
            break
    return changed
