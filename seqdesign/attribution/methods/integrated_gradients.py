"""Gradients added up on the way from the average letter everywhere to the sequence."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from seqdesign.attribution.effects import Score, centred, rows_at_once
from seqdesign.attribution.methods.gradient import slopes

NEEDS_GRADIENT = True
STEPS = 64
"""Points of the Gauss-Legendre rule on the way."""


def integrated_gradients(score: Score, x: Tensor, steps: int = STEPS) -> Tensor:
    """Mean gradient on the straight way from 1/V everywhere to x, centred (Sundararajan et al. 2017).

    The contributions of a sequence sum to its score less that of the starting point, up to the error of
    ``steps`` points; for a smooth score that error falls exponentially, at kinks as 1 / steps.
    """
    return torch.cat([_block(score, part, steps) for part in x.split(rows_at_once(x.shape[2]))], 1)


def _block(score: Score, x: Tensor, steps: int) -> Tensor:
    nodes, weights = np.polynomial.legendre.leggauss(steps)
    start = torch.full_like(x, 1.0 / x.shape[1])
    parts = (
        float(weight) / 2 * slopes(score, start + (float(node) + 1) / 2 * (x - start))
        for node, weight in zip(nodes, weights, strict=True)
    )
    return centred(sum(parts, start=torch.zeros((), device=x.device)))
