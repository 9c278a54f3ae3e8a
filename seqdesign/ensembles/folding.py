"""How RNA folds: the free energy of its helices and how likely each letter is paired.

A partition function (McCaskill 1990, doi 10.1002/bip.360290621) of helices side by side, whose loops are
hairpins, single bulges and single mismatches; loops of three helices and more are left out. Stacks are those
of Turner and Mathews (2010, NNDB, doi 10.1093/nar/gkp892), at 37 degrees; other loops have round numbers near
theirs. Letters are A, C, G, and U or T, in this order. All is in float64, as weights of long helices are
large, and differentiable in the letters.

Shapes: N sequences, L positions, P kinds of pairs. Arrays (N, L, L) hold pairs of a first and a last letter.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor

from seqdesign.ensembles.ends import both_ends, num_places
from seqdesign.ensembles.features import linear_features
from seqdesign.ensembles.reader import Basis, Reader
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import mask, one_hot

PAIRS = ((0, 3), (1, 2), (2, 1), (2, 3), (3, 0), (3, 2))
"""AU, CG, GC, GU, UA, UG."""
STACKS = (
    (-0.93, -2.24, -2.08, -0.55, -1.10, -1.36),
    (-2.11, -3.26, -2.36, -1.41, -2.08, -2.11),
    (-2.35, -3.42, -3.26, -1.53, -2.24, -2.51),
    (-1.27, -2.51, -2.11, -0.50, -1.36, 1.29),
    (-1.33, -2.35, -2.11, -1.00, -0.93, -1.27),
    (-1.00, -1.53, -1.41, 0.30, -0.55, -0.50),
)
"""kcal/mol of a pair (row) and the next one inside it (column)."""
WEAK_END = (0.45, 0.0, 0.0, 0.45, 0.45, 0.45)
"""Of each kind of pair at the end of a helix."""
BULGE, MISMATCH = 1.8, 0.9
"""Of a letter on one side, and of one on either side, between two pairs; pairs do not stack across them."""
LOOP, TRIPLE, GROWTH = 5.0, 5.4, 1.75
"""Of a hairpin with four letters, with three, and RT times the logarithm of how much longer it is."""
RT = 0.61632
SMALLEST = 3
"""Letters of a hairpin at least."""
LONGEST = 200
"""Letters from which folding costs too much."""
NUMBERS = 20_000_000
"""Of kinds of pairs that are held at once."""
MOST = 100_000_000
"""Rows times squared letters of which folding costs too much."""
ROWS, CLEARLY = 1_000, 3.0
"""Rows by which it is asked whether folding counts, and by how many standard errors it must."""


def fold(x: Tensor) -> tuple[Tensor, Tensor]:
    """Minus the free energy in RT (N,) of one-hot x (N, 4, L), and how likely letters are paired (N, L)."""
    rows = max(1, NUMBERS // (len(PAIRS) * x.shape[2] ** 2))
    precise = x.to("cpu" if x.device.type == "mps" else x.device, torch.float64)  # mps has no float64
    parts = [_fold(some) for some in precise.split(rows)]
    energy, paired = (torch.cat(one) for one in zip(*parts, strict=True))
    return energy.to(x), paired.to(x)


class Folds(Reader):
    """The free energy, and how likely letters are paired: all, or, where places mean nothing, those near
    either end.
    """

    def __init__(self, basis: Basis) -> None:
        places = 0 if basis.positional else num_places(basis.alphabet.size, basis.max_length)
        super().__init__(basis, 1 + (2 * places or basis.max_length))
        self.places = places

    def forward(self, x: Tensor, inside: Tensor) -> list[Tensor]:
        """Two groups."""
        energy, paired = fold(x)
        if self.places:
            paired = both_ends(paired[:, None], inside.sum(1), self.places)[:, 0]
        return [energy[:, None], paired]


def can_fold(tokens: Tensor, alphabet: Alphabet) -> bool:
    """Whether tokens (N, L) are DNA or RNA, and neither too long nor too many."""
    count, length = tokens.shape
    few = SMALLEST < length <= LONGEST and count * length**2 <= MOST
    return few and alphabet.name in ("dna", "rna")


def folding_counts(tokens: Tensor, y: Tensor, alphabet: Alphabet) -> bool:
    """Whether outcomes y (N,), NaN unknown, of tokens (N, L) surely depend on how their RNA folds.

    The free energy must explain what the mixture of letters and of pairs of neighbours does not.
    """
    known = torch.nonzero(~y.isnan()).flatten()
    rows = known[:: math.ceil(max(1, len(known)) / ROWS)]
    if len(rows) < 2 or not can_fold(tokens, alphabet):
        return False
    some = tokens[rows].long()
    x, inside = one_hot(some, alphabet).double(), mask(some, alphabet)
    mixture = linear_features(x, inside, tokens.shape[1], positional=False)
    mixture = torch.cat([mixture, torch.ones_like(mixture[:, :1])], 1)
    both = torch.stack([fold(x)[0], y[rows].double()], 1)
    left = both - mixture @ torch.linalg.lstsq(mixture, both, driver="gelsd").solution
    free = len(rows) - int(torch.linalg.matrix_rank(mixture)) - 1
    spread = left.square().sum(0)
    if free < 1 or float(spread.amin()) <= 1e-9:
        return False
    alike = float((left[:, 0] @ left[:, 1]) / spread.prod().sqrt())
    return alike**2 * free > CLEARLY**2 * (1 - alike**2)


def _fold(x: Tensor) -> tuple[Tensor, Tensor]:
    """``fold`` of as many as fit."""
    stack, pair, end = _weights(x)
    inside = _inside(stack, pair, end)
    helix = inside * end
    before, behind = _beside(helix), _beside(helix.transpose(1, 2).flip(1, 2)).flip(1)
    outside = _outside(stack, pair, end * before[:, :-1, None] * behind[:, None, 1:])
    likely = inside * outside / before[:, -1, None, None]
    return before[:, -1].log(), likely.sum(1) + likely.sum(2)


def _weights(x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """(N, L, L): of a pair stacked on the next one inside, of a pair, and of one at the end of a helix."""
    first, last = zip(*PAIRS, strict=True)
    kinds = x[:, list(first), :, None] * x[:, list(last), None, :]
    stacks = torch.exp(-torch.tensor(STACKS, dtype=x.dtype, device=x.device) / RT)
    ends = torch.exp(-torch.tensor(WEAK_END, dtype=x.dtype, device=x.device) / RT)
    next_one = torch.einsum("qp,npij->nqij", stacks, kinds[:, :, 1:, :-1])
    stack = F.pad((kinds[:, :, :-1, 1:] * next_one).sum(1), (1, 0, 0, 1))
    return stack, kinds.sum(1), torch.einsum("npij,p->nij", kinds, ends)


def _steps(stack: Tensor, pair: Tensor) -> list[tuple[int, int, Tensor]]:
    """From a pair to the next one inside: letters further at either end, and the weight (N, L, L) of that."""
    bulge, mismatch = (pair * math.exp(-energy / RT) for energy in (BULGE, MISMATCH))
    return [(1, 1, stack), (1, 2, bulge), (2, 1, bulge), (2, 2, mismatch)]


def _inside(stack: Tensor, pair: Tensor, end: Tensor) -> Tensor:
    """Weights (N, L, L) of all that lies within a pair, with it."""
    length, steps = stack.shape[1], _steps(stack, pair)
    found: dict[int, Tensor] = {}  # by span, (N, L - span)
    for span in range(SMALLEST + 1, length):
        letters, count = span - 1, length - span
        energy = LOOP + GROWTH * RT * math.log(letters / 4) if letters > SMALLEST else TRIPLE
        total = end.diagonal(span, 1, 2) * math.exp(-energy / RT)
        for left, right, weight in steps:
            if (inner := span - left - right) in found:
                total = total + weight.diagonal(span, 1, 2) * found[inner][:, left : left + count]
        found[span] = total
    return _square(found, stack)


def _square(diagonals: dict[int, Tensor], like: Tensor) -> Tensor:
    """(N, L, L) of its diagonals."""
    found = torch.zeros_like(like)
    if not diagonals:
        return found
    length, device = like.shape[1], like.device
    first = [torch.arange(length - span, device=device) for span in diagonals]
    last = [i + span for i, span in zip(first, diagonals, strict=True)]
    at = (torch.arange(len(like), device=device)[:, None], torch.cat(first), torch.cat(last))
    return found.index_put(at, torch.cat(list(diagonals.values()), 1))


def _beside(helix: Tensor) -> Tensor:
    """Weights (N, L + 1) of all helices side by side in the first letters; helix (N, L, L)."""
    count, length, _ = helix.shape
    found = [helix.new_ones(count)]
    for last in range(length):
        closed = helix[:, : len(found), last] * torch.stack(found, 1)
        found.append(found[-1] + closed.sum(1))
    return torch.stack(found, 1)


def _outside(stack: Tensor, pair: Tensor, alone: Tensor) -> Tensor:
    """Weights (N, L, L) of all that lies around a pair, ``alone`` where it is the outermost of its helix."""
    length, steps = stack.shape[1], _steps(stack, pair)
    found: dict[int, Tensor] = {}
    for span in range(length - 1, SMALLEST, -1):
        total = alone.diagonal(span, 1, 2)
        for left, right, weight in steps:
            if (outer := span + left + right) in found:
                total = total + F.pad(weight.diagonal(outer, 1, 2) * found[outer], (left, right))
        found[span] = total
    return _square(found, stack)
