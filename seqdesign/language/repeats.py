"""Words that a sequence repeats: how often each letter followed the same words elsewhere in it.

Real sequences repeat themselves (runs, tandem repeats, biased stretches), more than words of all sequences
together and a small network say. What the last k letters were followed by before is counted at once (a cache,
Kuhn and De Mori 1990, doi 10.1109/34.56193; copy experts for DNA, Cao et al. 2007, doi 10.1109/DCC.2007.7),

    m_k(t, j) = 1 if the k letters before t are those before j, or else 0
    c_k(t, a) = sum over j of m_k(t, j) [x_j = a]

and log(1 + c_k) is added to the logits with weights that are linear in the features of t, zero at first.
Shapes: N sequences, T positions, V letters, K lengths of words, d features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

LONGEST_WORD = 6
MOST_PLACES = 512
"""Letters of the longest sequences that are looked at; what is needed grows as their square."""


class Repeats(nn.Module):
    """What repeated words add to the logits: those before a place, and those behind it if that is seen."""

    def __init__(self, size: int, width: int, words: int, *, causal: bool) -> None:
        super().__init__()
        self.size, self.causal, self.words = size, causal, words
        sides = 1 if causal else 2
        self.weight = nn.Parameter(torch.zeros(sides * self.words, width))
        self.bias = nn.Parameter(torch.zeros(sides * self.words))

    def forward(self, features: Tensor, tokens: Tensor, places: Tensor | None = None) -> Tensor:
        """What to add to logits (N, T, V) of features (N, T, d), or (N, k, V) at ``places`` (N, k).

        tokens: (N, T), or shares of letters (N, T, V), in which the result is differentiable.
        """
        counts = self.counts(tokens)
        if places is not None:
            counts = counts.gather(2, places[None, :, :, None].expand(len(counts), -1, -1, self.size))
        return self._weighed(features, counts)

    def next(self, features: Tensor, written: Tensor) -> Tensor:
        """The same (N, V) of the letter behind those that are written (N, T), of features (N, d)."""
        return self._weighed(features, self.counts_behind(written))

    def counts(self, tokens: Tensor) -> Tensor:
        """c_k (K or 2 K, N, T, V): before each place, then, unless causal, behind it."""
        shares = self._shares(tokens)
        same = shares @ shares.transpose(1, 2)
        steps = same.shape[1]
        others = torch.ones_like(same[0]).tril(-1) if self.causal else 1 - torch.eye(steps).to(same)
        found = []
        for side in (1,) if self.causal else (1, -1):
            match = others.expand_as(same)
            for k in range(1, self.words + 1):
                match = match * _moved(same, side * k)
                found.append(match @ shares)
        return torch.stack(found)

    def counts_behind(self, written: Tensor) -> Tensor:
        """c_k (K, N, V) of the place behind those that are written (N, T)."""
        shares = self._shares(written)
        match, found = shares.new_ones(len(written), written.shape[1]), []
        for k in range(1, self.words + 1):
            if k > written.shape[1]:
                match = torch.zeros_like(match)
            else:
                same = written == written[:, -k, None]
                known = same & (written < self.size)
                match = match * F.pad(known, (k, 0))[:, : written.shape[1]]
            found.append(torch.einsum("nt,ntv->nv", match, shares))
        return torch.stack(found)

    def _shares(self, tokens: Tensor) -> Tensor:
        """(N, T, V), nothing of what is no letter."""
        if tokens.is_floating_point():
            return tokens.to(self.weight)
        return (tokens[:, :, None] == torch.arange(self.size, device=tokens.device)).to(self.weight)

    def _weighed(self, features: Tensor, counts: Tensor) -> Tensor:
        weights = F.linear(features, self.weight, self.bias)
        return (weights.movedim(-1, 0)[..., None] * counts.log1p()).sum(0)


def _moved(same: Tensor, k: int) -> Tensor:
    """(N, T, T): at (t, j) what stands at (t - k, j - k), 0 where there is no such place."""
    steps = same.shape[1]
    if abs(k) >= steps:
        return torch.zeros_like(same)
    if k > 0:
        return F.pad(same[:, :-k, :-k], (k, 0, k, 0))
    return F.pad(same[:, -k:, -k:], (0, -k, 0, -k))
