"""What models of this kind can do."""

from __future__ import annotations

from seqdesign.families import Family
from seqdesign.models.gan.drawing import sources
from seqdesign.models.gan.sections import answer, quality_row, sections
from seqdesign.models.gan.store import KIND

FAMILY = Family(
    kind=KIND, made_by="train-gan", sections=sections, answer=answer, quality=quality_row, sources=sources
)
