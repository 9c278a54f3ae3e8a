"""A Transformer and a GRU that write together: the mean of their log-probabilities.

    log p(a | before) = (log p_1(a | before) + log p_2(a | before)) / 2 + constant

Networks that have learned few sequences err in different letters, and where one of them is sure of a letter
for no good reason the other is not (products of experts; Hinton 2002, doi 10.1162/089976602760128018). Each
learns by itself: were the mean what is trained, each would lean on the other and both would err alike.
Shapes: N sequences, T positions, V letters.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor, nn

from seqdesign.language.chain import Chains
from seqdesign.language.layers import Inputs
from seqdesign.language.networks import GRU, Transformer


class Ensemble(nn.Module):
    """Causal networks with features of one size, so that a condition is the same for all."""

    def __init__(self, members: list[Transformer | GRU]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)

    @property
    def inputs(self) -> Inputs:
        """What the first network knows of each position; the tokens are those of all."""
        return self.members[0].inputs  # type: ignore[return-value]

    def count(self, tokens: Tensor) -> None:
        """Count words of training sequences (N, T), once for all."""
        first, *others = [member.chains for member in self.members]
        assert isinstance(first, Chains)
        first.count(tokens)
        for chains in others:
            assert isinstance(chains, Chains)
            chains.copy_counts(first)

    def forward(
        self, tokens: Tensor, lengths: Tensor, context: Tensor | None, targets: Tensor | None = None
    ) -> Tensor:
        """Logits (N, T, V) of each letter given those before it."""
        return _mean([member(tokens, lengths, context, targets) for member in self.members])

    def begin(self, rows: int, steps: int) -> list[Any]:
        """What each network remembers while nothing is written yet."""
        return [member.begin(rows, steps) for member in self.members]  # type: ignore[operator]

    def step(self, memory: Any, previous: Tensor, lengths: Tensor, context: Tensor | None, t: int) -> Tensor:
        """Logits (N, V) of position ``t``."""
        parts = zip(self.members, memory, strict=True)
        return _mean([member.step(mine, previous, lengths, context, t) for member, mine in parts])  # type: ignore[operator]


def _mean(logits: list[Tensor]) -> Tensor:
    return torch.stack([part.log_softmax(-1) for part in logits]).mean(0)
