"""The networks: a causal and a masked Transformer, and a GRU, all of them over letters alone.

Lengths are not their business: a sequence's length is drawn first, and they know how far its end is.
Shapes: N sequences, T positions, V letters, d features.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdesign.language.layers import Block, Cache, Inputs


class Transformer(nn.Module):
    """Blocks of convolution, attention and dense layers; left to right, or over all that is shown."""

    def __init__(
        self,
        num_letters: int,
        max_length: int,
        *,
        width: int,
        layers: int,
        heads: int,
        window: int,
        dropout: float,
        causal: bool,
        varied: bool,
    ) -> None:
        super().__init__()
        self.causal = causal
        self.inputs = Inputs(num_letters, width, max_length, varied=varied)
        self.blocks = nn.ModuleList(
            Block(width, heads, window, layers, dropout, max_length, causal=causal) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, num_letters)

    def forward(self, tokens: Tensor, lengths: Tensor, context: Tensor | None) -> Tensor:
        """Logits (N, T, V): of each letter given those before it, or given all that are shown."""
        if self.causal:
            tokens = shifted(tokens, self.inputs.nothing)
        mask, x = self._mask(tokens, lengths), self.inputs(tokens, lengths, context)
        for block in self.blocks:
            x = block(x, mask)
        return self.output(self.norm(x))

    def at(self, tokens: Tensor, lengths: Tensor, context: Tensor | None, places: Tensor) -> Tensor:
        """Logits (N, k, V) of ``places`` (N, k) given all that are shown; not of a causal network.

        The same as those of ``forward``, for less than two thirds of the work.
        """
        mask, x = self._mask(tokens, lengths), self.inputs(tokens, lengths, context)
        *before, last = self.blocks
        for block in before:
            x = block(x, mask)
        return self.output(self.norm(last.at(x, mask, places)))  # type: ignore[operator]

    def _mask(self, tokens: Tensor, lengths: Tensor) -> Tensor | None:
        """(N, 1, 1, T) bool, positions before the end; None where there is nothing behind it to be seen."""
        if self.causal or self.inputs.from_end is None:
            return None
        inside = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        return inside[:, None, None]

    def begin(self, rows: int, steps: int) -> list[Cache]:
        """Empty caches."""
        return [Cache(block, rows, steps) for block in self.blocks]  # type: ignore[arg-type]

    def step(self, memory: Any, previous: Tensor, lengths: Tensor, context: Tensor | None, t: int) -> Tensor:
        """Logits (N, V) of position ``t``."""
        x = self.inputs.at(previous, lengths, context, t)
        for block, cache in zip(self.blocks, memory, strict=True):
            x = block.step(x, cache, t)  # type: ignore[operator]
        return self.output(self.norm(x))


class GRU(nn.Module):
    """One or more recurrent layers from left to right."""

    def __init__(
        self, num_letters: int, max_length: int, *, width: int, layers: int, dropout: float, varied: bool
    ) -> None:
        super().__init__()
        self.inputs = Inputs(num_letters, width // 2, max_length, varied=varied)
        self.net = nn.GRU(width // 2, width, layers, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, num_letters)

    def forward(self, tokens: Tensor, lengths: Tensor, context: Tensor | None) -> Tensor:
        """Logits (N, T, V) of each letter given those before it."""
        x = self.inputs(shifted(tokens, self.inputs.nothing), lengths, context)
        return self.output(self.dropout(self.net(x)[0]))

    def begin(self, rows: int, steps: int) -> list[Tensor]:
        """The state of each layer, zero."""
        weight = self.output.weight
        return [weight.new_zeros(rows, self.net.hidden_size) for _ in range(self.net.num_layers)]

    def step(self, memory: Any, previous: Tensor, lengths: Tensor, context: Tensor | None, t: int) -> Tensor:
        """Logits (N, V) of position ``t``."""
        x = self.inputs.at(previous, lengths, context, t)
        for layer, weights in enumerate(self.net.all_weights):
            x = memory[layer] = torch.gru_cell(x, memory[layer], *weights)
        return self.output(x)


def shifted(tokens: Tensor, first: int) -> Tensor:
    """Tokens (N, T) one place to the right, ``first`` in front; of shares of letters (N, T, V) nothing."""
    if tokens.is_floating_point():
        return F.pad(tokens[:, :-1], (0, 0, 1, 0))
    return F.pad(tokens[:, :-1], (1, 0), value=first)
