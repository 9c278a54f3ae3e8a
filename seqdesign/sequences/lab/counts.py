"""Counts of sequencing reads before and after selection: log enrichment with standard errors.

After Rubin et al. 2017 (Enrich2; Genome Biology 18:150): half a read is added to each count, the variance of
a logarithm is that of a Poisson count, and rounds lie on a line fitted by weighted least squares. Other than
there, logarithms of counts have one more variance, the same for all, as much as replicates differ and rounds
leave their lines beyond what counting says (found as in Paule & Mandel 1982, Journal of Research of the
National Bureau of Standards 87:377).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdesign.sequences.lab.replicates import NoiseCeiling, offsets

FloatArray = NDArray[np.float64]

PSEUDO = 0.5
"""Added to each count."""
ENOUGH, ROWS = 10, 20
"""Reads in every round, and such records, that it takes to say how replicates differ: logarithms of fewer
reads are no normal variables, and records that are gone agree too well."""
HALVINGS = 60
"""Of the interval in which the variance beyond counting lies."""


@dataclass(frozen=True, eq=False)
class Enriched:
    """Log enrichment, standard errors and replicates of N records, each (N,); NaN, NaN and 0 without reads.

    Values are natural logarithms, from the first round to the last, up to a constant of all records.
    """

    values: FloatArray
    stderr: FloatArray
    replicates: NDArray[np.int64]
    noise: NoiseCeiling | None


def enrichment(counts: Sequence[FloatArray]) -> Enriched:
    """Log enrichment of N records from the counts (T, N) of each replicate, T >= 2 rounds of selection.

    A record without any read in a replicate takes no part in it. Replicates are brought to one level, and
    precise ones count more. Standard errors leave out what all records share.
    """
    extra = _extra(counts)
    found = [_lines(table, extra) for table in counts]
    values = np.stack([slope for slope, _, _ in found])
    known = np.stack([table.any(axis=0) for table in counts])
    values = np.where(known, values - _levels(values, known), 0)
    seen = known.sum(axis=0)
    precision = np.where(known, 1 / np.stack([variance for _, variance, _ in found]), 0)
    with np.errstate(invalid="ignore", divide="ignore"):
        means = (values * precision).sum(axis=0) / precision.sum(axis=0)
        errors = np.where(seen > 0, np.sqrt(1 / precision.sum(axis=0)), np.nan)
    reads = int(sum(table.sum() for table in counts))
    return Enriched(means, errors, seen.astype(np.int64), _noise(means, errors, seen, reads))


def _lines(counts: FloatArray, extra: float) -> tuple[FloatArray, FloatArray, FloatArray]:
    """A line through the log shares of each record (T, N) by the weights of rounds, from 0 to 1.

    Returns the slopes (N,), their variances (N,), and residuals (T, N) in standard deviations.
    """
    logs = np.log(counts + PSEUDO) - np.log(counts.sum(axis=1, keepdims=True) + PSEUDO)
    weight = 1 / (1 / (counts + PSEUDO) + extra)
    total = weight.sum(axis=0)
    time = np.linspace(0, 1, len(counts))[:, None]
    time = time - (weight * time).sum(axis=0) / total
    spread = (weight * time**2).sum(axis=0)
    slope = (weight * time * logs).sum(axis=0) / spread
    rest = logs - (weight * logs).sum(axis=0) / total - slope * time
    bend = (weight * rest).sum(axis=1, keepdims=True) / weight.sum(axis=1, keepdims=True)
    return slope, 1 / spread, (rest - bend) * np.sqrt(weight)


def _levels(values: FloatArray, known: NDArray[np.bool_]) -> FloatArray:
    """What each replicate adds to all its records (R, 1), around zero."""
    if len(values) == 1:
        return np.zeros((1, 1))
    place, owner = np.nonzero(known)
    each = np.zeros(len(values))
    each[place] = offsets(values[known], owner, place, known.sum(axis=0))
    return (each - each.mean())[:, None]


def _extra(counts: Sequence[FloatArray]) -> float:
    """Variance of a log count beyond that of counting: with it, replicates differ and rounds leave their line
    as much as expected. 0 where neither says anything.
    """
    rich = np.all([(table >= ENOUGH).all(axis=0) for table in counts], axis=0)
    rows = int(rich.sum())
    freedom = sum(len(table) - 2 for table in counts) + len(counts) - 1
    if rows < ROWS or not freedom:
        return 0.0
    some = [table[:, rich] for table in counts]

    def excess(extra: float) -> float:
        found = [_lines(table, extra) for table in some]
        squares = sum(float(np.square(rest).sum()) for _, _, rest in found)
        slopes = np.stack([slope for slope, _, _ in found])
        slopes = slopes - slopes.mean(axis=1, keepdims=True)
        weight = 1 / np.stack([variance for _, variance, _ in found])
        mean = (slopes * weight).sum(axis=0) / weight.sum(axis=0)
        return squares + float((weight * np.square(slopes - mean)).sum()) - freedom * (rows - 1)

    low, high = 0.0, 1.0
    if excess(low) <= 0:
        return 0.0
    while excess(high) > 0:
        high *= 2
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        low, high = (middle, high) if excess(middle) > 0 else (low, middle)
    return high


def _noise(means: FloatArray, errors: FloatArray, seen: NDArray[np.int64], reads: int) -> NoiseCeiling | None:
    measured = seen > 0
    total = float(np.var(means[measured], ddof=1)) if measured.sum() > 1 else 0.0
    if total <= 0:
        return None
    noise = float(np.square(errors[measured]).mean())
    return NoiseCeiling(
        records=int(measured.sum()),
        values=reads,
        repeated=int((seen > 1).sum()),
        spread=float(np.sqrt(noise)),
        reliability=min(1.0, max(0.0, 1 - noise / total)),
        counted=True,
    )
