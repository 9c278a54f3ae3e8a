"""What ridge regression reads of members of a family: letters and their properties by column of an alignment.

The alignment is to a profile, made of the rows themselves: how much likelier each letter is in a column than
anywhere. It begins with the sequence on which most rows agree, and rows are aligned to it and it is made of
them in turn. A column that a sequence lacks, and letters between two columns, are read as well.

Rows are a family where those of which the profile is not made agree with it better than their own letters in
another order do. Other sequences have no columns.

Shapes: N sequences, V letters, L positions, R columns, F properties of letters.
"""

from __future__ import annotations

import math

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seqdesign.ensembles import aligned
from seqdesign.ensembles.aligned import align, majority, mismatches, voters
from seqdesign.ensembles.descriptors import letter_descriptors
from seqdesign.ensembles.evidence import LetterShares
from seqdesign.ensembles.reader import Basis, Reader
from seqdesign.sequences.encoders import TokenArray

GAP = 4.0
"""Cost, in nats, of a letter without a column and of a column without a letter."""
LETTER_WEIGHT = 5.0
"""Letters of the background that each column is supposed to have been seen with."""
ROUNDS = 4
UNIT = 8.0
"""Costs are multiples of a part of a nat, so that sums of them are exact."""
FEWEST, AGREEING, CELLS = 20, 60, 60_000_000
"""Rows of which a family has at least so many; rows that agree on a profile, and their letters times columns,
at most unless these rows are fewer than that.
"""
SURE = 0.9
"""Share of the other half of the rows that must agree with the profile of one half."""
ALIKE = 0.7
"""How much more a standard deviation of a property may say than a letter."""


def family_costs(tokens: TokenArray) -> Tensor | None:
    """Costs (R, V + 1) of letters in the columns of the family that the rows are; None: they are none."""
    rows, lengths = voters(tokens)
    step = math.ceil(len(rows) / max(AGREEING, CELLS // rows.shape[1] ** 2))
    rows, lengths = rows[::step], lengths[::step]
    if len(rows) < FEWEST:
        return None
    parent = majority(rows[::2], lengths[::2], tokens.alphabet)
    if not len(parent):
        return None
    costs = _profile(rows[::2], lengths[::2], mismatches(parent, tokens.alphabet.size), aligned.GAP)
    others, ends = rows[1::2], lengths[1::2]
    better = _cost(others, ends, costs) < _cost(_shuffled(others, ends), ends, costs)
    return _profile(rows, lengths, costs, GAP) if float(better.float().mean()) >= SURE else None


def _profile(rows: Tensor, lengths: Tensor, costs: Tensor, gap: float) -> Tensor:
    """Costs (R, V + 1) by tokens (N, L) that are first aligned by other costs and one of gaps."""
    size = costs.shape[1] - 1
    known = rows < size
    background = torch.bincount(rows[known], minlength=size) + 1.0
    background /= background.sum()
    for _ in range(ROUNDS):
        columns = in_columns(rows, align(rows, lengths, costs, gap), len(costs), size)
        seen = F.one_hot(columns, size + 1)[..., :size].sum(0).float()
        share = (seen + LETTER_WEIGHT * background) / (seen.sum(1, keepdim=True) + LETTER_WEIGHT)
        costs = F.pad(-(UNIT * (share / background).log()).round() / UNIT, (0, 1))
        gap = GAP
    return costs


def in_columns(tokens: Tensor, place: Tensor, width: int, gap: int) -> Tensor:
    """Tokens (N, R) by column, of tokens (N, L) at places (N, L); ``gap`` where there is none."""
    found = torch.full((len(tokens), width + 1), gap, dtype=tokens.dtype, device=tokens.device)
    index = torch.where((place < 0) | (place >= width), width, place)
    return found.scatter(1, index, tokens.clamp(max=gap))[:, :width]


def _cost(tokens: Tensor, lengths: Tensor, costs: Tensor) -> Tensor:
    """Of the alignment of each sequence (N,)."""
    width, unknown = len(costs), costs.shape[1] - 1
    place = align(tokens, lengths, costs, GAP)
    paired = (place >= 0) & (place < width)
    cost = costs[place.clamp(0, width - 1), tokens.clamp(max=unknown)] * paired
    return cost.sum(1) + GAP * (lengths + width - 2 * paired.sum(1))


def _shuffled(tokens: Tensor, lengths: Tensor) -> Tensor:
    """The same letters of each sequence in another order."""
    rng, found = np.random.default_rng(0), tokens.clone()
    for row, end in zip(found, lengths.tolist(), strict=True):
        row[:end] = row[:end][torch.from_numpy(rng.permutation(end))]
    return found


class Family(Reader):
    """Letters, and what they are like, in the columns of a family, by costs (R, V + 1).

    Columns are linear in one-hot sequences once these are aligned by their likeliest letters. A letter that,
    once learned, no row has in its column is read as the mixture of those that are there.
    """

    costs: Tensor
    descriptors: Tensor

    def __init__(self, basis: Basis) -> None:
        letters, width, like = basis.alphabet.size, len(basis.costs), letter_descriptors(basis.alphabet)
        super().__init__(basis, width * (letters + like.shape[1]) + 2 * width + 1)
        self.register_buffer("costs", basis.costs)
        self.register_buffer("descriptors", like, persistent=False)
        self.shares = LetterShares(letters, width)

    def forward(self, x: Tensor, inside: Tensor) -> list[Tensor]:
        """One group."""
        letters, width = x.shape[1], len(self.costs)
        place = align(x.argmax(1), inside.sum(1), self.costs, GAP)
        holder = x.new_zeros(len(x), letters, 2 * width + 2)
        index = torch.where(place < 0, 2 * width + 1, place).unsqueeze(1).expand(-1, letters, -1)
        found = holder.scatter_add(2, index, x)
        paired, inserted = self.shares(found[:, :, :width]), found[:, :, width : 2 * width + 1].sum(1)
        about = self.descriptors.to(x)
        like = torch.einsum("nvr,vf->nfr", paired, about) * (ALIKE / about.shape[1] ** 0.5)
        lost = 1 - paired.sum(1)
        return [torch.cat([paired.flatten(1), like.flatten(1), lost, inserted], 1)]

    def learn(self, tokens: Tensor, lengths: Tensor) -> None:
        """Which letters each column has."""
        width = len(self.costs)
        columns = in_columns(tokens, align(tokens, lengths, self.costs, GAP), width, self.alphabet.size)
        self.shares.learn(columns, torch.full_like(lengths, width), positional=True)
