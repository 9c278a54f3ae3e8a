"""Columns of text as outcomes to learn: numbers, two values, or labels, with the weight of each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError, UsageError
from seqdesign.models.predictor.logarithms import better_by_logarithms
from seqdesign.sequences.lab.replicates import NoiseCeiling
from seqdesign.sequences.layout import stderr_column
from seqdesign.sequences.numbers import Tally
from seqdesign.sequences.reader import SequenceSet
from seqdesign.tasks.by_name import AUTO, get_task, task_of
from seqdesign.tasks.task import Task
from seqdesign.tasks.values import Columns, Values
from seqdesign.training.precision import check_precision

LARGEST = 1e15
"""Largest standard error or weight: its square must leave room in 32-bit numbers."""

FloatArray = NDArray[np.float64]
ENOUGH = 2.5
"""Replicates of a record, on average, from which their standard errors weigh it."""


@dataclass(frozen=True, eq=False)
class Outcomes:
    """K outcomes of N sequences.

    values (N, K): numbers in the user's units, 0 and 1 for ``binary``, or, as (N, 1), places in ``classes``;
    NaN is not measured. sigma (N, K): standard errors or NaN, None where none were given. weights (N,).
    """

    names: tuple[str, ...]
    task: str
    values: FloatArray
    weights: FloatArray
    sigma: FloatArray | None = None
    classes: tuple[str, ...] = ()
    """Labels in order; of a binary outcome those of 0 and 1, empty where its values are 0 and 1."""
    said: tuple[str, ...] = ()
    """What each column was found to hold, in words."""
    noise: Mapping[str, NoiseCeiling] = field(default_factory=dict)
    """Outcome -> how well it could be predicted at best, where it is the mean of replicates."""
    detail: FloatArray | None = None
    """(N, K): what the task knows of each value besides its number, such as the side of a limit."""

    def __len__(self) -> int:
        return len(self.values)

    @property
    def kind(self) -> Task:
        """The task as an object."""
        return get_task(self.task)

    def take(self, rows: NDArray[np.int64]) -> Outcomes:
        """The chosen rows."""
        sigma = None if self.sigma is None else self.sigma[rows]
        detail = None if self.detail is None else self.detail[rows]
        return replace(self, values=self.values[rows], weights=self.weights[rows], sigma=sigma, detail=detail)

    def first(self) -> Outcomes:
        """The first outcome alone."""
        sigma = None if self.sigma is None else self.sigma[:, :1]
        detail = None if self.detail is None else self.detail[:, :1]
        return replace(self, names=self.names[:1], values=self.values[:, :1], sigma=sigma, detail=detail)

    def precision(self) -> FloatArray:
        """(N, K): what each value counts, 0 where it was not measured, on average 1 for each outcome.

        With standard errors it is 1 / (sigma^2 + median sigma^2): the median stands for what no network
        explains, so that a few very precise values do not rule. A value without one counts as the median.
        """
        known = ~np.isnan(self.values)
        weight = known.astype(np.float64)
        if self.sigma is not None:
            squares = np.square(self.sigma)
            floor = np.array([_median(column) for column in squares.T])
            weight = known / (np.where(np.isnan(squares), floor, squares) + floor)
        return weight / np.maximum(weight.sum(axis=0) / np.maximum(known.sum(axis=0), 1), 1e-300)


def read_outcomes(
    records: SequenceSet,
    names: Sequence[str],
    *,
    task: str = "auto",
    sigma: Sequence[str] = (),
    weight: str | None = None,
) -> Outcomes:
    """Outcomes from the columns of ``records``; ``sigma`` is as many columns as ``names``, or none.

    Means of replicates bring their standard errors along, which serve as ``sigma`` where none is named and
    records have about three values each: the spread of two says too little
    (``benchmarks/predictors/replicates.py``). So do counts of reads.

    What a column holds is decided from all its cells: numbers, or labels where none is a number. Numbers
    that letters order clearly better by their logarithms are learned as such, unless a task is named. Raises
    InputError for a column that is neither, naming the cells, and for values that the task cannot have;
    UsageError for a task that the columns exclude.
    """
    if twice := next((name for name in names if list(names).count(name) > 1), None):
        raise UsageError(f"names '{twice}' twice", option="--outcome")
    if sigma and len(sigma) != len(names):
        raise UsageError(
            f"one column for each outcome is needed: {len(names)} outcomes, {len(sigma)} given",
            option="--sigma",
        )
    errors, weights = _reliability(records, sigma or _standard_errors(records, names), weight)
    tallies = tuple(_tally(records, name) for name in names)
    chosen = task_of(task, tallies)
    found = chosen.read(Columns(records, tallies, asked=task != AUTO, sigma=errors is not None))
    _check_precision(chosen, found, names)
    better = better_by_logarithms(records.sequences, found.values) if task == AUTO and chosen.logs else None
    if better is not None:
        chosen = get_task(chosen.logs)
        found = chosen.read(Columns(records, tallies, asked=False, sigma=errors is not None))
        _check_precision(chosen, found, names)
    errors = None if errors is None else chosen.spread(errors, found.values)
    told = ""
    if better is not None:
        rho, plain = better
        told = (
            f"; ridge regression orders rows better by them (rho {rho:.2f}) than by the numbers ({plain:.2f})"
        )
    said = tuple(f"{tally.name}: {chosen.says(tally)}{told}" for tally in tallies)
    return Outcomes(
        tuple(map(chosen.called, names)),
        chosen.name,
        found.values,
        weights,
        errors,
        found.classes,
        said,
        records.noise,
        found.detail,
    )


def _check_precision(task: Task, found: Values, names: Sequence[str]) -> None:
    """Raise InputError for numbers that 32 bits cannot tell apart."""
    if task.ordered and not found.classes:
        for name, column in zip(names, found.values.T, strict=True):
            check_precision(column, name)


def _reliability(
    records: SequenceSet, sigma: Sequence[str], weight: str | None
) -> tuple[FloatArray | None, FloatArray]:
    """Standard errors (N, K), None without, and weights (N,). Raises InputError for impossible ones."""
    weights = np.ones(len(records)) if weight is None else records.numbers(weight)
    if (weights < 0).any() or np.isnan(weights).any():
        row = int((~(weights >= 0)).argmax())
        raise InputError(
            f"'{weight}' must be a number of at least 0, got {records.columns[cast(str, weight)][row]!r}",
            path=records.source,
            record=records.ids[row],
        )
    errors = np.stack([records.numbers(name) for name in sigma], axis=1) if sigma else None
    if errors is not None and (errors < 0).any():
        row = int((errors < 0).any(axis=1).argmax())
        raise InputError(
            f"a standard error must be at least 0, got {errors[row].min():g}",
            path=records.source,
            record=records.ids[row],
        )
    scales = {} if errors is None else dict(zip(sigma, errors.T, strict=True))
    for name, column in (scales | ({} if weight is None else {weight: weights})).items():
        if (top := float(np.nanmax(column, initial=0.0))) > LARGEST:
            raise InputError(
                f"'{name}' goes up to {top:.3g}, too large; change its unit", path=records.source
            )
    return errors, weights


def _standard_errors(records: SequenceSet, names: Sequence[str]) -> tuple[str, ...]:
    """The columns of standard errors that averaged records have; none where they tell too little."""
    found = tuple(stderr_column(name, names) for name in names)
    noise = [records.noise.get(name) for name in names]
    there = all(one in records.columns for one in found)
    telling = all(one is not None and (one.counted or one.values >= ENOUGH * one.records) for one in noise)
    return found if there and telling else ()


def _tally(records: SequenceSet, name: str) -> Tally:
    tally = Tally(name, records.cells)
    tally.add(records.columns[name], records.line_numbers(), records.ids)
    return tally


def _median(column: FloatArray) -> float:
    found = column[~np.isnan(column)]
    return max(float(np.median(found)), 1e-12) if len(found) else 1.0
