"""A critic of word frequencies that needs no learning: what a generator writes too often, and too seldom.

The derivative of the Jensen-Shannon divergence between the word frequencies f of generated and r of training
sequences in f is half of log(f / ((f + r) / 2)), the witness of each word: a generator that writes fewer of
the words where it is large comes nearer to the data. A learned critic finds the same from batches, slowly.

Shapes: N sequences, L letters, V symbols (END among them).
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

LONGEST, LONGEST_PLACED = 6, 3
MOST_KINDS, MOST_PLACED = 10_000, 2**16
"""Most words of one table, anywhere and at each position."""
FEWEST_COPIES = 4
"""Training words per kind from which on frequencies are worth matching."""
MEMORY = 2560
"""Generated sequences over which frequencies are averaged."""
PLACED = 0.3
"""Weight of words at each position beside that of words anywhere."""
SURE = 4.0
"""Squared log ratios are held against so many times their variance by chance."""
CHUNK = 4096


@dataclass(frozen=True)
class Table:
    """Words of ``size`` letters, anywhere or each position by itself; from ``first`` on in the counts."""

    size: int
    placed: bool
    first: int
    kinds: int
    windows: int

    @property
    def entries(self) -> int:
        """Frequencies that it has."""
        return self.kinds * (self.windows if self.placed else 1)


class WordCritic(nn.Module):
    """Words of up to 6 letters anywhere and of up to 3 at each position, as many as there are data for.

    ``learn`` first. What the generator wrote lately is kept in ``drawn``: one batch may be luck.
    """

    real: Tensor
    drawn: Tensor

    def __init__(self, num_symbols: int, length: int) -> None:
        super().__init__()
        self.num_symbols, self.length = num_symbols, length
        self.tables: list[Table] = []
        self.active: list[Table] = []
        for placed, longest, most in ((False, LONGEST, MOST_KINDS), (True, LONGEST_PLACED, MOST_PLACED)):
            for size in range(1, min(longest, length) + 1):
                table = Table(size, placed, self._total(), num_symbols**size, length - size + 1)
                if table.entries <= most:
                    self.tables.append(table)
        self.register_buffer("drawn", torch.zeros(self._total()))
        self.register_buffer("real", torch.zeros(self._total()), persistent=False)

    def _total(self) -> int:
        return sum(table.entries for table in self.tables)

    def learn(self, tokens: Tensor) -> None:
        """Count the words of all training sequences (N, L); END from the end on."""
        for part in tokens.split(CHUNK):
            for table in self.tables:
                self.real[table.first :][: table.entries] += self._count(part, table).to(self.real)
        anywhere = [t for t in self.tables if not t.placed and self._enough(t, len(tokens))]
        placed = [t for t in self.tables if t.placed and self._enough(t, len(tokens))]
        self.active = anywhere + placed[-1:]  # longer words at a place have the shorter ones in them

    def _enough(self, table: Table, num: int) -> bool:
        return table.size == 1 or num * table.windows >= FEWEST_COPIES * table.entries

    @torch.no_grad()
    def forward(self, tokens: Tensor) -> Tensor:
        """Slope (N, V, L): how unlike training data each symbol at each position is, all others kept.

        The sum over the symbols of a sequence is the weight of its words, mean over word lengths anywhere
        plus PLACED times that at each position; generated frequencies count in the ``tokens`` (N, L) given.
        """
        slope = self.real.new_zeros(len(tokens), self.length, self.num_symbols)
        self.drawn.mul_(max(0.0, 1 - len(tokens) / MEMORY))
        anywhere = sum(not table.placed for table in self.active)
        for table in self.active:
            drawn, real = (part[table.first :][: table.entries] for part in (self.drawn, self.real))
            drawn += self._count(tokens, table).to(drawn)
            share = PLACED if table.placed else 1.0 / anywhere
            weights = _witness(drawn, real) * (share / table.size)
            self._spread(slope, tokens, table, weights)
        return slope.transpose(1, 2)

    def _words(self, tokens: Tensor, table: Table) -> Tensor:
        """Entry (N, windows) of every word in its table."""
        powers = self.num_symbols ** torch.arange(table.size - 1, -1, -1, device=tokens.device)
        words = (tokens.unfold(1, table.size, 1) * powers).sum(2)
        if table.placed:
            words = words + torch.arange(table.windows, device=tokens.device) * table.kinds
        return words

    def _count(self, tokens: Tensor, table: Table) -> Tensor:
        return torch.bincount(self._words(tokens, table).flatten(), minlength=table.entries)

    def _spread(self, slope: Tensor, tokens: Tensor, table: Table, weights: Tensor) -> None:
        """Add to (N, L, V) the weights of the words that each other symbol would make."""
        words = self._words(tokens, table)
        symbols = torch.arange(self.num_symbols, device=tokens.device)
        for place in range(table.size):
            power = self.num_symbols ** (table.size - 1 - place)
            here = slice(place, place + table.windows)
            without = words - tokens[:, here] * power
            slope[:, here] += weights[without[:, :, None] + symbols * power]


def _witness(drawn: Tensor, real: Tensor) -> Tensor:
    """Of each word, log f / ((f + r) / 2), one word added to both, and less of it where it may be chance.

    A log ratio w becomes w^3 / (w^2 + SURE v), v = 1 / (4 n) its variance for n words expected.
    """
    total = drawn.sum()
    f, r, one = drawn / total, real / real.sum(), 1 / total
    middle = (f + r) / 2 + one
    ratio = torch.log((f + one) / middle)
    return ratio.pow(3) / (ratio.square() + SURE / 4 * one / middle)
