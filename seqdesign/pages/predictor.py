"""Held-out predictions of a trained predictor, as the rows of the table beside it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

if TYPE_CHECKING:
    from seqdesign.models.predictor.fit import PredictorTraining
    from seqdesign.models.predictor.outcomes import Outcomes

HELD_OUT_COLUMNS = ("id", "outcome", "measured", "predicted")


def held_out_rows(
    training: PredictorTraining, outcomes: Outcomes, ids: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Measured and predicted values of held-out sequences, one row for each value.

    With classes: whether the most probable class was right, and its probability. ``outcomes`` and ``ids`` are
    those of all sequences.
    """
    record = training.trained.record
    predicted = training.predicted.mean
    values = outcomes.values[training.held_out]
    if record.task == "classes":
        right = (predicted.argmax(axis=1) == values[:, 0]).astype(np.float64)
        values, predicted = right[:, None], predicted.max(axis=1)[:, None]
    for i, row in enumerate(training.held_out.tolist()):
        for k, name in enumerate(record.outcomes):
            if not np.isnan(values[i, k]):
                numbers = {"measured": float(values[i, k]), "predicted": float(predicted[i, k])}
                yield {"id": ids[row], "outcome": name, **numbers}
