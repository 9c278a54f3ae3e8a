"""Stems inside a language model: letters that pair with letters of the same sequence, wherever the stem is.

A hairpin of several lengths has no pair of places that always pair, no word and no letter at a place, and a
network would have to learn each stem anew. Place t goes on a stem with place j < t where the letters right
before t pair with those right behind j. Its state is the pairs r that are there, and the letters of its loop:

    r(t, j) = most k with pairs of x_{t-i} and x_{j+i}, i = 1 .. k        loop = t - j - 1 - 2 r

What is counted is how often x_t pairs with x_j in each state, beyond what the chain q leads to expect:

    o(r, loop) = s / (1 - s)        s = (pairs - expected - error) / (places - expected)

s is the share of places that are in a stem; ``error`` is the standard error of ``pairs``, so chance makes
few. Each j may have a stem that x_t goes on, and where none does, x_t is as q says (copy experts that read
backwards; Cao et al. 2007, doi 10.1109/DCC.2007.7):

    p(a | t)  ~  q(a | t) + sum over j of o(r, loop) exp(f_r) w(a | x_j)

with f linear in the features, and log p - log q is added to the logits. Pairs are those of complements, and
others that are found where such a stem goes on, G and U above all; w says how often.
Shapes: N sequences, T positions, V letters, R = 0 .. ``MOST`` pairs of a stem, d features.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MOST = 6
"""Pairs of a stem that are told from more."""
MOST_ODDS = 1000.0
SURE = 3.0
"""Standard errors beyond which letters other than complements pair."""


class Stems(nn.Module):
    """What stems add to the logits; nothing before ``count`` has found any.

    complement: (V,) of each letter. backwards: sequences are read from the right.
    """

    pairs: Tensor
    """(V, V): with which letters each one pairs, rows of sum 1; with its complement before ``count``."""
    odds: Tensor
    """(R, T): o of the pairs and the loop."""

    def __init__(
        self, width: int, max_length: int, complement: Sequence[int], *, backwards: bool = False
    ) -> None:
        super().__init__()
        self.backwards = backwards
        self.register_buffer("pairs", torch.eye(len(complement))[list(complement)])
        self.register_buffer("odds", torch.zeros(MOST + 1, max_length))
        self.change = nn.Parameter(torch.zeros(MOST + 1, width))
        self.shift = nn.Parameter(torch.zeros(MOST + 1))
        self.used = False

    @property
    def used(self) -> bool:
        """Whether there are stems; else the parameters rest."""
        return self._used

    @used.setter
    def used(self, used: bool) -> None:
        self._used = used
        self.change.requires_grad_(used)
        self.shift.requires_grad_(used)

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        self.used = bool(state_dict[f"{prefix}odds"].any())
        super()._load_from_state_dict(state_dict, prefix, *args)

    @torch.no_grad()
    def count(self, tokens: Tensor, chain: Tensor) -> None:
        """Count stems of training sequences (N, T).

        chain: log-probabilities (N, T, V) of letters, each left out of its own counts. Where they explain
        these sequences better by less than a nat for each number of ``odds``, chance has found them.
        """
        q, shares = chain.softmax(-1), self._shares(tokens)
        self.pairs = self._found_pairs(tokens, q)
        self.odds.zero_()
        for pairs, sums in enumerate(self._sums(tokens, q)):
            places, found, chance, variance = sums
            share = ((found - chance - (variance + 1).sqrt()) / (places - chance + 1)).clamp(min=0.0)
            self.odds[pairs] = (share / (1 - share)).clamp(max=MOST_ODDS)
        features = q.new_zeros(*tokens.shape, self.change.shape[1])
        self.used = True
        gain = (self(features, tokens, chain) + q.log()).log_softmax(-1) - q.log()
        self.used = bool((gain * shares).sum() > (self.odds > 0).sum())
        if not self.used:
            self.odds.zero_()

    @torch.no_grad()
    def take_over(self, other: Stems) -> None:
        """What ``other`` has counted."""
        self.pairs.copy_(other.pairs)
        self.odds.copy_(other.odds)
        self.used = other.used

    def _found_pairs(self, tokens: Tensor, q: Tensor) -> Tensor:
        """``pairs`` by what stands where a stem of half of ``MOST`` pairs or more goes on.

        By chance letters that do not pair stand there as q says, and there are as many as there are.
        """
        shares = self._mirrored(self._shares(tokens))
        q = self._mirrored(q) * shares.sum(-1, keepdim=True)
        found, chance = torch.zeros_like(self.pairs), torch.zeros_like(self.pairs)
        for pairs, (states, _) in enumerate(self._states(tokens)):
            if pairs >= MOST / 2:
                found += torch.einsum("ntj,njv,ntw->vw", states, shares, shares)
                chance += torch.einsum("ntj,njv,ntw->vw", states, shares, q)
        others = self.pairs == 0
        chance = (
            chance
            * (found * others).sum(1, keepdim=True)
            / (chance * others).sum(1, keepdim=True).clamp(min=1)
        )
        more = (found - chance) * (found - chance > SURE * (chance + 1).sqrt()) + self.pairs
        return more / more.sum(1, keepdim=True)

    def _sums(self, tokens: Tensor, q: Tensor) -> Iterator[Tensor]:
        """(4, T) for each number of pairs, by the loop: places that may go on such a stem, those that do, how
        many chance leads to expect, and its variance.
        """
        shares = self._mirrored(self._shares(tokens))
        q, known = self._mirrored(q), shares.sum(-1, keepdim=True)
        fits = (shares @ (self.pairs > 0).to(shares)).mT
        paired, expected, both = shares @ fits, (q * known) @ fits, known @ known.mT
        for states, loops in self._states(tokens):
            states = states * both
            parts = (states, states * paired, states * expected, states * expected * (1 - expected))
            sums = torch.zeros(4, self.odds.shape[1]).to(states)
            yield sums.index_add(1, loops.flatten(), torch.stack([part.sum(0).flatten() for part in parts]))

    def forward(
        self, features: Tensor, tokens: Tensor, chain: Tensor, places: Tensor | None = None
    ) -> Tensor:
        """What to add to logits (N, T, V) of features (N, T, d), or (N, k, V) at ``places`` (N, k).

        tokens: (N, T), or shares of letters (N, T, V), in which the result is differentiable. chain: what
        the chain says there, up to a constant.
        """
        if not self.used:
            return torch.zeros_like(chain)
        partners, found = self._partners(tokens), []
        for odds, (states, loops) in zip(self.odds, self._states(tokens), strict=True):
            found.append(self._mirrored((states * odds[loops]) @ partners))
        counts = torch.stack(found)
        if places is not None:
            counts = counts.gather(2, places[None, :, :, None].expand(len(counts), -1, -1, chain.shape[-1]))
        return self._ratio(features, counts, chain)

    def next(self, features: Tensor, written: Tensor, chain: Tensor) -> Tensor:
        """The same (N, V) of the letter behind those that are written (N, T), of features (N, d)."""
        if not self.used:
            return torch.zeros_like(chain)
        shares, steps = self._shares(written), written.shape[1]
        partners = shares @ self.pairs
        fits = shares @ (self.pairs > 0).to(shares)
        apart = steps - torch.arange(steps, device=written.device)
        match, found = torch.ones_like(shares[:, :, 0]), []
        for pairs, odds in enumerate(self.odds):
            last, match = match * (apart > 2 * pairs), torch.zeros_like(match)
            if pairs < MOST and pairs + 1 < steps:
                same = (fits @ shares[:, -pairs - 1, :, None])[:, :, 0]
                match = last * F.pad(same[:, pairs + 1 :], (0, pairs + 1))
            state = last - match * (apart > 2 * pairs + 2)
            weights = odds[(apart - 1 - 2 * pairs).clamp(min=0)]
            found.append(torch.einsum("nt,ntv->nv", state * weights, partners))
        return self._ratio(features, torch.stack(found), chain)

    def _states(self, tokens: Tensor) -> Iterator[tuple[Tensor, Tensor]]:
        """For each number of pairs which (t, j) have it, (N, T, T), and their loops (T, T)."""
        shares = self._mirrored(self._shares(tokens))
        same = shares @ (shares @ (self.pairs > 0).to(shares)).mT
        place = torch.arange(shares.shape[1], device=shares.device)
        apart = place[:, None] - place
        match = torch.ones_like(same)
        for pairs in range(MOST + 1):
            last, match = match * (apart > 2 * pairs), match * _inwards(same, pairs + 1)
            more = match * (apart > 2 * pairs + 2) if pairs < MOST else 0.0
            yield last - more, (apart - 1 - 2 * pairs).clamp(min=0)

    def _partners(self, tokens: Tensor) -> Tensor:
        """(N, T, V) with what each letter pairs."""
        return self._mirrored(self._shares(tokens)) @ self.pairs

    def _mirrored(self, values: Tensor) -> Tensor:
        return values.flip(1) if self.backwards else values

    def _shares(self, tokens: Tensor) -> Tensor:
        """(N, T, V), nothing of what is no letter."""
        if tokens.is_floating_point():
            return tokens.to(self.change)
        size = len(self.pairs)
        return (tokens[:, :, None] == torch.arange(size, device=tokens.device)).to(self.change)

    def _ratio(self, features: Tensor, counts: Tensor, chain: Tensor) -> Tensor:
        believed = F.linear(features, self.change, self.shift).exp()
        total = (counts.movedim(0, -1) * believed[..., None, :]).sum(-1)
        return (total / chain.softmax(-1).clamp(min=1e-9)).log1p()


def _inwards(same: Tensor, pairs: int) -> Tensor:
    """(N, T, T): at (t, j) what stands at (t - pairs, j + pairs), 0 where there is no such place."""
    steps = same.shape[1]
    if pairs >= steps:
        return torch.zeros_like(same)
    return F.pad(same[:, : steps - pairs, pairs:], (0, pairs, pairs, 0))
