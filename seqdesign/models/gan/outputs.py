"""From a generator's logits to what its critic sees, with gradient, and to letters, without."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Generator, Tensor
from torch.nn import functional

Outputs = Literal["straight-through", "gumbel", "softmax"]

_TINY = 1e-9


def relax(
    logits: Tensor, outputs: Outputs, rng: Generator, temperature: float, end: int | None = None
) -> Tensor:
    """Sequences (N, V, L) that look like those of the data as far as ``outputs`` says, differentiable.

    softmax: the probabilities (Killoran et al. 2017). gumbel: softmax((logits + Gumbel noise) / temperature),
    a soft draw (Jang et al. 2017). straight-through: the letters so drawn, with the gradient of the soft
    draw. ``end``: the symbol after whose first place all others are the same, in hard outputs.
    """
    if outputs == "softmax":
        return torch.softmax(logits, dim=1)
    noise = torch.rand(logits.shape, generator=rng).clamp_(_TINY, 1 - 1e-7).log_().neg_().log_().neg_()
    soft = torch.softmax((logits + noise.to(logits)) / temperature, dim=1)
    if outputs == "gumbel":
        return soft
    tokens = soft.argmax(dim=1)
    if end is not None:
        tokens = close(tokens, end)
    hard = functional.one_hot(tokens, logits.shape[1]).transpose(1, 2).to(soft)
    return hard + (soft - soft.detach())


def close(tokens: Tensor, end: int) -> Tensor:
    """(N, L) with END from the first END on."""
    return torch.where((tokens == end).cumsum(dim=1) > 0, end, tokens)
