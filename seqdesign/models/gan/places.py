"""Parts of the generator that choose a place: convolutions alone write nothing at one place of many.

Shapes: N codes, L positions, H heads, C channels.
"""

from __future__ import annotations

from typing import cast

import torch
from torch import Tensor, nn
from torch.nn import functional

SHARPNESS = 3.0
"""Of the softmax whose gradient a placement has; its scores have unit variance."""
SIGMAS, DOUBT, CERTAIN = 3.0, 0.3, 5.0
"""Biases of places up to so many standard deviations of all, or DOUBT, count for nothing; what is beyond
counts CERTAIN times."""
NORMAL = 1.4826
"""Standard deviation of a normal distribution over its median absolute deviation."""
FIRM = 3.0
"""Size of what a placement paints beside the rest of the code."""


def directions(heads: int, length: int, inputs: int) -> Tensor:
    """Rows (H L, inputs) of unit length, those of a head orthogonal as far as there are dimensions."""
    rows = torch.empty(heads, length, inputs)
    for head in rows:
        nn.init.orthogonal_(head)
    return functional.normalize(rows, dim=2).flatten(0, 1)


def choose(scores: Tensor) -> Tensor:
    """One-hot of the largest of (N, H, P), with the gradient of a softmax (Bengio et al. 2013)."""
    hard = torch.zeros_like(scores).scatter_(2, scores.argmax(dim=2, keepdim=True), 1.0)
    if not scores.requires_grad:
        return hard
    soft = torch.softmax(SHARPNESS * scores, dim=2)
    return hard + (soft - soft.detach())


class Placement(nn.Module):
    """Heads that light one position each: a motif stands at one place or another, never half at two.

    The place is the best of L scores, linear in z with fixed orthogonal rows (where z has enough dimensions),
    so that all places are equally likely. Only their biases are learned, with the gradient of a softmax
    (straight-through, Bengio et al. 2013): where a motif fits at all. With scores that are free, generator
    and critic chase each other from one place to the next; and what a bias may gather by chance, held against
    all biases of its head, counts for nothing.
    """

    def __init__(self, inputs: int, length: int, channels: int, heads: int, kernel: int) -> None:
        super().__init__()
        self.heads, self.length = heads, length
        self.register_buffer("rows", directions(heads, length, inputs))
        self.bias = nn.Parameter(torch.zeros(heads * length))
        self.paint = nn.Conv2d(heads, channels, (1, kernel), padding=(0, kernel // 2))

    def score(self, z: Tensor) -> Tensor:
        """Scores (N, heads L) of the places."""
        with torch.no_grad():
            bias = self.bias.view(self.heads, self.length)
            away = bias - bias.median(dim=1, keepdim=True).values
            chance = (SIGMAS * NORMAL * away.abs().median(dim=1, keepdim=True).values).clamp(max=DOUBT)
            clear = (CERTAIN * away.sign() * (away.abs() - chance).clamp(min=0)).flatten()
        return functional.linear(z, cast(Tensor, self.rows), self.bias + (clear - self.bias).detach())

    def forward(self, z: Tensor) -> Tensor:
        """(N, inputs) to features (N, C, 1, L)."""
        lit = choose(self.score(z).float().view(len(z), self.heads, self.length))
        return FIRM * cast(Tensor, self.paint(lit.unsqueeze(2)))
