"""Gradient times input, with the gradient corrected for one-hot input."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.attribution.effects import Score, centred, rows_at_once

NEEDS_GRADIENT = True


def gradient(score: Score, x: Tensor) -> Tensor:
    """The gradient of each member's score at x, centred over letters; one backward pass for each member.

    Exact for a score that is linear in the letters, the first-order effect of a letter otherwise. See
    ``centred`` for the correction.
    """
    return torch.cat([centred(slopes(score, part)) for part in x.split(rows_at_once(x.shape[2]))], 1)


def slopes(score: Score, x: Tensor) -> Tensor:
    """Derivatives of each member's score by x, (M, N, V, L)."""
    with torch.enable_grad():
        leaf = x.detach().clone().requires_grad_(True)
        # A row's score does not depend on other rows, so the gradient of the sum holds those of all rows.
        totals = score(leaf).sum(1)
        found = [
            torch.autograd.grad(total, leaf, retain_graph=m + 1 < len(totals), materialize_grads=True)[0]
            for m, total in enumerate(totals)
        ]
    return torch.stack(found)
