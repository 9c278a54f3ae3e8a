"""The default networks where position does not matter: motifs, each at its best place in the sequence.

    f(x) = head(max_l ReLU(conv(x))_l)

One layer of filters scores every window, also windows that overhang the ends, as a motif may be cut, on both
strands where both are read; of each filter only the best place counts. There is no linear path, no mean over
positions and no mean over strands: all let a network explain weak sequences by their composition, and what it
then says of stronger ones than it has seen is worse.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdesign.ensembles.layers import MemberLinear
from seqdesign.ensembles.options import PredictorOptions, sizes


class MotifNet(nn.Module):
    """Strands (N, V, L) of the same sequences, inside (N, L) -> (M, N, K)."""

    def __init__(self, options: PredictorOptions, letters: int, num_out: int) -> None:
        super().__init__()
        members, hidden, channels, width, dropout = sizes(options)
        self.dropout, self.width = dropout, width
        self.filters = MemberLinear(members, letters * width, channels)
        self.first = MemberLinear(members, channels, hidden)
        self.out = MemberLinear(members, hidden, num_out)
        for layer in (self.filters, self.first, self.out):
            layer.start_small()

    def forward(self, strands: Sequence[Tensor], inside: Tensor) -> Tensor:
        """Windows that touch no letter do not count."""
        overhang = self.width - 1
        windows = torch.cat([F.pad(x, (overhang, overhang)).unfold(2, self.width, 1) for x in strands], dim=2)
        places, rows = windows.shape[2], len(inside)
        flat = windows.permute(2, 0, 1, 3).reshape(places * rows, -1)
        scores = F.linear(flat, self.filters.weight.flatten(0, 1), self.filters.bias.flatten())
        scores = scores.view(places, rows, -1)
        touching = (
            torch.arange(places // len(strands), device=inside.device)[:, None] < inside.sum(1) + overhang
        )
        scores = scores.masked_fill(~touching.repeat(len(strands), 1)[:, :, None], 0.0)
        # max(0), not amax: its gradient is much cheaper
        best = F.relu(scores.max(0).values).view(rows, len(self.filters.weight), -1).transpose(0, 1)
        h = F.relu(self.first(self._drop(best)))
        return self.out(self._drop(h))

    def _drop(self, h: Tensor) -> Tensor:
        return F.dropout(h, self.dropout, self.training)
