"""The rows of the table that ``predict`` writes by a predictor."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.models.predictor.predictions import predict_outcomes
from seqdesign.models.predictor.store import Reference, TrainedPredictor
from seqdesign.sequences.encoders import TokenArray, decode
from seqdesign.sequences.reader import SequenceSet
from seqdesign.sequences.scope import Scope
from seqdesign.training.splitting import reverse_complements

UNHEARD_OF = 100.0
"""``ood`` of a sequence that the model cannot judge at all."""


class PredictorRows:
    """Mean, standard deviation, intervals or probabilities by an ensemble, and how unusual a sequence is."""

    def __init__(self, trained: TrainedPredictor, reference: Reference) -> None:
        self.trained, self.reference = trained, reference
        self.record = record = self.trained.record
        self.task, self.classes = record.head, record.classes
        self.alphabet, self.max_length = record.alphabet, record.max_length
        self.scope = Scope(record.min_length, record.max_length)
        self.outcomes = record.outcomes
        several = len(self.outcomes) > 1
        self.batches = record.batches
        """Assays or plates; predictions are on the scale of one of them."""
        self.prefix = {name: f"{name}_" if several else "" for name in self.outcomes}
        self.columns = ["id", "sequence"]
        for name in self.outcomes:
            self.columns += [self.prefix[name] + column for column in (*self._own_columns(), "measured")]
        self.columns += ["ood", "problem"]

    def _own_columns(self) -> list[str]:
        """What is said of one outcome."""
        return self.task.columns(self.classes)

    def measured_column(self, name: str) -> str:
        """Where the measured value of an outcome goes."""
        return f"{self.prefix[name]}measured"

    def measured(self, block: SequenceSet, column: str) -> list[float]:
        """Measured values (N,), NaN where there is none, or none that can be read."""
        return self.task.measured(block, column, self.classes)

    def shown(self, value: float) -> object:
        """A measured value as it is written."""
        return self.task.shown(value, self.classes)

    @cached_property
    def _known(self) -> frozenset[str]:
        known = TokenArray(
            self.reference.tokens,
            self.reference.lengths,
            self.alphabet,
            np.arange(len(self.reference.tokens)),
        )
        texts = decode(known.tokens, self.alphabet)
        if self.record.strands == "both":
            texts += decode(reverse_complements(known), self.alphabet)
        return frozenset(texts)

    def trained_on(self, array: TokenArray) -> NDArray[np.bool_]:
        """Which sequences (N,) the model has learned from."""
        return np.array([text in self._known for text in decode(array.tokens, self.alphabet)], dtype=bool)

    def blank(self) -> dict[str, Any]:
        """What stands in the place of predictions that cannot be made."""
        return {"ood": UNHEARD_OF}

    def of(self, array: TokenArray, block: SequenceSet) -> Iterator[tuple[dict[str, Any], Sequence[float]]]:
        """What is said of each sequence, and for each outcome what is compared with the measured value.

        That is the mean, the probability of 1 or of the second label, or the place of the likeliest class.
        """
        found = predict_outcomes(self.trained, array.tokens, array.lengths)
        unusual = self.reference.unusual(array.tokens, array.lengths)
        for i in range(len(array)):
            row: dict[str, Any] = {"id": block.ids[i], "sequence": block.sequences[i]}
            row["ood"] = round(float(unusual[i]), 1)
            for k, outcome in enumerate(self.outcomes):
                told = self.task.cells(found, i, k, self.classes)
                row |= {self.prefix[outcome] + column: value for column, value in told.items()}
            yield row, self.task.compared(found, i)
