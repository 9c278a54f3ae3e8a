"""Members with weights in closed form: ridge regression of what some readers see."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, ClassVar

import torch
from torch import Tensor, nn

from seqdesign.ensembles.aligned import Aligned
from seqdesign.ensembles.ends import Ends
from seqdesign.ensembles.family import Family
from seqdesign.ensembles.features import Codons, Letters, Pairs, Words
from seqdesign.ensembles.folding import Folds
from seqdesign.ensembles.grammar import Grammar
from seqdesign.ensembles.reader import Basis, Reader

READERS: dict[str, Callable[[Basis], list[Reader]]] = {
    "ridge": lambda basis: [Letters(basis)],
    "codons": lambda basis: [Codons(basis)],
    "words": lambda basis: [Words(basis)],
    "ends": lambda basis: [Words(basis), Ends(basis)],
    "grammar": lambda basis: [Words(basis), Grammar(basis)],
    "aligned": lambda basis: [Aligned(basis)],
    "family": lambda basis: [Family(basis)],
    "folded": lambda basis: [Letters(basis) if basis.positional else Words(basis), Folds(basis)],
    "pairs": lambda basis: [Letters(basis), Pairs(basis)],
}
"""Kind of model -> what it reads of sequences."""


class LinearNet(nn.Module):
    """Strands (N, V, L) of the same sequences, inside (N, L) -> (M, N, K): columns of readers times weights.

    Of several strands the mean counts.
    """

    BY_MEMBER: ClassVar[tuple[str, ...]] = ("weight", "bias")

    weight: Tensor
    bias: Tensor

    def __init__(self, kind: str, basis: Basis, members: int, num_out: int) -> None:
        super().__init__()
        self.kind, readers = kind, READERS[kind](basis)
        self.readers = nn.ModuleList(readers)
        self.register_buffer("weight", torch.zeros(members, sum(one.columns for one in readers), num_out))
        self.register_buffer("bias", torch.zeros(members, 1, num_out))
        self.register_load_state_dict_pre_hook(_of_before)

    def forward(self, strands: Sequence[Tensor], inside: Tensor) -> Tensor:
        """Linear in the features."""
        return torch.einsum("ni,mik->mnk", self.features(strands, inside), self.weight) + self.bias

    def features(self, strands: Sequence[Tensor], inside: Tensor) -> Tensor:
        """What the weights multiply, (N, I)."""
        read = [[group for reader in self.readers for group in reader(x, inside)] for x in strands]
        return torch.stack([torch.cat(groups, 1) for groups in read]).mean(0)

    def learn(self, basis: Basis, tokens: Tensor, lengths: Tensor) -> None:
        """Read by what was found in training sequences (N, L), of the size that was expected."""
        readers = READERS[self.kind](basis)
        assert sum(one.columns for one in readers) == self.weight.shape[1]
        for one in readers:
            one.learn(tokens, lengths)
        self.readers = nn.ModuleList(readers)

    def set_weights(self, weight: Tensor, bias: Tensor) -> None:
        """Weights (M, I, K) and biases (M, K)."""
        self.weight.copy_(weight)
        self.bias.copy_(bias[:, None])


def _of_before(net: nn.Module, state: dict[str, Any], prefix: str, *_: Any) -> None:
    """Read models of before: what their readers know had no reader's name, and words had a gain beside their
    weights.
    """
    for name in net.get_submodule("readers").state_dict():
        if (old := prefix + name.partition(".")[2]) in state:
            state[f"{prefix}readers.{name}"] = state.pop(old)
    if (gain := state.pop(f"{prefix}gain", None)) is not None:
        state[f"{prefix}weight"] = state[f"{prefix}weight"] * gain[:, None]
