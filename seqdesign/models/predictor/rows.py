"""The rows of the table that ``predict`` writes by a predictor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.metrics.conformal import LEVELS
from seqdesign.models.predictor.predictions import predict_outcomes
from seqdesign.models.predictor.store import Reference, TrainedPredictor
from seqdesign.sequences.encoders import TokenArray
from seqdesign.sequences.reader import SequenceSet


class PredictorRows:
    """Mean, standard deviation, intervals or probabilities by an ensemble, and how unusual a sequence is."""

    def __init__(self, trained: TrainedPredictor, reference: Reference) -> None:
        self.trained, self.reference = trained, reference
        self.record = record = self.trained.record
        self.alphabet, self.max_length = record.alphabet, record.max_length
        self.outcomes = record.outcomes
        several = len(self.outcomes) > 1
        self.prefix = {name: f"{name}_" if several else "" for name in self.outcomes}
        self.columns = ["id", "sequence"]
        for name in self.outcomes:
            self.columns += [self.prefix[name] + column for column in self._own_columns()]
        self.columns.append("ood")

    def _own_columns(self) -> list[str]:
        task = self.record.task
        if task == "classes":
            return ["class", *(f"p_{label}" for label in self.record.classes), "measured"]
        if task == "binary":
            return ["probability", "sd", "measured"]
        ends = [f"{end}_{round(100 * level)}" for level in LEVELS for end in ("low", "high")]
        return ["mean", "sd", *ends, "measured"]

    def measured_column(self, name: str) -> str:
        """Where the measured value of an outcome goes."""
        return f"{self.prefix[name]}measured"

    def measured(self, block: SequenceSet, column: str) -> NDArray[np.float64]:
        """Measured values (N,), NaN where there is none; labels as places in the model's classes."""
        if not self.record.classes:
            return block.numbers(column)
        place = {label: float(i) for i, label in enumerate(self.record.classes)}
        return np.array([place.get(cell.strip(), np.nan) for cell in block.columns[column]])

    def shown(self, value: float) -> object:
        """A measured value as it is written."""
        return self.record.classes[int(value)] if self.record.classes else float(value)

    def of(self, array: TokenArray, block: SequenceSet) -> Iterator[tuple[dict[str, Any], Sequence[float]]]:
        """Each row, and for each outcome the prediction that is compared with what was measured."""
        found = predict_outcomes(self.trained, array.tokens, array.lengths)
        unusual = self.reference.unusual(array.tokens, array.lengths)
        for i, name in enumerate(block.ids):
            row = {"id": name, "sequence": block.sequences[i], "ood": round(float(unusual[i]), 1)}
            if self.record.task == "classes":
                best = int(found.mean[i].argmax())
                row["class"] = self.record.classes[best]
                row |= {f"p_{c}": float(found.mean[i, j]) for j, c in enumerate(self.record.classes)}
                yield row, [float(best)]
                continue
            for k, outcome in enumerate(self.outcomes):
                values = [float(found.mean[i, k]), float(found.sd[i, k])]
                if found.half_widths is not None:
                    for half in found.half_widths[i, k].tolist():
                        values += [values[0] - half, values[0] + half]
                row |= {
                    self.prefix[outcome] + column: value
                    for column, value in zip(self._own_columns()[:-1], values, strict=True)
                }
            yield row, found.mean[i].tolist()
