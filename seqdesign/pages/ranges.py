"""The range of what was measured, from the training data that a model's folder keeps."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from seqdesign.errors import ModelError
from seqdesign.training.measured import load_measured


def measured_range(folder: Path | None, *outcomes: str) -> dict[str, tuple[float, float]]:
    """Least and largest training value of each outcome of a model; nothing where that is not known.

    outcomes: their names in the order of the model.
    """
    try:
        known = None if folder is None else load_measured(folder)
    except ModelError:
        return {}
    if known is None:
        return {}
    found = {}
    for name, values in zip(outcomes, known.values.T, strict=False):
        finite = values[np.isfinite(values)]
        if finite.size:
            found[name] = (float(finite.min()), float(finite.max()))
    return found
