"""What models of this kind can do."""

from __future__ import annotations

from seqdesign.families import Family
from seqdesign.models.gan.design import generator_of
from seqdesign.models.gan.drawing import sources
from seqdesign.models.gan.sections import answer, quality_row, sections
from seqdesign.models.gan.store import KIND, load_gan

FAMILY = Family(
    kind=KIND,
    made_by="train-gan",
    used_by=("sample", "sample-gan", "maximize --generator"),
    load=load_gan,
    generator=generator_of,
    sections=sections,
    answer=answer,
    quality=quality_row,
    sources=sources,
)
