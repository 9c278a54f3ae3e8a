"""Layers of M networks side by side: one call computes all members, each with weights of its own.

The first axis of every parameter is the member. Dense activations are (M, N, F), convolutional ones
(N, M C, L) with the channels of a member next to each other.
"""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence
from typing import TypeVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

NetT = TypeVar("NetT", bound=nn.Module)


class MemberLinear(nn.Module):
    """(N, I) or (M, N, I) -> (M, N, O): y_m = x_m W_m + b_m."""

    def __init__(self, members: int, num_in: int, num_out: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(members, num_out, num_in) * math.sqrt(2 / num_in))
        self.bias = nn.Parameter(torch.zeros(members, 1, num_out))

    def forward(self, x: Tensor) -> Tensor:
        """An input without a member axis is shown to all members, in one product."""
        if x.ndim == 2:
            out = F.linear(x, self.weight.flatten(0, 1))
            return out.view(len(x), len(self.weight), -1).transpose(0, 1) + self.bias
        return torch.baddbmm(self.bias, x, self.weight.transpose(1, 2))

    def start_small(self) -> None:
        """Weights and biases uniform within +-1 / sqrt(I), as torch's own layers begin."""
        bound = self.weight.shape[2] ** -0.5
        nn.init.uniform_(self.weight, -bound, bound)
        nn.init.uniform_(self.bias, -bound, bound)


class MemberConv(nn.Module):
    """(N, I, L) -> (N, M O, L), or (N, M I, L) -> (N, M O, L) when not ``shared``; zero beyond the ends."""

    def __init__(
        self, members: int, num_in: int, num_out: int, width: int, *, shared: bool = False, dilation: int = 1
    ) -> None:
        super().__init__()
        self.weight = nn.Parameter(
            torch.randn(members, num_out, num_in, width) * math.sqrt(2 / (num_in * width))
        )
        self.bias = nn.Parameter(torch.zeros(members, num_out))
        self.shared, self.dilation = shared, dilation

    def forward(self, x: Tensor) -> Tensor:
        """Grouped convolution, a group for each member."""
        pad = self.dilation * (self.weight.shape[3] // 2)
        return F.conv1d(
            x, self.weight.flatten(0, 1), self.bias.flatten(), padding=pad, dilation=self.dilation,
            groups=1 if self.shared else len(self.weight),
        )  # fmt: skip


def by_member(x: Tensor, members: int) -> Tensor:
    """(N, M C, L) -> (M, N, C, L)."""
    return x.view(len(x), members, -1, x.shape[2]).transpose(0, 1)


def pool_max_mean(x: Tensor, inside: Tensor) -> Tensor:
    """(M, N, C, L), inside (N, L) -> (M, N, 2 C): maximum and mean over the positions inside."""
    weight = inside[:, None].to(x.dtype)
    mean = (x * weight).sum(3) / weight.sum(2).clamp(min=1)
    largest = x.masked_fill(~inside[:, None], -torch.inf).amax(3)
    return torch.cat([largest.nan_to_num(neginf=0.0), mean], dim=2)


def only_members(net: NetT, members: Sequence[int]) -> NetT:
    """A copy of networks with these members alone, in this order.

    A module with buffers whose first axis is the member names them in ``BY_MEMBER``.
    """
    some = copy.deepcopy(net)
    for part in some.modules():
        for name, value in list(part.named_parameters(recurse=False)):
            kept = nn.Parameter(value.detach()[list(members)], requires_grad=value.requires_grad)
            setattr(part, name, kept)
        for name in getattr(part, "BY_MEMBER", ()):
            setattr(part, name, getattr(part, name)[list(members)])
        if hasattr(part, "members"):
            part.members = len(members)  # type: ignore[assignment]
    return some
