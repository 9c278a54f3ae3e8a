"""Draw F towards the mean of training by as much as rows that it has not learned from say.

A network that fits its own rows better than others promises too much: what is measured of others is on
average b F with b < 1, both counted from the mean of training. The slope b is that of least squares through
this mean, as sure as the rows make it. It is multiplied into the last layer of F, so that the order of
sequences, and which way F rises, stay as they are.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch

from seqdesign.metrics.regression import r2, shrinkage
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.training.data import TokenData

MAX_ROWS, ROWS = 2000, 512
FOLDS = 5


@dataclass(frozen=True)
class Calibration:
    """slope: what F was multiplied by. r2: of rows with the slope that the other rows of theirs give."""

    slope: float
    r2: float


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
    others = np.array([shrinkage(measured[fold != k], predicted[fold != k]) for k in range(FOLDS)])
    slope = shrinkage(measured, predicted)
    last = model.outcome_net[-1]
    for parameter in last.parameters():
        parameter.mul_(slope)
    return Calibration(slope, r2(measured, others[fold] * predicted))
