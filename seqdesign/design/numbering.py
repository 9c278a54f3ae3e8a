"""Designs in the language of the laboratory: named by their mutations, edits by its numbers."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import Field, replace
from typing import Any, ClassVar, Protocol, TypeVar

from seqdesign.design.records import Design
from seqdesign.metrics.edits import WILD_TYPE, renumbered, variant_name
from seqdesign.sequences.lab.chains import Joined
from seqdesign.sequences.lab.variants import Numbering


class Edited(Protocol):
    """A record of a design, with fields ``first_position`` and ``variant`` besides."""

    __dataclass_fields__: ClassVar[dict[str, Field[Any]]]

    @property
    def id(self) -> str:
        """Its name."""
        ...

    @property
    def edit_list(self) -> str | None:
        """Edits in the numbers that begin with 1."""
        ...


EditedT = TypeVar("EditedT", bound=Edited)


def spoken(
    designs: Sequence[EditedT], numbering: Numbering, text_of: Callable[[EditedT], str]
) -> list[EditedT]:
    """The same designs, with edits in the numbers of ``numbering``, which begin with 1 before.

    With a wild type each says its changes against it (``variant``) and is called by them; a name that is
    taken already gets ``_2`` and so on, and what has more than ten changes, or none, keeps its name.
    """
    taken: dict[str, int] = {}
    found = []
    for design in designs:
        listed = design.edit_list
        if listed and numbering.first != 1:
            design = replace(design, edit_list=",".join(renumbered(listed.split(","), numbering.first)))
        if numbering.first != 1:
            design = replace(design, first_position=numbering.first)
        if numbering.wild_type:
            name = variant_name(text_of(design), numbering.wild_type, numbering.first)
            design = replace(design, variant=name or None)
            if name and name != WILD_TYPE:
                taken[name] = taken.get(name, 0) + 1
                design = replace(design, id=f"{name}_{taken[name]}" if taken[name] > 1 else name)
        found.append(design)
    return found


def in_parts(designs: Sequence[Design], joined: Joined | None) -> list[Design]:
    """The same designs, each also cut into the columns that its sequence was joined from."""
    if joined is None:
        return list(designs)
    whole = ("",) * len(joined.columns)
    cut = (joined.cut(design.sequence) or whole for design in designs)
    parts = (dict(zip(joined.columns, texts, strict=True)) for texts in cut)
    return [replace(design, parts=one) for design, one in zip(designs, parts, strict=True)]
