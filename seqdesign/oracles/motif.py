"""A weight matrix as an oracle, with its best sequence in closed form."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Tensor

from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import Alphabet


class MotifOracle:
    """Score of a motif, ``weights`` (W, V) such as log-odds: the best site, or the sum over all sites.

    With ``both_strands`` a site may lie on the reverse complement. Differentiable, and linear in the sequence
    where ``pool`` is ``sum``. Raises ValueError for weights of another shape, UsageError for two strands
    of an alphabet without complements.
    """

    differentiable = True
    outcomes = ("score",)

    def __init__(
        self,
        weights: Tensor,
        *,
        alphabet: Alphabet,
        pool: Literal["max", "sum"] = "max",
        both_strands: bool = False,
    ) -> None:
        if weights.ndim != 2 or weights.shape[1] != alphabet.size or not len(weights):
            raise ValueError(f"weights must be (W, {alphabet.size}), got shape {tuple(weights.shape)}")
        if both_strands and not alphabet.complement:
            raise UsageError(f"two strands need an alphabet with complements, got {alphabet.name}")
        self.alphabet, self.pool = alphabet, pool
        kernels = [weights.T]
        if both_strands:
            partner = [alphabet.letters.index(letter) for letter in alphabet.complement]
            kernels.append(weights.flip(0)[:, partner].T)
        self.kernels = torch.stack(kernels)
        """(strands, V, W)."""

    def __call__(self, x: Tensor, /) -> Tensor:
        """Scores (1, N, 1) of one-hot or soft (N, V, L). ValueError where L < W."""
        width = self.kernels.shape[2]
        if x.shape[2] < width:
            raise ValueError(f"sequences must have at least the motif's {width} letters, got {x.shape[2]}")
        sites = torch.nn.functional.conv1d(x, self.kernels.to(x)).flatten(1)
        pooled = sites.amax(1) if self.pool == "max" else sites.sum(1)
        return pooled.view(1, -1, 1)

    def optimum(self, length: int) -> tuple[Tensor, float]:
        """A best sequence (L,) and its score.

        The best site is the consensus, sum_i max_j weights_ij, put at the start here. The sum over sites is
        sum_l sum_j x_jl c_jl with c the weights added up over all sites that cover l, so each position has
        its own best letter.
        """
        width = self.kernels.shape[2]
        if self.pool == "max":
            tokens = torch.zeros(length, dtype=torch.long)
            tokens[:width] = self.kernels[0].argmax(0)
            return tokens, float(self.kernels[0].amax(0).sum())
        cover = torch.zeros(self.kernels.shape[1], length, dtype=torch.float64)
        for site in range(length - width + 1):
            cover[:, site : site + width] += self.kernels.sum(0)
        return cover.argmax(0), float(cover.amax(0).sum())
