"""From a generator's logits to what its critic sees, with gradient, and to letters, without."""

from __future__ import annotations

from typing import Literal

import torch
from torch import Generator, Tensor

from seqdesign.devices.arithmetic import running_sum
from seqdesign.devices.randomness import for_rows

Outputs = Literal["straight-through", "gumbel", "softmax"]

_TINY = 1e-9


def relax(
    logits: Tensor, outputs: Outputs, rng: Generator, temperature: float, end: int | None = None
) -> Tensor:
    """Sequences (N, V, L) that look like those of the data as far as ``outputs`` says, differentiable.

    softmax: the probabilities (Killoran et al. 2017). gumbel: softmax((logits + Gumbel noise) / temperature),
    a soft draw (Jang et al. 2017). straight-through: drawn letters, with the gradient of Liu et al. (NeurIPS
    2023, 2304.08612, algorithm 2), right to second order in the change of a letter; that of the soft draw is
    so to first order only. ``end``: the symbol after whose first place all others are the same, in hard
    outputs.
    """
    if outputs == "softmax":
        return torch.softmax(logits, dim=1)
    if outputs == "straight-through":
        return _straight_through(logits, rng, end)
    shape = logits.shape[1:]
    uniform = for_rows(lambda n: torch.rand(n, *shape, generator=rng, device=rng.device), len(logits))
    uniform = uniform.clamp_(_TINY, 1 - 1e-7)
    noise = uniform.log_().neg_().log_().neg_()
    return torch.softmax((logits + noise.to(logits)) / temperature, dim=1)


def _straight_through(logits: Tensor, rng: Generator, end: int | None) -> Tensor:
    probabilities = torch.softmax(logits, dim=1)
    with torch.no_grad():
        length = logits.shape[2]
        luck = for_rows(lambda n: torch.rand(n, 1, length, generator=rng, device=rng.device), len(logits))
        uniform = luck.to(logits)
        tokens = (running_sum(probabilities, 1)[:, :-1] <= uniform).sum(dim=1)
        if end is not None:
            tokens = close(tokens, end)
        # functional.one_hot looks at its input and makes the host wait.
        symbols = torch.arange(logits.shape[1], device=logits.device)
        hard = (tokens[:, :, None] == symbols).transpose(1, 2).to(logits)
        half_way = ((hard + probabilities) / 2).clamp_min(_TINY).log() - logits
    slope = 2 * torch.softmax(logits + half_way, dim=1) - probabilities / 2
    if end is not None:  # what would stand behind the end is never read
        slope = slope * ((tokens == end).cumsum(dim=1) <= 1)[:, None]
    return hard + (slope - slope.detach())


def close(tokens: Tensor, end: int) -> Tensor:
    """(N, L) with END from the first END on."""
    return torch.where((tokens == end).cumsum(dim=1) > 0, end, tokens)
