"""Turn an ensemble's scores into believable ones, by rows that no network has learned from."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
from numpy.typing import NDArray

from seqdesign.ensembles.model import SequencePredictor
from seqdesign.models.predictor.known import Known
from seqdesign.models.predictor.predictions import member_scores
from seqdesign.models.predictor.store import PredictorRecord
from seqdesign.tasks.values import FloatArray, ScoredRows

ENOUGH = 1000
"""Held-out rows that calibrate by themselves; with fewer, the rows that stopped one member help."""


def scored_rows(
    model: SequencePredictor,
    held_out: Known,
    train: Known,
    fold: NDArray[np.int64],
    own: FloatArray | None = None,
) -> ScoredRows:
    """Score held-out rows, and training rows by the one member that has not learned from them.

    ``fold`` (N_train,) is the member that a training row stopped, -1 for none. ``own`` (N_train, K) are that
    member's scores, where the model cannot be asked for them.
    """
    tokens, outcomes = held_out.tokens, held_out.outcomes
    scores = member_scores(model, tokens.tokens, tokens.lengths)
    used = np.flatnonzero(fold >= 0) if len(tokens) < ENOUGH else np.zeros(0, dtype=np.int64)
    taught = train.take(used)
    found = own_scores(model, taught, fold[used]) if own is None else own[used]
    own_values, own_detail = taught.outcomes.values, taught.outcomes.detail
    return ScoredRows(scores, outcomes.values, found, own_values, outcomes.detail, own_detail)


def own_scores(model: SequencePredictor, judging: Known, fold: NDArray[np.int64]) -> FloatArray:
    """Scores (n, K) of training rows, each by the one member (n,) that has not learned from it."""
    every = member_scores(model, judging.tokens.tokens, judging.tokens.lengths)
    found: FloatArray = every[fold, np.arange(len(fold))]
    return found


def calibrate(model: SequencePredictor, record: PredictorRecord, rows: ScoredRows) -> PredictorRecord:
    """The record with its calibration; the temperature of ``model`` is set."""
    calibration, temperature = record.head.calibrate(rows, record.units)
    if record.head.log_odds:
        model.temperature.fill_(temperature)
        record = replace(record, probability_rows=len(rows.values) + len(rows.own_values))
    return replace(record, calibration=calibration)
