"""The rows of the table that ``predict`` writes by a similarity model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.models.similarity.fit import codes
from seqdesign.models.similarity.store import TrainedSimilarity
from seqdesign.sequences.encoders import TokenArray
from seqdesign.sequences.reader import SequenceSet


class SimilarityRows:
    """How alike a sequence is to the training sequences that the model remembers."""

    outcomes = ("outcome",)

    def __init__(self, trained: TrainedSimilarity) -> None:
        self.model = trained.model
        self.alphabet, self.max_length = trained.record.alphabet, trained.record.max_length
        self.columns = ["id", "sequence", "nearest", "typical", "measured"]

    def measured_column(self, name: str) -> str:
        """Where the measured value goes."""
        return "measured"

    def measured(self, block: SequenceSet, column: str) -> NDArray[np.float64]:
        """Measured values (N,), NaN where there is none."""
        return block.numbers(column)

    def shown(self, value: float) -> object:
        """A measured value as it is written."""
        return float(value)

    @torch.no_grad()
    def of(self, array: TokenArray, block: SequenceSet) -> Iterator[tuple[dict[str, Any], Sequence[float]]]:
        """Each row; a similarity is no prediction of an outcome."""
        found = codes(self.model, array, self.model.reference.device)
        alike = self.model.similarities(found, self.model.reference)
        nearest, typical = alike.amax(1).tolist(), alike.mean(1).tolist()
        for i, (most, mean) in enumerate(zip(nearest, typical, strict=True)):
            row = {"id": block.ids[i], "sequence": block.sequences[i], "nearest": most, "typical": mean}
            yield row, [math.nan]
