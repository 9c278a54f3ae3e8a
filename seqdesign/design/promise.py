"""What can be promised of the mean of a set of designs, by measurements of other sequences.

The judges' errors on rows that they have not learned from are weighted as if these rows were designs
(covariate shift, Shimodaira 2000), and correct the judges' mean (prediction-powered inference, Angelopoulos
et al. 2023). The weights are the least uneven ones with which rows are like the designs on average in what
the judges predict and how sure they are (entropy balancing, Hainmueller 2012), so it is assumed that errors
depend on a sequence through these two. Designs that are alike err together, so they count as fewer.

Where few rows are like designs the weights explode. Then the judges' own lower bounds are promised, which end
where rows bear them out (``judging/link.py``), and nothing if these are no better than what the designs are
compared with.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.optimize
from numpy.typing import NDArray
from scipy.special import stdtrit

from seqdesign.objectives.reading import Reading

PROBABILITY = 0.9
ENOUGH = 10.0
"""Effective rows from which on their errors decide."""
RIDGE = 1e-4
SUGGESTED = 3
UNLIKE = 0.2
"""Standard deviations between weighted rows and designs from which on they are not alike."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Promise:
    """``least``: with ``probability``, the mean true score of the designs exceeds it; None: not enough
    evidence for any gain. bounds: the mean of the designs' lower bounds by the judges.

    effective: rows that speak for designs such as these; alike: whether they are enough, so that their errors
    decide. measure: designs whose measurement would tell most.
    """

    probability: float
    least: float | None
    bounds: float
    effective: float
    alike: bool
    designs: int
    measure: tuple[str, ...]

    def text(self, reading: Reading) -> str:
        """One line, as the scores are read."""
        if self.least is None:
            best = ", ".join(self.measure)
            return f"no promise: not enough evidence for a gain; most would be learned by measuring {best}"
        why = f"{self.effective:.0f} measured sequences are like them"
        if not self.alike:
            why = "by the judges' lower bounds; few measured sequences are like them"
        return (
            f"promise: {reading.promised(self.designs, reading.value(self.least))} with probability "
            f"{self.probability:g} ({why})"
        )


def promise(
    designs: FloatArray,
    designs_sd: FloatArray,
    rows: FloatArray,
    rows_sd: FloatArray,
    true: FloatArray,
    bounds: FloatArray,
    unsure: FloatArray,
    ids: Sequence[str],
    *,
    independent: float,
    start: float,
    headline: float,
) -> Promise:
    """From scores of B designs and of n rows by judges that have not learned from them.

    designs, designs_sd (B,), rows, rows_sd (n,): the judges' scores and how unsure they are. true (n,):
    scores of what was measured. bounds (B,): what nine in ten of the scores that the judges think possible
    exceed; unsure (B,): the spread of these. independent: as how many designs that have nothing in common
    they count. start: the mean score of what they are compared with; headline: theirs. B and n are at least
    1.
    """
    weights = balanced(_features(rows, rows_sd), _features(designs, designs_sd))
    effective = float(weights.sum() ** 2 / np.square(weights).sum())
    alike = effective >= ENOUGH
    lowest = least = float(bounds.mean())
    if alike:
        share = weights / weights.sum()
        error = true - rows
        shift = float(share @ error)
        spread = np.square(error - shift)
        doubt = math.sqrt(float(np.square(share) @ spread) + float(share @ spread) / independent)
        reach = float(stdtrit(max(1.0, effective - 1), PROBABILITY))
        least = min(float(designs.mean()) + shift - reach * doubt, headline)
    order = np.argsort(-unsure, kind="stable")[:SUGGESTED]
    return Promise(
        probability=PROBABILITY,
        least=least if least > start else None,
        bounds=lowest,
        effective=effective,
        alike=alike,
        designs=len(designs),
        measure=tuple(ids[i] for i in order),
    )


def _features(score: FloatArray, sd: FloatArray) -> FloatArray:
    return np.stack([score, np.log(np.maximum(sd, 1e-9))], axis=1)


def balanced(rows: FloatArray, designs: FloatArray) -> FloatArray:
    """Weights (n,) of rows (n, F) whose weighted mean is that of the designs (B, F): exp(b . features).

    All but one are 0 where no such weights exist.
    """
    centre, unit = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-9)
    x = (rows - centre) / unit
    aim = (designs.mean(axis=0) - centre) / unit

    def weights(b: FloatArray) -> FloatArray:
        power = x @ b
        return np.exp(power - power.max())

    def cost(b: FloatArray) -> tuple[float, FloatArray]:
        power = (x - aim) @ b
        top = float(power.max())
        w = np.exp(power - top)
        value = top + float(np.log(w.sum())) + 0.5 * RIDGE * float(b @ b)
        return value, (w / w.sum()) @ (x - aim) + RIDGE * b

    found = weights(scipy.optimize.minimize(cost, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B").x)
    if np.abs(found @ (x - aim) / found.sum()).max() > UNLIKE:
        found = np.zeros(len(x))
        found[int(np.square(x - aim).sum(axis=1).argmin())] = 1.0
    return found
