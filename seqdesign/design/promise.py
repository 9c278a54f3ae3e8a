"""What can be promised of the mean of a set of designs, by measurements of other sequences.

The judges' errors on rows that they have not learned from are weighted as if these rows were designs
(covariate shift, Shimodaira 2000), and correct the judges' mean (prediction-powered inference, Angelopoulos
et al. 2023). The weights are the least uneven ones with which rows are like the designs on average in what
the judges predict and how sure they are (entropy balancing, Hainmueller 2012), so it is assumed that errors
depend on a sequence through these two. Designs that are alike err together, so they count as fewer. Where few
rows are like designs the weights explode, and nothing is promised.
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
"""Effective rows from which on a promise is made."""
RIDGE = 1e-4
SUGGESTED = 3
UNLIKE = 0.2
"""Standard deviations between weighted rows and designs from which on they are not alike."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Promise:
    """``least``: with ``probability``, the mean true score of the designs exceeds it; None: not enough
    evidence for that. judges: the same by the judges alone, which is a promise only where they have shown
    that they can go beyond the rows that they learn from, ``tested``; elsewhere it was broken more often than
    that (``benchmarks/design/guard.py``).

    effective: rows that speak for designs such as these. measure: designs whose measurement would tell most.
    """

    probability: float
    least: float | None
    judges: float
    effective: float
    designs: int
    measure: tuple[str, ...]
    tested: bool = False

    def text(self, reading: Reading) -> str:
        """One line, as the scores are read."""
        rows = f"{self.effective:.0f} measured sequences are like them"
        if self.tested:
            rows = "the best measured sequences, hidden from the judges, were as these predicted"
        if self.least is None:
            best = ", ".join(self.measure)
            return f"no promise: not enough evidence, {rows}; most would be learned by measuring {best}"
        return (
            f"promise: {reading.promised(self.designs, reading.value(self.least))} with probability "
            f"{self.probability:g} ({rows})"
        )


def promise(
    designs: FloatArray,
    designs_sd: FloatArray,
    rows: FloatArray,
    rows_sd: FloatArray,
    true: FloatArray,
    draws: FloatArray,
    ids: Sequence[str],
    *,
    independent: float,
    tested: bool = False,
    headline: float = math.inf,
) -> Promise:
    """From scores of B designs and of n rows by judges that have not learned from them.

    designs, designs_sd (B,), rows, rows_sd (n,): the judges' scores and how unsure they are. true (n,):
    scores of what was measured. draws (S, B): possible scores of the designs. independent: as how many
    designs that have nothing in common they count. tested: whether the judges may go beyond the rows; not
    further than the mean headline of the designs then. B and n are at least 1.
    """
    weights = balanced(_features(rows, rows_sd), _features(designs, designs_sd))
    effective = float(weights.sum() ** 2 / np.square(weights).sum())
    order = np.argsort(-draws.std(axis=0), kind="stable")[:SUGGESTED]
    least, alone = None, float(np.quantile(draws.mean(axis=1), 1 - PROBABILITY))
    if effective >= ENOUGH:
        share = weights / weights.sum()
        error = true - rows
        shift = float(share @ error)
        spread = np.square(error - shift)
        unsure = math.sqrt(float(np.square(share) @ spread) + float(share @ spread) / independent)
        reach = float(stdtrit(max(1.0, effective - 1), PROBABILITY))
        # The judges' own doubt about the mean, and what held-out rows say: the lower of the two counts.
        least = min(float(designs.mean()) + shift - reach * unsure, alone)
    by_test = tested and least is None
    return Promise(
        tested=by_test,
        probability=PROBABILITY,
        least=min(alone, headline) if by_test else least,
        judges=alone,
        effective=effective,
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
