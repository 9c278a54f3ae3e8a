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
from seqdesign.sequences.origin import predicted_key
from seqdesign.sequences.reader import SequenceSet
from seqdesign.sequences.scope import Scope


class VAERows:
    """Outcome and log-likelihood by a sequence VAE."""

    def __init__(self, trained: TrainedVAE) -> None:
        self.model, self.record = trained.model, trained.record
        self.alphabet, self.max_length = trained.record.alphabet, trained.record.max_length
        self.scope = Scope(trained.record.min_length, trained.record.max_length)
        self.outcomes = (trained.record.outcome or "outcome",)
        self.predicted = predicted_key(self.outcomes[0])
        outcome = [self.predicted] if self.model.has_outcome else []
        self.columns = ["id", "sequence", *outcome, "loglik", "loglik_per_letter", "measured", "problem"]

    def measured_column(self, name: str) -> str:
        """Where the measured value goes."""
        return "measured"

    def measured(self, block: SequenceSet, column: str) -> NDArray[np.float64]:
        """Measured values (N,), NaN where there is none, or none that can be read."""
        return block.readable(column)

    def shown(self, value: float) -> object:
        """A measured value as it is written."""
        return float(value)

    def trained_on(self, array: TokenArray) -> NDArray[np.bool_] | None:
        """None: a VAE does not remember its training sequences."""
        return None

    def blank(self) -> dict[str, Any]:
        """What stands in the place of predictions that cannot be made."""
        return {}

    def of(self, array: TokenArray, block: SequenceSet) -> Iterator[tuple[dict[str, Any], Sequence[float]]]:
        """What is said of each sequence, and the predicted outcome; NaN by a model without outcomes."""
        device = next(self.model.parameters()).device
        tokens = torch.from_numpy(array.tokens.astype(np.int64)).to(device)
        scored = evaluate(self.model, tokens, torch.from_numpy(array.lengths).to(device))
        outcome, loglik = (v.cpu().double().tolist() for v in (scored.outcome, scored.log_likelihood))
        for i in range(len(array)):
            row = {
                "id": block.ids[i],
                "sequence": block.sequences[i],
                "loglik": loglik[i],
                "loglik_per_letter": loglik[i] / (int(array.lengths[i]) + 1),
            }
            if self.model.has_outcome:
                row[self.predicted] = outcome[i]
            yield row, [outcome[i] if self.model.has_outcome else math.nan]
