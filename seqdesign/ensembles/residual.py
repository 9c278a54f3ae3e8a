"""The default networks: fully connected and convolutional paths learn what a linear one cannot.

    f(x) = A phi(x) + b  +  dense(x)  +  conv(x)

A and b are set once in closed form (ridge) and stay; the paths start at zero, so training begins at the ridge
and can only leave it for something better. Where all lengths are alike, phi is the one-hot and every position
has its own weights; else phi counts letters and pairs of neighbours, and the convolutions are pooled.
"""

from __future__ import annotations

from typing import ClassVar

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdesign.ensembles.features import linear_features, num_linear_features
from seqdesign.ensembles.layers import MemberConv, MemberLinear, by_member, pool_max_mean
from seqdesign.ensembles.options import SHORT, PredictorOptions, sizes

POOL_FROM = 40
"""Positions from which pairs of neighbours are averaged before the positional head."""
DILATIONS = (1, 2)


class ResidualNet(nn.Module):
    """x (N, V, L), inside (N, L) -> (M, N, K), for L = ``max_length`` in a ``positional`` one."""

    BY_MEMBER: ClassVar[tuple[str, ...]] = ("linear_weight", "linear_bias")

    linear_weight: Tensor
    linear_bias: Tensor
    centre: Tensor
    gain: Tensor

    def __init__(
        self, options: PredictorOptions, letters: int, max_length: int, num_out: int, *, positional: bool
    ) -> None:
        super().__init__()
        members, hidden, channels, width, dropout = sizes(options)
        self.members, self.positional, self.dropout = members, positional, dropout
        num_features = num_linear_features(letters, max_length, positional=positional)
        self.max_length = max_length
        self.register_buffer("linear_weight", torch.zeros(members, num_features, num_out))
        self.register_buffer("linear_bias", torch.zeros(members, 1, num_out))
        self.has_dense = positional and options.paths in ("dense", "both")
        self.has_conv = not positional or options.paths in ("conv", "both")
        if self.has_dense:
            self.register_buffer("centre", torch.zeros(letters * max_length))
            self.register_buffer("gain", torch.ones(()))
            self.dense_in = MemberLinear(members, letters * max_length, hidden)
            self.dense_mid = MemberLinear(members, hidden, hidden)
            self.dense_out = MemberLinear(members, hidden, num_out)
        if self.has_conv:
            self.stem = MemberConv(members, letters, channels, width, shared=True)
            self.blocks = nn.ModuleList(
                MemberConv(members, channels, channels, 3, dilation=d)
                for d in (DILATIONS if max_length > SHORT else ())
            )
            self.pool = 2 if positional and max_length >= POOL_FROM else 1
            flat = channels * (max_length // self.pool) if positional else 2 * channels
            self.conv_in = MemberLinear(members, flat, hidden)
            self.conv_out = MemberLinear(members, hidden, num_out)

    def forward(self, x: Tensor, inside: Tensor) -> Tensor:
        """The sum of all paths."""
        features = linear_features(x, inside, self.max_length, positional=self.positional)
        out = torch.einsum("ni,mik->mnk", features, self.linear_weight) + self.linear_bias
        if self.has_dense:
            out = out + self.dense_out(self._dense(x))
        if self.has_conv:
            out = out + self.conv_out(self._conv(x, inside))
        return out

    @property
    def num_hidden(self) -> int:
        """Units of ``hidden``."""
        ends = [layer for name, layer in self.named_children() if name.endswith("_out")]
        return sum(int(end.weight.shape[2]) for end in ends if isinstance(end, MemberLinear))

    def hidden(self, x: Tensor, inside: Tensor) -> Tensor:
        """The last hidden layers of all paths, (M, N, H)."""
        parts = [self._dense(x)] if self.has_dense else []
        return torch.cat([*parts, self._conv(x, inside)] if self.has_conv else parts, 2)

    def _dense(self, x: Tensor) -> Tensor:
        h = self._drop(F.silu(self.dense_in(self.gain * (x.flatten(1) - self.centre))))
        return self._drop(F.silu(self.dense_mid(h)))

    def _conv(self, x: Tensor, inside: Tensor) -> Tensor:
        return self._drop(F.silu(self.conv_in(self._drop(self._convolve(x, inside)))))

    def _convolve(self, x: Tensor, inside: Tensor) -> Tensor:
        """(M, N, H); every layer is silenced beyond the end, so that padding cannot be seen."""
        silence = inside[:, None].to(x.dtype)
        h = self.stem(x) * silence
        for block in self.blocks:
            h = h + block(F.silu(h)) * silence
        h = F.silu(h)
        if not self.positional:
            return pool_max_mean(by_member(h, self.members), inside)
        if self.pool > 1:
            h = F.avg_pool1d(h, self.pool)
        return by_member(h, self.members).flatten(2)

    def _drop(self, h: Tensor) -> Tensor:
        return F.dropout(h, self.dropout, self.training)

    def start_from(self, weight: Tensor, bias: Tensor, features: Tensor) -> None:
        """Set the linear path, weight (M, I, K) and bias (M, K), and let all others begin at zero.

        ``features`` (N, I) are those of the training sequences. The dense path reads them centred and scaled
        to a mean square of 1, or the positions that never change would drown the few that do.
        """
        with torch.no_grad():
            if self.has_dense:
                self.centre.copy_(features.mean(0))
                square = (features.square().mean(0) - self.centre.square()).sum()
                self.gain.copy_((features.shape[1] / square.clamp(min=1e-6)).sqrt())
            self.linear_weight.copy_(weight)
            self.linear_bias.copy_(bias[:, None])
            for name, last in self.named_children():
                if name.endswith("_out"):
                    for parameter in last.parameters():
                        parameter.zero_()
