"""What a linear model reads of a sequence."""

from __future__ import annotations

import torch
from torch import Tensor


def num_linear_features(letters: int, max_length: int, *, positional: bool) -> int:
    """Columns of ``linear_features``."""
    return letters * max_length if positional else letters + letters * letters + 1


def linear_features(x: Tensor, inside: Tensor, max_length: int, *, positional: bool) -> Tensor:
    """Features (N, I) of one-hot x (N, V, L) with letters at ``inside`` (N, L).

    The one-hot itself where positions matter, with L = ``max_length``; else shares of letters and of pairs of
    neighbours, and the length.
    """
    if positional:
        return x.flatten(1)
    count = inside.sum(1, keepdim=True).clamp(min=1).to(x.dtype)
    pairs = torch.einsum("nvl,nul->nvu", x[:, :, :-1], x[:, :, 1:]).flatten(1)
    return torch.cat([x.sum(2) / count, pairs / count, count / max_length], dim=1)
