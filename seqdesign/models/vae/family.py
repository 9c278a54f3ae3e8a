"""What models of this kind can do."""

from __future__ import annotations

from pathlib import Path

import torch

from seqdesign.families import Family
from seqdesign.models.vae.design import generator_of
from seqdesign.models.vae.drawing import sources
from seqdesign.models.vae.rows import VAERows
from seqdesign.models.vae.sections import answer, quality_row, sections
from seqdesign.models.vae.store import KIND, load_vae


def _rows(folder: Path, device: torch.device) -> VAERows:
    return VAERows(load_vae(folder, device))


FAMILY = Family(
    kind=KIND,
    made_by="train-vae",
    used_by=("sample", "sample-vae", "revise", "interpolate", "predict", "evaluate", "maximize"),
    load=load_vae,
    generator=generator_of,
    rows=_rows,
    sections=sections,
    answer=answer,
    quality=quality_row,
    sources=sources,
)
