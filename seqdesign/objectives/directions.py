"""Directions that spread over the trade-offs between several goals."""

from __future__ import annotations

import torch
from torch import Generator, Tensor

POOL = 64
"""Random candidates for each direction wanted."""


def simplex_directions(count: int, terms: int, rng: Generator) -> Tensor:
    """``count`` points of the simplex, (count, terms) float64, rows sum to 1, any first few spread as well.

    The corners first, then always the one of many uniform random points that is farthest from those chosen
    (Gonzalez 1985, whose spread is within a factor 2 of the best). Two terms are spaced evenly instead.

    Raises ValueError unless both numbers are at least 1.
    """
    if count < 1 or terms < 1:
        raise ValueError(f"count and terms must be at least 1, got {count} and {terms}")
    if terms == 2 and count > 1:
        first = torch.linspace(1.0, 0.0, count, dtype=torch.float64)
        return torch.stack([first, 1 - first], 1)
    if count < terms:
        return torch.cat([torch.full((1, terms), 1 / terms).double(), torch.eye(terms, dtype=torch.float64)])[
            :count
        ]
    chosen = torch.eye(terms, dtype=torch.float64)
    pool = -torch.rand(POOL * count, terms, generator=rng, dtype=torch.float64).clamp(min=1e-300).log()
    pool = torch.cat([torch.ones(1, terms, dtype=torch.float64), pool])
    pool /= pool.sum(1, keepdim=True)
    distance = torch.cdist(pool, chosen).amin(1)
    rows = [chosen]
    for _ in range(count - terms):
        best = int(distance.argmax())
        rows.append(pool[best : best + 1])
        distance = torch.minimum(distance, torch.cdist(pool, pool[best : best + 1]).squeeze(1))
    return torch.cat(rows)
