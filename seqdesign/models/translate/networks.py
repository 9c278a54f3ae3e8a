"""A translator of sequences: their own letters, and what speaks for others at each position.

Shapes: N sequences, L positions, S symbols: the V letters, and END where lengths differ.
"""

from __future__ import annotations

import math
from typing import Any, cast

import torch
from torch import Tensor, nn

from seqdesign.adversarial.networks import Mixing, ResidualBlock, Shape, activate

KEPT = 0.95
"""Probability by which a letter stays, at the start: some drawn edits are needed to learn from."""
QUIET = 0.3
"""The last layer starts so many times smaller than usual, so that letters change at random and not by what
untrained networks say."""
NEVER = -1e4


class Translator(nn.Module):
    """Residual: logits = own * x + network(x), so that it starts near the identity."""

    def __init__(self, shape: Shape, num_symbols: int, length: int, min_length: int) -> None:
        super().__init__()
        self.first = nn.Conv2d(num_symbols, shape.channels, (1, shape.kernel), padding=(0, shape.kernel // 2))
        self.blocks = nn.Sequential()
        for _ in range(shape.blocks):
            self.blocks.append(ResidualBlock(shape.channels, shape.kernel))
            self.blocks.append(Mixing(shape.channels, length))
        self.letters = nn.Conv2d(shape.channels, num_symbols, (1, 3), padding=(0, 1))
        self.letters.weight.data.mul_(QUIET)
        own = math.log((num_symbols - 1) * KEPT / (1 - KEPT))
        self.own = nn.Parameter(torch.full((1,), own))
        allowed = torch.zeros(num_symbols, length)
        if min_length < length:
            allowed[-1, :min_length] = NEVER
        self.register_buffer("allowed", allowed, persistent=False)
        cast(Any, self).to(memory_format=torch.channels_last)  # torch types lack it

    def forward(self, sequences: Tensor) -> Tensor:
        """Logits (N, S, L) of the translations of one-hot or soft sequences (N, S, L)."""
        image = sequences.unsqueeze(2).contiguous(memory_format=torch.channels_last)
        said = self.letters(activate(self.blocks(self.first(image)))).squeeze(2).float()
        return cast(Tensor, self.own * sequences + said + self.allowed)
