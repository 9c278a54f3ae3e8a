"""Turn an ensemble's scores into believable ones, by rows that no network has learned from."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seqdesign.metrics.conformal import Conformal, fit_conformal
from seqdesign.metrics.probabilities import best_temperature
from seqdesign.models.predictor.model import SequencePredictor
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import member_scores
from seqdesign.models.predictor.store import PredictorRecord
from seqdesign.sequences.encoders import TokenArray

ENOUGH = 1000
"""Held-out rows that calibrate by themselves; with fewer, the rows that stopped one member help."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class CalibrationRows:
    """Scores (M, N, K) of held-out rows and their values (N, K), and those of rows that stopped a member.

    ``own`` (n, K) are the scores of the one member that has not learned from the row.
    """

    scores: FloatArray
    values: FloatArray
    own: FloatArray
    own_values: FloatArray

    @classmethod
    def of(
        cls,
        model: SequencePredictor,
        held_out: tuple[TokenArray, Outcomes],
        train: tuple[TokenArray, Outcomes],
        fold: NDArray[np.int64],
        own: FloatArray | None = None,
    ) -> CalibrationRows:
        """Score both; ``fold`` (N_train,) is the member that a training row stopped, -1 for none.

        ``own`` (N_train, K) are that member's scores, where the model cannot be asked for them.
        """
        tokens, outcomes = held_out
        scores = member_scores(model, tokens.tokens, tokens.lengths)
        used = np.flatnonzero(fold >= 0) if len(tokens) < ENOUGH else np.zeros(0, dtype=np.int64)
        some = train[0].take(used)
        if own is None:
            every = member_scores(model, some.tokens, some.lengths)
            found = every[fold[used], np.arange(len(used))]
        else:
            found = own[used]
        return cls(scores, outcomes.values, found, train[1].values[used])

    def labels(self) -> tuple[FloatArray, NDArray[np.int64]]:
        """Mean scores (N, K) and labels of the held-out and the other rows together, for classes."""
        mean = np.concatenate([self.scores.mean(axis=0), self.own])
        return mean, np.concatenate([self.values, self.own_values])[:, 0].astype(np.int64)


@dataclass(frozen=True, eq=False)
class Errors:
    """One outcome's calibration rows: measured, mean, spread (n,); the first ``num_held_out`` are fresh."""

    measured: FloatArray
    mean: FloatArray
    spread: FloatArray
    num_held_out: int

    def fit(self, rows: NDArray[np.int64], centre: float, unit: float) -> Conformal:
        """Calibrate by some of the rows."""
        return fit_conformal(
            self.measured[rows], self.mean[rows], self.spread[rows], centre=centre, unit=unit
        )


def errors_of(rows: CalibrationRows, k: int) -> Errors:
    """Calibration rows of outcome k of a regression.

    A row that stopped a member has one unseen prediction, whose error is larger than the ensemble's; it is
    shrunk by the ratio of the two that the held-out rows show. The other members have learned from the row,
    so their distance from that prediction is its error itself; a typical spread is taken instead.
    """
    known = ~np.isnan(rows.values[:, k])
    scores, measured = rows.scores[:, known, k], rows.values[known, k]
    mean = scores.mean(axis=0)
    known = ~np.isnan(rows.own_values[:, k])
    truth, own = rows.own_values[known, k], rows.own[known, k]
    spread = scores.std(axis=0)
    single = float(np.square(scores - measured).mean()) if measured.size else 0.0
    ratio = float(np.sqrt(np.square(mean - measured).mean() / single)) if single > 0 else 1.0
    return Errors(
        np.concatenate([measured, own + ratio * (truth - own)]),
        np.concatenate([mean, own]),
        np.concatenate([spread, np.full(len(own), np.median(spread) if len(spread) else 0.0)]),
        len(measured),
    )


def calibrate(model: SequencePredictor, record: PredictorRecord, rows: CalibrationRows) -> PredictorRecord:
    """The record with its calibration; for labels the temperature of ``model`` is set."""
    if record.task == "regression":
        found = []
        for k, (centre, unit) in enumerate(zip(record.outcome_mean, record.outcome_scale, strict=True)):
            errors = errors_of(rows, k)
            found.append(errors.fit(np.arange(len(errors.mean)), centre, unit))
        return replace(record, calibration=tuple(found))
    model.temperature.fill_(temperature(rows, record.task))
    return record


def temperature(rows: CalibrationRows, task: str) -> float:
    """The temperature for all outcomes of two values, or all classes."""
    if task == "classes":
        scores, labels = rows.labels()
        # Scores are log-odds of each class against the others; as logits they only differ by a constant.
        return best_temperature(_class_logits(scores), labels)
    mean = np.concatenate([rows.scores.mean(axis=0), rows.own]).ravel()
    values = np.concatenate([rows.values, rows.own_values]).ravel()
    known = ~np.isnan(values)
    return best_temperature(mean[known], values[known].astype(np.int64))


def _class_logits(scores: FloatArray) -> FloatArray:
    """Log p_c of scores log p_c - log(1 - p_c)."""
    return -np.logaddexp(0.0, -scores)
