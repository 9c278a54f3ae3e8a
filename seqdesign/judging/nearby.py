"""What sequences near a measured one may share with it, beyond what a model predicts of them.

A measurement above its prediction is luck, or something that the model has no words for: an order of
words, their spacing, the company of a letter. The latter is kept where little is changed. Nobody knows
how much is which, so half of it counts, and less with every change.

Shapes: B sequences and n rows of at most L letters.
"""

from __future__ import annotations

import torch
from torch import Tensor

SHARE = 0.5
"""How much of what a row measures beyond its prediction is no luck."""
REACH = 0.1
"""Share of all letters by which a sequence may differ until a third of that is left."""
MOST = 3.0
"""Robust standard deviations beyond which what a row has more is an outlier, and counts the less."""
ROBUST = 1.4826
"""Median distances in a standard deviation."""
BLOCK = 64


def believed(beyond: Tensor) -> Tensor:
    """What of measurements beyond their predictions (n, ...) is thought to be no luck; none of them NaN."""
    unit = ROBUST * (beyond - beyond.median(0).values).abs().median(0).values
    return SHARE * beyond * (MOST * unit / beyond.abs().clamp(min=1e-12)).clamp(max=1).square()


def beside(tokens: Tensor, rows: Tensor, beyond: Tensor) -> Tensor:
    """What is added (B,) to predictions of sequences (B, L) by what the nearest of the rows (n, l) measure
    beyond their own (n,), NaN unknown. The letters of a shorter sequence are padded, and its places count.
    """
    known = ~beyond.isnan()
    rows, beyond = rows[known], beyond[known]
    if not len(rows):
        return torch.zeros(len(tokens), dtype=torch.float64)
    beyond = believed(beyond)
    wide = max(tokens.shape[1], rows.shape[1])
    these, others = (
        torch.nn.functional.pad(part.long(), (0, wide - part.shape[1]), value=-1) for part in (tokens, rows)
    )
    changes = torch.cat([(part[:, None] != others).sum(2) for part in these.split(BLOCK)])
    least, nearest = changes.min(1)
    return torch.exp(-least / (REACH * tokens.shape[1])) * beyond[nearest]
