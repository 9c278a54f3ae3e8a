"""The networks: a causal and a masked Transformer, and a GRU, all of them over letters alone.

Lengths are not their business: a sequence's length is drawn first, and they know how far its end is.
Shapes: N sequences, T positions, V letters, d features.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdesign.devices.arithmetic import run_recurrent
from seqdesign.language.chain import Chains
from seqdesign.language.layers import Block, Cache, Inputs


@dataclass
class Memory:
    """What is remembered of what is written letter by letter: by layers, and the letters (N, T)."""

    layers: list[Cache] | list[Tensor]
    written: Tensor

    def write(self, letters: Tensor, t: int) -> Tensor:
        """All letters before place ``t``, of which (N,) are new."""
        if t:
            self.written[:, t - 1] = letters
        return self.written[:, :t]


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
        repeats: bool,
        complement: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.causal = causal
        self.inputs = Inputs(num_letters, width, max_length, varied=varied)
        self.blocks = nn.ModuleList(
            Block(width, heads, window, layers, dropout, max_length, causal=causal) for _ in range(layers)
        )
        self.norm = nn.LayerNorm(width)
        self.output = nn.Linear(width, num_letters)
        self.chains = Chains(
            num_letters, width, max_length, causal=causal, repeats=repeats, complement=complement
        )

    def count(self, tokens: Tensor, lengths: Tensor) -> None:
        """Count words of training sequences (N, T); their lengths (N,) say nothing more."""
        self.chains.count(tokens)

    def forward(
        self, tokens: Tensor, lengths: Tensor, context: Tensor | None, targets: Tensor | None = None
    ) -> Tensor:
        """Logits (N, T, V): of each letter given those before it, or given all that are shown.

        targets: training letters (N, T) that they are to predict, left out of the counts of words.
        """
        seen = shifted(tokens, self.inputs.nothing) if self.causal else tokens
        mask, x = self._mask(seen, lengths), self.inputs(seen, lengths, context)
        for block in self.blocks:
            x = block(x, mask)
        x = self.norm(x)
        return self.output(x) + self.chains(x, tokens, targets)

    def at(self, tokens: Tensor, lengths: Tensor, context: Tensor | None, places: Tensor) -> Tensor:
        """Logits (N, k, V) of ``places`` (N, k) given all that are shown; not of a causal network.

        The same as those of ``forward``, for less than two thirds of the work.
        """
        mask, x = self._mask(tokens, lengths), self.inputs(tokens, lengths, context)
        *before, last = self.blocks
        for block in before:
            x = block(x, mask)
        x = self.norm(last.at(x, mask, places))  # type: ignore[operator]
        return self.output(x) + self.chains(x, tokens, places=places)

    def _mask(self, tokens: Tensor, lengths: Tensor) -> Tensor | None:
        """(N, 1, 1, T) bool, positions before the end; None where there is nothing behind it to be seen."""
        if self.causal or self.inputs.from_end is None:
            return None
        inside = torch.arange(tokens.shape[1], device=tokens.device) < lengths[:, None]
        return inside[:, None, None]

    def begin(self, rows: int, steps: int) -> Memory:
        """Nothing is written yet."""
        caches = [Cache(block, rows, steps) for block in self.blocks]  # type: ignore[arg-type]
        return Memory(caches, _blank(rows, steps, self.inputs))

    def step(self, memory: Any, previous: Tensor, lengths: Tensor, context: Tensor | None, t: int) -> Tensor:
        """Logits (N, V) of position ``t``."""
        x = self.inputs.at(previous, lengths, context, t)
        for block, cache in zip(self.blocks, memory.layers, strict=True):
            x = block.step(x, cache, t)  # type: ignore[operator]
        x = self.norm(x)
        return self.output(x) + self.chains.next(x, memory.write(previous, t))


class GRU(nn.Module):
    """One or more recurrent layers from left to right."""

    def __init__(
        self,
        num_letters: int,
        max_length: int,
        *,
        width: int,
        layers: int,
        dropout: float,
        varied: bool,
        repeats: bool,
        complement: Sequence[int] = (),
    ) -> None:
        super().__init__()
        self.inputs = Inputs(num_letters, width // 2, max_length, varied=varied)
        self.net = nn.GRU(width // 2, width, layers, batch_first=True)
        self.dropout = nn.Dropout(dropout)
        self.output = nn.Linear(width, num_letters)
        self.chains = Chains(
            num_letters, width, max_length, causal=True, repeats=repeats, complement=complement
        )

    def count(self, tokens: Tensor, lengths: Tensor) -> None:
        """Count words of training sequences (N, T); their lengths (N,) say nothing more."""
        self.chains.count(tokens)

    def forward(
        self, tokens: Tensor, lengths: Tensor, context: Tensor | None, targets: Tensor | None = None
    ) -> Tensor:
        """Logits (N, T, V) of each letter given those before it; ``targets`` as of a Transformer."""
        x = self.inputs(shifted(tokens, self.inputs.nothing), lengths, context)
        x = self.dropout(run_recurrent(self.net, x)[0])
        return self.output(x) + self.chains(x, tokens, targets)

    def begin(self, rows: int, steps: int) -> Memory:
        """Nothing is written yet, and the state of each layer is zero."""
        weight = self.output.weight
        states = [weight.new_zeros(rows, self.net.hidden_size) for _ in range(self.net.num_layers)]
        return Memory(states, _blank(rows, steps, self.inputs))

    def step(self, memory: Any, previous: Tensor, lengths: Tensor, context: Tensor | None, t: int) -> Tensor:
        """Logits (N, V) of position ``t``."""
        x = self.inputs.at(previous, lengths, context, t)
        for layer, weights in enumerate(self.net.all_weights):
            x = torch.gru_cell(x, memory.layers[layer], *weights)
            memory.layers[layer] = x
        return self.output(x) + self.chains.next(x, memory.write(previous, t))


def _blank(rows: int, steps: int, inputs: Inputs) -> Tensor:
    """Tokens (N, T), none of them known."""
    return torch.full((rows, steps), inputs.nothing, device=inputs.letters.weight.device)


def shifted(tokens: Tensor, first: int) -> Tensor:
    """Tokens (N, T) one place to the right, ``first`` in front; of shares of letters (N, T, V) nothing."""
    if tokens.is_floating_point():
        return F.pad(tokens[:, :-1], (0, 0, 1, 0))
    return F.pad(tokens[:, :-1], (1, 0), value=first)
