"""The HTML page of a trained predictor: held-out predictions, calibration and training curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from seqdesign.models.predictor.sections import sections
from seqdesign.reports.html import Page
from seqdesign.runs.manifest import Manifest, provenance

if TYPE_CHECKING:
    from seqdesign.models.predictor.fit import PredictorTraining

HELD_OUT_COLUMNS = ("id", "outcome", "measured", "predicted")


def predictor_page(folder: Path, result: Mapping[str, Any], manifest: Manifest) -> Page:
    """The page that ``train-predictor`` writes beside the model; ``result`` is what ``--json`` prints."""
    quality = result["quality"]
    page = Page(
        "Outcome predictor",
        summary=f"{', '.join(result['outcomes'])} ({result['task']}), judged by {quality['sequences']:,} "
        "held-out sequences.",
        provenance=provenance(manifest),
    )
    page.warnings(quality["warnings"])
    sections(page, folder, result)
    return page


def held_out_rows(training: PredictorTraining, ids: Sequence[str]) -> Iterator[dict[str, Any]]:
    """Measured and predicted values of held-out sequences, one row for each value.

    With classes: whether the most probable class was right, and its probability. ``outcomes`` and ``ids`` are
    those of all sequences.
    """
    record, rows, outcomes = training.trained.record, training.held_out, training.outcomes
    detail = None if outcomes.detail is None else outcomes.detail[rows]
    measured, predicted = record.head.held_out(training.predicted, outcomes.values[rows], detail)
    for i, row in enumerate(rows.tolist()):
        for k, name in enumerate(record.outcomes):
            if (cell := measured[i][k]) is not None:
                told = {"measured": cell, "predicted": float(predicted[i, k])}
                yield {"id": ids[row], "outcome": name, **told}
