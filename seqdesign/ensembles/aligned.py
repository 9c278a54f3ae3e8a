"""What ridge regression reads of relatives of a parent that also differ by insertions and deletions.

Each sequence is aligned to the parent, at least cost of mismatches and gaps; of equal alignments the one
whose gaps stand furthest to the left. A letter there, any change there or near by, any gap there or near by,
and a letter wherever it comes or goes are columns of their own, so that substitutions speak for insertions
and deletions at the same place.

Shapes: N sequences, V letters, L positions, R letters of the parent. A letter's place is that of its partner
in the parent, from 0, or R + p where it is inserted in front of place p (p from 0 to R).
"""

from __future__ import annotations

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor

from seqdesign.ensembles.reader import Basis, Reader
from seqdesign.metrics.edits import levenshtein_matrix
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import TokenArray, decode
from seqdesign.sequences.splits import related

GAP = 1.5
"""Cost of a letter without a partner, in mismatches."""
WIDTHS = (1.0, 2.0, 4.0)
"""Standard deviations, in places, of the windows by which near places speak for each other."""
CELLS = 1 << 25
"""Cells of alignments held at once."""
MEDOIDS, VOTERS = 100, 300
"""Sequences among which a first parent is looked for, and those that vote on its letters."""


def mismatches(parent: Tensor, letters: int) -> Tensor:
    """Costs (R, V + 1) of letters, the last of them unknown, beside those of a parent (R,)."""
    return (torch.arange(letters + 1, device=parent.device) != parent[:, None]).float()


def align(tokens: Tensor, lengths: Tensor, costs: Tensor, gap: float = GAP) -> Tensor:
    """Places (N, L) of the letters of tokens (N, L), -1 beyond their end.

    costs (R, V + 1) of letters, the last of them unknown, at places, and ``gap`` of a letter or a place
    without a partner, are multiples of 1/8, so that sums of them are exact and equal ones are equal.
    """
    size = max(1, CELLS // ((tokens.shape[1] + 1) * (len(costs) + 1)))
    parts = [
        _align(rows, ends, costs.T.contiguous(), gap)
        for rows, ends in zip(tokens.split(size), lengths.split(size), strict=True)
    ]
    return torch.cat(parts) if parts else torch.full_like(tokens, -1)


def _align(tokens: Tensor, lengths: Tensor, costs: Tensor, gap: float) -> Tensor:
    """``align`` of as many as fit; costs (V + 1, R)."""
    (count, length), width, device = tokens.shape, costs.shape[1], tokens.device
    steps = gap * torch.arange(width + 1, device=device, dtype=torch.float32)
    cost = steps.expand(count, -1)
    pairs, more = [torch.zeros(count, width + 1, dtype=torch.bool, device=device)], []
    for i in range(length):
        pair = F.pad(cost[:, :-1] + costs[tokens[:, i].clamp(max=len(costs) - 1)], (1, 0), value=torch.inf)
        extra = cost + gap
        cost = (torch.minimum(pair, extra) - steps).cummin(1).values + steps
        pairs.append(pair == cost)
        more.append(extra == cost)
    paired = torch.stack(pairs, 1)
    extra_letter = torch.stack([torch.zeros_like(pairs[0]), *more], 1)
    place = torch.full_like(tokens, -1)
    row, column, who = lengths.clone(), torch.full_like(lengths, width), torch.arange(count, device=device)
    for _ in range(length + width):
        diagonal = paired[who, row, column]
        up = ~diagonal & extra_letter[who, row, column]
        at = (row - 1).clamp(min=0)
        here = torch.where(diagonal, column - 1, width + column)
        place[who, at] = torch.where(diagonal | up, here, place[who, at])
        row = row - (diagonal | up).long()
        column = (column - (~up).long()).clamp(min=0)
    return place


class Aligned(Reader):
    """Letters, insertions and deletions by alignment to a parent (R,).

    Columns are linear in one-hot sequences once these are aligned by their likeliest letters.
    """

    parent: Tensor

    def __init__(self, basis: Basis) -> None:
        letters, width = basis.alphabet.size, len(basis.parent)
        near = 2 * (width + 1) * (1 + len(WIDTHS))
        super().__init__(basis, (2 * width + 1) * letters + near + 3 + 3 * letters)
        self.register_buffer("parent", basis.parent)

    def forward(self, x: Tensor, inside: Tensor) -> list[Tensor]:
        """One group."""
        letters, width = x.shape[1], len(self.parent)
        place = align(x.argmax(1), inside.sum(1), mismatches(self.parent, letters))
        holder = x.new_zeros(len(x), 2 * width + 2, letters)
        index = torch.where(place < 0, 2 * width + 1, place).unsqueeze(2).expand(-1, -1, letters)
        found = holder.scatter_add(1, index, x.transpose(1, 2))
        paired, inserted = found[:, :width], found[:, width : 2 * width + 1]
        own = F.one_hot(self.parent, letters).to(x.dtype)
        changed, lost = paired * (1 - own), 1 - paired.sum(2)
        gap = F.pad(lost, (0, 1)) + inserted.sum(2)
        change = gap + F.pad(changed.sum(2), (0, 1))
        near = [part @ _window(width + 1, w, x) for w in WIDTHS for part in (change, gap)]
        kinds = torch.stack([changed.sum((1, 2)), inserted.sum((1, 2)), lost.sum(1)], 1)
        whose = [changed.sum(1), inserted.sum(1), lost @ own]
        return [torch.cat([changed.flatten(1), inserted.flatten(1), change, gap, *near, kinds, *whose], 1)]


def _window(size: int, width: float, like: Tensor) -> Tensor:
    """(size, size): what each place says of each other one; columns have length 1."""
    steps = torch.arange(size, device=like.device, dtype=like.dtype)
    found = torch.exp(-0.5 * ((steps[:, None] - steps) / width).square())
    return found / found.square().sum(0).sqrt()


def common_parent(tokens: TokenArray) -> Tensor | None:
    """The sequence (R,) that the rows are relatives of, by majority; None where they are none."""
    rows, lengths = voters(tokens)
    parent = majority(rows, lengths, tokens.alphabet)
    if not len(parent):
        return None
    place = align(rows, lengths, mismatches(parent, tokens.alphabet.size))
    own = torch.cat([parent, torch.full((len(parent) + 2,), tokens.alphabet.size)])
    same = ((rows == own[place]) & (place >= 0)).sum(1)
    changes = torch.maximum(lengths, torch.full_like(lengths, len(parent))) - same
    return parent if related(changes.numpy(), len(parent)) else None


def voters(tokens: TokenArray) -> tuple[Tensor, Tensor]:
    """Some tokens (N, L) and their lengths, as many as have a vote."""
    some = np.sort(np.random.default_rng(0).permutation(len(tokens))[:VOTERS])
    rows = torch.from_numpy(tokens.tokens[some].astype(np.int64))
    return rows, torch.from_numpy(tokens.lengths[some].astype(np.int64))


def majority(rows: Tensor, lengths: Tensor, alphabet: Alphabet) -> Tensor:
    """The sequence (R,) on which tokens (N, L) agree, which may be empty.

    Found from the row that is nearest to others, and then by the letters that most rows have at its places.
    """
    few = decode(rows[:MEDOIDS].numpy(), alphabet)
    first = int(levenshtein_matrix(few, few).sum(1).argmin())
    parent = rows[first, : lengths[first]]
    for _ in range(2):
        if len(parent):
            costs = mismatches(parent, alphabet.size)
            parent = _voted(align(rows, lengths, costs), rows, len(parent), alphabet.size)
    return parent


def _voted(place: Tensor, tokens: Tensor, width: int, size: int) -> Tensor:
    """The parent (R,) that most sequences have: without what most lack, with what most add."""
    votes = torch.zeros(2 * width + 1, size + 1)
    known = (place >= 0) & (tokens < size)
    index = place[known] * (size + 1) + tokens[known]
    votes.view(-1).index_add_(0, index, torch.ones(len(index)))
    half = len(tokens) / 2
    found = []
    for p in range(width + 1):
        rows = [votes[width + p], *votes[p : min(p + 1, width)]]
        found += [int(row.argmax()) for row in rows if float(row.sum()) > half]
    return torch.tensor(found, dtype=torch.long)
