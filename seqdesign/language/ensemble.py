"""A Transformer, a GRU and a profile that write together: the weighted mean of their log-probabilities.

    log p(a | before) = (1 - w) (log p_1(a | ..) + log p_2(a | ..)) / 2 + w log p_profile(a | ..) + constant

Networks that have learned few sequences err in different letters, and where one of them is sure of a letter
for no good reason the other is not (products of experts; Hinton 2002, doi 10.1162/089976602760128018). Each
learns by itself: were the mean what is trained, each would lean on the other and both would err alike. w is
what explains held-out sequences best.
Shapes: N sequences, T positions, V letters.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor, nn

from seqdesign.language.chain import Chains
from seqdesign.language.layers import Inputs
from seqdesign.language.networks import GRU, Transformer
from seqdesign.language.profile import LONGEST, Profile

SHARES = tuple(i / 10 for i in range(10))
"""What w is chosen from."""


class Ensemble(nn.Module):
    """Causal networks with features of one size, so that a condition is the same for all, and a profile.

    A profile knows no condition, so it has no share in conditional models.
    """

    share: Tensor
    """Of the profile, w."""

    def __init__(self, members: list[Transformer | GRU]) -> None:
        super().__init__()
        self.members = nn.ModuleList(members)
        self.profile = Profile(self.inputs.nothing)
        self.register_buffer("share", torch.zeros(()))
        self.used = False

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        self.used = bool(state_dict[f"{prefix}share"] > 0)
        super()._load_from_state_dict(state_dict, prefix, *args)

    @property
    def inputs(self) -> Inputs:
        """What the first network knows of each position; the tokens are those of all."""
        return self.members[0].inputs  # type: ignore[return-value]

    def count(self, tokens: Tensor, lengths: Tensor) -> None:
        """Count words of training sequences (N, T) of lengths (N,), once for all, and learn the profile."""
        first, *others = [member.chains for member in self.members]
        assert isinstance(first, Chains)
        first.count(tokens)
        for chains in others:
            assert isinstance(chains, Chains)
            chains.copy_counts(first)
        if tokens.shape[1] <= LONGEST:
            self.profile.count(tokens, lengths)

    @torch.no_grad()
    def weigh(self, batches: Iterable[tuple[Tensor, Tensor]]) -> None:
        """Choose the share of the profile by held-out sequences, batches of (N, T) and lengths (N,)."""
        if len(self.profile.letters) == 1:
            return
        total = torch.zeros(len(SHARES), dtype=torch.float64)
        for tokens, lengths in batches:
            nets = _mean([member(tokens, lengths, None) for member in self.members])
            profile, known = self.profile(tokens, lengths), tokens < self.inputs.nothing
            letters = tokens.long().where(known, 0)[:, :, None]
            for i, share in enumerate(SHARES):
                said = _mixed(nets, profile, share).log_softmax(-1).gather(2, letters)[:, :, 0]
                total[i] += said.masked_fill(~known, 0.0).double().sum().cpu()
        share = SHARES[int(total.argmax())]
        self.share.fill_(share)
        self.used = share > 0

    def forward(
        self, tokens: Tensor, lengths: Tensor, context: Tensor | None, targets: Tensor | None = None
    ) -> Tensor:
        """Logits (N, T, V) of each letter given those before it."""
        found = _mean([member(tokens, lengths, context, targets) for member in self.members])
        return _mixed(found, self.profile(tokens, lengths), self.share) if self.used else found

    def begin(self, rows: int, steps: int) -> list[Any]:
        """What each of them remembers while nothing is written yet."""
        found = [member.begin(rows, steps) for member in self.members]  # type: ignore[operator]
        return [*found, self.profile.begin(steps)] if self.used else found

    def step(self, memory: Any, previous: Tensor, lengths: Tensor, context: Tensor | None, t: int) -> Tensor:
        """Logits (N, V) of position ``t``."""
        parts = zip(self.members, memory, strict=False)
        found = _mean([member.step(mine, previous, lengths, context, t) for member, mine in parts])  # type: ignore[operator]
        if not self.used:
            return found
        return _mixed(found, self.profile.step(memory[-1], previous, lengths, t), self.share)


def _mean(logits: list[Tensor]) -> Tensor:
    return torch.stack([part.log_softmax(-1) for part in logits]).mean(0)


def _mixed(networks: Tensor, profile: Tensor, share: Tensor | float) -> Tensor:
    return (1 - share) * networks + share * profile
