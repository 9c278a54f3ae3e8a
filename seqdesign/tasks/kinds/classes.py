"""One of several labels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from seqdesign.metrics.agreement import Agreement, ClassAgreement
from seqdesign.metrics.conformal import Conformal
from seqdesign.metrics.probabilities import best_temperature, calibration_error
from seqdesign.sequences.numbers import Tally
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


class Classes(Odds):
    """Labels; a score for each, log p_c - log(1 - p_c)."""

    name: ClassVar[str] = "classes"
    rank: ClassVar[int] = 20
    about: ClassVar[str] = "one of several labels"
    ordered: ClassVar[bool] = False
    trial: ClassVar[str] = "right"

    def claims(self, tallies: Sequence[Tally]) -> bool:
        """One column of labels."""
        return len(tallies) == 1 and tallies[0].kind == "labels"

    def read(self, columns: Columns) -> Values:
        """Labels, numbers among them where they were asked for."""
        return read_labels(columns, two=False, many=columns.asked)

    def num_scores(self, outcomes: int, classes: int) -> int:
        """One for each class."""
        return classes

    def targets(self, y: Tensor, mean: Tensor, scale: Tensor, num_scores: int) -> Tensor:
        """0 and 1 for each class."""
        import torch

        found = torch.nn.functional.one_hot(y[:, 0].nan_to_num().long(), num_scores).to(y.dtype)
        return found.masked_fill(y[:, :1].isnan(), torch.nan)

    def link(self, raw: Tensor, mean: Tensor, scale: Tensor, temperature: Tensor) -> Tensor:
        """Each class against the others."""
        return one_against_others(raw / temperature)

    def loss(
        self, raw: Tensor, y: Tensor, detail: Tensor | None, units: TensorPair, noise: Tensor | None
    ) -> Tensor:
        """Cross-entropy (M, N, 1)."""
        import torch.nn.functional as F

        labels = y[:, 0].long().expand(len(raw), -1)
        errors = F.cross_entropy(raw.flatten(0, 1), labels.flatten(), reduction="none")
        return errors.view(*labels.shape, 1)

    def label_loss(self, scores: Tensor, y: Tensor) -> Tensor:
        """Of all classes together."""
        return -(y * scores.log_softmax(1)).sum(1)

    def odds(self, share: Tensor) -> Tensor:
        """Logits, up to a constant."""
        return share.log()

    def temperature(self, rows: ScoredRows) -> float:
        """Scores are log-odds of each class against the others; as logits they only differ by a constant."""
        scores, labels = rows.labels()
        return best_temperature(-np.logaddexp(0.0, -scores), labels)

    def predictions(
        self, scores: FloatArray, calibration: Sequence[Conformal], unseen: FloatArray | None
    ) -> Predictions:
        """Probabilities that add up to 1."""
        found = super().predictions(scores, calibration, unseen)
        return Predictions(found.mean / found.mean.sum(axis=1, keepdims=True), found.sd, None)

    def predicted_names(self, outcomes: Sequence[str], classes: Sequence[str]) -> Sequence[str]:
        """A probability for each label."""
        return [f"probability of {name}" for name in classes]

    def columns(self, classes: Sequence[str]) -> list[str]:
        """The likeliest label, and the probability of each."""
        return ["predicted_class", *(f"p_{label}" for label in classes)]

    def cells(self, found: Predictions, row: int, k: int, classes: Sequence[str]) -> dict[str, Any]:
        """The same of one row."""
        shares = found.mean[row].tolist()
        told = {f"p_{label}": share for label, share in zip(classes, shares, strict=True)}
        return {"predicted_class": classes[int(np.argmax(shares))], **told}

    def compared(self, found: Predictions, row: int) -> list[float]:
        """The place of the likeliest label."""
        return [float(found.mean[row].argmax())]

    def agreement(self) -> Agreement:
        """Accuracy."""
        return ClassAgreement()

    def agreement_of(self, scores: FloatArray, y: FloatArray, detail: FloatArray | None) -> float:
        """The share of right labels."""
        return float((scores.argmax(axis=1) == y).mean())

    def quality(self, judged: Judged) -> list[OutcomeQuality]:
        """Accuracy, beside always naming the most common label."""
        labels = judged.rows.values[:, 0].astype(np.int64)
        right = (judged.predicted.mean.argmax(axis=1) == labels).astype(np.float64)
        common = np.bincount(judged.train[:, 0].astype(np.int64)).argmax()
        return [
            OutcomeQuality(
                name=judged.names[0],
                rows=len(labels),
                accuracy=float(right.mean()),
                baseline="accuracy of the most common class",
                baseline_value=float((labels == common).mean()),
                calibration_error=calibration_error(judged.predicted.mean.max(axis=1), right),
            )
        ]

    def held_out(
        self, found: Predictions, values: FloatArray, detail: FloatArray | None
    ) -> tuple[list[list[object]], FloatArray]:
        """Whether the most probable label was right, and its probability."""
        right = (found.mean.argmax(axis=1) == values[:, 0]).astype(np.float64)
        return [[r] for r in right.tolist()], found.mean.max(axis=1)[:, None]


def one_against_others(logits: Tensor) -> Tensor:
    """Scores log p_c - log(1 - p_c) = logit_c - log sum_{j != c} exp logit_j, over the last axis."""
    import torch

    size = logits.shape[-1]
    own = torch.eye(size, dtype=torch.bool, device=logits.device)
    others = logits[..., None, :].expand(*logits.shape, size).masked_fill(own, -torch.inf)
    return logits - others.logsumexp(-1)


classes = Classes()
