"""What linear models read of a sequence: letters at their places, pairs of them, or words anywhere.

All is differentiable in one-hot x (N, V, L), with letters at ``inside`` (N, L).
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor

from seqdesign.constraints.letters import strand_codes, word_codes
from seqdesign.ensembles.reader import Basis, Reader, Word

MAX_WORDS = 2_000
"""Columns of counted words, about."""
MAX_PAIRS = 12_000
"""Columns of pairs of letters from which there are too many to learn from."""
FEWEST = 2
"""Training sequences that must have a pair of letters."""
FIVE_PRIME = 60
"""First letters of a gene that are read as such."""
CODON_WEIGHT = 4.0
"""Of a share of codons, in standard deviations by chance, beside one of these letters."""
REACH, SHORT_REACH = 6, 4
"""Letters from the first to the last of a gapped pair, and of a gapped triple, at most."""


def num_linear_features(letters: int, max_length: int, *, positional: bool) -> int:
    """Columns of ``linear_features``."""
    if positional:
        return letters * max_length
    return letters + (letters * letters if _has_pairs(letters) else 0) + 1


def _has_pairs(letters: int) -> bool:
    """Whether pairs of neighbours are columns: of a vocabulary of words there are too many."""
    return letters * letters <= MAX_PAIRS


def linear_features(x: Tensor, inside: Tensor, max_length: int, *, positional: bool) -> Tensor:
    """Features (N, I): the one-hot itself where positions matter, with L = ``max_length``.

    Else shares of letters and, where these are few, of pairs of neighbours, and the length.
    """
    if positional:
        return x.flatten(1)
    count = inside.sum(1, keepdim=True).clamp(min=1).to(x.dtype)
    parts = [x.sum(2) / count, count / max_length]
    if _has_pairs(x.shape[1]):
        pairs = torch.einsum("nvl,nul->nvu", x[:, :, :-1], x[:, :, 1:]).flatten(1)
        parts.insert(1, pairs / count)
    return torch.cat(parts, dim=1)


class Letters(Reader):
    """Letters at their places, or the mixture of letters where these mean nothing: ``linear_features``."""

    def __init__(self, basis: Basis) -> None:
        longest, positional = basis.max_length, basis.positional
        super().__init__(basis, num_linear_features(basis.alphabet.size, longest, positional=positional))
        self.max_length, self.positional = longest, positional

    def forward(self, x: Tensor, inside: Tensor) -> list[Tensor]:
        """One group."""
        return [linear_features(x, inside, self.max_length, positional=self.positional)]


def word_shapes(letters: int, max_length: int) -> tuple[Word, ...]:
    """Which words are counted: neighbours first, then with gaps, as many shapes as ``MAX_WORDS`` permits."""
    whole = [tuple(range(size)) for size in range(1, 9)]
    gapped = [(0, step) for step in range(2, REACH + 1)]
    triples = [(0, i, span) for span in range(3, SHORT_REACH + 1) for i in range(1, span)]
    order = sorted([*whole, *gapped, *triples], key=lambda w: (letters ** len(w), w[-1]))
    found, columns = [], 0
    for word in order:
        columns += letters ** len(word)
        if columns > MAX_WORDS:
            break
        if word[-1] < max_length:
            found.append(word)
    return tuple(found) or ((0,),)


def word_counts(x: Tensor, shapes: tuple[Word, ...]) -> Tensor:
    """How often each word of each shape occurs, (N, sum of V^letters): products of one-hots, summed.

    Letters beyond the end of a sequence are columns of zeros and make no word.
    """
    size = x.shape[1]
    parts = []
    for word in shapes:
        windows = x.shape[2] - word[-1]
        if windows < 1:
            parts.append(x.new_zeros(len(x), size ** len(word)))
            continue
        found = x[:, :, :windows]
        for place in word[1:-1]:
            found = (found[:, :, None] * x[:, None, :, place : place + windows]).flatten(1, 2)
        if len(word) > 1:  # the last letter in a product of matrices, which also sums over windows
            parts.append((found @ x[:, :, word[-1] : word[-1] + windows].transpose(1, 2)).flatten(1))
        else:
            parts.append(found.sum(2))
    return torch.cat(parts, dim=1)


class Words(Reader):
    """Counts of words, a group for each of their shapes; of tokens on both strands together."""

    def __init__(self, basis: Basis) -> None:
        size = basis.alphabet.size
        shapes = basis.shapes or word_shapes(size, basis.max_length)
        super().__init__(basis, sum(size ** len(word) for word in shapes))
        self.shapes = shapes

    def forward(self, x: Tensor, inside: Tensor) -> list[Tensor]:
        """Of one strand."""
        return [word_counts(x, (word,)) for word in self.shapes]

    def of_tokens(self, tokens: Tensor) -> list[Tensor]:
        """By the numbers of whole words, which is quicker than products; unknown letters make none."""
        return [self._counts(tokens, len(word)) for word in self.shapes]

    def _counts(self, tokens: Tensor, size: int) -> Tensor:
        if self.both_strands:
            codes, known = strand_codes(tokens, size, self.alphabet)
        else:
            codes, known = word_codes(tokens, size, self.alphabet.size)
        counts = torch.zeros((len(tokens), self.alphabet.size**size), dtype=torch.float64)
        return counts.scatter_add(1, codes.masked_fill(~known, 0), known.double())


class Codons(Reader):
    """How often each codon of the frame of the first letter occurs, and the first letters.

    Initiation depends on the first letters as such, elongation on codons wherever they stand (Kudla et al.
    2009, Science 324:255).
    """

    def __init__(self, basis: Basis) -> None:
        size = basis.alphabet.size
        super().__init__(basis, size**3 + size * FIVE_PRIME)
        self.weight = CODON_WEIGHT / (basis.max_length / 3) ** 0.5

    def forward(self, x: Tensor, inside: Tensor) -> list[Tensor]:
        """Two groups."""
        length = x.shape[2]
        codons = x[:, :, : length - length % 3]
        pairs = (codons[:, :, None, 0::3] * codons[:, None, :, 1::3]).flatten(1, 2)
        counts = (pairs @ codons[:, :, 2::3].transpose(1, 2)).flatten(1)
        first = F.pad(x[:, :, :FIVE_PRIME], (0, max(0, FIVE_PRIME - length)))
        return [counts * self.weight, first.flatten(1)]


def common_pairs(x: Tensor) -> Tensor | None:
    """Cells (P, 2) of flattened one-hot x (N, I), two that at least ``FEWEST`` rows have together.

    One letter of each position, its most frequent, is left out, as it follows from the others. None where
    there are more than ``MAX_PAIRS``.
    """
    counts = x.sum(0)
    common = counts == counts.amax(0, keepdim=True)
    kept = torch.nonzero((counts > 0) & ~(common & (common.cumsum(0) == 1))).tolist()
    columns = torch.tensor([v * x.shape[2] + place for v, place in kept], dtype=torch.long)
    cells = x.flatten(1)[:, columns]
    together = (cells.T @ cells).triu(1)
    i, j = torch.nonzero(together >= FEWEST, as_tuple=True)
    if len(i) > MAX_PAIRS:
        return None
    return torch.stack([columns[i], columns[j]], dim=1)


class Pairs(Reader):
    """Products of two letters at their places."""

    pairs: Tensor

    def __init__(self, basis: Basis) -> None:
        super().__init__(basis, len(basis.pairs))
        self.register_buffer("pairs", basis.pairs)

    def forward(self, x: Tensor, inside: Tensor) -> list[Tensor]:
        """One group."""
        flat = x.flatten(1)
        return [flat[:, self.pairs[:, 0]] * flat[:, self.pairs[:, 1]]]
