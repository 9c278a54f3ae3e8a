"""Layers that read a sequence at once in training, and letter by letter, from a cache, when it is written.

Shapes: N sequences, T positions, d features, h heads.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MAX_PLACES, MAX_DISTANCES = 512, 2048
"""Letters of the longest sequence up to which positions are mixed by place, and by distance; what they need
grows as the square."""


class Inputs(nn.Module):
    """What a network knows of each position: the letter seen there, its place, the end, the codon phase.

    ``nothing`` is the token of a letter that is not known: before the first, masked, or unreadable.
    """

    phase: Tensor

    def __init__(self, num_letters: int, width: int, max_length: int, *, varied: bool) -> None:
        super().__init__()
        self.nothing = num_letters
        self.letters = nn.Embedding(num_letters + 1, width)
        self.place = nn.Embedding(max_length, width)
        self.from_end = nn.Embedding(max_length, width) if varied else None
        self.codon = nn.Linear(2, width, bias=False)
        for table in (self.letters, self.place, self.from_end):
            if table is not None:
                nn.init.normal_(table.weight, std=0.5)
        angle = torch.arange(max_length) * (2 * math.pi / 3)
        self.register_buffer("phase", torch.stack([angle.sin(), angle.cos()], 1), persistent=False)

    def forward(self, tokens: Tensor, lengths: Tensor, context: Tensor | None) -> Tensor:
        """Features (N, T, d) of seen tokens (N, T) of sequences of ``lengths`` (N,).

        Or of shares of letters (N, T, V), differentiable; what they lack of 1 is not known.
        """
        steps = tokens.shape[1]
        x = self._seen(tokens) + self.place.weight[:steps] + self.codon(self.phase[:steps])
        if self.from_end is not None:
            left = lengths[:, None] - 1 - torch.arange(steps, device=tokens.device)
            x = x + self.from_end(left.clamp(min=0))
        return x if context is None else x + context[:, None]

    def at(self, tokens: Tensor, lengths: Tensor, context: Tensor | None, t: int) -> Tensor:
        """Features (N, d) of position ``t`` alone."""
        x = self._seen(tokens) + self.place.weight[t] + self.codon(self.phase[t])
        if self.from_end is not None:
            x = x + self.from_end((lengths - 1 - t).clamp(min=0))
        return x if context is None else x + context

    def _seen(self, tokens: Tensor) -> Tensor:
        if not tokens.is_floating_point():
            return self.letters(tokens.clamp(max=self.nothing))
        known, unknown = self.letters.weight.split([self.nothing, 1])
        return tokens @ known + (1 - tokens.sum(-1, keepdim=True)) * unknown[0]


class Mixing(nn.Module):
    """Sums over positions with weights that are learned as they are: by place, and by distance.

    y_t = sum_j (A[t, j] + a[t - j]) W x_j for each head. Where letters far apart depend on each other, as the
    strands of a stem do, such weights follow the covariance from the first step on, while attention has to
    find each pair of places by chance. The linear autoregressive couplings of Trinquier et al. (2021,
    doi 10.1038/s41467-021-25756-4) are such weights, for letters instead of features; for MLPs see Liu et al.
    (2021, arXiv 2105.08050).
    """

    def __init__(self, width: int, heads: int, max_length: int, *, causal: bool) -> None:
        super().__init__()
        self.heads, self.causal, self.max_length = heads, causal, max_length
        self.value, self.join = nn.Linear(width, width, bias=False), nn.Linear(width, width)
        by_place = max_length <= MAX_PLACES
        self.place = nn.Parameter(torch.zeros(heads, max_length, max_length)) if by_place else None
        self.distance = nn.Parameter(torch.randn(heads, 2 * max_length - 1) * 0.01)

    def weights(self, first: int, last: int, steps: int) -> Tensor:
        """(h, last - first, T): what the positions from ``first`` to ``last`` take of the first T ones."""
        places = torch.arange(steps, device=self.distance.device)
        offsets = places[first:last, None] - places + self.max_length - 1
        found = self.distance[:, offsets]
        if self.place is not None:
            found = found + self.place[:, first:last, :steps]
        return found.tril(first) if self.causal else found

    def forward(self, x: Tensor) -> Tensor:
        """(N, T, d) -> (N, T, d)."""
        n, steps, width = x.shape
        value = self.value(x).view(n, steps, self.heads, width // self.heads)
        mixed = torch.einsum("htj,njhe->nthe", self.weights(0, steps, steps), value)
        return self.join(mixed.reshape(n, steps, width))

    def at(self, x: Tensor, places: Tensor) -> Tensor:
        """(N, k, d): what ``forward`` gives at ``places`` (N, k) of (N, T, d)."""
        n, steps, width = x.shape
        value = self.value(x).view(n, steps, self.heads, width // self.heads)
        weights = self.weights(0, steps, steps)[:, places]
        return self.join(torch.einsum("hnkj,njhe->nkhe", weights, value).flatten(2))

    def step(self, values: Tensor, t: int) -> Tensor:
        """(N, d) of position ``t`` from the values (N, t + 1, h, d / h) up to there."""
        weights = self.weights(t, t + 1, t + 1)[:, 0]
        return self.join(torch.einsum("hj,njhe->nhe", weights, values).flatten(1))


class Cache:
    """What a block remembers of the positions written so far: keys, values, and the convolution's inputs."""

    def __init__(self, block: Block, rows: int, steps: int) -> None:
        weight = block.join.weight
        size = block.width // block.heads
        self.keys = weight.new_zeros(rows, block.heads, steps, size)
        self.values = torch.zeros_like(self.keys)
        self.mixed = weight.new_zeros(rows, steps, block.heads, size)
        self.window = weight.new_zeros(rows, block.window - 1, block.width)

    def extend(self, key: Tensor, value: Tensor, t: int) -> tuple[Tensor, Tensor]:
        """Keys and values (N, h, t + 1, d / h) up to position ``t``, of which (N, h, d / h) are new."""
        self.keys[:, :, t], self.values[:, :, t] = key, value
        return self.keys[:, :, : t + 1], self.values[:, :, : t + 1]


class Grown(Cache):
    """A cache that copies instead of writing in place, so that rows can be reordered and go separate ways.

    For blocks without mixing. ``state``: keys, values and the convolution's inputs, the batch first.
    """

    def __init__(self, state: tuple[Tensor, Tensor, Tensor]) -> None:
        self.keys, self.values, self.window = state

    @property
    def state(self) -> tuple[Tensor, Tensor, Tensor]:
        """What there is to remember."""
        return self.keys, self.values, self.window

    def extend(self, key: Tensor, value: Tensor, t: int) -> tuple[Tensor, Tensor]:
        """As ``Cache.extend``."""
        self.keys = torch.cat([self.keys, key[:, :, None]], 2)
        self.values = torch.cat([self.values, value[:, :, None]], 2)
        return self.keys, self.values


class Block(nn.Module):
    """A convolution over neighbours, attention beside mixing of all positions, and two dense layers.

    Each is added to its input, which is normalised before (Xiong et al. 2020, arXiv 2002.04745). ``causal``:
    nothing is seen of later positions. ``mixing``: whether there is that, in sequences that are not too long.
    """

    def __init__(
        self,
        width: int,
        heads: int,
        window: int,
        layers: int,
        dropout: float,
        max_length: int,
        *,
        causal: bool,
        mixing: bool = True,
    ) -> None:
        super().__init__()
        self.width, self.heads, self.window, self.causal = width, heads, window, causal
        self.norms = nn.ModuleList(nn.LayerNorm(width) for _ in range(3))
        self.near = nn.Conv1d(width, width, window, groups=width)
        self.split = nn.Linear(width, 3 * width)
        self.join = nn.Linear(width, width)
        mixing = mixing and max_length <= MAX_DISTANCES
        self.mixing = Mixing(width, heads, max_length, causal=causal) if mixing else None
        self.up, self.down = nn.Linear(width, 2 * width), nn.Linear(2 * width, width)
        self.dropout = nn.Dropout(dropout)
        with torch.no_grad():  # a deep sum starts as small as a shallow one
            for layer in (self.join, self.down):
                layer.weight /= math.sqrt(2 * layers)

    def forward(self, x: Tensor, mask: Tensor | None) -> Tensor:
        """(N, T, d) -> (N, T, d). mask: (N, 1, 1, T) bool, positions that can be seen; None: all."""
        x, y = self._near(x, mask)
        n, steps, width = x.shape
        parts = self.split(y).view(n, steps, 3, self.heads, width // self.heads)
        query, key, value = parts.permute(2, 0, 3, 1, 4)
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask, is_causal=self.causal)
        far = self.join(seen.transpose(1, 2).reshape(n, steps, width))
        if self.mixing is not None:
            far = far + self.mixing(y)
        x = x + self.dropout(far)
        return x + self.dropout(self._dense(self.norms[2](x)))

    def at(self, x: Tensor, mask: Tensor | None, places: Tensor) -> Tensor:
        """(N, k, d): what ``forward`` of a block that is not causal gives at ``places`` (N, k).

        Of all other positions no more is worked out than these look at.
        """
        x, y = self._near(x, mask)
        n, steps, width = x.shape
        rows = torch.arange(n, device=x.device)[:, None]
        weight, bias = self.split.weight, self.split.bias
        parts = F.linear(y, weight[width:], bias[width:]).view(n, steps, 2, self.heads, width // self.heads)
        key, value = parts.permute(2, 0, 3, 1, 4)
        query = F.linear(y[rows, places], weight[:width], bias[:width])
        query = query.view(n, -1, self.heads, width // self.heads).transpose(1, 2)
        seen = F.scaled_dot_product_attention(query, key, value, attn_mask=mask)
        far = self.join(seen.transpose(1, 2).flatten(2))
        if self.mixing is not None:
            far = far + self.mixing.at(y, places)
        x = x[rows, places] + far
        return x + self._dense(self.norms[2](x))

    def _near(self, x: Tensor, mask: Tensor | None) -> tuple[Tensor, Tensor]:
        """Features (N, T, d) after the convolution, and what attention and mixing see of them."""
        y = self.norms[0](x)
        if mask is not None:
            y = y * mask[:, 0, 0, :, None]  # what is behind the end is nothing to a convolution
        x = x + self.dropout(self._convolve(y))
        y = self.norms[1](x)
        return x, y if mask is None else y * mask[:, 0, 0, :, None]

    def step(self, x: Tensor, cache: Cache, t: int) -> Tensor:
        """Features (N, d) of position ``t``, of a causal block, and the cache moved on in place."""
        y = self.norms[0](x)
        window = torch.cat([cache.window, y[:, None]], 1)
        cache.window = window[:, 1:]
        x = x + F.conv1d(window.transpose(1, 2), self.near.weight, self.near.bias, groups=self.width)[:, :, 0]
        y = self.norms[1](x)
        query, key, value = self.split(y).view(len(x), 3, self.heads, -1).unbind(1)
        seen = F.scaled_dot_product_attention(query[:, :, None], *cache.extend(key, value, t))
        x = x + self.join(seen.flatten(1))
        if self.mixing is not None:
            cache.mixed[:, t] = self.mixing.value(y).view(len(x), self.heads, -1)
            x = x + self.mixing.step(cache.mixed[:, : t + 1], t)
        return x + self._dense(self.norms[2](x))

    def _convolve(self, x: Tensor) -> Tensor:
        before = self.window - 1 if self.causal else self.window // 2
        padded = F.pad(x.transpose(1, 2), (before, self.window - 1 - before))
        return self.near(padded).transpose(1, 2)

    def _dense(self, x: Tensor) -> Tensor:
        return self.down(F.gelu(self.up(x)))
