"""The rows of the table that ``predict`` writes, for each kind of model."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.metrics.conformal import LEVELS
from seqdesign.models.lm.store import load_lm
from seqdesign.models.predictor.predictions import predict_outcomes
from seqdesign.models.predictor.store import load_predictor, load_reference
from seqdesign.models.vae.store import load_vae
from seqdesign.revisers.problem import evaluate
from seqdesign.sequences.encoders import TokenArray
from seqdesign.sequences.reader import SequenceSet

ROWS = 256
"""Sequences that a language model looks at together."""

Predicted = tuple[dict[str, Any], Sequence[float]]


class VAERows:
    """Outcome and log-likelihood by a sequence VAE."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        trained = load_vae(folder, device)
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

    def of(self, array: TokenArray, block: SequenceSet) -> Iterator[Predicted]:
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


class LMRows:
    """Log-likelihood by a language model."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        trained = load_lm(folder, device)
        self.model, self.device = trained.model, device
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

    def of(self, array: TokenArray, block: SequenceSet) -> Iterator[Predicted]:
        """Each row; a likelihood is no prediction of an outcome."""
        tokens = torch.from_numpy(array.tokens.astype(np.int64)).to(self.device)
        lengths = torch.from_numpy(array.lengths).to(self.device)
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


class PredictorRows:
    """Mean, standard deviation, intervals or probabilities by an ensemble, and how unusual a sequence is."""

    def __init__(self, folder: Path, device: torch.device) -> None:
        self.trained, self.reference = load_predictor(folder, device), load_reference(folder)
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

    def of(self, array: TokenArray, block: SequenceSet) -> Iterator[Predicted]:
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
