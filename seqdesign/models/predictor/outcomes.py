"""Columns of text as outcomes to learn: numbers, two values, or labels, with the weight of each value."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import cast

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError, UsageError
from seqdesign.models.predictor.config import Task
from seqdesign.sequences.lab.replicates import NoiseCeiling
from seqdesign.sequences.layout import stderr_column
from seqdesign.sequences.numbers import MAX_LABELS, Tally
from seqdesign.sequences.reader import SequenceSet
from seqdesign.training.precision import check_precision
from seqdesign.training.splitting import MIN_SEQUENCES

AS_LABELS = "add --task classes"
"""How to learn labels from a column that looks like numbers in part."""
LARGEST = 1e15
"""Largest standard error or weight: its square must leave room in 32-bit numbers."""
REPEATED = 0.5
"""Different labels may be this share of the labelled rows at most; else they are names, not classes."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Outcomes:
    """K outcomes of N sequences.

    values (N, K): numbers in the user's units, 0 and 1 for ``binary``, or, as (N, 1), places in ``classes``;
    NaN is not measured. sigma (N, K): standard errors or NaN, None where none were given. weights (N,).
    """

    names: tuple[str, ...]
    task: Task
    values: FloatArray
    weights: FloatArray
    sigma: FloatArray | None = None
    classes: tuple[str, ...] = ()
    """Labels in order; of a binary outcome those of 0 and 1, empty where its values are 0 and 1."""
    said: tuple[str, ...] = ()
    """What each column was found to hold, in words."""
    noise: Mapping[str, NoiseCeiling] = field(default_factory=dict)
    """Outcome -> how well it could be predicted at best, where it is the mean of replicates."""

    def __len__(self) -> int:
        return len(self.values)

    def take(self, rows: NDArray[np.int64]) -> Outcomes:
        """The chosen rows."""
        sigma = None if self.sigma is None else self.sigma[rows]
        return replace(self, values=self.values[rows], weights=self.weights[rows], sigma=sigma)

    def first(self) -> Outcomes:
        """The first outcome alone."""
        sigma = None if self.sigma is None else self.sigma[:, :1]
        return replace(self, names=self.names[:1], values=self.values[:, :1], sigma=sigma)

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

    Means of replicates bring their standard errors along, which serve as ``sigma`` where none is named.

    What a column holds is decided from all its cells: numbers, or labels where none is a number. Raises
    InputError for a column that is neither, naming the cells, and for values that the task cannot have;
    UsageError for a task that the columns exclude.
    """
    if sigma and len(sigma) != len(names):
        raise UsageError(
            f"one column for each outcome is needed: {len(names)} outcomes, {len(sigma)} given",
            option="--sigma",
        )
    sigma = sigma or _standard_errors(records, names)
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
        raise InputError("a standard error must be at least 0", path=records.source, record=records.ids[row])
    scales = {} if errors is None else dict(zip(sigma, errors.T, strict=True))
    for name, column in (scales | ({} if weight is None else {weight: weights})).items():
        if (top := float(np.nanmax(column, initial=0.0))) > LARGEST:
            raise InputError(
                f"'{name}' goes up to {top:.3g}, too large; change its unit", path=records.source
            )
    tallies = [_tally(records, name) for name in names]
    said = tuple(f"{tally.name}: {tally.says()}" for tally in tallies)
    labelled = [tally.kind == "labels" for tally in tallies]
    if task == "classes" or (task != "regression" and len(names) == 1 and labelled[0]):
        return replace(_labels(records, names, task, weights, errors), said=said)
    values = np.stack([_numbers(records, tally) for tally in tallies], axis=1)
    known = [np.unique(column[~np.isnan(column)]) for column in values.T]
    zero_one = all(set(levels.tolist()) <= {0.0, 1.0} for levels in known)
    classes: tuple[str, ...] = ()
    if task == "binary" and not zero_one:
        values, classes = _as_zero_one(values, known, names, records.source)
    for name, column in zip(names, values.T, strict=True):
        check_precision(column, name)
    chosen: Task = "binary" if task == "binary" or (task == "auto" and zero_one) else "regression"
    return Outcomes(tuple(names), chosen, values, weights, errors, classes, said, records.noise)


def _standard_errors(records: SequenceSet, names: Sequence[str]) -> tuple[str, ...]:
    """The columns of standard errors that averaged records have; none unless every outcome has one."""
    found = tuple(stderr_column(name, names) for name in names)
    return (
        found
        if all(
            one in records.columns and name in records.noise for one, name in zip(found, names, strict=True)
        )
        else ()
    )


def _tally(records: SequenceSet, name: str) -> Tally:
    tally = Tally(name, records.cells)
    tally.add(records.columns[name], records.line_numbers(), records.ids)
    return tally


def _numbers(records: SequenceSet, tally: Tally) -> FloatArray:
    """A column as numbers. Raises InputError naming all cells that are none."""
    tally.require_numbers(records.source, labels=AS_LABELS)
    return records.numbers(tally.name)


def _labels(
    records: SequenceSet, names: Sequence[str], task: str, weights: FloatArray, sigma: FloatArray | None
) -> Outcomes:
    """Text labels, in alphabetical order; two of them are a binary outcome, the later one is 1."""
    if len(names) > 1:
        raise UsageError(f"labels are learned from one column, got {', '.join(names)}", option="--outcome")
    if sigma is not None:
        raise UsageError("labels have no standard error; leave it out", option="--sigma")
    missing = records.cells.is_missing
    cells = ["" if missing(cell) else cell.strip() for cell in records.columns[names[0]]]
    labels = sorted(set(cells) - {""})
    num_known = sum(cell != "" for cell in cells)
    if task == "binary" and len(labels) != 2:
        raise InputError(
            f"'{names[0]}' has {len(labels)} labels, a binary outcome has 2", path=records.source
        )
    if not 2 <= len(labels) <= MAX_LABELS:
        raise InputError(
            f"'{names[0]}' has {len(labels)} different labels, between 2 and {MAX_LABELS} can be learned",
            path=records.source,
        )
    if task != "classes" and num_known >= MIN_SEQUENCES and len(labels) > max(2, REPEATED * num_known):
        raise InputError(
            f"'{names[0]}' has {len(labels)} different labels in {num_known} records, so most occur once, "
            f"such as '{labels[0]}'; name another column with --outcome, or {AS_LABELS}",
            path=records.source,
        )
    place = {label: float(i) for i, label in enumerate(labels)}
    values = np.array([[place.get(cell, np.nan)] for cell in cells])
    binary = len(labels) == 2 and task != "classes"
    return Outcomes(tuple(names), "binary" if binary else "classes", values, weights, classes=tuple(labels))


def _as_zero_one(
    values: FloatArray, known: list[FloatArray], names: Sequence[str], source: str
) -> tuple[FloatArray, tuple[str, ...]]:
    """Two values as 0 (the smaller) and 1, and how they are written where there is one outcome."""
    for name, levels in zip(names, known, strict=True):
        if len(levels) != 2:
            raise InputError(
                f"'{name}' has {len(levels)} different values, a binary outcome has 2", path=source
            )
    high = np.array([levels[1] for levels in known])
    classes = tuple(f"{level:g}" for level in known[0]) if len(known) == 1 else ()
    return np.where(np.isnan(values), np.nan, (values == high).astype(np.float64)), classes


def _median(column: FloatArray) -> float:
    found = column[~np.isnan(column)]
    return max(float(np.median(found)), 1e-12) if len(found) else 1.0
