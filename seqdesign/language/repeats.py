"""Words that a sequence repeats: what followed the same words elsewhere in it, and how far that is believed.

Real sequences repeat themselves (runs, tandem repeats, biased stretches), more than words of all sequences
together and a small network say. What the last k letters were followed by before is counted at once (a cache,
Kuhn and De Mori 1990, doi 10.1109/34.56193; copy experts for DNA, Cao et al. 2007, doi 10.1109/DCC.2007.7),

    m_k(t, j) = 1 if the k letters before t are those before j, or else 0
    c_k(t, a) = sum over j of m_k(t, j) [x_j = a]                        k = 1 .. K

and smoothed from length to length, beginning with what all sequences say, the chain q (hierarchical
Dirichlet; MacKay and Peto 1995, doi 10.1017/S1351324900000218):

    p_k(a | t) = (c_k(t, a) + s_k p_{k-1}(a | t)) / (sum over a' of c_k(t, a') + s_k)      p_0 = q

log p_K - log q is added to the logits. So each word of a sequence is an urn (Polya's) that begins with what q
says: what followed is likely again, in proportion to how often it did. Sums of weighted log(1 + c_k) are not
bounded by that, and what is frequent anyway, runs and tandem repeats foremost, feeds itself when a model
reads what it has written itself.
Shapes: N sequences, T positions, V letters, K lengths of words, d features.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdesign.devices.arithmetic import running_sum

LONGEST_WORD = 6
MOST_PLACES = 512
"""Letters of the longest sequences that are looked at; what is needed grows as their square."""
STRENGTHS = tuple(2.0**i for i in range(-1, 16))
"""What s_k is chosen from; with the largest, words of this length mean nothing."""
ROUNDS = 2
"""Of choosing one s_k after the other."""
MOST_PAIRS = 12_000_000
"""Pairs of places in the training sequences that choose them."""
NEVER = 20.0
"""Logarithm of the s_k with which nothing is added."""


class Repeats(nn.Module):
    """What words that stand elsewhere in a sequence add to the logits, by the side of the place they are on.

    backwards: the words behind a place instead of those before it. causal: only what stands before counts,
    otherwise both sides of the place. Nothing is added before ``count`` has seen training sequences.
    """

    strengths: Tensor
    """(K,) log s_k."""

    def __init__(self, size: int, width: int, words: int, *, causal: bool, backwards: bool = False) -> None:
        super().__init__()
        self.size, self.words, self.causal, self.backwards = size, words, causal, backwards
        self.register_buffer("strengths", torch.full((words,), NEVER))
        self.change = nn.Parameter(torch.zeros(words, width))
        self.shift = nn.Parameter(torch.zeros(words))

    @torch.no_grad()
    def count(self, tokens: Tensor, chain: Tensor) -> None:
        """Choose s_k by the likelihood of training sequences (N, T).

        chain: log-probabilities (N, T, V) of letters, each left out of its own counts.
        """
        shares, counts, q = self._shares(tokens), self.counts(tokens), chain.softmax(-1)
        found = [STRENGTHS[-1]] * self.words

        def likelihood(k: int, strength: float) -> float:
            tried = q.new_tensor([*found[:k], strength, *found[k + 1 :]])
            return float((_smoothed(q, counts, tried.expand(*tokens.shape, -1)).log() * shares).sum())

        for _ in range(ROUNDS):
            for k in range(self.words):
                found[k] = max(STRENGTHS, key=lambda strength: likelihood(k, strength))
        self.strengths.copy_(q.new_tensor(found).log())

    def forward(
        self, features: Tensor, tokens: Tensor, chain: Tensor, places: Tensor | None = None
    ) -> Tensor:
        """What to add to logits (N, T, V) of features (N, T, d), or (N, k, V) at ``places`` (N, k).

        tokens: (N, T), or shares of letters (N, T, V), in which the result is differentiable. chain: what
        the chain says there, up to a constant, like the result.
        """
        counts = self.counts(tokens)
        if places is not None:
            counts = counts.gather(2, places[None, :, :, None].expand(len(counts), -1, -1, self.size))
        return self._ratio(features, counts, chain)

    def next(self, features: Tensor, written: Tensor, chain: Tensor) -> Tensor:
        """The same (N, V) of the letter behind those that are written (N, T), of features (N, d)."""
        return self._ratio(features, self.counts_behind(written), chain)

    def counts(self, tokens: Tensor) -> Tensor:
        """c_k (K, N, T, V) of each place."""
        if not tokens.is_floating_point():
            return self._whole_counts(tokens)
        shares = self._shares(tokens)
        same = shares @ shares.transpose(1, 2)
        others = torch.ones_like(same[0])
        others = others.tril(-1) if self.causal else others.fill_diagonal_(0.0)
        match, found = others.expand_as(same), []
        for k in range(1, self.words + 1):
            match = match * _moved(same, -k if self.backwards else k)
            found.append(match @ shares)
        return torch.stack(found)

    def _whole_counts(self, tokens: Tensor) -> Tensor:
        """The same of whole letters, in T log T instead of T^2: places sorted by the words beside them."""
        shares, steps, most = self._shares(tokens).int(), tokens.shape[1], self.words
        code = (tokens.long() + 1).where(tokens < self.size, 0)
        if self.backwards:
            beside = F.pad(code, (0, most)).unfold(1, most, 1)[:, 1:]
        else:
            beside = F.pad(code, (most, 0)).unfold(1, most, 1)[:, :steps].flip(-1)
        digits = beside.movedim(-1, 0)  # (K, N, T), the nearest letter first, 0 where there is none
        base = (self.size + 1) ** torch.arange(most, device=code.device)[:, None, None]
        words, whole = (digits * base).cumsum(0), digits.cummin(0).values > 0
        seen = _seen_with(words, shares.expand(most, -1, -1, -1), earlier=self.causal)
        return (seen * whole[..., None]).to(self.change)

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
            return tokens.to(self.change)
        return (tokens[:, :, None] == torch.arange(self.size, device=tokens.device)).to(self.change)

    def _ratio(self, features: Tensor, counts: Tensor, chain: Tensor) -> Tensor:
        q = chain.softmax(-1)
        moved = F.linear(features, self.change, self.shift) + self.strengths
        return (_smoothed(q, counts, moved.clamp(max=NEVER).exp()) / q).log()


def _smoothed(q: Tensor, counts: Tensor, strengths: Tensor) -> Tensor:
    """p_K (..., V) of q (..., V), counts (K, ..., V) and s_k (..., K).

    All lengths at once: what is left of p_j after all longer ones is the product of s_k / (C_k + s_k).
    """
    totals = counts.sum(-1).movedim(0, -1)
    left = -(totals / strengths).log1p()
    after = running_sum(left, -1)
    none, longer = after[..., -1:].exp(), (after[..., -1:] - after).exp()
    weights = longer / (totals + strengths)
    return (weights.movedim(-1, 0)[..., None] * counts).sum(0) + none * q


def _moved(same: Tensor, k: int) -> Tensor:
    """(N, T, T): at (t, j) what stands at (t - k, j - k), 0 where there is no such place."""
    steps = same.shape[1]
    if abs(k) >= steps:
        return torch.zeros_like(same)
    if k > 0:
        return F.pad(same[:, :-k, :-k], (k, 0, k, 0))
    return F.pad(same[:, -k:, -k:], (0, -k, 0, -k))


def _seen_with(words: Tensor, letters: Tensor, *, earlier: bool) -> Tensor:
    """(..., T, V): how often each of ``letters`` (..., T, V), whole numbers, stands at another place with the
    same one of ``words`` (..., T), or at an earlier one.
    """
    words, order = words.sort(dim=-1, stable=True)

    def moved(x: Tensor, index: Tensor) -> Tensor:
        return x.gather(-2, index[..., None].expand_as(letters))

    own = moved(letters, order)
    until = own.cumsum(-2, dtype=own.dtype)
    seen = until - own - moved(until - own, torch.searchsorted(words, words))
    if not earlier:
        seen = seen + moved(until, torch.searchsorted(words, words, right=True) - 1) - until
    return moved(seen, order.argsort(-1))
