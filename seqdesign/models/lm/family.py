"""What models of this kind can do."""

from __future__ import annotations

from pathlib import Path

import torch

from seqdesign.families import Family
from seqdesign.models.lm.design import generator_of
from seqdesign.models.lm.drawing import sources
from seqdesign.models.lm.rows import LMRows
from seqdesign.models.lm.sections import answer, quality_row, sections
from seqdesign.models.lm.store import KIND, load_lm


def _rows(folder: Path, device: torch.device) -> LMRows:
    return LMRows(load_lm(folder, device))


FAMILY = Family(
    kind=KIND,
    made_by="train-lm",
    used_by=("sample", "predict", "maximize --generator"),
    load=load_lm,
    generator=generator_of,
    rows=_rows,
    sections=sections,
    answer=answer,
    quality=quality_row,
    sources=sources,
)
