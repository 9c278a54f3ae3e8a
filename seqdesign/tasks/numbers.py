"""Outcomes that are numbers in the user's units, with calibrated intervals."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from seqdesign.metrics.agreement import Agreement, NumberAgreement
from seqdesign.metrics.conformal import LEVELS, Conformal
from seqdesign.metrics.regression import r2, spearman
from seqdesign.sequences.numbers import FEWEST, NEAR_POWERS, Tally, over_powers, powers_of_ten
from seqdesign.sequences.reader import SequenceSet
from seqdesign.tasks.task import Task
from seqdesign.tasks.values import (
    Columns,
    Errors,
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

    from seqdesign.tasks.task import Linear, TensorPair

AS_LABELS = "add --task classes"
"""How to learn labels from a column that looks like numbers in part."""
MANY = 1.3
"""Powers of ten from which on logarithms are worth a thought."""
CROSS = 5
"""Parts of the held-out rows; each is judged by intervals that the others made."""


def worth_logarithms(tally: Tally) -> float:
    """Powers of ten over which the numbers spread, where their logarithms are worth a thought, else 0."""
    powers = powers_of_ten(tally.logs)
    far = tally.numbers >= FEWEST and powers >= MANY
    return powers if far and over_powers(tally.plain, tally.logs, NEAR_POWERS) else 0.0


class Numbers(Task):
    """Numbers: standardised, learned by squared error, predicted with conformal intervals."""

    about: ClassVar[str] = "numbers"
    curved: ClassVar[bool] = True

    def claims(self, tallies: Sequence[Tally]) -> bool:
        """Numbers, or nothing."""
        return all(tally.kind in ("numbers", "nothing") for tally in tallies)

    def read(self, columns: Columns) -> Values:
        """Raises InputError naming all cells that are no numbers."""
        records = columns.records
        for tally in columns.tallies:
            tally.require_numbers(records.source, labels=AS_LABELS)
        return Values(np.stack([records.numbers(name) for name in columns.names], axis=1))

    def measured(self, records: SequenceSet, column: str, classes: Sequence[str]) -> list[float]:
        """The numbers of the column."""
        return records.readable(column).tolist()

    def units(self, values: FloatArray) -> Units:
        """Their mean and standard deviation."""
        return Units(tuple(np.nanmean(values, axis=0).tolist()), tuple(np.nanstd(values, axis=0).tolist()))

    def targets(self, y: Tensor, mean: Tensor, scale: Tensor, num_scores: int) -> Tensor:
        """Standardised outcomes."""
        return (y - mean) / scale

    def link(self, raw: Tensor, mean: Tensor, scale: Tensor, temperature: Tensor) -> Tensor:
        """The user's units."""
        return mean + scale * raw

    def loss(
        self, raw: Tensor, y: Tensor, detail: Tensor | None, units: TensorPair, noise: Tensor | None
    ) -> Tensor:
        """Squared error of standardised outcomes."""
        target = (y - units[0]) / units[1]
        return (raw - target.nan_to_num()).square()

    def linear_losses(self, fitted: Tensor, y: Tensor, weight: Tensor, mean: Tensor) -> Linear:
        """One, the squared error; a linear fit is a score as it is."""
        loss = float(((fitted - y).square().mean(1) * weight).mean())
        yield loss, 1.0, mean.new_zeros(mean.shape)

    def calibrate(self, rows: ScoredRows, units: Units) -> tuple[tuple[Conformal, ...], float]:
        """A scale and quantiles for each outcome."""
        found = []
        for k, (centre, unit) in enumerate(zip(units.mean, units.scale, strict=True)):
            errors = rows.errors(k)
            found.append(errors.fit(np.arange(len(errors.mean)), centre, unit))
        return tuple(found), 1.0

    def predictions(
        self, scores: FloatArray, calibration: Sequence[Conformal], unseen: FloatArray | None
    ) -> Predictions:
        """Means with standard deviations and intervals."""
        mean, spread = scores.mean(axis=0), scores.std(axis=0)
        columns = [(c, mean[:, k], spread[:, k]) for k, c in enumerate(calibration)]
        sd = np.stack([c.sd(m, s, unseen) for c, m, s in columns], axis=1)
        half = np.stack([c.half_widths(m, s, unseen) for c, m, s in columns], axis=1)
        return Predictions(mean, sd, half)

    def columns(self, classes: Sequence[str]) -> list[str]:
        """Mean, standard deviation, and the ends of the intervals."""
        ends = [f"{end}_{round(100 * level)}" for level in LEVELS for end in ("low", "high")]
        return ["mean", "sd", *ends]

    def cells(self, found: Predictions, row: int, k: int, classes: Sequence[str]) -> dict[str, Any]:
        """The same of one row."""
        values = [float(found.mean[row, k]), float(found.sd[row, k])]
        if found.half_widths is not None:
            for half in found.half_widths[row, k].tolist():
                values += [values[0] - half, values[0] + half]
        return dict(zip(self.columns(classes), values, strict=True))

    def agreement(self) -> Agreement:
        """R2 and Pearson's r."""
        return NumberAgreement()

    def agreement_of(self, scores: FloatArray, y: FloatArray, detail: FloatArray | None) -> float:
        """Pearson's correlation, 0 where there is none."""
        return correlation(scores[:, 0], y)

    def quality(self, judged: Judged) -> list[OutcomeQuality]:
        """R2, Spearman and coverage, beside ridge regression."""
        return [self._one(judged, k) for k in range(len(judged.names))]

    def _one(self, judged: Judged, k: int) -> OutcomeQuality:
        errors = judged.rows.errors(k)
        centre, unit = judged.units.mean[k], judged.units.scale[k]
        n = errors.num_held_out
        measured, mean = errors.measured[:n], errors.mean[:n]
        known = ~np.isnan(judged.rows.values[:, k])
        return OutcomeQuality(
            name=judged.names[k],
            rows=n,
            r2=r2(measured, mean),
            spearman=spearman(measured, mean),
            baseline="R2 of ridge regression",
            baseline_value=r2(measured, centre + unit * judged.baseline[known, k]),
            coverage=covered(errors, centre, unit, judged.calibration[k] if judged.calibration else None),
        )


def correlation(first: FloatArray, y: FloatArray) -> float:
    """Pearson's correlation of (N,) scores and measured values, or 0."""
    if first.std() < 1e-9 * max(1.0, abs(float(first.mean()))) or y.std() == 0:
        return 0.0
    return float(np.corrcoef(first, y)[0, 1])


def covered(errors: Errors, centre: float, unit: float, fitted: Conformal | None = None) -> tuple[float, ...]:
    """Share of held-out values inside intervals: those of ``fitted``, which other rows have made, or else
    intervals made without their own fifth of the held-out rows.
    """
    n = errors.num_held_out
    if fitted is not None:
        half = fitted.half_widths(errors.mean[:n], errors.spread[:n])
        within = np.abs(errors.measured[:n] - errors.mean[:n])[:, None] <= half
        return tuple(map(float, within.mean(axis=0)))
    part = np.full(len(errors.mean), -1)
    part[:n] = np.random.default_rng(0).permutation(n) % CROSS
    inside = np.zeros((n, len(LEVELS)))
    for i in range(CROSS):
        mine = np.flatnonzero(part == i)
        if not len(mine) or len(mine) == len(part):
            continue
        found = errors.fit(np.flatnonzero(part != i), centre, unit)
        half = found.half_widths(errors.mean[mine], errors.spread[mine])
        inside[mine] = np.abs(errors.measured[mine] - errors.mean[mine])[:, None] <= half
    return tuple(map(float, inside.mean(axis=0)))
