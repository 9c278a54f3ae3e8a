"""A critic of the composition of whole sequences that needs no learning: how unlike each other they are.

Shapes: N sequences, L letters, V symbols (END among them).
"""

from __future__ import annotations

import torch
from torch import Tensor, nn
from torch.nn import functional

from seqdesign.models.gan.words import MEMORY

SURE = 9.0
"""Squared differences of variances are held against so many times their own variance by chance."""
LEAST_VARIANCE = 10.0
"""Added to every variance, letters squared. All positions of a sequence follow one slope, which is wrong for
letters that a sequence has twice or not at all: one more must be a small step."""


class CompositionCritic(nn.Module):
    """Numbers of each letter in a sequence, as normal distributions of generated and of training sequences.

    Real sequences are rich in GC or poor in it as a whole; words of six letters hardly show that, and what a
    learned critic sees of it comes and goes. ``learn`` the training sequences first.
    """

    real: Tensor
    drawn: Tensor

    def __init__(self, num_symbols: int) -> None:
        super().__init__()
        self.num_symbols = num_symbols
        # Moments of (1, numbers): how many sequences, their sum, the sum of squares and products.
        moments = torch.zeros(num_symbols + 1, num_symbols + 1, dtype=torch.float64)
        self.register_buffer("real", moments.clone(), persistent=False)
        self.register_buffer("drawn", moments)

    def learn(self, tokens: Tensor) -> None:
        """Take the moments of all training sequences (N, L); END from the end on."""
        numbers = self._numbers(tokens)
        self.real.copy_(numbers.T @ numbers)

    @torch.no_grad()
    def forward(self, tokens: Tensor) -> Tensor:
        """Slope (N, V): by how much one more of a letter raises log p(generated) - log p(training).

        Along each principal axis of the one in units of the other, with variance v, that is 1 - 1/v times
        the distance from the mean, never more than the distance and less where it may be chance.
        """
        numbers = self._numbers(tokens)
        self.drawn.mul_(max(0.0, 1 - len(tokens) / MEMORY)).add_(numbers.T @ numbers)
        mean, generated = _normal(self.drawn)
        unit = torch.linalg.cholesky(_normal(self.real)[1])
        half = torch.linalg.solve_triangular(unit, generated, upper=False)
        variances, axes = torch.linalg.eigh(torch.linalg.solve_triangular(unit, half.T, upper=False))
        axes = torch.linalg.solve_triangular(unit.T, axes, upper=True)
        excess = (variances - 1) / variances.clamp(min=1)
        chance = SURE * 2 / self.drawn[0, 0]
        away = (numbers[:, 1:] - mean) @ axes
        return (away * (excess**3 / (excess**2 + chance)) @ axes.T).float()

    def _numbers(self, tokens: Tensor) -> Tensor:
        """(N, 1 + V): 1 and how often each letter is in sequences (N, L)."""
        counts = functional.one_hot(tokens, self.num_symbols).sum(1).double()
        return torch.cat([torch.ones_like(counts[:, :1]), counts], dim=1)


def _normal(moments: Tensor) -> tuple[Tensor, Tensor]:
    """Mean (V,) and covariance (V, V) of the distribution with these moments."""
    mean = moments[0, 1:] / moments[0, 0]
    covariance = moments[1:, 1:] / moments[0, 0] - mean[:, None] * mean
    return mean, covariance + LEAST_VARIANCE * torch.eye(len(mean)).to(mean)
