"""Letters that count by themselves and in pairs: a landscape that can be solved where it is small."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.sequences.alphabets import Alphabet

MAX_STATES = 2_000_000
"""Sequences that are gone through at most."""

_BLOCK = 65_536


class PottsOracle:
    """Score sum_l h_l(x_l) + sum_{l<m} J_lm(x_l, x_m); without couplings it is linear in the sequence.

    fields: h, (L, V). couplings: J, (L, V, L, V), of which l < m counts, or None. Raises ValueError for other
    shapes.
    """

    differentiable = True
    outcomes = ("score",)

    def __init__(self, fields: Tensor, couplings: Tensor | None = None, *, alphabet: Alphabet) -> None:
        length, letters = fields.shape
        if letters != alphabet.size:
            raise ValueError(f"fields must be (L, {alphabet.size}), got shape {tuple(fields.shape)}")
        self.alphabet, self.fields, self.couplings = alphabet, fields, None
        if couplings is not None:
            if couplings.shape != (length, letters, length, letters):
                raise ValueError(
                    f"couplings must be {(length, letters, length, letters)}, got {tuple(couplings.shape)}"
                )
            later = torch.ones(length, length).triu(1)
            self.couplings = couplings * later[:, None, :, None].to(couplings)

    def __call__(self, x: Tensor, /) -> Tensor:
        """Scores (1, N, 1) of one-hot or soft (N, V, L). ValueError for sequences of another length."""
        length = len(self.fields)
        if x.shape[2] != length:
            raise ValueError(f"sequences must have {length} letters, got {x.shape[2]}")
        score = torch.einsum("nvl,lv->n", x, self.fields.to(x))
        if self.couplings is not None:
            score = score + torch.einsum("nvl,lvmw,nwm->n", x, self.couplings.to(x), x)
        return score.view(1, -1, 1)

    def optimum(self) -> tuple[Tensor, float]:
        """A best sequence (L,) and its score: letter by letter without couplings, else by trying all.

        Raises ValueError where there are more than ``MAX_STATES`` sequences.
        """
        length, letters = self.fields.shape
        if self.couplings is None:
            return self.fields.argmax(1), float(self.fields.amax(1).sum())
        count = letters**length
        if count > MAX_STATES:
            raise ValueError(f"at most {MAX_STATES:,} sequences can be tried, got {letters}^{length}")
        best, value = torch.zeros(length, dtype=torch.long), -torch.inf
        place = letters ** torch.arange(length)
        for first in range(0, count, _BLOCK):
            index = torch.arange(first, min(first + _BLOCK, count))
            tokens = index[:, None] // place % letters
            scores = self(torch.nn.functional.one_hot(tokens, letters).mT.double())[0, :, 0]
            top = int(scores.argmax())
            if float(scores[top]) > value:
                best, value = tokens[top], float(scores[top])
        return best, value
