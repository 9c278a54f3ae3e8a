"""The rows of the table that ``predict`` writes by a language model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.models.lm.store import TrainedLM
from seqdesign.sequences.encoders import TokenArray
from seqdesign.sequences.reader import SequenceSet

ROWS = 256
"""Sequences that the model looks at together."""


class LMRows:
    """Log-likelihood in nats."""

    def __init__(self, trained: TrainedLM) -> None:
        self.model = trained.model
        self.alphabet, self.max_length = trained.record.alphabet, trained.record.max_length
        self.outcomes = (trained.record.outcome or "outcome",)
        self.columns = ["id", "sequence", "loglik", "loglik_per_letter", "measured"]

    def measured_column(self, name: str) -> str:
        """Where the measured value goes."""
        return "measured"

    def measured(self, block: SequenceSet, column: str) -> NDArray[np.float64]:
        """Measured values (N,), NaN where there is none."""
        return block.numbers(column)

    def shown(self, value: float) -> object:
        """A measured value as it is written."""
        return float(value)

    def of(self, array: TokenArray, block: SequenceSet) -> Iterator[tuple[dict[str, Any], Sequence[float]]]:
        """Each row; a likelihood is no prediction of an outcome."""
        device = next(self.model.parameters()).device
        tokens = torch.from_numpy(array.tokens.astype(np.int64)).to(device)
        lengths = torch.from_numpy(array.lengths).to(device)
        parts = [
            self.model.log_likelihood(x[:, : int(n.max())], n)
            for x, n in zip(tokens.split(ROWS), lengths.split(ROWS), strict=True)
        ]
        for i, loglik in enumerate(torch.cat(parts).cpu().double().tolist()):
            row = {
                "id": block.ids[i],
                "sequence": block.sequences[i],
                "loglik": loglik,
                "loglik_per_letter": loglik / int(array.lengths[i]),
            }
            yield row, [math.nan]
