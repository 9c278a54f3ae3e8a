"""The guard against self-deception: which ensemble members design, which judge, and whether they agree.

An optimizer finds the mistakes of what it climbs. So some members never take part in the design (compare
Linder et al. 2020); a gain that they do not see is a mistake of the others. ``panel`` has judges of
other kinds.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdesign.design.options import JUDGES


@dataclass(frozen=True)
class Jury:
    """Indices of the members that design and of those that judge; no judges without an ensemble."""

    design: tuple[int, ...]
    judge: tuple[int, ...]


def split_members(num_members: int, share: float = JUDGES) -> Jury:
    """The last members judge: ``share`` of them, rounded down, and all others design."""
    first = num_members - min(math.floor(share * num_members), num_members - 1)
    return Jury(tuple(range(first)), tuple(range(first, num_members)))


def share_of(claimed: Tensor, seen: Tensor) -> Tensor:
    """The share of claimed gains that is seen, in [0, 1]; 1 where nothing is claimed."""
    return torch.where(claimed > 0, seen / claimed.clamp(min=1e-12), torch.ones_like(claimed)).clamp(0, 1)
