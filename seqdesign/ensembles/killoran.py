"""The predictor of Killoran et al. (2017, arXiv 1712.06148): one wide convolution, pooled over positions."""

from __future__ import annotations

import torch.nn.functional as F
from torch import Tensor, nn

from seqdesign.ensembles.layers import MemberConv, MemberLinear, by_member, pool_max_mean
from seqdesign.ensembles.options import PredictorOptions, sizes

SLOPE = 0.1


class KilloranNet(nn.Module):
    """x (N, V, L), inside (N, L) -> (M, N, K): convolution, maximum and mean, two layers, leaky ReLUs.

    They pad the ends with 1/4 of each letter; here padding is zero, so that it cannot be seen.
    """

    def __init__(self, options: PredictorOptions, letters: int, num_out: int) -> None:
        super().__init__()
        members, hidden, channels, width, dropout = sizes(options)
        self.members, self.dropout = members, dropout
        self.conv = MemberConv(members, letters, channels, width, shared=True)
        self.first = MemberLinear(members, 2 * channels, hidden)
        self.second = MemberLinear(members, hidden, hidden)
        self.out = MemberLinear(members, hidden, num_out)

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        """Position does not matter, only what is there."""
        h = F.leaky_relu(self.conv(x), SLOPE)
        h = pool_max_mean(by_member(h, self.members), inside)
        for layer in (self.first, self.second):
            h = F.dropout(F.leaky_relu(layer(h), SLOPE), self.dropout, self.training)
        return self.out(h)
