"""Attention between the places of a sequence and a few slots, each of which starts at a stretch of its own.

Shapes: N sequences, T positions, S slots, w features, d latent dimensions.
"""

from __future__ import annotations

import torch
from torch import Tensor, nn

MAX_SLOTS = 64
UNORDERED = 0.3
"""How much of the usual initial weights is left beside those of a dimension's own slot."""


def num_slots(places: int) -> int:
    """Slots for so many places: one for two of them, and no more than MAX_SLOTS."""
    return min(MAX_SLOTS, max(1, -(-places // 2)))


def near(slots: int, places: int) -> Tensor:
    """Scores (S, T) by which each slot likes the places of its own stretch, a normal bump."""
    centre = (torch.arange(slots) + 0.5) * places / slots - 0.5
    distance = (torch.arange(places) - centre[:, None]) * slots / places
    return -0.5 * distance.square()


def owned(dims: int, slots: int) -> Tensor:
    """(d, S): whether a dimension of the code starts as one of a slot; each slot has some, or shares one."""
    dim, slot = torch.arange(dims)[:, None], torch.arange(slots)
    return dim * slots // dims == slot if dims >= slots else slot * dims // slots == dim


@torch.no_grad()
def start_local(weight: Tensor, slots: int, size: float) -> None:
    """Let each dimension start with its own slot: ``weight`` (d, S * w), in place, one map for all slots.

    From weights without order every dimension first has to find out what it is about, and the KL term shuts
    it off meanwhile.
    """
    own = owned(len(weight), slots)
    rank = (own.cumsum(0) - 1).clamp(min=0)
    shared = torch.empty(int(rank.max()) + 1, weight.shape[1] // slots)
    nn.init.orthogonal_(shared)
    local = own[:, :, None] * shared[rank]
    weight.mul_(UNORDERED).add_(size * local.flatten(1).to(weight))


class Pooling(nn.Module):
    """A sequence in S slots: each attends to letters by place and by what is there.

    As the queries of Lee et al. (2019, Set Transformer, arXiv 1810.00825), which know no places.
    """

    def __init__(self, width: int, places: int) -> None:
        super().__init__()
        self.slots = num_slots(places)
        self.place = nn.Parameter(near(self.slots, places))
        self.query = nn.Linear(width, self.slots, bias=False)
        nn.init.zeros_(self.query.weight)
        self.value = nn.Linear(width, width)

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        """Features (N, T, w), whether a position is inside its sequence (N, T) -> (N, S * w)."""
        scores = self.query(x).transpose(1, 2) + self.place[:, : x.shape[1]]
        weights = scores.masked_fill(~inside[:, None], -torch.inf).softmax(2)
        return (weights @ self.value(x)).flatten(1)


class Places(nn.Module):
    """A code as the places see it: (N, d) -> (N, T, w), through S slots that each place attends to."""

    def __init__(self, latent_dim: int, width: int, places: int) -> None:
        super().__init__()
        self.slots, self.width = num_slots(places), width
        self.memory = nn.Linear(latent_dim, self.slots * width)
        start_local(self.memory.weight.T, self.slots, 1.0)
        self.place = nn.Parameter(near(self.slots, places).T.clone())

    def forward(self, z: Tensor, steps: int) -> Tensor:
        """What the first ``steps`` places see."""
        memory = self.memory(z).view(len(z), self.slots, self.width)
        return self.place[:steps].softmax(1) @ memory

    def at(self, z: Tensor, t: int) -> Tensor:
        """(N, w): what place ``t`` alone sees."""
        share = self.place[t].softmax(0)
        weight = torch.einsum("s,swd->wd", share, self.memory.weight.view(self.slots, self.width, -1))
        bias = share @ self.memory.bias.view(self.slots, self.width)
        return nn.functional.linear(z, weight, bias)
