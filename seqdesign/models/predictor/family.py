"""What models of this kind can do."""

from __future__ import annotations

from pathlib import Path

import torch

from seqdesign.families import Family
from seqdesign.models.predictor.rows import PredictorRows
from seqdesign.models.predictor.sections import answer, quality_row, sections
from seqdesign.models.predictor.store import KIND, load_predictor, load_reference


def _rows(folder: Path, device: torch.device) -> PredictorRows:
    return PredictorRows(load_predictor(folder, device), load_reference(folder))


FAMILY = Family(
    kind=KIND,
    made_by="train-predictor",
    used_by=("predict", "maximize", "attribute", "evaluate", "revise --judge", "sample --guide", "propose"),
    rows=_rows,
    sections=sections,
    answer=answer,
    quality=quality_row,
)
