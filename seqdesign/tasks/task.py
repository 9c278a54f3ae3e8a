"""What a task is: how its values are read, learned, predicted, judged and told.

A task is one file of ``seqdesign/tasks/kinds``, or a plug-in of the group ``seqdesign.tasks``; nothing else
knows it by name. Most derive from `seqdesign.tasks.numbers.Numbers` or `seqdesign.tasks.odds.Odds` and say
only what is different.

Shapes: N rows, K outcomes or scores, M members, C classes.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from seqdesign.metrics.agreement import Agreement
from seqdesign.metrics.conformal import Conformal
from seqdesign.sequences.numbers import Tally
from seqdesign.sequences.reader import SequenceSet
from seqdesign.tasks.values import (
    Columns,
    FloatArray,
    Judged,
    OutcomeQuality,
    Predictions,
    ScoredRows,
    Units,
    Values,
)

if TYPE_CHECKING:
    from torch import Tensor

    TensorPair = tuple[Tensor, Tensor]
    Linear = Iterator[tuple[float, float, Tensor]]


class Task(ABC):
    """What an outcome is, and all that follows from it."""

    name: ClassVar[str]
    """As ``--task`` takes it and a model's folder keeps it."""
    rank: ClassVar[int] = 50
    """The lower, the earlier it is asked by ``--task auto`` whether a column is its own."""
    about: ClassVar[str]
    """What such an outcome is, in a few words."""
    log_odds: ClassVar[bool] = False
    """Whether scores are log-odds of a probability; else they are in the user's units."""
    ordered: ClassVar[bool] = True
    """Whether a larger value means more; places in a list of labels do not."""
    learns_noise: ClassVar[bool] = False
    """Whether ``loss`` needs the standard deviation of a measurement, which networks then learn."""
    rounds: ClassVar[int] = 0
    """How often values are completed by what was learned from them; see ``complete``."""
    trial: ClassVar[str] = "r"
    """What ``agreement_of`` measures, in a word."""
    curved: ClassVar[bool] = False
    """Whether measurements may be a monotone curve of scores; ``link`` is then linear, as of ``Numbers``."""
    logs: ClassVar[str] = ""
    """Task of the logarithms, where these may be learned instead."""

    # ------------------------------------------------------------------------------------------ reading

    @abstractmethod
    def claims(self, tallies: Sequence[Tally]) -> bool:
        """Whether ``--task auto`` takes columns like these for this task."""

    @abstractmethod
    def read(self, columns: Columns) -> Values:
        """Text to values. Raises InputError, naming the cells, and UsageError."""

    def says(self, tally: Tally) -> str:
        """What a column holds, in words."""
        return tally.says()

    @abstractmethod
    def measured(self, records: SequenceSet, column: str, classes: Sequence[str]) -> list[float]:
        """Values (N,) of a column to compare predictions with; NaN where none can be read."""

    def called(self, column: str) -> str:
        """What the outcome of a column is called, whose values ``read`` gives."""
        return column

    def column(self, outcome: str) -> str:
        """Inverse of ``called``."""
        return outcome

    def learned(self, values: FloatArray) -> FloatArray:
        """Numbers of a column as ``read`` gives them."""
        return values

    def spread(self, errors: FloatArray, values: FloatArray) -> FloatArray:
        """Standard errors (N, K) of numbers as those of values (N, K) that ``read`` gives."""
        return errors

    def shown(self, value: float, classes: Sequence[str]) -> object:
        """A measured value as it is written."""
        return classes[int(value)] if classes else float(value)

    # ----------------------------------------------------------------------------------------- learning

    def num_scores(self, outcomes: int, classes: int) -> int:
        """K of the networks."""
        return outcomes

    @abstractmethod
    def units(self, values: FloatArray) -> Units:
        """By what training outcomes (N, K) are scaled."""

    @abstractmethod
    def targets(self, y: Tensor, mean: Tensor, scale: Tensor, num_scores: int) -> Tensor:
        """(N, K) what linear models and processes fit by least squares, of y, NaN where not measured."""

    def complete(self, targets: Tensor, limits: Tensor, fitted: Tensor) -> Tensor:
        """Targets (N, K) with what is expected in place of values that are not known exactly.

        ``limits`` (N, K) is the ``detail`` of the values, ``fitted`` what a model says that has not seen
        the row.
        """
        return targets

    def noise(self, targets: Tensor, limits: Tensor, fitted: Tensor) -> Tensor:
        """Standard deviation (K,) of a measurement around ``fitted``, where ``learns_noise``."""
        return targets.new_ones(targets.shape[1])

    @abstractmethod
    def link(self, raw: Tensor, mean: Tensor, scale: Tensor, temperature: Tensor) -> Tensor:
        """Raw output of networks (M, N, K) to scores."""

    @abstractmethod
    def loss(
        self, raw: Tensor, y: Tensor, detail: Tensor | None, units: TensorPair, noise: Tensor | None
    ) -> Tensor:
        """(M, N, K) or (M, N, 1): what networks minimise; y (N, K), NaN where not measured.

        units: mean and scale (K,). noise (M, 1, K): log standard deviations where ``learns_noise``.
        """

    @abstractmethod
    def linear_losses(self, fitted: Tensor, y: Tensor, weight: Tensor, mean: Tensor) -> Linear:
        """(loss, gain, offset) of scores offset + gain x fitted (N, K) of a least-squares fit."""

    # --------------------------------------------------------------------------------------- predicting

    @abstractmethod
    def calibrate(self, rows: ScoredRows, units: Units) -> tuple[tuple[Conformal, ...], float]:
        """How wrong the ensemble's mean is, for each outcome, and the temperature of its log-odds."""

    @abstractmethod
    def predictions(
        self, scores: FloatArray, calibration: Sequence[Conformal], unseen: FloatArray | None
    ) -> Predictions:
        """Of the members' scores (M, N, K); ``unseen`` (N,) letters without evidence widen intervals."""

    def score_names(self, outcomes: tuple[str, ...], classes: tuple[str, ...]) -> tuple[str, ...]:
        """What each score of ``named_scores`` is of: an outcome, or a label."""
        return classes or outcomes

    def named_scores(self, scores: Tensor, classes: Sequence[str]) -> Tensor:
        """Scores (M, N, K) of the networks to one for each of ``score_names``."""
        return scores

    def predicted_names(self, outcomes: Sequence[str], classes: Sequence[str]) -> Sequence[str]:
        """What the columns of ``Predictions.mean`` are called."""
        return outcomes

    @abstractmethod
    def columns(self, classes: Sequence[str]) -> list[str]:
        """What ``predict`` says of one outcome, by column."""

    @abstractmethod
    def cells(self, found: Predictions, row: int, k: int, classes: Sequence[str]) -> dict[str, Any]:
        """The cells of these columns for outcome k of a row."""

    def compared(self, found: Predictions, row: int) -> list[float]:
        """For each outcome what is compared with the measured value."""
        return found.mean[row].tolist()

    # ------------------------------------------------------------------------------------------ judging

    @abstractmethod
    def agreement(self) -> Agreement:
        """An empty account of pairs of measured and predicted values."""

    @abstractmethod
    def agreement_of(self, scores: FloatArray, y: FloatArray, detail: FloatArray | None) -> float:
        """How well scores (N, K) follow values (N,), the larger the better: how kinds of model are chosen."""

    @abstractmethod
    def quality(self, judged: Judged) -> list[OutcomeQuality]:
        """Figures of each outcome."""

    def doubts(self, one: OutcomeQuality) -> Iterator[str]:
        """What else should be said of an outcome, as warnings."""
        return iter(())

    def held_out(
        self, found: Predictions, values: FloatArray, detail: FloatArray | None
    ) -> tuple[list[list[object]], FloatArray]:
        """Measured (N rows of K cells, None where nothing is) and predicted (N, K) of held-out rows."""
        cells: list[list[object]] = [
            [None if np.isnan(v) else float(v) for v in row] for row in values.tolist()
        ]
        return cells, found.mean
