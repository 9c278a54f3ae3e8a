"""Codes from which a generator makes given sequences: inversion by gradient."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqdesign.designers.adam import Adam, cosine

RATE = 0.1


def encode_starts(decode: Callable[[Tensor], Tensor], tokens: Tensor, z: Tensor, steps: int) -> Tensor:
    """Codes (N, d) that maximise log p(tokens | z) + log p(z), by Adam from the codes ``z`` (N, d).

    tokens: (N, L). decode: as that of ``Latent``. The best code on the way is kept; a generator that cannot
    make the sequence gives the nearest that was found.
    """
    adam, best = Adam([z.clone()]), z.clone()
    highest = torch.full_like(z[:, 0], -torch.inf)
    for step in range(steps + 1):
        with torch.enable_grad():
            leaf = adam.parameters[0].detach().requires_grad_(True)
            chosen = decode(leaf).log_softmax(1).gather(1, tokens.unsqueeze(1)).sum((1, 2))
            value = chosen - 0.5 * leaf.square().sum(1)
            (slope,) = torch.autograd.grad(value.sum(), leaf)
        better = value.detach() > highest
        highest = torch.where(better, value.detach(), highest)
        best[better] = leaf.detach()[better]
        if step < steps:
            adam.step([slope], cosine(RATE, step, steps))
    return best
