"""What passes between a task and the models: columns of text, values, scores of rows, figures."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Self

import numpy as np
from numpy.typing import NDArray

from seqdesign.metrics.conformal import Conformal, fit_conformal
from seqdesign.sequences.lab.replicates import NoiseCeiling
from seqdesign.sequences.numbers import Tally
from seqdesign.sequences.reader import SequenceSet

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Columns:
    """Columns of outcomes as they stand in a file.

    asked: whether the task was named by the user. sigma: whether standard errors are given.
    """

    records: SequenceSet
    tallies: tuple[Tally, ...]
    asked: bool
    sigma: bool

    @property
    def names(self) -> tuple[str, ...]:
        """Of the outcomes."""
        return tuple(tally.name for tally in self.tallies)


@dataclass(frozen=True, eq=False)
class Values:
    """K outcomes of N sequences as a task reads them: values (N, K), NaN where not measured.

    detail (N, K): what the task must know of each value besides its number, such as the side of a limit; None
    where that is nothing. classes: labels in order.
    """

    values: FloatArray
    detail: FloatArray | None = None
    classes: tuple[str, ...] = ()


class Sided(float):
    """A measured value that is more than its number, such as a limit; ``side`` says what."""

    side: float

    def __new__(cls, value: float, side: float) -> Self:
        """The number, and its side."""
        made = super().__new__(cls, value)
        made.side = side
        return made

    def moved(self, value: float) -> Self:
        """The same of another number."""
        return type(self)(value, self.side)


@dataclass(frozen=True)
class Units:
    """Mean and standard deviation (K,) of training outcomes, by which they are scaled; empty for labels."""

    mean: tuple[float, ...] = ()
    scale: tuple[float, ...] = ()


@dataclass(frozen=True)
class Predictions:
    """mean, sd (N, K) and, for numbers, half_widths (N, K, 3) of the 50, 80 and 95% intervals.

    Numbers: outcome and standard deviation of its error, in the user's units. Binary: probability of 1 and
    standard deviation over the members. Classes: a probability for each class.
    """

    mean: FloatArray
    sd: FloatArray
    half_widths: FloatArray | None


@dataclass(frozen=True, eq=False)
class ScoredRows:
    """Scores (M, N, K) of held-out rows and their values (N, K), and those of rows that stopped a member.

    ``own`` (n, K) are the scores of the one member that has not learned from the row. ``detail`` and
    ``own_detail``: see ``Values``.
    """

    scores: FloatArray
    values: FloatArray
    own: FloatArray
    own_values: FloatArray
    detail: FloatArray | None = None
    own_detail: FloatArray | None = None

    def labels(self) -> tuple[FloatArray, NDArray[np.int64]]:
        """Mean scores (N, K) and labels of the held-out and the other rows together, for classes."""
        mean = np.concatenate([self.scores.mean(axis=0), self.own])
        return mean, np.concatenate([self.values, self.own_values])[:, 0].astype(np.int64)

    def errors(self, k: int) -> Errors:
        """Calibration rows of outcome k of a regression.

        A row that stopped a member has one unseen prediction, whose error is larger than the ensemble's; it
        is shrunk by the ratio of the two that the held-out rows show. The other members have learned from the
        row, so their distance from that prediction is its error itself; a typical spread is taken instead.
        """
        known = ~np.isnan(self.values[:, k])
        scores, measured = self.scores[:, known, k], self.values[known, k]
        mean = scores.mean(axis=0)
        known = ~np.isnan(self.own_values[:, k])
        truth, own = self.own_values[known, k], self.own[known, k]
        spread = scores.std(axis=0)
        single = float(np.square(scores - measured).mean()) if measured.size else 0.0
        ratio = float(np.sqrt(np.square(mean - measured).mean() / single)) if single > 0 else 1.0
        return Errors(
            np.concatenate([measured, own + ratio * (truth - own)]),
            np.concatenate([mean, own]),
            np.concatenate([spread, np.full(len(own), np.median(spread) if len(spread) else 0.0)]),
            len(measured),
        )

    def with_values(self, values: FloatArray, own_values: FloatArray) -> ScoredRows:
        """The same rows with other values."""
        return replace(self, values=values, own_values=own_values)


@dataclass(frozen=True, eq=False)
class Errors:
    """One outcome's calibration rows: measured, mean, spread (n,); the first ``num_held_out`` are fresh."""

    measured: FloatArray
    mean: FloatArray
    spread: FloatArray
    num_held_out: int

    def fit(self, rows: NDArray[np.int64], centre: float, unit: float) -> Conformal:
        """Calibrate by some of the rows."""
        return fit_conformal(
            self.measured[rows], self.mean[rows], self.spread[rows], centre=centre, unit=unit
        )


@dataclass(frozen=True, kw_only=True)
class Judged:
    """What figures are made of: held-out rows, what was predicted for them, and the training values.

    baseline (N, K): scores of ridge regression in standardised units or logits. calibration: that of the
    model where rows of their own made it; empty where the held-out rows did.
    """

    names: tuple[str, ...]
    rows: ScoredRows
    predicted: Predictions
    baseline: FloatArray
    train: FloatArray
    units: Units
    calibration: tuple[Conformal, ...] = ()


@dataclass(frozen=True, kw_only=True)
class OutcomeQuality:
    """Held-out figures of one outcome; None where they do not apply."""

    name: str
    rows: int
    """Held-out sequences with a measured value."""
    straight: float | None = None
    """R2 without the curve through what was measured; None where there is none."""
    rarer: int | None = None
    """Those with the rarer of two values."""
    r2: float | None = None
    spearman: float | None = None
    auroc: float | None = None
    accuracy: float | None = None
    baseline: str = ""
    """What the first figure is compared with."""
    baseline_value: float | None = None
    coverage: tuple[float, ...] | None = None
    """Share of measured values inside the 50, 80 and 95% intervals, made without the row's own fifth."""
    ceiling: NoiseCeiling | None = None
    """How well the means of replicates could be predicted at best; None for single measurements."""
    calibration_error: float | None = None
    """Expected calibration error of the probabilities."""
    others: Mapping[str, float] = field(default_factory=dict)
    """Figures of a task of its own, by name, such as concordance."""
