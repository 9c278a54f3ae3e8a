"""The HTML page of a trained predictor: held-out predictions, calibration and training curves."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdesign.models.predictor.sections import sections
from seqdesign.reports.html import Page
from seqdesign.runs.manifest import Manifest, provenance
from seqdesign.runs.progress import phase

if TYPE_CHECKING:
    from seqdesign.models.predictor.fit import PredictorTraining
    from seqdesign.models.predictor.outcomes import Outcomes

HELD_OUT_COLUMNS = ("id", "outcome", "measured", "predicted")


@phase("writing the page")
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


def held_out_rows(
    training: PredictorTraining, outcomes: Outcomes, ids: Sequence[str]
) -> Iterator[dict[str, Any]]:
    """Measured and predicted values of held-out sequences, one row for each value.

    With classes: whether the most probable class was right, and its probability. ``outcomes`` and ``ids`` are
    those of all sequences.
    """
    record = training.trained.record
    predicted = training.predicted.mean
    values = outcomes.values[training.held_out]
    if record.task == "classes":
        right = (predicted.argmax(axis=1) == values[:, 0]).astype(np.float64)
        values, predicted = right[:, None], predicted.max(axis=1)[:, None]
    for i, row in enumerate(training.held_out.tolist()):
        for k, name in enumerate(record.outcomes):
            if not np.isnan(values[i, k]):
                numbers = {"measured": float(values[i, k]), "predicted": float(predicted[i, k])}
                yield {"id": ids[row], "outcome": name, **numbers}
