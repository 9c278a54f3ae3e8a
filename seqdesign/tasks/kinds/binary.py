"""One of two values: 0 and 1, any two numbers, or two labels."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from seqdesign.errors import InputError
from seqdesign.metrics.agreement import Agreement, BinaryAgreement
from seqdesign.metrics.probabilities import best_temperature, calibration_error
from seqdesign.metrics.regression import auroc, spearman
from seqdesign.sequences.numbers import Tally
from seqdesign.tasks.numbers import AS_LABELS, correlation
from seqdesign.tasks.odds import Odds, read_labels
from seqdesign.tasks.values import (
    Columns,
    FloatArray,
    Judged,
    OutcomeQuality,
    Predictions,
    ScoredRows,
    Values,
)

if TYPE_CHECKING:
    from torch import Tensor

    from seqdesign.tasks.task import TensorPair

BELIEVABLE_AUROC = 0.7
FEW = 20
"""Held-out rows of the rarer value below which figures are rough."""


class Binary(Odds):
    """Two values; the score is the log-odds of the larger, or of the later label in the alphabet."""

    name: ClassVar[str] = "binary"
    rank: ClassVar[int] = 10
    about: ClassVar[str] = "one of two values"

    def claims(self, tallies: Sequence[Tally]) -> bool:
        """Zeros and ones only, or one column of two labels."""
        if len(tallies) == 1 and tallies[0].kind == "labels":
            return len(tallies[0].labels) == 2
        return all(t.kind in ("numbers", "nothing") and t.numbers == t.zero_one for t in tallies)

    def read(self, columns: Columns) -> Values:
        """Two labels of one column, or two numbers of each."""
        if len(columns.tallies) == 1 and columns.tallies[0].kind == "labels":
            return read_labels(columns, two=columns.asked, many=False)
        records = columns.records
        for tally in columns.tallies:
            tally.require_numbers(records.source, labels=AS_LABELS)
        values = np.stack([records.numbers(name) for name in columns.names], axis=1)
        known = [np.unique(column[~np.isnan(column)]) for column in values.T]
        if all(set(levels.tolist()) <= {0.0, 1.0} for levels in known):
            return Values(values)
        return _as_zero_one(values, known, columns)

    def targets(self, y: Tensor, mean: Tensor, scale: Tensor, num_scores: int) -> Tensor:
        """0 and 1; where both labels have a score, a column for each."""
        return _both(y) if y.shape[1] < num_scores else y

    def link(self, raw: Tensor, mean: Tensor, scale: Tensor, temperature: Tensor) -> Tensor:
        """Log-odds."""
        return raw / temperature

    def loss(
        self, raw: Tensor, y: Tensor, detail: Tensor | None, units: TensorPair, noise: Tensor | None
    ) -> Tensor:
        """Cross-entropy."""
        import torch.nn.functional as F

        return F.binary_cross_entropy_with_logits(raw, y.nan_to_num().expand_as(raw), reduction="none")

    def label_loss(self, scores: Tensor, y: Tensor) -> Tensor:
        """Mean over the outcomes."""
        import torch.nn.functional as F

        return F.binary_cross_entropy_with_logits(scores, y, reduction="none").mean(1)

    def odds(self, share: Tensor) -> Tensor:
        """Log-odds."""
        return share.logit()

    def temperature(self, rows: ScoredRows) -> float:
        """One for all outcomes."""
        mean = np.concatenate([rows.scores.mean(axis=0), rows.own]).ravel()
        values = np.concatenate([rows.values, rows.own_values]).ravel()
        known = ~np.isnan(values)
        return best_temperature(mean[known], values[known].astype(np.int64))

    def named_scores(self, scores: Tensor, classes: Sequence[str]) -> Tensor:
        """Of labels those of both, so that either can be asked for by its name."""
        import torch

        return torch.cat([-scores, scores], dim=-1) if classes else scores

    def predicted_names(self, outcomes: Sequence[str], classes: Sequence[str]) -> Sequence[str]:
        """Probabilities of 1, or of the second label."""
        return [f"probability of {name}" for name in classes[1:] or outcomes]

    def columns(self, classes: Sequence[str]) -> list[str]:
        """Labels have their names in the columns of their probabilities."""
        if classes:
            return ["predicted_class", *(f"p_{label}" for label in classes), "sd"]
        return ["probability", "sd"]

    def cells(self, found: Predictions, row: int, k: int, classes: Sequence[str]) -> dict[str, Any]:
        """The same of one row."""
        p, sd = float(found.mean[row, k]), float(found.sd[row, k])
        if not classes:
            return {"probability": p, "sd": sd}
        shares = [1 - p, p]
        told = {f"p_{label}": share for label, share in zip(classes, shares, strict=True)}
        return {"predicted_class": classes[int(np.argmax(shares))], **told, "sd": sd}

    def agreement(self) -> Agreement:
        """AUROC and accuracy."""
        return BinaryAgreement()

    def agreement_of(self, scores: FloatArray, y: FloatArray, detail: FloatArray | None) -> float:
        """Pearson's correlation of the log-odds with 0 and 1."""
        return correlation(scores[:, 0], y)

    def doubts(self, one: OutcomeQuality) -> Iterator[str]:
        """Few rows of the rarer value, beside which many of the other say little."""
        if one.rarer is None or one.rarer >= FEW or one.rows == 0:
            return
        yield (
            f"'{one.name}' was judged by {one.rarer} of the rarer value only: every figure above is a rough "
            f"one, and to say the other always is right in {1 - one.rarer / one.rows:.1%}"
        )

    def quality(self, judged: Judged) -> list[OutcomeQuality]:
        """AUROC and accuracy, beside ridge regression."""
        return [
            _quality(name, judged.rows.values[:, k], judged.predicted.mean[:, k], judged.baseline[:, k])
            for k, name in enumerate(judged.names)
        ]


def _quality(name: str, values: FloatArray, probability: FloatArray, baseline: FloatArray) -> OutcomeQuality:
    known = ~np.isnan(values)
    labels, p = values[known], probability[known]
    return OutcomeQuality(
        name=name,
        rows=int(known.sum()),
        rarer=int(min(labels.sum(), len(labels) - labels.sum())),
        auroc=auroc(labels, p),
        accuracy=float(((p > 0.5) == labels).mean()),
        spearman=spearman(labels, p),
        baseline="AUROC of ridge regression",
        baseline_value=auroc(labels, baseline[known]),
        calibration_error=calibration_error(p, labels),
    )


def _both(y: Tensor) -> Tensor:
    """(N, 2): 0/1 for each label, of y (N, 1)."""
    import torch

    found = torch.nn.functional.one_hot(y[:, 0].nan_to_num().long(), 2).to(y.dtype)
    return found.masked_fill(y[:, :1].isnan(), torch.nan)


def _as_zero_one(values: FloatArray, known: list[FloatArray], columns: Columns) -> Values:
    """Two values as 0 (the smaller) and 1, and how they are written where there is one outcome."""
    for name, levels in zip(columns.names, known, strict=True):
        if len(levels) != 2:
            raise InputError(
                f"'{name}' has {len(levels)} different values, a binary outcome has 2",
                path=columns.records.source,
            )
    high = np.array([levels[1] for levels in known])
    classes = tuple(f"{level:g}" for level in known[0]) if len(known) == 1 else ()
    return Values(np.where(np.isnan(values), np.nan, (values == high).astype(np.float64)), classes=classes)


binary = Binary()
