"""What a conditional language model itself believes of a sequence's outcome, by Bayes' rule."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.language.model import SequenceLM

LEVELS = 8
"""Outcomes that are compared, out of the knots, which are quantiles and so equally frequent."""


@torch.inference_mode()
def expected_outcome(model: SequenceLM, tokens: Tensor, lengths: Tensor) -> Tensor:
    """E[c | x] (N,) float64 of sequences (N, T), with p(c | x) in proportion to p(x | c), c of LEVELS knots.

    For a model of any order by the bounds of the likelihoods.
    """
    places = torch.linspace(0, len(model.knots) - 1, LEVELS).round().long().unique()
    levels = model.knots[places.to(model.knots.device)].double()
    told = [model.log_likelihood(tokens, lengths, level.expand(len(tokens))) for level in levels]
    return torch.stack(told, 1).double().softmax(1) @ levels
