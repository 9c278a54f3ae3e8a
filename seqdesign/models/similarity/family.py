"""What models of this kind can do."""

from __future__ import annotations

from pathlib import Path

import torch

from seqdesign.families import Family
from seqdesign.models.similarity.rows import SimilarityRows
from seqdesign.models.similarity.sections import answer, quality_row, sections
from seqdesign.models.similarity.store import KIND, load_similarity


def _rows(folder: Path, device: torch.device) -> SimilarityRows:
    return SimilarityRows(load_similarity(folder, device))


FAMILY = Family(
    kind=KIND,
    made_by="train-similarity",
    used_by=("predict", "revise --min-similarity"),
    load=load_similarity,
    rows=_rows,
    sections=sections,
    answer=answer,
    quality=quality_row,
)
