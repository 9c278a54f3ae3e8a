"""What a kind of model reads of sequences, for predictors and for judges of designs alike.

A reader turns sequences into columns of numbers. Predictors ask for those of one-hot sequences, with their
gradients, and multiply them with weights; Gaussian processes ask for those of tokens, group by group.

Shapes: N sequences, V letters, L positions.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import torch
from torch import Tensor, nn

from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import mask, one_hot

ROWS = 512
"""Sequences of which one-hots are held at once."""

Word = tuple[int, ...]
"""Places of the letters of a word, from 0: (0, 1, 2) are three neighbours, (0, 3) two letters apart."""


def _nothing() -> Tensor:
    return torch.zeros(0, 2, dtype=torch.long)


@dataclass(frozen=True, eq=False, kw_only=True)
class Basis:
    """What readers go by: letters, lengths, and what was found in the training rows, or zeros of its size."""

    alphabet: Alphabet
    max_length: int
    positional: bool = False
    """Whether every place has a meaning of its own."""
    both_strands: bool = False
    shapes: tuple[Word, ...] = ()
    """Words that are counted; none: as many shapes as a model can learn from."""
    pairs: Tensor = field(default_factory=_nothing)
    """(P, 2): cells of one-hot sequences that are read together."""
    parent: Tensor = field(default_factory=_nothing)
    """(R,): the sequence that all are relatives of."""
    costs: Tensor = field(default_factory=_nothing)
    """(R, V + 1): of letters in the columns of a family."""
    found: Tensor = field(default_factory=_nothing)
    """(A, W, V): words whose grammar is read."""


class Reader(nn.Module):
    """One way to read sequences: groups of ``columns`` together."""

    def __init__(self, basis: Basis, columns: int) -> None:
        super().__init__()
        self.alphabet, self.both_strands, self.columns = basis.alphabet, basis.both_strands, columns

    def forward(self, x: Tensor, inside: Tensor) -> list[Tensor]:
        """Groups of columns (N, I) of one-hot x (N, V, L), with letters at ``inside`` (N, L); one strand."""
        raise NotImplementedError

    def learn(self, tokens: Tensor, lengths: Tensor) -> None:
        """What training sequences (N, L) have, as far as a reader asks."""

    def of_tokens(self, tokens: Tensor) -> list[Tensor]:
        """Groups of columns (N, I), float64, of tokens (N, L), padded: the mean of all strands read."""
        parts = []
        for rows in tokens.split(ROWS):
            x, inside = one_hot(rows, self.alphabet, torch.float64), mask(rows, self.alphabet)
            strands = [x, other_strand(x, inside, partners(self.alphabet))] if self.both_strands else [x]
            found = [self(strand, inside) for strand in strands]
            parts.append([torch.stack(group).mean(0) for group in zip(*found, strict=True)])
        return [torch.cat(group) for group in zip(*parts, strict=True)]


def partners(alphabet: Alphabet) -> Tensor:
    """(V,): the letter opposite each one; each its own where the alphabet has no complement."""
    return torch.tensor(alphabet.partners or range(alphabet.size))


def other_strand(x: Tensor, inside: Tensor, partner: Tensor) -> Tensor:
    """Reverse complement of one-hot x (N, V, L) within each sequence's own length, by partners (V,)."""
    steps = torch.arange(x.shape[2], device=x.device)
    back = (inside.sum(1, keepdim=True) - 1 - steps).clamp(min=0)
    turned = x[:, partner].gather(2, back[:, None].expand_as(x))
    return turned * inside[:, None]
