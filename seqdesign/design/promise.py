"""What can be promised of the mean of a set of designs, by measurements of other sequences.

The judges' errors on rows that they have not learned from are weighted as if these rows were designs
(covariate shift, Shimodaira 2000), and correct the judges' mean (prediction-powered inference, Angelopoulos
et al. 2023). The density ratio is that of a logistic regression of designs against rows on what the judges
predict and how sure they are, so it is assumed that errors depend on a sequence through these two. Designs
that are alike err together, so they count as fewer. Where few rows are like designs the weights explode, and
nothing is promised.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import scipy.optimize
import scipy.stats
from numpy.typing import NDArray

PROBABILITY = 0.9
ENOUGH = 10.0
"""Effective rows from which on a promise is made."""
RIDGE = 0.01
SUGGESTED = 3

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class Promise:
    """``least``: with ``probability``, the mean true score of the designs exceeds it; None: no promise.

    effective: rows that speak for designs such as these. measure: designs whose measurement would tell most.
    """

    probability: float
    least: float | None
    effective: float
    designs: int
    measure: tuple[str, ...]

    def text(self) -> str:
        """One line."""
        rows = f"{self.effective:.0f} measured sequences are like them"
        if self.least is None:
            best = ", ".join(self.measure)
            return f"no promise: not enough evidence, {rows}; most would be learned by measuring {best}"
        return (
            f"promise: the mean of the {self.designs:,} designs exceeds {self.least:.4g} with probability "
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
) -> Promise:
    """From scores of B designs and of n rows by judges that have not learned from them.

    designs, designs_sd (B,), rows, rows_sd (n,): the judges' scores and how unsure they are. true (n,):
    scores of what was measured. draws (S, B): possible scores of the designs. independent: as how many
    designs that have nothing in common they count. B and n are at least 1.
    """
    weights = density_ratio(_features(rows, rows_sd), _features(designs, designs_sd))
    effective = float(weights.sum() ** 2 / np.square(weights).sum())
    order = np.argsort(-draws.std(axis=0), kind="stable")[:SUGGESTED]
    least = None
    if effective >= ENOUGH:
        share = weights / weights.sum()
        error = true - rows
        shift = float(share @ error)
        spread = np.square(error - shift)
        unsure = math.sqrt(float(np.square(share) @ spread) + float(share @ spread) / independent)
        reach = float(scipy.stats.t.ppf(PROBABILITY, max(1.0, effective - 1)))
        # The judges' own doubt about the mean, and what held-out rows say: the lower of the two counts.
        least = min(
            float(designs.mean()) + shift - reach * unsure,
            float(np.quantile(draws.mean(axis=1), 1 - PROBABILITY)),
        )
    return Promise(
        probability=PROBABILITY,
        least=least,
        effective=effective,
        designs=len(designs),
        measure=tuple(ids[i] for i in order),
    )


def _features(score: FloatArray, sd: FloatArray) -> FloatArray:
    return np.stack([score, np.square(score), np.log(np.maximum(sd, 1e-9))], axis=1)


def density_ratio(rows: FloatArray, designs: FloatArray) -> FloatArray:
    """(n,) density of designs (B, F) over that of rows (n, F), at the rows, by logistic regression."""
    both = np.concatenate([rows, designs])
    centre, unit = rows.mean(axis=0), np.maximum(rows.std(axis=0), 1e-9)
    x = np.concatenate([np.ones((len(both), 1)), (both - centre) / unit], axis=1)
    sign = np.concatenate([-np.ones(len(rows)), np.ones(len(designs))])
    # Both sets count alike, whatever their sizes.
    weight = np.concatenate([np.full(len(rows), 0.5 / len(rows)), np.full(len(designs), 0.5 / len(designs))])

    def cost(b: FloatArray) -> tuple[float, FloatArray]:
        margin = sign * (x @ b)
        value = float(weight @ np.logaddexp(0.0, -margin)) + 0.5 * RIDGE * float(b[1:] @ b[1:])
        slope = -(weight * sign / (1 + np.exp(np.clip(margin, -500, 500)))) @ x
        slope[1:] += RIDGE * b[1:]
        return value, slope

    found = scipy.optimize.minimize(cost, np.zeros(x.shape[1]), jac=True, method="L-BFGS-B")
    log_ratio = x[: len(rows)] @ found.x
    return np.exp(log_ratio - log_ratio.max())
