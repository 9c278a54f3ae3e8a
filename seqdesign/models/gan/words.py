"""A critic of word frequencies that needs no learning: what a generator writes too often, and too seldom.

The derivative of the Jensen-Shannon divergence between the word frequencies f of generated and r of training
sequences in f is half of log(f / ((f + r) / 2)), the witness of each word: a generator that writes fewer of
the words where it is large comes nearer to the data. A learned critic finds the same from batches, slowly.

Shapes: N sequences, L letters, V symbols (END among them).
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor, nn

LONGEST = 6
MOST_KINDS, MOST_PLACED = 10_000, 2**16
"""Most words of one table, anywhere and at each stretch of positions."""
FEWEST_COPIES, FEWEST_PLACED = 4, 8
"""Training words per entry from which on frequencies are worth matching, anywhere and at stretches."""
MEMORY = 2560
"""Generated sequences over which frequencies are averaged."""
LONG_MEMORY = 8
"""Times that the other memory is as long. It knows rare words, but is late: a word has a weight where both
agree; with the long one alone, generator and memory oscillate."""
FRESH = 256
"""Generated sequences after which weights are taken anew: few beside the memory."""
PLACED = 3.0
"""Weight of words at stretches of positions beside that of words anywhere."""
SURE = 4.0
"""Squared log ratios are held against so many times their variance by chance."""
CHUNK = 4096


@dataclass(frozen=True)
class Table:
    """Words of ``size`` letters at each of ``stretches`` of positions; from ``first`` on in the counts."""

    size: int
    stretches: int
    first: int
    kinds: int
    windows: int

    @property
    def entries(self) -> int:
        """Frequencies that it has."""
        return self.kinds * self.stretches


def numbered(tokens: Tensor, num_symbols: int, longest: int) -> Iterator[tuple[int, Tensor]]:
    """Number (N, L - size + 1) of the word at each start of (N, L), for sizes 1 to ``longest``."""
    words = torch.zeros_like(tokens)
    for size in range(1, longest + 1):
        words = words[:, : tokens.shape[1] - size + 1] * num_symbols + tokens[:, size - 1 :]
        yield size, words


class WordCritic(nn.Module):
    """Words of up to 6 letters, anywhere and at stretches of positions as short as ``num`` rows allow.

    ``learn`` those rows first; with 0 of them nothing counts. What the generator wrote lately is kept in
    ``drawn``, in a short and a long memory: one batch may be luck.
    """

    real: Tensor
    drawn: Tensor
    weights: Tensor
    age: Tensor

    def __init__(self, num_symbols: int, length: int, num: int) -> None:
        super().__init__()
        self.num_symbols, self.length = num_symbols, length
        self.tables: list[Table] = []
        for size in range(1, min(LONGEST, length) + 1) if num else ():
            kinds, windows = num_symbols**size, length - size + 1
            words = num * windows
            if size > 1 and (kinds > MOST_KINDS or words < FEWEST_COPIES * kinds):
                break
            finest = min(windows, MOST_PLACED // kinds)
            stretches = windows if size == 1 else min(finest, words // (FEWEST_PLACED * kinds))
            self.tables.append(Table(size, max(stretches, 1), self._total(), kinds, windows))
        self.register_buffer("drawn", torch.zeros(2, self._total()))
        self.register_buffer("weights", torch.zeros(self._total()))
        self.register_buffer("age", torch.tensor(FRESH))
        self.register_buffer("real", torch.zeros(self._total()), persistent=False)

    def _total(self) -> int:
        return sum(table.entries for table in self.tables)

    def learn(self, tokens: Tensor) -> None:
        """Count the words of all training sequences (N, L); END from the end on."""
        for part in tokens.split(CHUNK):
            for table, words in self._words(part):
                self._of(self.real[None], table)[0].add_(_count(words, table))

    @torch.no_grad()
    def forward(self, tokens: Tensor) -> Tensor:
        """Slope (N, V, L): how unlike training data each symbol at each position is, all others kept.

        The sum over the symbols of a sequence is the weight of its words, a sixth for each length anywhere
        and PLACED times as much at stretches; generated frequencies count in the ``tokens`` (N, L) given.
        """
        slope = self.real.new_zeros(len(tokens), self.length, self.num_symbols)
        for memory, drawn in zip((MEMORY, LONG_MEMORY * MEMORY), self.drawn, strict=True):
            drawn.mul_(max(0.0, 1 - len(tokens) / memory))
        found = list(self._words(tokens))
        for table, words in found:
            self._of(self.drawn, table).add_(_count(words, table))
        self.age += len(tokens)
        if self.age >= FRESH:
            for table in self.tables:
                self._of(self.weights[None], table).copy_(self._weigh(table))
            self.age.zero_()
        for table, words in found:
            self._spread(slope, tokens, words, table)
        return slope.transpose(1, 2)

    def _weigh(self, table: Table) -> Tensor:
        """Weights (stretches, kinds) of the words of one table, shared among their letters."""
        drawn, real = self._of(self.drawn, table), self._of(self.real[None], table)[0]
        weights = _witness(drawn.sum(1), real.sum(0))
        if len(real) > 1:
            weights = weights + PLACED * _witness(drawn, real)
        return weights / (LONGEST * table.size)

    def _of(self, counts: Tensor, table: Table) -> Tensor:
        """The counts (memories, stretches, kinds) of one table."""
        return counts[:, table.first :][:, : table.entries].unflatten(1, (table.stretches, table.kinds))

    def _words(self, tokens: Tensor) -> Iterator[tuple[Table, Tensor]]:
        """Each table with the entry (N, windows) of every word in it."""
        for table, (_, words) in zip(
            self.tables, numbered(tokens, self.num_symbols, len(self.tables)), strict=True
        ):
            places = torch.arange(table.windows, device=tokens.device)
            yield table, words + places * table.stretches // table.windows * table.kinds

    def _spread(self, slope: Tensor, tokens: Tensor, words: Tensor, table: Table) -> None:
        """Add to (N, L, V) the weights of the words that each other symbol would make."""
        symbols = torch.arange(self.num_symbols, device=tokens.device)
        weights = self.weights[table.first :][: table.entries]
        for place in range(table.size):
            power = self.num_symbols ** (table.size - 1 - place)
            here = slice(place, place + table.windows)
            without = words - tokens[:, here] * power
            slope[:, here] += weights[without[:, :, None] + symbols * power]


def _count(words: Tensor, table: Table) -> Tensor:
    counts = torch.bincount(words.flatten(), minlength=table.entries)
    return counts.view(table.stretches, table.kinds).float()


def _witness(drawn: Tensor, real: Tensor) -> Tensor:
    """Of each word, log f / ((f + r) / 2), one word added to both, and less of it where it may be chance.

    ``drawn`` has two memories. A log ratio w becomes w^3 / (w^2 + SURE v), v = 1 / (4 n) its variance for n
    words expected, in the long one, and is at most that of the short one, 0 if they differ in sign.
    """
    total = drawn.flatten(1).sum(1).view(2, *[1] * real.dim())
    f, r, one = drawn / total, real / real.sum(), 1 / total
    middle = (f + r) / 2 + one
    short, long = torch.log((f + one) / middle)
    sure = long.pow(3) / (long.square() + SURE / 4 * one[1] / middle[1])
    return torch.where(short * sure > 0, sure.sign() * torch.minimum(short.abs(), sure.abs()), 0.0)
