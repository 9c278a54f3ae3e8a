"""The options that state hard constraints; importing this module loads no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar

from seqdesign.config import Between, Options
from seqdesign.constraints.positions import POSITIONS


@dataclass(frozen=True, kw_only=True)
class LetterRules(Options):
    """What a sequence must obey whatever it was made from."""

    PANEL: ClassVar[str] = "Goal and constraints"

    template: str | None = None
    """What may stand where: letters and IUPAC codes, as long as a design, such as NNGAATTCNN."""
    forbid: tuple[str, ...] = ()
    """Pattern with IUPAC codes, or restriction enzyme such as BsaI, that must not occur, on either strand of
    DNA and RNA; may be given several times."""
    gc: str | None = None
    """Share of G and C in a design, such as 0.4-0.6."""
    gc_window: tuple[str, ...] = ()
    """Share of G and C in every window of so many letters, such as 50:0.3-0.7; may be given several times."""
    max_homopolymer: str | None = None
    """Longest run of one letter, such as 5, or for single letters too: 5,G:4."""


@dataclass(frozen=True, kw_only=True)
class ConstraintOptions(LetterRules):
    """What every design must obey."""

    PANEL: ClassVar[str] = "Goal and constraints"

    max_edits: Annotated[int | None, Between(1)] = None
    """Substitutions, insertions and deletions that are permitted."""
    keep: str | None = None
    """Positions of the input that must not change, such as 5-12,30 (the first is 1)."""
    translate: tuple[str, ...] = ()
    """First and last position of a reading frame whose protein must stay, such as 4-303; 303-4 is the minus
    strand. May be given several times."""
    codon_table: Annotated[int, Between(1)] = 1
    """Genetic code of --translate, by its NCBI number."""
    min_distance: Annotated[int | None, Between(1)] = None
    """Edits between any two designs at least."""

    def problems(self) -> Iterator[str]:
        """Positions that can be read, and a genetic code that is used."""
        if self.keep is not None and not POSITIONS.fullmatch(self.keep):
            yield f"--keep: must be positions such as 5-12,30, got {self.keep!r}"
        if self.codon_table != 1 and not self.translate:
            yield "--codon-table: has no effect without --translate; leave it out"
