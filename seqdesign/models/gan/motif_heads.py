"""Parts of the generator that write the motifs of the training sequences, as often and where these have them.

Shapes: N codes, L positions, H heads, V symbols (END among them).
"""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor, nn
from torch.nn import functional

from seqdesign.models.gan.places import choose, directions
from seqdesign.models.gan.words import CHUNK, MEMORY, numbered
from seqdesign.motifs.surplus import LONGEST, SPREAD, SurplusMotif

LEAST = 1e-3
"""Least probability of a letter in a motif."""
NOWHERE = -1e4
"""Score of a place where a motif would hang over an end."""
SURE = 0.98
"""Largest share of sequences in which a head writes."""
CODES = 16_384
"""Codes drawn to find the level that the share exceeds."""
RATE = 2.5e-3 / 64
"""Change of a level per generated sequence and unit of the log ratio of frequencies: slow for the memory."""
PLACE_MEMORY, PLACE_RATE = 10, 0.2
"""Sites at each place are few: memory and rate beside those of levels."""
REACH = 0.5
"""Most that a level or a place moves: about three times as many sequences, or a third."""


class MotifHeads(nn.Module):
    """Motifs that stand at one place each, or nowhere, over what the rest of the generator proposes.

    A head's place is the best of L scores, linear in z with fixed rows, if it exceeds the head's level.
    Biases of places and the logits that are written are those of the training sequences (``prepare``): a game
    hardly ever finds a word of eight letters, and makes texture of one that is given. Levels and tilts of
    places ``follow`` so that generated sequences have each motif as often as training ones, and where they
    have it, whoever writes it.
    """

    width = LONGEST + 1
    rows: Tensor
    bias: Tensor
    letters: Tensor
    drawn: Tensor
    drawn_at: Tensor
    real: Tensor
    real_at: Tensor

    def __init__(self, inputs: int, length: int, num_symbols: int, heads: int, num_classes: int = 0) -> None:
        super().__init__()
        self.heads, self.length, self.num_symbols = heads, length, num_symbols
        self.register_buffer("rows", directions(heads, length, inputs))
        self.register_buffer("bias", torch.full((heads, length), NOWHERE))
        # Logits of the symbols, and last where they replace what is proposed.
        letters = torch.zeros(num_symbols + 1, heads, 1, self.width)
        self.register_buffer("letters", letters.contiguous(memory_format=torch.channels_last))
        classes = max(num_classes, 1)
        # Parameters, so that they are averaged and kept with the weights around them.
        self.level = nn.Parameter(torch.zeros(classes, heads), requires_grad=False)
        self.tilt = nn.Parameter(torch.zeros(heads, length), requires_grad=False)
        # Sequences with each motif, last how many there are; sites at each place, last those of no motif.
        self.register_buffer("drawn", torch.zeros(classes, heads + 1))
        self.register_buffer("drawn_at", torch.zeros(heads + 1, length))
        self.register_buffer("real", torch.zeros(classes, heads + 1), persistent=False)
        self.register_buffer("real_at", torch.zeros(heads + 1, length), persistent=False)
        # Words of so many letters by their number: the head that they belong to, or ``heads``.
        self.lookups: dict[int, Tensor] = {}

    @torch.no_grad()
    def prepare(
        self, motifs: Sequence[SurplusMotif], tokens: Tensor, classes: Tensor | None, rng: torch.Generator
    ) -> None:
        """Start with ``motifs``, one for each head, of training sequences (N, L) with classes (N,)."""
        codes = torch.randn(CODES, self.rows.shape[1], generator=rng)
        for head, motif in enumerate(motifs):
            self._write(head, motif, codes)
            size = motif.words.shape[1]
            numbers = motif.words @ self.num_symbols ** np.arange(size)[::-1]
            nobody = torch.full((self.num_symbols**size,), self.heads)
            self.lookups.setdefault(size, nobody)[torch.from_numpy(numbers)] = head
        self.real.zero_()
        self.real_at.zero_()
        given = tokens.new_zeros(len(tokens)) if classes is None else classes
        for part, labels in zip(tokens.split(CHUNK), given.split(CHUNK), strict=True):
            self._count(part, labels, self.real, self.real_at)

    def _write(self, head: int, motif: SurplusMotif, codes: Tensor) -> None:
        """Letters, and where they may stand."""
        shown = torch.from_numpy(motif.probabilities).float()
        size, letters = shown.shape
        logs = functional.pad(shown.clamp_min(LEAST), (0, self.num_symbols - letters), value=LEAST).log()
        taps = size // 2 - torch.arange(size) + self.width // 2
        self.letters[:-1, head, 0, taps] = (logs - logs.mean(1, keepdim=True)).T
        self.letters[-1, head, 0, taps] = 1.0
        hits = motif.probabilities[np.arange(size), motif.words].prod(axis=1).sum()  # of its words, when lit
        share = min(motif.share / max(hits, LEAST), SURE)
        bias = biases(torch.from_numpy(share * motif.places))
        self.bias[head, size // 2 :][: len(bias)] = bias.float()
        # Scores of more places than z has dimensions depend on each other; fewer codes would exceed it.
        rows = self.rows.unflatten(0, (self.heads, self.length))[head]
        best = functional.linear(codes, rows, self.bias[head]).amax(1)
        self.bias[head] -= torch.quantile(best, 1 - max(share, 1 / CODES))

    def _count(self, tokens: Tensor, classes: Tensor, having: Tensor, at: Tensor) -> None:
        """Add how many sequences (N, L) of each class have words of each head, and where these stand."""
        has = torch.zeros(len(tokens), self.heads + 1, device=tokens.device)
        for size, words in numbered(tokens, self.num_symbols, max(self.lookups, default=0)):
            if size in self.lookups:
                lookup = self.lookups[size] = self.lookups[size].to(tokens.device)
                owners = lookup[words]
                has.scatter_(1, owners, 1.0)
                middles = torch.arange(words.shape[1], device=tokens.device) + size // 2
                places = (owners * self.length + middles).flatten()
                at += torch.bincount(places, minlength=at.numel()).view_as(at)
        has[:, -1] = 1.0
        having.index_add_(0, classes, has)

    @torch.no_grad()
    def follow(self, tokens: Tensor, classes: Tensor | None) -> None:
        """Move levels and tilts a little, given generated sequences (N, L), towards training frequencies."""
        num = len(tokens)
        self.drawn.mul_(max(0.0, 1 - num / MEMORY))
        self.drawn_at.mul_(max(0.0, 1 - num / (PLACE_MEMORY * MEMORY)))
        given = tokens.new_zeros(num) if classes is None else classes
        self._count(tokens, given, self.drawn, self.drawn_at)
        expected = self.real[:, :-1] / self.real[:, -1:].clamp(min=1) * self.drawn[:, -1:]
        step = RATE * num * torch.log((self.drawn[:, :-1] + 1) / (expected + 1))
        self.level.add_(step).clamp_(-REACH, REACH)
        seen, real = _smooth(self.drawn_at[:-1]), _smooth(self.real_at[:-1])
        real *= seen.sum(1, keepdim=True) / real.sum(1, keepdim=True).clamp(min=1)
        step = PLACE_RATE * RATE * num * torch.log((seen + 1) / (real + 1))
        self.tilt.sub_(step).clamp_(-REACH, REACH)

    def forward(self, z: Tensor, condition: Tensor | None, letters: Tensor) -> Tensor:
        """Logits (N, V, L) with the motifs of z (N, inputs) written over ``letters``."""
        scores = functional.linear(z, self.rows, (self.bias + self.tilt).flatten()).float()
        scores = scores.view(len(z), self.heads, self.length)
        level = self.level[0].expand(len(z), -1) if condition is None else self.level[condition]
        over = self._soft(scores, level) if scores.requires_grad else self._hard(scores, level)
        return letters * (1 - over[:, -1:].clamp(0, 1)) + over[:, :-1]

    def _soft(self, scores: Tensor, level: Tensor) -> Tensor:
        """What is written, (N, V + 1, L), with a gradient to all places."""
        lit = choose(torch.cat([scores, level[:, :, None]], dim=2))[:, :, None, : self.length]
        lit = lit.contiguous(memory_format=torch.channels_last)
        return functional.conv2d(lit, self.letters, padding=(0, self.width // 2)).squeeze(2)

    def _hard(self, scores: Tensor, level: Tensor) -> Tensor:
        """The same without gradient: few heads write in a sequence, and only those cost."""
        row, head = (scores.amax(2) > level).nonzero(as_tuple=True)
        place = scores[row, head].argmax(1)
        written = self.letters.flip(3)[:, head, 0].permute(1, 2, 0)  # (sites, width, V + 1)
        over = scores.new_zeros(len(scores), self.length + self.width - 1, len(self.letters))
        columns = place[:, None] + torch.arange(self.width, device=place.device)
        over.index_put_((row[:, None], columns), written, accumulate=True)
        return over[:, self.width // 2 :][:, : self.length].transpose(1, 2)


def biases(rates: Tensor) -> Tensor:
    """Biases (P,) with which place p is the best of P and above 0 with probability ``rates`` (P,).

    Scores are independent and normal around the biases: P(p) is the integral of phi(s - b_p) times the
    product of Phi(s - b_q) over all others, from 0 on.
    """
    rates = rates.double().clamp(min=1e-9)
    s = torch.linspace(0, 6, 121, dtype=torch.float64)[:, None]
    bias = torch.special.ndtri(rates)
    for _ in range(60):
        below = torch.special.log_ndtr(s - bias)
        density = torch.exp(below.sum(1, keepdim=True) - below - (s - bias).square() / 2)
        found = torch.trapezoid(density, s, dim=0) / math.sqrt(2 * math.pi)
        bias = bias + 0.25 * torch.log(rates / found.clamp(min=1e-12))
    return bias


def _smooth(counts: Tensor) -> Tensor:
    """Of neighbouring places together, (H, L)."""
    reach = round(3 * SPREAD)
    bell = torch.exp(-torch.arange(-reach, reach + 1, device=counts.device).div(SPREAD).square() / 2)
    return functional.conv1d(counts[:, None], (bell / bell.sum())[None, None], padding=reach)[:, 0]
