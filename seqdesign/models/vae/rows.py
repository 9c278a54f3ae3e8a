"""The rows of the table that ``predict`` writes by a VAE."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.models.vae.store import TrainedVAE
from seqdesign.revisers.problem import evaluate
from seqdesign.sequences.encoders import TokenArray
from seqdesign.sequences.reader import SequenceSet


class VAERows:
    """Outcome and log-likelihood by a sequence VAE."""

    def __init__(self, trained: TrainedVAE) -> None:
        self.model = trained.model
        self.alphabet, self.max_length = trained.record.alphabet, trained.record.max_length
        self.outcomes = (trained.record.outcome or "outcome",)
        outcome = ["outcome"] if self.model.has_outcome else []
        self.columns = ["id", "sequence", *outcome, "loglik", "loglik_per_letter", "measured"]

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
        """Each row, and the predicted outcome; NaN by a model without outcomes."""
        device = next(self.model.parameters()).device
        tokens = torch.from_numpy(array.tokens.astype(np.int64)).to(device)
        scored = evaluate(self.model, tokens, torch.from_numpy(array.lengths).to(device))
        outcome, loglik = (v.cpu().double().tolist() for v in (scored.outcome, scored.log_likelihood))
        for i, name in enumerate(block.ids):
            row = {
                "id": name,
                "sequence": block.sequences[i],
                "loglik": loglik[i],
                "loglik_per_letter": loglik[i] / (int(array.lengths[i]) + 1),
            }
            if self.model.has_outcome:
                row["outcome"] = outcome[i]
            yield row, [outcome[i] if self.model.has_outcome else math.nan]
