"""Markov chains of high order inside a language model: what words say, so that networks learn the rest.

A network takes long to learn words that few sequences have, which counts know at once; counts know nothing of
places, of letters far away, nor what kind of sequence it is. So the logits of a network are

    network + sum over chains of g log p_chain        g = 2 sigmoid(linear in the features)

p_chain is smoothed from order to order (hierarchical Dirichlet; MacKay and Peto 1995, doi
10.1017/S1351324900000218),

    p_k(a | c) = (n(c, a) + s_k p_{k-1}(a | c without its farthest letter)) / (n(c) + s_k)

with s_k by the leave-one-out likelihood of the training sequences. In training every letter is left out of
the counts that predict it; otherwise a network would learn to trust counts that know the answer.
Shapes: N sequences, T positions, V letters, R contexts of all lengths up to the order, d features.
"""

from __future__ import annotations

import math

import torch
import torch.nn.functional as F
from torch import Tensor, nn

MOST_CONTEXTS, MOST_CELLS = 20_000, 5_000_000
"""Contexts of the longest kind, and numbers of the table from which a letter is left out."""
STRENGTHS = tuple(4.0**i for i in range(9))
"""What s_k is chosen from."""
BLOCK = 2048
"""Sequences that are counted together."""


def order_for(size: int) -> int:
    """Letters of the longest context: 7 of an alphabet of 4, 3 of 20."""
    order = 0
    while size ** (order + 1) <= MOST_CONTEXTS and size ** (order + 3) <= MOST_CELLS:
        order += 1
    return order


class Chain(nn.Module):
    """Log-probabilities of a letter given the readable letters right before it, or right behind it.

    The same for all letters until ``count`` has seen training sequences.
    """

    table: Tensor
    """(R, V) log-probabilities; contexts by their length, then by number, the nearest letter counting 1."""
    powers: Tensor
    starts: Tensor
    without: Tensor | None
    """(R, V, V): the same without one training letter behind the context, the second index."""

    def __init__(self, size: int, *, backwards: bool) -> None:
        super().__init__()
        self.size, self.order, self.backwards = size, order_for(size), backwards
        rows = [size**k for k in range(self.order + 1)]
        self.register_buffer("table", torch.full((sum(rows), size), -math.log(size)))
        self.register_buffer("powers", torch.tensor(rows[:-1], dtype=torch.long), persistent=False)
        self.register_buffer("starts", torch.tensor([0, *rows]).cumsum(0)[:-1], persistent=False)
        self.register_buffer("without", None, persistent=False)

    def count(self, tokens: Tensor) -> None:
        """Learn from training sequences (N, T); what is no letter, V and above, ends a context."""
        size, device = self.size, self.table.device
        chain = torch.full((1, size), 1.0 / size, dtype=torch.float64, device=device)
        left_out = chain[:, None].repeat(1, size, 1)
        tables, others = [], []
        for k, counts in enumerate(self._counts(tokens)):
            if k:
                chain, left_out = chain.repeat(size, 1), left_out.repeat(size, 1, 1)
            strength = _strength(counts, left_out)
            chain = (counts + strength * chain) / (counts.sum(1, keepdim=True) + strength)
            left_out = _leave_out(counts, strength, left_out)
            tables.append(chain.log())
            others.append(left_out.log().float())
        self.table.copy_(torch.cat(tables))
        self.without = torch.cat(others)

    def forward(self, tokens: Tensor, targets: Tensor | None = None, places: Tensor | None = None) -> Tensor:
        """Log-probabilities (N, T, V) at all places of tokens (N, T), or (N, k, V) at ``places`` (N, k).

        targets: training letters (N, T) that are to be predicted, each left out of its own counts. Tokens may
        be shares of letters (N, T, V), what they lack of 1 being unreadable; the result is right to first
        order around the largest shares, and differentiable in them.
        """
        hard = _largest(tokens, self.size) if tokens.is_floating_point() else tokens
        rows, lengths = self._rows(hard)
        if places is not None:
            rows = rows.gather(1, places)
        elif targets is not None and self.without is not None:
            return self.without[rows, targets.clamp(max=self.size - 1)]
        found = self.table[rows]
        return found + self._change(tokens, hard, rows, lengths) if tokens.is_floating_point() else found

    def next(self, written: Tensor) -> Tensor:
        """Log-probabilities (N, V) of the letter behind those that are written (N, T)."""
        letters = written[:, max(0, written.shape[1] - self.order) :].flip(1)
        readable = (letters < self.size).long().cumprod(1)
        number = (letters * readable * self.powers[: letters.shape[1]]).sum(1)
        return self.table[number + self.starts[readable.sum(1)]]

    def _counts(self, tokens: Tensor) -> list[Tensor]:
        """For each length k of contexts how often letters follow them, (V^k, V) float64."""
        size, device = self.size, self.table.device
        found = [torch.zeros(size ** (k + 1), dtype=torch.long, device=device) for k in range(self.order + 1)]
        for part in tokens.split(BLOCK):
            rows = part.to(device).long()
            letters, readable = self._before(rows)
            for k, counts in enumerate(found):
                good = (rows < size) & (readable[:, :, :k] > 0).all(2)
                cells = (letters[:, :, :k] * self.powers[:k]).sum(2) * size + rows
                counts += torch.bincount(cells[good], minlength=len(counts))
        return [counts.view(-1, size).double() for counts in found]

    def _before(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Letters before each place (or behind it), the nearest first (N, T, K), and whether they and all
        nearer ones are readable, 1 or 0.
        """
        steps, order = tokens.shape[1], self.order
        if self.backwards:
            found = F.pad(tokens, (0, order + 1), value=self.size)[:, 1:].unfold(1, order, 1)[:, :steps]
        else:
            found = F.pad(tokens, (order, 0), value=self.size).unfold(1, order, 1)[:, :steps].flip(2)
        return found.clamp(max=self.size - 1), (found < self.size).long().cumprod(2)

    def _rows(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Rows of the table (N, T) of the longest readable contexts, and how long these are."""
        letters, readable = self._before(tokens)
        lengths = readable.sum(2)
        return (letters * readable * self.powers).sum(2) + self.starts[lengths], lengths

    def _moved(self, values: Tensor, k: int, fill: float) -> Tensor:
        """(N, T, ...): at each place what stands ``k`` places before it, or behind it."""
        k = min(k, values.shape[1])
        edge = values.new_full((len(values), k, *values.shape[2:]), fill)
        if self.backwards:
            return torch.cat([values[:, k:], edge], 1)
        return torch.cat([edge, values[:, : values.shape[1] - k]], 1)

    def _change(self, shares: Tensor, hard: Tensor, rows: Tensor, lengths: Tensor) -> Tensor:
        """What shares of letters (N, T, V) other than the largest change, letter by letter."""
        letters = torch.arange(self.size, device=hard.device)
        more = (shares - (hard[:, :, None] == letters).to(shares)).to(self.table)
        found = self.table[rows]
        total = torch.zeros_like(found)
        for k in range(1, self.order + 1):
            there = (lengths >= k)[:, :, None]
            other = rows[:, :, None] + (letters - self._moved(hard, k, 0)[:, :, None]) * self.size ** (k - 1)
            change = self.table[other.where(there, rows[:, :, None])] - found[:, :, None]
            total = total + torch.einsum("nta,ntav->ntv", self._moved(more, k, 0.0), change)
        return total


class Chains(nn.Module):
    """A chain from the left, and one from the right where something is seen there, with their weights."""

    def __init__(self, size: int, width: int, *, causal: bool) -> None:
        super().__init__()
        sides = (False,) if causal else (False, True)
        self.each = nn.ModuleList(Chain(size, backwards=side) for side in sides)
        self.weight = nn.Parameter(torch.zeros(len(sides), width))
        # all weights together are 1 before training
        self.bias = nn.Parameter(torch.full((len(sides),), -math.log(2 * len(sides) - 1)))

    def count(self, tokens: Tensor) -> None:
        """Learn from training sequences (N, T)."""
        for chain in self.each:
            chain.count(tokens)  # type: ignore[operator]

    def forward(
        self, features: Tensor, tokens: Tensor, targets: Tensor | None = None, places: Tensor | None = None
    ) -> Tensor:
        """What to add to the logits (N, T, V) that have these features (N, T, d); see ``Chain.forward``."""
        parts = [chain(tokens, targets, places) for chain in self.each]
        return self._weighed(features, parts)

    def next(self, features: Tensor, written: Tensor) -> Tensor:
        """The same (N, V) of the letter behind those that are written (N, T), of features (N, d)."""
        return self._weighed(features, [chain.next(written) for chain in self.each])  # type: ignore[operator]

    def _weighed(self, features: Tensor, parts: list[Tensor]) -> Tensor:
        weights = 2 * F.linear(features, self.weight, self.bias).sigmoid()
        total = weights[..., :1] * parts[0]
        for i, part in enumerate(parts[1:], 1):
            total = total + weights[..., i, None] * part
        return total


def _largest(shares: Tensor, size: int) -> Tensor:
    """Tokens (N, T) of shares (N, T, V); V where less than half is readable."""
    with torch.no_grad():
        return shares.argmax(2).masked_fill(shares.sum(2) < 0.5, size)


def _strength(counts: Tensor, left_out: Tensor) -> float:
    """The s_k of the largest leave-one-out likelihood of counts (C, V), with the chain of one letter less."""
    seen = counts > 0
    n, total = counts[seen], counts.sum(1, keepdim=True).expand_as(counts)[seen]
    shorter = left_out.diagonal(dim1=1, dim2=2)[seen]

    def likelihood(strength: float) -> float:
        return float((n * ((n - 1 + strength * shorter) / (total - 1 + strength)).log()).sum())

    return max(STRENGTHS, key=likelihood)


def _leave_out(counts: Tensor, strength: float, shorter: Tensor) -> Tensor:
    """(C, V, V) probabilities of the last index without one occurrence of the second."""
    size = counts.shape[1]
    fewer = (counts[:, None, :] - torch.eye(size).to(counts)).clamp(min=0)
    total = (counts.sum(1) - 1).clamp(min=0)[:, None, None]
    return (fewer + strength * shorter) / (total + strength)
