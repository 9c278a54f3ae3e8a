"""What models of this kind can do."""

from __future__ import annotations

from seqdesign.families import Family
from seqdesign.models.translate.sections import answer, quality_row, sections
from seqdesign.models.translate.store import KIND, load_translator

FAMILY = Family(
    kind=KIND,
    made_by="train-translate",
    used_by=("translate",),
    load=load_translator,
    sections=sections,
    answer=answer,
    quality=quality_row,
)
