"""How many positions to change at once, learnt for each start.

A size is worth its number of edits times the share of children of that size that were no worse than their
parent: the number of edits that are tested, and stand, for one query.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.crowd import Crowd
from seqdesign.devices.arithmetic import running_sum

MEMORY = 0.9
"""Share of the counts that is kept from one round to the next."""
EVEN = 0.2
"""Share of draws that are even among the sizes."""


class EditSizes:
    """The sizes 1, 2, 4, ... up to L. N starts, of which R (``rows``) have P children each."""

    def __init__(self, crowd: Crowd) -> None:
        self.dice = crowd.dice
        self.sizes = 2 ** torch.arange(crowd.length.bit_length(), device=crowd.device)
        self.fine = torch.full((crowd.count, len(self.sizes)), 0.5, device=crowd.device)
        self.tried = torch.ones_like(self.fine)

    def draw(self, rows: Tensor, size: int) -> Tensor:
        """Numbers of edits, (R, P)."""
        value = self.sizes * self.fine[rows] / self.tried[rows]
        share = (1 - EVEN) * value / value.sum(1, keepdim=True) + EVEN / len(self.sizes)
        pick = (running_sum(share, 1).unsqueeze(1) < self.dice.uniform(rows, size, 1)).sum(2)
        return self.sizes[pick.clamp(max=len(self.sizes) - 1)]

    def learn(self, rows: Tensor, number: Tensor, fine: Tensor, scored: Tensor) -> None:
        """From numbers of edits, and which children were no worse, and which were scored, all (R, P)."""
        index = number.clamp(min=1).float().log2().round().long().clamp(max=len(self.sizes) - 1)
        for table, what, prior in ((self.fine, fine, 0.5), (self.tried, scored, 1.0)):
            news = torch.zeros_like(table[rows]).scatter_add(1, index, what.to(table.dtype))
            table[rows] = prior + MEMORY * (table[rows] - prior) + news
