"""Parts of the generator that choose a place: convolutions alone write nothing at one place of many.

Shapes: N codes, L positions, H heads, V symbols (END among them), C channels.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from seqdesign.models.gan.words import CHUNK, MEMORY, numbered
from seqdesign.motifs.surplus import LONGEST, SurplusMotif

SHARPNESS = 3.0
"""Of the softmax whose gradient a placement has; its scores have unit variance."""
DOUBT, CERTAIN = 0.2, 5.0
"""Biases of places up to DOUBT count for nothing, what is beyond CERTAIN times."""
FIRM = 3.0
"""Size of what a placement paints beside the rest of the code."""
LEAST = 1e-3
"""Least probability of a letter in a motif."""
STEEP = 2.5
"""How fast the logarithm of the chance that a place wins rises with its bias, as the normal tail does."""
RANGE = 2.0
"""Largest bias of a motif's place."""
CODES = 8192
"""Codes drawn to find the level that a given share of them exceeds."""
RATE = 2.5e-3 / 64
"""Change of a level per generated sequence and unit of the log ratio of frequencies: slow for the memory."""
REACH = 0.5
"""Most that a level moves: about three times as many sequences, or a third."""


def directions(heads: int, length: int, inputs: int) -> Tensor:
    """Rows (H L, inputs) of unit length, those of a head orthogonal as far as there are dimensions."""
    rows = torch.empty(heads, length, inputs)
    for head in rows:
        nn.init.orthogonal_(head)
    return functional.normalize(rows, dim=2).flatten(0, 1)


def choose(scores: Tensor) -> Tensor:
    """One-hot of the largest of (N, H, P), with the gradient of a softmax (Bengio et al. 2013)."""
    hard = torch.zeros_like(scores).scatter_(2, scores.argmax(dim=2, keepdim=True), 1.0)
    if not torch.is_grad_enabled():
        return hard
    soft = torch.softmax(SHARPNESS * scores, dim=2)
    return hard + (soft - soft.detach())


class Placement(nn.Module):
    """Heads that light one position each: a motif stands at one place or another, never half at two.

    The place is the best of L scores, linear in z with fixed orthogonal rows (where z has enough dimensions),
    so that all places are equally likely. Only their biases are learned, with the gradient of a softmax
    (straight-through, Bengio et al. 2013): where a motif fits at all. With scores that are free, generator
    and critic chase each other from one place to the next; and what a bias gathers by chance, less than
    ``DOUBT``, counts for nothing.
    """

    def __init__(self, inputs: int, length: int, channels: int, heads: int, kernel: int) -> None:
        super().__init__()
        self.heads, self.length = heads, length
        self.register_buffer("rows", directions(heads, length, inputs))
        self.bias = nn.Parameter(torch.zeros(heads * length))
        self.paint = nn.Conv2d(heads, channels, (1, kernel), padding=(0, kernel // 2))

    def score(self, z: Tensor) -> Tensor:
        """Scores (N, heads L) of the places."""
        clear = CERTAIN * self.bias.sign() * (self.bias.abs() - DOUBT).clamp(min=0)
        return functional.linear(z, cast(Tensor, self.rows), self.bias + (clear - self.bias).detach())

    def forward(self, z: Tensor) -> Tensor:
        """(N, inputs) to features (N, C, 1, L)."""
        lit = choose(self.score(z).float().view(len(z), self.heads, self.length))
        return FIRM * cast(Tensor, self.paint(lit.unsqueeze(2)))


class MotifHeads(nn.Module):
    """Motifs that stand at one place each, or nowhere, over what the rest of the generator proposes.

    A head's place is the best of L scores, linear in z with fixed rows, if it exceeds the head's level.
    Biases of places and the logits that are written are those of the training sequences (``prepare``): a game
    hardly ever finds a word of eight letters, and makes texture of one that is given. Levels ``follow`` so
    that generated sequences have each motif as often as training ones, whoever writes it.
    """

    width = LONGEST + 1
    rows: Tensor
    bias: Tensor
    letters: Tensor
    start: Tensor
    drawn: Tensor
    real: Tensor

    def __init__(self, inputs: int, length: int, num_symbols: int, heads: int, num_classes: int = 0) -> None:
        super().__init__()
        self.heads, self.length, self.num_symbols = heads, length, num_symbols
        self.register_buffer("rows", directions(heads, length, inputs))
        self.register_buffer("bias", torch.zeros(heads, length))
        # Logits of the symbols, and last where they replace what is proposed.
        letters = torch.zeros(num_symbols + 1, heads, 1, self.width)
        self.register_buffer("letters", letters.contiguous(memory_format=torch.channels_last))
        classes = max(num_classes, 1)
        # A parameter, so that it is averaged and kept with the weights around it.
        self.level = nn.Parameter(torch.zeros(classes, heads), requires_grad=False)
        self.register_buffer("start", torch.zeros(heads))
        self.register_buffer("drawn", torch.zeros(classes, heads + 1))
        self.register_buffer("real", torch.zeros(classes, heads + 1), persistent=False)
        # Words of so many letters by their number: the head that they belong to, or ``heads``.
        self.lookups: dict[int, Tensor] = {}

    @torch.no_grad()
    def prepare(
        self, motifs: Sequence[SurplusMotif], tokens: Tensor, classes: Tensor | None, rng: torch.Generator
    ) -> None:
        """Start with ``motifs``, one for each head, of training sequences (N, L) with classes (N,)."""
        for head, motif in enumerate(motifs):
            self._write(head, motif)
            size = motif.words.shape[1]
            numbers = motif.words @ self.num_symbols ** np.arange(size)[::-1]
            nobody = torch.full((self.num_symbols**size,), self.heads)
            self.lookups.setdefault(size, nobody)[torch.from_numpy(numbers)] = head
        codes = torch.randn(CODES, self.rows.shape[1], generator=rng)
        best = self._places(codes).amax(2)
        for head, motif in enumerate(motifs):
            columns = np.arange(motif.words.shape[1])
            hits = motif.probabilities[columns, motif.words].prod(axis=1).sum()  # of its words, when lit
            share = min(max(motif.share / hits, 1 / CODES), 1 - 1 / CODES)
            self.start[head] = torch.quantile(best[:, head], 1 - share)
        self.level.copy_(self.start.expand_as(self.level))
        self.real.zero_()
        given = tokens.new_zeros(len(tokens)) if classes is None else classes
        for part, labels in zip(tokens.split(CHUNK), given.split(CHUNK), strict=True):
            self.real += self._count(part, labels)

    def _write(self, head: int, motif: SurplusMotif) -> None:
        """Letters, and where they may stand."""
        shown = torch.from_numpy(motif.probabilities).float()
        size, letters = shown.shape
        logs = functional.pad(shown.clamp_min(LEAST), (0, self.num_symbols - letters), value=LEAST).log()
        taps = size // 2 - torch.arange(size) + self.width // 2
        self.letters[:-1, head, 0, taps] = (logs - logs.mean(1, keepdim=True)).T
        self.letters[-1, head, 0, taps] = 1.0
        places = torch.from_numpy(motif.places).float()
        bias = (places / places.mean()).log() / STEEP
        self.bias[head] = -RANGE  # where the motif would hang over an end
        self.bias[head, size // 2 :][: len(bias)] = bias.clamp(-RANGE, RANGE)

    def _count(self, tokens: Tensor, classes: Tensor) -> Tensor:
        """How many sequences (N, L) of each class have words of each head; last, how many there are."""
        has = torch.zeros(len(tokens), self.heads + 1, device=tokens.device)
        for size, words in numbered(tokens, self.num_symbols, max(self.lookups, default=0)):
            if size in self.lookups:
                lookup = self.lookups[size] = self.lookups[size].to(tokens.device)
                has.scatter_(1, lookup[words], 1.0)
        has[:, -1] = 1.0
        return torch.zeros_like(self.drawn).index_add_(0, classes, has)

    @torch.no_grad()
    def follow(self, tokens: Tensor, classes: Tensor | None) -> None:
        """Move the levels a little, given generated sequences (N, L), towards training frequencies."""
        given = tokens.new_zeros(len(tokens)) if classes is None else classes
        self.drawn.mul_(max(0.0, 1 - len(tokens) / MEMORY)).add_(self._count(tokens, given))
        expected = self.real[:, :-1] / self.real[:, -1:].clamp(min=1) * self.drawn[:, -1:]
        step = RATE * len(tokens) * torch.log((self.drawn[:, :-1] + 1) / (expected + 1))
        self.level.add_(step).clamp_(min=self.start - REACH, max=self.start + REACH)

    def _places(self, z: Tensor) -> Tensor:
        return functional.linear(z, self.rows).view(len(z), self.heads, self.length) + self.bias

    def forward(self, z: Tensor, condition: Tensor | None, letters: Tensor) -> Tensor:
        """Logits (N, V, L) with the motifs of z (N, inputs) written over ``letters``."""
        classes = z.new_zeros(len(z), dtype=torch.int64) if condition is None else condition
        scores = torch.cat([self._places(z), self.level[classes][:, :, None]], dim=2).float()
        lit = choose(scores)[:, :, None, : self.length].contiguous(memory_format=torch.channels_last)
        over = functional.conv2d(lit, self.letters, padding=(0, self.width // 2)).squeeze(2)
        return letters * (1 - over[:, -1:].clamp(0, 1)) + over[:, :-1]
