"""The HTML page of a trained predictor: held-out predictions, calibration and training curves."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from seqdesign.commands._provenance import provenance
from seqdesign.metrics.conformal import LEVELS
from seqdesign.metrics.probabilities import calibration_curve
from seqdesign.reports.html import Figure, Page
from seqdesign.reports.plots import line_chart, predicted_measured
from seqdesign.rundir import Manifest

if TYPE_CHECKING:
    from seqdesign.training.outcomes import Outcomes
    from seqdesign.training.predictor import PredictorTraining


def predictor_page(result: PredictorTraining, outcomes: Outcomes, manifest: Manifest) -> Page:
    """The page that ``train-predictor`` writes beside the model."""
    record, quality = result.trained.record, result.quality
    page = Page(
        "Outcome predictor",
        summary=f"{', '.join(record.outcomes)} ({record.task}), judged by {quality.sequences:,} held-out "
        f"sequences. {' '.join(w + '.' for w in quality.warnings)}",
        provenance=provenance(manifest),
    )
    values = outcomes.values[result.held_out]
    figures = []
    for k, one in enumerate(quality.outcomes):
        predicted = result.predicted.mean[:, k]
        if record.task == "regression" and one.coverage is not None:
            known = ~np.isnan(values[:, k])
            figures += [
                Figure(
                    predicted_measured(values[known, k], predicted[known], title=one.name, unit=one.name),
                    "Held-out sequences; the dashed line is equality.",
                ),
                _reliability(
                    np.array(LEVELS), np.array(one.coverage), f"{one.name}: intervals", "promised", "covered"
                ),
            ]
        else:
            right = values[:, k if record.task == "binary" else 0]
            if record.task == "classes":
                predicted = result.predicted.mean.max(axis=1)
                right = (result.predicted.mean.argmax(axis=1) == right).astype(np.float64)
            known = ~np.isnan(right)
            said, found, _ = calibration_curve(predicted[known], right[known])
            figures.append(_reliability(said, found, f"{one.name}: probabilities", "predicted", "observed"))
    page.section("Held-out predictions", figures=figures)
    history = result.fit.state.history
    if history:
        steps = [row["epoch"] for row in history]
        curves = {
            name: (steps, [row[f"{part}_ensemble_loss"] for row in history])
            for name, part in (("training", "train"), ("each network's own part", "held_out"))
        }
        page.section(
            "Training",
            figures=[
                Figure(
                    line_chart(curves, title="Loss", x_label="pass", y_label="mean loss of the networks"),
                    "Each network keeps the weights of its best pass.",
                )
            ],
        )
    return page


def _reliability(said: np.ndarray, found: np.ndarray, title: str, x: str, y: str) -> Figure:
    ends = np.array([0.0, 1.0])
    curves = {"equality": (ends, ends), y: (said, found)}
    return Figure(
        line_chart(curves, title=title, x_label=f"{x} share", y_label=f"{y} share", markers=True),
        "Held-out sequences; on the line of equality a promise is kept.",
    )
