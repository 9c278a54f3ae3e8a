"""Outcomes that are labels or two values, predicted as probabilities; scores are log-odds."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np

from seqdesign.errors import InputError, UsageError
from seqdesign.metrics.conformal import Conformal
from seqdesign.sequences.numbers import MAX_LABELS
from seqdesign.sequences.reader import SequenceSet
from seqdesign.tasks.numbers import AS_LABELS
from seqdesign.tasks.task import Task
from seqdesign.tasks.values import Columns, FloatArray, Predictions, ScoredRows, Units, Values

if TYPE_CHECKING:
    from torch import Tensor

    from seqdesign.tasks.task import Linear

GAINS = (0.5, 0.7, 1.0, 1.4, 2.0, 2.8, 4.0, 5.7, 8.0, 11.3, 16.0)
"""Factors from a least-squares fit of 0 and 1 to log-odds that are tried."""
REPEATED = 0.5
"""Different labels may be this share of the labelled rows at most; else they are names, not classes."""
MANY = 20
"""Labelled rows from which on that is asked."""


class Odds(Task):
    """What two values and labels have in common."""

    log_odds: ClassVar[bool] = True

    def units(self, values: FloatArray) -> Units:
        """None: 0 and 1 are not scaled."""
        return Units()

    @abstractmethod
    def label_loss(self, scores: Tensor, y: Tensor) -> Tensor:
        """Cross-entropy (N,) of scores (N, K) and 0/1 (N, K)."""

    @abstractmethod
    def odds(self, share: Tensor) -> Tensor:
        """Scores of probabilities (K,)."""

    def linear_losses(self, fitted: Tensor, y: Tensor, weight: Tensor, mean: Tensor) -> Linear:
        """The least-squares fit f of p as log-odds: logit(mean) + g (f - mean), for all ``GAINS`` g."""
        share = mean.clamp(1e-4, 1 - 1e-4)
        odds = self.odds(share)
        for gain in GAINS:
            offset = odds - gain * share
            yield float((self.label_loss(offset + gain * fitted, y) * weight).mean()), gain, offset

    @abstractmethod
    def temperature(self, rows: ScoredRows) -> float:
        """What log-odds are divided by to be believed."""

    def calibrate(self, rows: ScoredRows, units: Units) -> tuple[tuple[Conformal, ...], float]:
        """The temperature alone."""
        return (), self.temperature(rows)

    def predictions(
        self, scores: FloatArray, calibration: Sequence[Conformal], unseen: FloatArray | None
    ) -> Predictions:
        """Probabilities, and their standard deviation over the members."""
        each = sigmoid(scores)
        return Predictions(sigmoid(scores.mean(axis=0)), each.std(axis=0), None)

    def measured(self, records: SequenceSet, column: str, classes: Sequence[str]) -> list[float]:
        """Places in ``classes``, or the numbers where there are none."""
        numbers = records.readable(column).tolist()
        if not classes:
            return numbers
        place = {label: float(i) for i, label in enumerate(classes)}
        cells = [cell.strip() for cell in records.columns[column]]
        # 1 and 1.0 are the same label where labels are numbers.
        texts = [c if c in place or v != v else f"{v:g}" for c, v in zip(cells, numbers, strict=True)]
        return [place.get(text, float("nan")) for text in texts]


def read_labels(columns: Columns, *, two: bool, many: bool) -> Values:
    """Text labels, in alphabetical order, as places (N, 1). Raises InputError and UsageError.

    two: there must be two. many: whether most may occur once.
    """
    records, names = columns.records, columns.names
    if len(names) > 1:
        raise UsageError(f"labels are learned from one column, got {', '.join(names)}", option="--outcome")
    if columns.sigma:
        raise UsageError("labels have no standard error; leave it out", option="--sigma")
    missing = records.cells.is_missing
    cells = ["" if missing(cell) else cell.strip() for cell in records.columns[names[0]]]
    labels = sorted(set(cells) - {""})
    num_known = sum(cell != "" for cell in cells)
    if two and len(labels) != 2:
        raise InputError(
            f"'{names[0]}' has {len(labels)} labels, a binary outcome has 2", path=records.source
        )
    if not 2 <= len(labels) <= MAX_LABELS:
        raise InputError(
            f"'{names[0]}' has {len(labels)} different labels, between 2 and {MAX_LABELS} can be learned",
            path=records.source,
        )
    if not many and num_known >= MANY and len(labels) > max(2, REPEATED * num_known):
        raise InputError(
            f"'{names[0]}' has {len(labels)} different labels in {num_known} records, so most occur once, "
            f"such as '{labels[0]}'; name another column with --outcome, or {AS_LABELS}",
            path=records.source,
        )
    place = {label: float(i) for i, label in enumerate(labels)}
    return Values(np.array([[place.get(cell, np.nan)] for cell in cells]), classes=tuple(labels))


def sigmoid(x: FloatArray) -> FloatArray:
    """1 / (1 + exp(-x)) without overflow."""
    return np.exp(-np.logaddexp(0.0, -x))
