"""A monotone curve through measured values against predictions, where they clearly bend.

What is measured is often a monotone function of what adds up: fluorescence, binding with a floor and a
ceiling (global epistasis, Otwinowski et al. 2018; Tareen et al. 2022). The slope of the curve is linear
between knots at quantiles of the predictions and never less than a small part of the straight line's, so that
the curve is smooth and keeps every order. Differences of slopes at neighbouring knots are held by a penalty:
with a large one the curve is the straight line (P-splines, Eilers & Marx 1996; non-negative least squares).

Shapes: n rows, P knots.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

QUANTILES = (0.0, 0.02, 0.05, 0.1, 0.2, 0.35, 0.5, 0.65, 0.8, 0.9, 0.95, 0.98, 1.0)
"""Of predictions, where knots may be: near the ends, where outcomes have floors and ceilings, more."""
ROWS_PER_KNOT = 15
"""Rows between two knots at least."""
FEWEST = 40
"""Rows by which a curve can be told from a line."""
FOLDS = 10
PENALTIES = (0.1, 0.3, 1.0, 3.0, 10.0, 30.0, 100.0, 1e4)
LEAST = 0.02
"""Least slope, as a share of the straight line's."""
CLEAR, WORTH = 2.0, 0.02
"""By how many standard errors squared errors of rows that the curve has not seen must be smaller than those
of the straight line, and by what share of these: of many rows any bend is significant."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True)
class Curve:
    """Its ``values`` and ``slopes`` at P increasing ``knots``, between which slopes are linear, and its
    slopes ``below`` and ``above`` all knots.
    """

    knots: tuple[float, ...]
    values: tuple[float, ...]
    slopes: tuple[float, ...]
    below: float
    above: float

    def __post_init__(self) -> None:
        """Raise ValueError for numbers that are no rising curve."""
        sizes = {len(self.knots), len(self.values), len(self.slopes)}
        every = (*self.knots, *self.values, *self.slopes, self.below, self.above)
        if len(sizes) > 1 or len(self.knots) < 2 or not np.isfinite(every).all():
            raise ValueError("a curve needs at least two knots, and a finite value and slope at each")
        if min(np.diff(self.knots)) <= 0 or min(*self.slopes, self.below, self.above) <= 0:
            raise ValueError("a curve has increasing knots and positive slopes")

    @classmethod
    def of(cls, record: Mapping[str, Any]) -> Curve:
        """From its fields as arrays or lists, as a model's folder has them. Raises KeyError, TypeError or
        ValueError for a record of another make.
        """

        def numbers(values: Sequence[Any]) -> tuple[float, ...]:
            return tuple(map(float, values))

        knots, values, slopes = (numbers(record[name]) for name in ("knots", "values", "slopes"))
        return cls(knots, values, slopes, float(record["below"]), float(record["above"]))

    def __call__(self, x: FloatArray) -> FloatArray:
        """Of predictions (...)."""
        knots, values, slopes = (np.array(part) for part in (self.knots, self.values, self.slopes))
        widths = np.diff(knots)
        place = np.clip(np.searchsorted(knots, x, side="right") - 1, 0, len(widths) - 1)
        inside = np.clip(x, knots[0], knots[-1])
        along = inside - knots[place]
        bend = (slopes[place + 1] - slopes[place]) / (2 * widths[place])
        found: FloatArray = values[place] + along * (slopes[place] + bend * along)
        return found + np.where(x < knots[0], self.below, self.above) * (x - inside)


@dataclass(frozen=True, eq=False)
class Bent:
    """A curve, and what each row's value (n,) is expected to be by a curve that has not seen it."""

    curve: Curve
    unseen: FloatArray


def fit_monotone(
    x: FloatArray, y: FloatArray, weights: FloatArray, groups: NDArray[np.int64], *, seed: int = 0
) -> Bent | None:
    """From predictions (n,) of rows that these were not learned from, and what was measured (n,).

    weights (n,): how much each row counts. groups (n,): rows of one are left out together. None where rows
    are few, do not rise, or do not clearly bend.
    """
    fold = _folds(groups, seed)
    knots = _knots(x)
    if len(x) < FEWEST or len(knots) < 3 or fold.max() < 1:
        return None
    rows = np.column_stack([np.ones(len(x)), _basis(x, knots), y])
    parts = np.stack([_moments(rows[fold == k], weights[fold == k]) for k in range(fold.max() + 1)])
    total = parts.sum(0)
    if _line(total, knots)[1] <= 0:
        return None
    straight, bent = np.zeros(len(x)), np.zeros(len(x))
    for k, part in enumerate(parts):
        left, others = total - part, np.delete(parts, k, 0)
        mine = fold == k
        offset, slope = _line(left, knots)
        straight[mine] = offset + slope * (x[mine] - knots[0])
        bent[mine] = rows[mine, :-1] @ _coefficients(left, _penalty(others, knots), knots)
    better = np.square(y - straight) - np.square(y - bent)
    share = weights / weights.sum()
    line, gain = float(share @ np.square(y - straight)), float(share @ better)
    error = float(np.sqrt(np.square(share * (better - gain)).sum()))
    if gain < max(CLEAR * error, WORTH * line):
        return None
    return Bent(_curve(_coefficients(total, _penalty(parts, knots), knots), knots), bent)


def _folds(groups: NDArray[np.int64], seed: int) -> NDArray[np.int64]:
    """(n,) the part of each row; whole groups."""
    _, labels = np.unique(groups, return_inverse=True)
    order = np.random.default_rng([seed, 61]).permutation(labels.max() + 1)
    found: NDArray[np.int64] = order[labels] % FOLDS
    return found


def _knots(x: FloatArray) -> FloatArray:
    """Quantiles of predictions (n,) from the least to the largest, enough rows apart."""
    apart, at = ROWS_PER_KNOT / len(x), [0.0]
    for quantile in QUANTILES[1:-1]:
        if quantile - at[-1] >= apart and 1 - quantile >= apart:
            at.append(quantile)
    knots = np.quantile(x, [*at, 1.0])
    kept = np.diff(knots, prepend=-np.inf) > 1e-6 * (knots[-1] - knots[0])
    found: FloatArray = knots[kept]
    return found


def _basis(x: FloatArray, knots: FloatArray) -> FloatArray:
    """(n, P): integrals, from the first knot on, of slopes that are 1 at one knot and 0 at all others."""
    widths = np.diff(knots)
    along = np.clip(x[:, None] - knots[:-1], 0, widths)
    rising = np.square(along) / (2 * widths)
    found = np.zeros((len(x), len(knots)))
    found[:, :-1] += along - rising
    found[:, 1:] += rising
    found[:, 0] += np.minimum(x - knots[0], 0)
    found[:, -1] += np.maximum(x - knots[-1], 0)
    return found


def _moments(rows: FloatArray, weights: FloatArray) -> FloatArray:
    """(P + 2, P + 2): weighted products of columns: a constant, the basis, and what was measured."""
    return rows.T @ (rows * weights[:, None])


def _line(moments: FloatArray, knots: FloatArray) -> tuple[float, float]:
    """Value at the first knot and slope of the straight line: all slopes are the same."""
    # The sum of the basis is the distance from the first knot.
    summed = np.zeros((3, len(moments)))
    summed[0, 0] = summed[2, -1] = 1.0
    summed[1, 1:-1] = 1.0
    m = summed @ moments @ summed.T
    spread = m[1, 1] - m[0, 1] ** 2 / m[0, 0]
    slope = (m[1, 2] - m[0, 1] * m[0, 2] / m[0, 0]) / spread if spread > 0 else 0.0
    return float((m[0, 2] - slope * m[0, 1]) / m[0, 0]), float(slope)


def _coefficients(moments: FloatArray, penalty: float, knots: FloatArray) -> FloatArray:
    """(P + 1,): the value at the first knot, and slopes."""
    import scipy.optimize  # slow to import, and few need a curve

    around = moments - np.outer(moments[0], moments[0]) / moments[0, 0]
    gram, pull = around[1:-1, 1:-1], around[1:-1, -1]
    steps = np.diff(np.eye(len(knots)), axis=0)
    least = LEAST * max(_line(moments, knots)[1], 0.0)
    size = np.trace(gram) / len(knots)
    held = gram + penalty * size * steps.T @ steps + 1e-9 * size * np.eye(len(knots))
    root = np.linalg.cholesky(held).T
    target = np.linalg.solve(root.T, pull - held @ np.full(len(knots), least))
    slopes = least + scipy.optimize.nnls(root, target)[0]
    offset = (moments[0, -1] - moments[0, 1:-1] @ slopes) / moments[0, 0]
    return np.concatenate([[offset], slopes])


def _penalty(parts: FloatArray, knots: FloatArray) -> float:
    """The largest of ``PENALTIES`` with which curves say as well as with any what part of the rows they have
    not seen: within one standard error of the best.
    """
    total = parts.sum(0)
    costs = np.zeros((len(PENALTIES), len(parts)))
    for i, penalty in enumerate(PENALTIES):
        for k, part in enumerate(parts):
            found = np.append(-_coefficients(total - part, penalty, knots), 1.0)
            costs[i, k] = found @ part @ found
    more = costs - costs[costs.sum(1).argmin()]
    near = more.sum(1) <= more.std(1, ddof=1) * np.sqrt(len(parts))
    return max(penalty for penalty, good in zip(PENALTIES, near, strict=True) if good)


def _curve(coefficients: FloatArray, knots: FloatArray) -> Curve:
    """Beyond all rows it rises no more than at its ends, nor than predictions themselves do."""
    slopes = np.maximum(coefficients[1:], 1e-9)
    rises = np.diff(knots) * (slopes[1:] + slopes[:-1]) / 2
    values = coefficients[0] + np.concatenate([[0.0], np.cumsum(rises)])
    ends = {"below": min(slopes[0], 1.0), "above": min(slopes[-1], 1.0)}
    return Curve.of({"knots": knots, "values": values, "slopes": slopes, **ends})
