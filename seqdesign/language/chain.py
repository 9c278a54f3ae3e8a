"""Markov chains of high order inside a language model: what words say, so that networks learn the rest.

A network takes long to learn words that few sequences have, which counts know at once; counts know nothing of
letters far away, nor what kind of sequence it is. So the logits of a network are

    network + sum over chains of g (log p_chain + log r)        g = 2 sigmoid(linear in the features)

p_chain is smoothed from order to order (hierarchical Dirichlet; MacKay and Peto 1995, doi
10.1017/S1351324900000218),

    p_k(a | c) = (n(c, a) + s_k p_{k-1}(a | c without its farthest letter)) / (n(c) + s_k)

with s_k by the leave-one-out likelihood of the training sequences. r says where words stand: contexts that
are not too long are also counted by stretches b of places, with what is known of the shorter context there
and of the context everywhere as the prior,

    p_k(a | c, b) = sum over s of w_s(c) (n_b(c, a) + s q) / (n_b(c) + s)
    q ~ p_k(a | c) r_{k-1}(a | c without its farthest letter, b)        r_k = p_k(a | c, b) / p_k(a | c)

The weights w_s(c) are those of the Dirichlet-multinomial likelihood of the counts of c: most words stand
anywhere and have large s, which must not hide the few that do not. In training every letter is left out of
the counts that predict it; otherwise a network would learn to trust counts that know the answer.
Shapes: N sequences, T positions, B stretches, V letters, R contexts of all lengths up to the order, R' of
those that are counted by stretches, d features.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import torch
import torch.nn.functional as F
from torch import Tensor, nn

from seqdesign.language.counts import by_place, leave_out, smooth
from seqdesign.language.repeats import LONGEST_WORD, MOST_PAIRS, MOST_PLACES, Repeats
from seqdesign.language.sites import Sites
from seqdesign.language.stems import Stems

MOST_CONTEXTS, MOST_CELLS = 20_000, 5_000_000
"""Contexts of the longest kind, and numbers of the table from which a letter is left out."""
STRENGTHS = tuple(4.0**i for i in range(9))
"""What s_k is chosen from."""
STRETCH, MOST_PLACED = 8, 250_000
"""Places that count as one (4 to 10 made no difference), and numbers of the table by stretches."""
BLOCK = 2048
"""Sequences that are counted together."""


def order_for(size: int) -> int:
    """Letters of the longest context: 7 of an alphabet of 4, 3 of 20."""
    order = 0
    while size ** (order + 1) <= MOST_CONTEXTS and size ** (order + 3) <= MOST_CELLS:
        order += 1
    return order


def placed_order_for(size: int, stretches: int) -> int:
    """Letters of the longest context that is counted by stretches: 5 of DNA of 100 letters, -1 for none."""
    order = -1
    while (
        order < order_for(size)
        and stretches * sum(size**k for k in range(1, order + 3)) <= MOST_PLACED
        and stretches * size ** (order + 3) <= MOST_CELLS
    ):
        order += 1
    return order


class Chain(nn.Module):
    """Log-probabilities, up to a constant, of a letter given the readable letters right before it, or right
    behind it, and its place.

    The same for all letters until ``count`` has seen training sequences.
    """

    table: Tensor
    """(R, V) log-probabilities; contexts by their length, then by number, the nearest letter counting 1."""
    ratios: Tensor
    """(B, R', V): what a place adds to them, log r."""
    powers: Tensor
    starts: Tensor
    short: Tensor
    """(R,): the row of ``ratios`` for each of ``table``."""
    without: Tensor | None
    """(R, V, V): the table without one training letter behind the context, the second index."""
    ratios_without: Tensor | None
    """(B, R', V, V): the same of the ratios."""

    def __init__(self, size: int, max_length: int, *, backwards: bool) -> None:
        super().__init__()
        self.size, self.order, self.backwards = size, order_for(size), backwards
        stretches = -(-max_length // STRETCH)
        self.placed = placed_order_for(size, stretches)
        rows = [size**k for k in range(self.order + 1)]
        starts = torch.tensor([0, *rows]).cumsum(0)
        placed, longest = int(starts[self.placed + 1]), max(0, self.placed)
        longer = [torch.arange(n) % rows[longest] + starts[longest] for n in rows[self.placed + 1 :]]
        self.register_buffer("table", torch.full((sum(rows), size), -math.log(size)))
        self.register_buffer("ratios", torch.zeros(stretches, placed, size))
        self.register_buffer("powers", torch.tensor(rows[:-1], dtype=torch.long), persistent=False)
        self.register_buffer("starts", starts[:-1], persistent=False)
        self.register_buffer("short", torch.cat([torch.arange(placed), *longer]), persistent=False)
        self.register_buffer("without", None, persistent=False)
        self.register_buffer("ratios_without", None, persistent=False)

    def count(self, tokens: Tensor) -> None:
        """Learn from training sequences (N, T); what is no letter, V and above, ends a context."""
        size, device = self.size, self.table.device
        chain = torch.full((1, size), 1.0 / size, dtype=torch.float64, device=device)
        left_out = chain[:, None].repeat(1, size, 1)
        ratio = torch.ones_like(chain).repeat(len(self.ratios), 1, 1)
        ratio_out = torch.ones_like(left_out).repeat(len(self.ratios), 1, 1, 1)
        tables, others, ratios, ratios_out = [], [], [], []
        for k, placed in enumerate(self._counts(tokens)):
            counts = placed.sum(0)
            if k:
                chain, left_out = chain.repeat(size, 1), left_out.repeat(size, 1, 1)
            strength = _strength(counts, left_out)
            chain, left_out = smooth(counts, strength, chain), leave_out(counts, strength, left_out)
            tables.append(chain.log())
            others.append(left_out.log().float())
            if k <= self.placed:
                if k:
                    ratio, ratio_out = ratio.repeat(1, size, 1), ratio_out.repeat(1, size, 1, 1)
                ratio, ratio_out = by_place(placed, chain, left_out, ratio, ratio_out)
                ratios.append(ratio.log())
                ratios_out.append(ratio_out.log().float())
        self.table.copy_(torch.cat(tables))
        self.without = torch.cat(others)
        if ratios:
            self.ratios.copy_(torch.cat(ratios, 1))
            self.ratios_without = torch.cat(ratios_out, 1)

    def forward(self, tokens: Tensor, targets: Tensor | None = None, places: Tensor | None = None) -> Tensor:
        """Log-probabilities (N, T, V) at all places of tokens (N, T), or (N, k, V) at ``places`` (N, k).

        targets: training letters (N, T) that are to be predicted, each left out of its own counts. Tokens may
        be shares of letters (N, T, V), what they lack of 1 being unreadable; the result is right to first
        order around the largest shares, and differentiable in them.
        """
        hard = _largest(tokens, self.size) if tokens.is_floating_point() else tokens
        rows, lengths = self._rows(hard)
        where = torch.arange(hard.shape[1], device=hard.device) // STRETCH
        if places is not None:
            rows, where = rows.gather(1, places), places // STRETCH
        elif targets is not None and self.without is not None:
            known = targets.clamp(max=self.size - 1)
            found = self.without[rows, known]
            if self.ratios_without is not None:
                found = found + self.ratios_without[where, self.short[rows], known]
            return found
        found = self._look_up(rows, where)
        return found + self._change(tokens, hard, rows, lengths) if tokens.is_floating_point() else found

    def next(self, written: Tensor) -> Tensor:
        """Log-probabilities (N, V) of the letter behind those that are written (N, T)."""
        letters = written[:, max(0, written.shape[1] - self.order) :].flip(1)
        readable = (letters < self.size).long().cumprod(1)
        number = (letters * readable * self.powers[: letters.shape[1]]).sum(1)
        return self._look_up(number + self.starts[readable.sum(1)], written.shape[1] // STRETCH)

    def _look_up(self, rows: Tensor, where: Tensor | int) -> Tensor:
        """Log-probabilities (..., V) of rows of the table in stretches ``where``."""
        found = self.table[rows]
        return found + self.ratios[where, self.short[rows]] if self.placed >= 0 else found

    def _counts(self, tokens: Tensor) -> list[Tensor]:
        """For each length k of contexts how often letters follow them, (B, V^k, V) float64, or (1, V^k, V)
        of contexts too long to be counted by stretches.
        """
        size, device = self.size, self.table.device
        shapes = [(len(self.ratios) if k <= self.placed else 1, size**k, size) for k in range(self.order + 1)]
        found = [torch.zeros(math.prod(shape), dtype=torch.long, device=device) for shape in shapes]
        where = torch.arange(tokens.shape[1], device=device) // STRETCH
        for part in tokens.split(BLOCK):
            rows = part.to(device).long()
            letters, readable = self._before(rows)
            for k, counts in enumerate(found):
                good = (rows < size) & (readable[:, :, :k] > 0).all(2)
                cells = (letters[:, :, :k] * self.powers[:k]).sum(2) * size + rows
                if k <= self.placed:
                    cells = cells + where * size ** (k + 1)
                counts += torch.bincount(cells[good], minlength=len(counts))
        return [counts.view(shape).double() for counts, shape in zip(found, shapes, strict=True)]

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
        where = torch.arange(rows.shape[1], device=rows.device) // STRETCH
        found = self._look_up(rows, where)
        total = torch.zeros_like(found)
        for k in range(1, self.order + 1):
            there = (lengths >= k)[:, :, None]
            other = rows[:, :, None] + (letters - self._moved(hard, k, 0)[:, :, None]) * self.size ** (k - 1)
            other = other.where(there, rows[:, :, None])
            change = self._look_up(other, where[:, None]) - found[:, :, None]
            total = total + torch.einsum("nta,ntav->ntv", self._moved(more, k, 0.0), change)
        return total


class Chains(nn.Module):
    """A chain from the left, and one from the right where something is seen there, with their weights,
    letters at places, words that a sequence repeats, and stems.
    """

    def __init__(
        self,
        size: int,
        width: int,
        max_length: int,
        *,
        causal: bool,
        repeats: bool,
        complement: Sequence[int] = (),
    ) -> None:
        super().__init__()
        sides = (False,) if causal else (False, True)
        self.each = nn.ModuleList(Chain(size, max_length, backwards=side) for side in sides)
        self.weight = nn.Parameter(torch.zeros(len(sides), width))
        # all weights together are 1 before training
        self.bias = nn.Parameter(torch.full((len(sides),), -math.log(2 * len(sides) - 1)))
        self.sites = Sites(size, max_length)
        words = min(order_for(size), LONGEST_WORD) if max_length <= MOST_PLACES else 0
        within = sides if repeats and words else ()
        self.repeats = nn.ModuleList(
            Repeats(size, width, words, causal=causal, backwards=side) for side in within
        )
        self.stems = nn.ModuleList(
            Stems(width, max_length, complement, backwards=side) for side in within if complement
        )

    @torch.no_grad()
    def count(self, tokens: Tensor) -> None:
        """Learn from training sequences (N, T)."""
        for chain in self.each:
            chain.count(tokens)  # type: ignore[operator]
        self.sites.count(tokens, lambda rows: torch.stack([chain(rows, rows) for chain in self.each]).mean(0))
        some = tokens[: max(1, MOST_PAIRS // tokens.shape[1] ** 2)].to(self.bias.device).long()
        said = [chain(some, some) for chain in self.each]
        for part, within in self._beside(said):
            within.count(some, part)

    def copy_counts(self, other: Chains) -> None:
        """Take over what ``other``, of the same data, has counted; weights are learned by each."""
        pairs = zip((*self.each, self.sites), (*other.each, other.sites), strict=True)
        for mine, theirs in pairs:
            for name, values in theirs.named_buffers():
                mine.register_buffer(name, values.clone(), persistent=name in mine.state_dict())
        for mine, theirs in zip(self.repeats, other.repeats, strict=True):
            mine.strengths.copy_(theirs.strengths)  # type: ignore[operator, arg-type]
        for mine, theirs in zip(self.stems, other.stems, strict=True):
            mine.take_over(theirs)  # type: ignore[operator]

    def forward(
        self, features: Tensor, tokens: Tensor, targets: Tensor | None = None, places: Tensor | None = None
    ) -> Tensor:
        """What to add to the logits (N, T, V) that have these features (N, T, d); see ``Chain.forward``."""
        parts = [chain(tokens, targets, places) for chain in self.each]
        found = self._weighed(features, parts) + self.sites(tokens.shape[1], targets, places)
        for part, within in self._beside(parts):
            found = found + within(features, tokens, part, places) / len(parts)
        return found

    def next(self, features: Tensor, written: Tensor) -> Tensor:
        """The same (N, V) of the letter behind those that are written (N, T), of features (N, d)."""
        parts = [chain.next(written) for chain in self.each]  # type: ignore[operator]
        found = self._weighed(features, parts) + self.sites.table[written.shape[1]]
        for part, within in self._beside(parts):
            found = found + within.next(features, written, part)
        return found

    def _beside(self, parts: list[Tensor]) -> Iterator[tuple[Tensor, Repeats | Stems]]:
        """What the chain of its side says, for repeated words and for stems."""
        for kind in (self.repeats, self.stems):
            yield from zip(parts, kind, strict=False)

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
