"""What is measured of a trained predictor on held-out sequences, and what a person should make of it."""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numpy.typing import NDArray

from seqdesign.metrics.conformal import LEVELS
from seqdesign.metrics.probabilities import calibration_error
from seqdesign.metrics.regression import auroc, r2, spearman
from seqdesign.models.predictor.calibration import CalibrationRows, Errors, errors_of
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import Predictions, from_scores
from seqdesign.models.predictor.store import TrainedPredictor
from seqdesign.sequences.lab.replicates import NoiseCeiling

CROSS = 5
BELIEVABLE_R2, BELIEVABLE_AUROC, BELIEVABLE_RHO = 0.2, 0.7, 0.3
FEW = 100
NETWORKS = ("residual", "motif", "killoran")
"""Kinds that claim to know more than ridge regression."""
NO_BETTER = 0.01
"""Gain of R2 or AUROC over ridge regression that counts for nothing."""

FloatArray = NDArray[np.float64]


@dataclass(frozen=True, kw_only=True)
class OutcomeQuality:
    """Held-out figures of one outcome; None where they do not apply."""

    name: str
    rows: int
    """Held-out sequences with a measured value."""
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


@dataclass(frozen=True, kw_only=True)
class PredictorQuality:
    """How well an ensemble predicts sequences that it has not seen."""

    sequences: int
    outcomes: tuple[OutcomeQuality, ...]
    warnings: tuple[str, ...]


def judge(
    trained: TrainedPredictor,
    rows: CalibrationRows,
    baseline: FloatArray,
    train: Outcomes,
    unseen: FloatArray | None = None,
) -> tuple[PredictorQuality, Predictions]:
    """Figures by the held-out rows, and the predictions for them.

    ``baseline`` (N, K) are the scores of ridge regression in standardised units or logits, ``unseen`` (N,)
    the letters that no training sequence has at their place.
    """
    record = trained.record
    predicted = from_scores(trained, rows.scores, unseen)
    if record.task == "classes":
        found = [_classes(trained, rows, predicted, train)]
    elif record.task == "binary":
        found = [
            _binary(name, rows.values[:, k], predicted.mean[:, k], baseline[:, k])
            for k, name in enumerate(record.outcomes)
        ]
    else:
        found = [
            replace(_regression(trained, rows, baseline, k), ceiling=train.noise.get(name))
            for k, name in enumerate(record.outcomes)
        ]
    networks = record.options.architecture in NETWORKS
    warnings = tuple(message for one in found for message in _warnings(one, networks))
    return PredictorQuality(sequences=len(rows.values), outcomes=tuple(found), warnings=warnings), predicted


def _regression(
    trained: TrainedPredictor, rows: CalibrationRows, baseline: FloatArray, k: int
) -> OutcomeQuality:
    record = trained.record
    errors = errors_of(rows, k)
    centre, unit = record.outcome_mean[k], record.outcome_scale[k]
    n = errors.num_held_out
    measured, mean = errors.measured[:n], errors.mean[:n]
    known = ~np.isnan(rows.values[:, k])
    return OutcomeQuality(
        name=record.outcomes[k],
        rows=n,
        r2=r2(measured, mean),
        spearman=spearman(measured, mean),
        baseline="R2 of ridge regression",
        baseline_value=r2(measured, centre + unit * baseline[known, k]),
        coverage=cross_coverage(errors, centre, unit),
    )


def cross_coverage(errors: Errors, centre: float, unit: float) -> tuple[float, ...]:
    """Share of held-out values inside intervals made without their own fifth of the held-out rows."""
    n = errors.num_held_out
    part = np.full(len(errors.mean), -1)
    part[:n] = np.random.default_rng(0).permutation(n) % CROSS
    inside = np.zeros((n, len(LEVELS)))
    for i in range(CROSS):
        mine = np.flatnonzero(part == i)
        if not len(mine) or len(mine) == len(part):
            continue
        fitted = errors.fit(np.flatnonzero(part != i), centre, unit)
        half = fitted.half_widths(errors.mean[mine], errors.spread[mine])
        inside[mine] = np.abs(errors.measured[mine] - errors.mean[mine])[:, None] <= half
    return tuple(map(float, inside.mean(axis=0)))


def _binary(name: str, values: FloatArray, probability: FloatArray, baseline: FloatArray) -> OutcomeQuality:
    known = ~np.isnan(values)
    labels, p = values[known], probability[known]
    return OutcomeQuality(
        name=name,
        rows=int(known.sum()),
        auroc=auroc(labels, p),
        accuracy=float(((p > 0.5) == labels).mean()),
        spearman=spearman(labels, p),
        baseline="AUROC of ridge regression",
        baseline_value=auroc(labels, baseline[known]),
        calibration_error=calibration_error(p, labels),
    )


def _classes(
    trained: TrainedPredictor, rows: CalibrationRows, predicted: Predictions, train: Outcomes
) -> OutcomeQuality:
    labels = rows.values[:, 0].astype(np.int64)
    right = (predicted.mean.argmax(axis=1) == labels).astype(np.float64)
    common = np.bincount(train.values[:, 0].astype(np.int64)).argmax()
    return OutcomeQuality(
        name=trained.record.outcomes[0],
        rows=len(labels),
        accuracy=float(right.mean()),
        baseline="accuracy of the most common class",
        baseline_value=float((labels == common).mean()),
        calibration_error=calibration_error(predicted.mean.max(axis=1), right),
    )


def _warnings(one: OutcomeQuality, networks: bool) -> list[str]:
    found = []
    if one.rows < FEW:
        found.append(
            f"'{one.name}' was judged by {one.rows} sequences only: every figure above is a rough one"
        )
    if one.r2 is not None and not one.r2 >= BELIEVABLE_R2 and not (one.spearman or 0) > BELIEVABLE_RHO:
        share = f"{one.r2:.0%}" if one.r2 > 0 else "nothing"
        found.append(
            f"'{one.name}' can hardly be predicted: {share} of the held-out variance is explained; more or "
            "less noisy data are needed before designs by this model mean anything"
        )
    figure = one.r2 if one.r2 is not None else one.auroc
    if (
        networks
        and figure is not None
        and one.baseline_value is not None
        and figure < one.baseline_value + NO_BETTER
    ):
        name = "R2" if one.r2 is not None else "AUROC"
        found.append(
            f"'{one.name}' is predicted no better than by ridge regression ({name} {figure:.3f} and "
            f"{one.baseline_value:.3f}): nothing shows that the networks know more than single letters"
        )
    if one.auroc is not None and not one.auroc >= BELIEVABLE_AUROC:
        found.append(
            f"'{one.name}' can hardly be predicted: AUROC {one.auroc:.2f}, where 0.5 is a coin; more data "
            "are needed before designs by this model mean anything"
        )
    if (
        one.r2 is None
        and one.auroc is None
        and one.accuracy is not None
        and one.baseline_value is not None
        and one.accuracy <= one.baseline_value
    ):
        found.append(f"'{one.name}': always naming the most common class would be as good")
    return found
