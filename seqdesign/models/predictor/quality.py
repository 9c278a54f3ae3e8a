"""What is measured of a trained predictor on held-out sequences, and what a person should make of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import from_scores
from seqdesign.models.predictor.store import TrainedPredictor
from seqdesign.runs.manifest import UNPREDICTABLE
from seqdesign.tasks.values import FloatArray, Judged, OutcomeQuality, Predictions, ScoredRows

BELIEVABLE_R2, BELIEVABLE_AUROC, BELIEVABLE_RHO = 0.2, 0.7, 0.3
FEW = 100
NETWORKS = ("residual", "motif", "killoran")
"""Kinds that claim to know more than ridge regression."""
NO_BETTER = 0.01
"""Gain of R2 or AUROC over ridge regression that counts for nothing."""


@dataclass(frozen=True, kw_only=True)
class PredictorQuality:
    """How well an ensemble predicts sequences that it has not seen."""

    sequences: int
    outcomes: tuple[OutcomeQuality, ...]
    warnings: tuple[str, ...]


def judge(
    trained: TrainedPredictor,
    rows: ScoredRows,
    baseline: FloatArray,
    train: Outcomes,
    unseen: FloatArray | None = None,
    *,
    apart: bool = False,
    straight: Sequence[float | None],
) -> tuple[PredictorQuality, Predictions]:
    """Figures by the held-out rows, and the predictions for them.

    ``baseline`` (N, K) are the scores of ridge regression in standardised units or logits, ``unseen`` (N,)
    the letters that no training sequence has at their place. apart: whether other rows have calibrated.
    straight (K,): R2 without a curve, None where there is none.
    """
    record = trained.record
    predicted = from_scores(trained, rows.scores, unseen)
    judged = record.head.quality(
        Judged(
            names=record.outcomes,
            rows=rows,
            predicted=predicted,
            baseline=baseline,
            train=train.values,
            units=record.units,
            calibration=record.calibration if apart else (),
        )
    )
    found = [
        replace(one, ceiling=train.noise.get(one.name), straight=before)
        for one, before in zip(judged, straight, strict=True)
    ]
    networks = record.options.architecture in NETWORKS
    warnings = tuple(
        message for one in found for message in (*_warnings(one, networks), *record.head.doubts(one))
    )
    return PredictorQuality(sequences=len(rows.values), outcomes=tuple(found), warnings=warnings), predicted


def _warnings(one: OutcomeQuality, networks: bool) -> list[str]:
    found = []
    if one.rows < FEW:
        found.append(
            f"'{one.name}' was judged by {one.rows} sequences only: every figure above is a rough one"
        )
    if one.r2 is not None and not one.r2 >= BELIEVABLE_R2 and not (one.spearman or 0) > BELIEVABLE_RHO:
        share = f"{one.r2:.0%}" if one.r2 > 0 else "nothing"
        found.append(
            f"'{one.name}' {UNPREDICTABLE}: {share} of the held-out variance is explained; more or "
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
            f"'{one.name}' {UNPREDICTABLE}: AUROC {one.auroc:.2f}, where 0.5 is a coin; more data "
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
