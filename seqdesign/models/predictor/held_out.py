"""Held-out predictions of a trained predictor, as the rows of the table beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from seqdesign.models.predictor.fit import PredictorTraining

HELD_OUT_COLUMNS = ("id", "outcome", "measured", "predicted")


def held_out_rows(training: PredictorTraining, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Measured and predicted values of held-out sequences, one row for each value.

    With classes: whether the most probable class was right, and its probability. ``ids`` are those of all
    sequences.
    """
    record, rows, outcomes = training.trained.record, training.held_out, training.outcomes
    detail = None if outcomes.detail is None else outcomes.detail[rows]
    measured, predicted = record.head.held_out(training.predicted, outcomes.values[rows], detail)
    for i, row in enumerate(rows.tolist()):
        for k, name in enumerate(record.outcomes):
            if (cell := measured[i][k]) is not None:
                told = {"measured": cell, "predicted": float(predicted[i, k])}
                yield {"id": ids[row], "outcome": name, **told}
