"""Numbers, some of them known only as limits: below what can be measured (<0.1), or above it (>100).

A limit is no value: taken for one it pulls predictions towards the bound, and left out it takes the worst (or
best) sequences with it. Errors are taken for normal (Tobin 1958). Networks minimise the negative log
likelihood: the density of a value, the probability of a limit. Linear models and Gaussian processes are
fitted by expectation and maximisation: in the place of a limit stands the mean of the normal beyond it,
around what the model says that has not seen the row (Schmee & Hahn 1979; Dempster, Laird & Rubin 1977).

Figures: concordance is the share of pairs in the right order among those whose order is known (Harrell et al.
1982). Intervals are calibrated with draws from the same normal in the place of limits.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, ClassVar

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import UsageError
from seqdesign.metrics.agreement import Agreement, Figures, NumberAgreement
from seqdesign.metrics.concordance import concordance
from seqdesign.metrics.conformal import Conformal
from seqdesign.metrics.regression import spearman
from seqdesign.runs.manifest import UNPREDICTABLE
from seqdesign.sequences.numbers import CellFormat, Tally
from seqdesign.sequences.reader import SequenceSet
from seqdesign.tasks.numbers import AS_LABELS, Numbers, covered, worth_logarithms
from seqdesign.tasks.values import (
    Columns,
    FloatArray,
    Judged,
    OutcomeQuality,
    Predictions,
    ScoredRows,
    Sided,
    Units,
    Values,
)

if TYPE_CHECKING:
    from torch import Tensor

    from seqdesign.tasks.task import TensorPair

BELOW, EXACT, ABOVE = -1.0, 0.0, 1.0
"""Details of a value: the true one lies below the limit, is the value, or lies above it."""
_LIMIT = re.compile(r"(<=|>=|[<>≤≥])\s*(.+)")
NOISE_ROUNDS = 8
"""Rounds in which the standard deviation of a measurement settles, for given predictions."""
LEAST_NOISE = 0.05
"""Least standard deviation of a measurement, in those of the outcome."""
PAIRED = 500
"""Rows between which pairs are counted at most when kinds of model are compared."""
KEPT = 2_000
"""Rows that ``predict`` keeps to count pairs."""
POOR = 0.6
"""Concordance below which hardly anything can be predicted; 0.5 is a coin."""


class Censored(Numbers):
    """Numbers and limits; the detail of a value is its side."""

    name: ClassVar[str] = "censored"
    rank: ClassVar[int] = 40
    logs: ClassVar[str] = "censored-log10"
    about: ClassVar[str] = "numbers, and limits: of >100 it is learned that the true value lies above 100"
    learns_noise: ClassVar[bool] = True
    rounds: ClassVar[int] = 4
    curved: ClassVar[bool] = False
    trial: ClassVar[str] = "order"

    # ------------------------------------------------------------------------------------------ reading

    def claims(self, tallies: Sequence[Tally]) -> bool:
        """Numbers, and nothing beside them but limits."""
        return any(tally.kind == "mixed" for tally in tallies) and all(
            tally.kind in ("numbers", "nothing") or (tally.numbers > 0 and _limits_only(tally))
            for tally in tallies
        )

    def read(self, columns: Columns) -> Values:
        """Numbers and limits. Raises InputError naming all other cells."""
        records = columns.records
        for tally in columns.tallies:
            if tally.kind == "labels" or not _limits_only(tally):
                tally.require_numbers(records.source, labels=AS_LABELS)
        found = [_read(records.columns[name], records.cells) for name in columns.names]
        if columns.sigma and any(side.any() for _, side in found):
            raise UsageError("limits have no standard error; leave it out, or the limits", option="--sigma")
        values, details = (np.stack(parts, axis=1) for parts in zip(*found, strict=True))
        return Values(values, details)

    def says(self, tally: Tally) -> str:
        """What the cells are, and what else could be done with numbers that spread over powers of ten."""
        said = self.counts(tally)
        if powers := worth_logarithms(tally):
            said += f"; over {powers:.1f} powers of ten (--task censored-log10 learns logarithms)"
        return said

    def counts(self, tally: Tally) -> str:
        """Such as ``96 numbers, 24 limits (20 below, 4 above), learned as limits, 2 without``."""
        below, above = (
            sum(count for form, count in tally.forms.items() if form[0] in signs) for signs in ("<≤", ">≥")
        )
        sides = ", ".join(f"{n:,} {word}" for n, word in ((below, "below"), (above, "above")) if n)
        limits = f"{below + above:,} limit{'' if below + above == 1 else 's'}"
        limits += f" ({sides}), learned as limits" if sides else ""
        without = f", {tally.missing:,} without" if tally.missing else ""
        return f"{tally.numbers:,} numbers, {limits}{without}"

    def measured(self, records: SequenceSet, column: str, classes: Sequence[str]) -> list[float]:
        """Numbers, and ``Sided`` for limits."""
        values, sides = _read(records.columns[column], records.cells)
        return [
            Sided(value, side) if side else value
            for value, side in zip(values.tolist(), sides.tolist(), strict=True)
        ]

    def shown(self, value: float, classes: Sequence[str]) -> object:
        """Limits as they were written."""
        return _written(float(value), value.side) if isinstance(value, Sided) else float(value)

    # ----------------------------------------------------------------------------------------- learning

    def complete(self, targets: Tensor, limits: Tensor, fitted: Tensor) -> Tensor:
        """The mean of the normal beyond each limit, around ``fitted``."""
        import torch

        done = targets.clone()
        for k in range(targets.shape[1]):
            known = ~targets[:, k].isnan()
            y, f, side = (t[known, k].double().cpu().numpy() for t in (targets, fitted, limits))
            _, mean, _ = _beyond(y, f, side)
            done[known, k] = torch.from_numpy(mean).to(targets)
        return done

    def noise(self, targets: Tensor, limits: Tensor, fitted: Tensor) -> Tensor:
        """The one at which expectation and maximisation settle."""
        found = []
        for k in range(targets.shape[1]):
            known = ~targets[:, k].isnan()
            y, f, side = (t[known, k].double().cpu().numpy() for t in (targets, fitted, limits))
            found.append(_beyond(y, f, side)[0])
        return targets.new_tensor(found)

    def loss(
        self, raw: Tensor, y: Tensor, detail: Tensor | None, units: TensorPair, noise: Tensor | None
    ) -> Tensor:
        """Negative log likelihood in nats, of standardised outcomes, without the constant."""
        import torch

        assert noise is not None, "a censored outcome learns its noise"
        log_sd = noise.clamp(min=math.log(LEAST_NOISE))
        target = ((y - units[0]) / units[1]).nan_to_num()
        z = (target - raw) * (-log_sd).exp()
        exact = 0.5 * z.square() + log_sd
        if detail is None:
            return exact
        # Below: log P(true < limit) = log Phi(z). Above: log Phi(-z).
        side = detail.expand_as(raw)
        outside = -torch.special.log_ndtr(-side * z)
        return torch.where(side == EXACT, exact, outside)

    # -------------------------------------------------------------------------------------- calibration

    def calibrate(self, rows: ScoredRows, units: Units) -> tuple[tuple[Conformal, ...], float]:
        """As for numbers, with draws in the place of limits."""
        return super().calibrate(_drawn(rows), units)

    def agreement(self) -> Agreement:
        """Concordance, and R2 and Pearson's r of exact values."""
        return LimitAgreement()

    def agreement_of(self, scores: FloatArray, y: FloatArray, detail: FloatArray | None) -> float:
        """Twice the concordance less 1, between rows that stand evenly in the list; 0 is a coin."""
        rows = np.linspace(0, len(y) - 1, min(len(y), PAIRED)).astype(np.int64)
        side = np.zeros(len(y)) if detail is None else detail
        found = concordance(y[rows], scores[rows, 0], side[rows])
        return 0.0 if math.isnan(found) else 2 * found - 1

    def quality(self, judged: Judged) -> list[OutcomeQuality]:
        """Concordance of all rows, Spearman of exact ones, and coverage."""
        return [self._limited(judged, k) for k in range(len(judged.names))]

    def _limited(self, judged: Judged, k: int) -> OutcomeQuality:
        rows = judged.rows
        known = ~np.isnan(rows.values[:, k])
        y, mean = rows.values[known, k], judged.predicted.mean[known, k]
        side = np.zeros(len(y)) if rows.detail is None else rows.detail[known, k]
        exact = side == EXACT
        centre, unit = judged.units.mean[k], judged.units.scale[k]
        calibration = judged.calibration[k] if judged.calibration else None
        rho = spearman(y[exact], mean[exact])
        return OutcomeQuality(
            name=judged.names[k],
            rows=len(y),
            spearman=None if math.isnan(rho) else rho,
            baseline="concordance of ridge regression",
            baseline_value=concordance(y, judged.baseline[known, k], side),
            coverage=covered(_drawn(rows).errors(k), centre, unit, calibration),
            others={"concordance": concordance(y, mean, side), "limits": float((~exact).mean())},
        )

    def doubts(self, one: OutcomeQuality) -> Iterator[str]:
        """Too few pairs in order; Spearman is of exact values."""
        if not (found := one.others["concordance"]) >= POOR:
            yield (
                f"'{one.name}' {UNPREDICTABLE}: of the held-out pairs with a known order {found:.0%} "
                "are in order, and chance gives 50%"
            )

    def held_out(
        self, found: Predictions, values: FloatArray, detail: FloatArray | None
    ) -> tuple[list[list[object]], FloatArray]:
        """Limits as they are written."""
        cells, predicted = super().held_out(found, values, None)
        if detail is not None:
            for i, k in np.argwhere((detail != EXACT) & ~np.isnan(values)).tolist():
                cells[i][k] = _written(values[i, k], detail[i, k])
        return cells, predicted


class LimitAgreement(NumberAgreement):
    """Of numbers and limits: concordance of the first rows, all else of exact values."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[tuple[float, float, float]] = []
        self.num = 0

    def add(self, measured: float, predicted: float) -> None:
        """One more pair; limits are ``Sided``."""
        self.num += 1
        side = measured.side if isinstance(measured, Sided) else EXACT
        if len(self.rows) < KEPT:
            self.rows.append((float(measured), predicted, side))
        if side == EXACT:
            super().add(measured, predicted)

    def figures(self) -> Figures:
        """Concordance, and Pearson's r of exact values; R2 of a part of the range would mislead."""
        exact = super().figures()
        y, f, side = np.array(self.rows).reshape(-1, 3).T
        found = concordance(y, f, side)
        others = {} if math.isnan(found) else {"concordance": found}
        return Figures(self.num, pearson=exact.pearson, others=others)


def _limits_only(tally: Tally) -> bool:
    """Whether all cells that are no numbers are limits."""
    cells = tally.cells
    known = tally.num_strange == sum(tally.forms.values()) and not tally.units_differ
    return known and all(_limit(form, cells) is not None for form in tally.forms)


def _limit(cell: str, cells: CellFormat) -> tuple[float, float] | None:
    """(limit, side) of a cell such as <0.1 or ≥ 3; None for another."""
    match = _LIMIT.fullmatch(cell.strip())
    value = None if match is None else cells.number(match[2])
    if match is None or value is None or math.isnan(value):
        return None
    return value, BELOW if match[1][0] in "<≤" else ABOVE


def _read(texts: Sequence[str], cells: CellFormat) -> tuple[FloatArray, FloatArray]:
    """Values (N,) and sides (N,); NaN for other text."""
    values, sides = np.full(len(texts), np.nan), np.zeros(len(texts))
    for i, text in enumerate(texts):
        number = cells.number(text)
        if number is not None:
            values[i] = number
        elif (found := _limit(text, cells)) is not None:
            values[i], sides[i] = found
    return values, sides


def _written(value: float, side: float) -> str:
    return f"{'<' if side == BELOW else '>'}{value:.15g}"


def _beyond(y: FloatArray, f: FloatArray, side: FloatArray) -> tuple[float, FloatArray, FloatArray]:
    """Standard deviation of a measurement around predictions f (N,), and the mean and variance (N,) of each
    value given its limit; those of exact values are they themselves and 0.
    """
    mean, variance = y.copy(), np.zeros(len(y))
    limits = side != EXACT
    sd = max(float(np.sqrt(np.square(y - f).mean())), LEAST_NOISE) if len(y) else 1.0
    if not limits.any():
        return sd, mean, variance
    from scipy.special import log_ndtr

    for _ in range(NOISE_ROUNDS):
        # For limits above, the same with all signs turned: true < limit becomes -true < -limit.
        a = -side[limits] * (y[limits] - f[limits]) / sd
        hazard = np.exp(-0.5 * a * a - 0.5 * math.log(2 * math.pi) - log_ndtr(a))
        mean[limits] = f[limits] + side[limits] * sd * hazard
        variance[limits] = sd**2 * np.clip(1 - a * hazard - hazard**2, 0.0, 1.0)
        sd = max(float(np.sqrt((np.square(mean - f) + variance).mean())), LEAST_NOISE)
    return sd, mean, variance


def _drawn(rows: ScoredRows) -> ScoredRows:
    """The rows with draws in the place of limits: of the normal beyond each, around the prediction."""
    if rows.detail is None or rows.own_detail is None:
        return rows
    rng = np.random.default_rng(0)
    parts = []
    for values, detail, scores in (
        (rows.values, rows.detail, rows.scores.mean(axis=0)),
        (rows.own_values, rows.own_detail, rows.own),
    ):
        done = values.copy()
        for k in range(values.shape[1]):
            known: NDArray[np.bool_] = ~np.isnan(values[:, k])
            done[known, k] = _draw(values[known, k], scores[known, k], detail[known, k], rng)
        parts.append(done)
    return rows.with_values(*parts)


def _draw(y: FloatArray, f: FloatArray, side: FloatArray, rng: np.random.Generator) -> FloatArray:
    """Values (N,) with draws in the place of limits, by the inverse of the normal's distribution."""
    limits = side != EXACT
    if not limits.any():
        return y
    from scipy.special import log_ndtr, ndtri_exp

    unit = float(y.std()) or 1.0  # the least noise is in standard deviations of the outcome
    sd, _, _ = _beyond(y / unit, f / unit, side)
    sd *= unit
    done = y.copy()
    a = -side[limits] * (y[limits] - f[limits]) / sd
    below = ndtri_exp(np.log1p(-rng.random(int(limits.sum()))) + log_ndtr(a))
    done[limits] = f[limits] - side[limits] * sd * below
    return done


censored = Censored()
