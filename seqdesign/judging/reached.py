"""What rows have reached that judges would have chosen without having seen them.

A choice by predictions regresses to the mean, and what was measured of the best row is luck in part. But
rows that were left out can be chosen as designs are: those of which the judges predict most. What was
measured of these is how far such a choice has led. Where it led to less than rows in the middle have, as
beyond an optimum or a dose that is too much, it leads designs there too. Where it clearly led to more than
the choice of the rows behind them, measurements still rise with predictions, and the best row may count.

Shapes: n rows, K outcomes.
"""

from __future__ import annotations

import math
from typing import NamedTuple

import torch
from torch import Tensor

FEWEST, SHARE = 10, 0.1
"""Rows that say how far a choice has led: as few as can, since designs are further than any of them, and no
more than a share of all.
"""
BEHIND = 3
"""Rows behind each of these, which they must exceed if measurements still rise."""
RISING = 2.0
"""Standard errors of that difference."""
CHANCE = 3.0
"""Standard errors beyond which a correlation is not by chance."""


class Reached(NamedTuple):
    """How far (2, K; down, up) the chosen rows came, and the standard errors of that.

    rising (2, K): whether they came clearly further than the rows behind them.
    """

    level: Tensor
    error: Tensor
    rising: Tensor


def reached(predicted: Tensor, measured: Tensor) -> Reached:
    """The mean of what was measured (n, K) of the ``FEWEST`` rows with the largest (and the least)
    predictions (n, K), each by all others; NaN unknown.

    With no rows it is 0 and not known at all.
    """
    level, error = predicted.new_zeros(2, predicted.shape[1]), predicted.new_ones(2, predicted.shape[1])
    rising = torch.zeros_like(level, dtype=torch.bool)
    for k in range(predicted.shape[1]):
        known = ~(predicted[:, k].isnan() | measured[:, k].isnan())
        x, y = predicted[known, k], measured[known, k]
        count = min(FEWEST, max(3, round(SHARE * len(x))))
        for end, sign in enumerate((-1.0, 1.0)):
            order = (sign * x).argsort(descending=True)
            best, behind = y[order[:count]], y[order[count : (1 + BEHIND) * count]]
            if len(best) > 1:
                level[end, k], error[end, k] = best.mean(), best.std() / math.sqrt(len(best))
            if len(behind) > 1:
                doubt = torch.hypot(error[end, k], behind.std() / math.sqrt(len(behind)))
                rising[end, k] = sign * (level[end, k] - behind.mean()) > RISING * doubt
    return Reached(level, error, rising)


def shares_reached(predicted: Tensor, labels: Tensor) -> Tensor:
    """Least and largest probability (2, K) of a label that rows bear out, by predictions (n, K) of rows when
    they were left out, and their labels, 0 and 1, NaN unknown.

    Rows are ordered by what is predicted. Of any number of the first, at least ``FEWEST``, the largest share
    with the label counts, by Laplace's rule: where all of n have it, (n + 1) / (n + 2).
    """
    found = torch.full((2, predicted.shape[1]), 0.5, dtype=torch.float64)
    for k in range(predicted.shape[1]):
        known = ~(predicted[:, k].isnan() | labels[:, k].isnan())
        x, y = predicted[known, k], labels[known, k].double()
        if len(x) < FEWEST:
            continue
        count = torch.arange(1, len(x) + 1)
        for end, right in enumerate((1 - y, y)):
            first = right[((2 * end - 1) * x).argsort(descending=True)].cumsum(0)
            most = ((first + 1) / (count + 2))[FEWEST - 1 :].max()
            found[end, k] = most if end else 1 - most
    return found


def uncorrelated(predicted: Tensor, measured: Tensor) -> bool:
    """Whether Pearson's r of predictions and measurements (n,) is within three standard errors of what chance
    gives.
    """
    known = ~(predicted.isnan() | measured.isnan())
    if int(known.sum()) < 3:
        return True
    r = torch.corrcoef(torch.stack([predicted[known], measured[known]]))[0, 1]
    return not float(r) > CHANCE / math.sqrt(int(known.sum()))
