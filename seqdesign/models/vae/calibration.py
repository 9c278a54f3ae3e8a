"""Draw F towards the mean of training by as much as rows that it has not learned from say.

A network that fits its own rows better than others promises too much: what is measured of others is on
average b F with b < 1, both counted from the mean of training. The slope b is that of least squares through
this mean (Copas 1983, JRSS B 45, 311-354), itself drawn towards 1 where few or noisy rows leave it unsure
(the positive part of James and Stein). It is multiplied into the last layer of F, so that the order of
sequences, and which way F rises, stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.metrics.regression import r2
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.training.data import TokenData

MAX_ROWS, ROWS = 2000, 512
LEAST = 0.1
"""The smallest slope; F keeps saying which way is up."""
FOLDS = 5

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Calibration:
    """slope: what F was multiplied by. r2: of rows with the slope that the other rows of theirs give."""

    slope: float
    r2: float


def shrinkage(predicted: FloatArray, measured: FloatArray) -> float:
    """The slope b, 0.1 to 1, of measured (N,) on predicted (N,), both from the mean of training."""
    power = float(np.square(predicted).sum())
    if len(predicted) < 3 or power == 0:
        return 1.0
    slope = float(predicted @ measured) / power
    unsure = float(np.square(measured - slope * predicted).sum()) / (len(predicted) - 1) / power
    if slope >= 1 or unsure >= (1 - slope) ** 2:
        return 1.0
    return max(LEAST, 1 - (1 - slope) * (1 - unsure / (1 - slope) ** 2))


@torch.no_grad()
def calibrate(model: SequenceVAE, rows: TokenData) -> Calibration | None:
    """Shrink F of a trained ``model`` by up to 2,000 ``rows`` that it has not learned from, the first ones.

    None, and F as it is, without an F or with fewer than two of these rows measured.
    """
    if not model.has_outcome:
        return None
    index = torch.arange(min(len(rows), MAX_ROWS), device=rows.tokens.device)
    parts = [rows.rows(some) for some in index.split(ROWS)]
    found = [model.standard_outcome(model.encode(part.tokens, part.lengths).mean) for part in parts]
    predicted = torch.cat(found).cpu().double().numpy()
    measured = rows.outcomes[: len(predicted)].cpu().double().numpy()
    known = ~np.isnan(measured)
    predicted = predicted[known]
    measured = (measured[known] - model.outcome_mean) / model.outcome_scale
    if len(measured) < 2:
        return None
    fold = np.arange(len(measured)) % FOLDS
    others = np.array([shrinkage(predicted[fold != k], measured[fold != k]) for k in range(FOLDS)])
    slope = shrinkage(predicted, measured)
    last = model.outcome_net[-1]
    for parameter in last.parameters():
        parameter.mul_(slope)
    return Calibration(slope, r2(measured, others[fold] * predicted))
