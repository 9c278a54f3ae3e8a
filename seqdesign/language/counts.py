"""Counts of letters, smoothed, and without one letter.

Shapes: B stretches, C contexts or places, V letters.
"""

from __future__ import annotations

import torch
from torch import Tensor

PLACED_STRENGTHS = tuple(16.0**i for i in range(7))
"""What s is averaged over; with the largest, places mean nothing."""
ROUNDS = 20
"""Of expectation maximisation, for how frequent each s is."""


def smooth(counts: Tensor, strength: float | Tensor, shorter: Tensor) -> Tensor:
    """Probabilities (..., V) of the last index by counts (..., V) and a prior."""
    return (counts + strength * shorter) / (counts.sum(-1, keepdim=True) + strength)


def leave_out(counts: Tensor, strength: float, shorter: Tensor) -> Tensor:
    """(..., V, V) probabilities of the last index without one occurrence of the second."""
    size = counts.shape[-1]
    fewer = (counts[..., None, :] - torch.eye(size).to(counts)).clamp(min=0)
    total = (counts.sum(-1) - 1).clamp(min=0)[..., None, None]
    return (fewer + strength * shorter) / (total + strength)


def by_place(
    counts: Tensor, chain: Tensor, left_out: Tensor, ratio: Tensor, ratio_out: Tensor
) -> tuple[Tensor, Tensor]:
    """Ratios r (B, C, V), and without each letter (B, C, V, V), of contexts counted by stretches (B, C, V).

    chain, left_out: (C, V) and (C, V, V) of these contexts anywhere; ratio, ratio_out: of the shorter ones.
    """
    prior, prior_out = chain * ratio, left_out * ratio_out
    prior = prior / prior.sum(-1, keepdim=True)
    prior_out = prior_out / prior_out.sum(-1, keepdim=True)
    found, found_out = torch.zeros_like(prior), torch.zeros_like(prior_out)
    for strength, weight in zip(PLACED_STRENGTHS, _weights(counts, prior), strict=True):
        found += weight[:, None] * smooth(counts, strength, prior)
        found_out += weight[:, None, None] * leave_out(counts, strength, prior_out)
    return found / chain, found_out / left_out


def _weights(counts: Tensor, prior: Tensor) -> Tensor:
    """(S, C): how likely each of PLACED_STRENGTHS is for each context, given counts (B, C, V) and the prior.

    How frequent each is among contexts is found by expectation maximisation.
    """
    total, terms = counts.sum(-1), []
    for strength in PLACED_STRENGTHS:
        alpha = strength * prior
        letters = ((alpha + counts).lgamma() - alpha.lgamma()).sum(-1)
        whole = torch.full_like(total, strength)
        terms.append((letters + whole.lgamma() - (whole + total).lgamma()).sum(0))
    evidence = torch.stack(terms)
    weights = evidence.softmax(0)
    for _ in range(ROUNDS):
        frequent = weights.mean(1, keepdim=True).clamp(min=1e-30)
        weights = (evidence + frequent.log()).softmax(0)
    return weights
