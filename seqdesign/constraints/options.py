"""The options that state hard constraints; importing this module loads no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Options
from seqdesign.constraints.positions import LOCAL, POSITIONS


@dataclass(frozen=True, kw_only=True)
class LetterRules(Options):
    """What a sequence must obey whatever it was made from."""

    PANEL: ClassVar[str] = "Goal and constraints"

    template: str | None = None
    """Letters allowed at each position, as letters and IUPAC codes, as long as a design, such as NNGAATTCNN.
    """
    allow: str | None = None
    """Letters allowed at some positions, such as 34:AKR,40-45:-CP; -CP is all but C and P."""
    forbid: tuple[str, ...] = ()
    """Pattern with IUPAC codes, or restriction enzyme such as BsaI, that must not occur, on either strand of
    DNA and RNA; may be given several times."""
    gc: str | None = None
    """GC content of a design, such as 0.4-0.6."""
    gc_window: tuple[str, ...] = ()
    """GC content of every window of a given length, such as 50:0.3-0.7 for 50 letters; may be given several
    times."""
    gc_difference: str | None = None
    """Largest difference in GC content between any two windows, such as 50:0.52 for windows of 50 letters."""
    max_homopolymer: str | None = None
    """Longest run of one letter that is allowed, such as 5; 5,G:4 allows only 4 of G."""
    repeat: Annotated[int | None, Between(2)] = None
    """No stretch of this many letters may occur twice, nor, in DNA and RNA, as its reverse complement; 20 is
    usual."""
    hairpin: tuple[str, ...] = ()
    """Hairpins to avoid, by the lengths of stem and loop, such as 12:3-20; may be given several times."""
    tm: str | None = None
    """Melting temperature of a design, degrees Celsius, such as 55-65 (nearest neighbours, 50 mM sodium)."""
    synthesis: Literal["twist", "idt"] | None = None
    """Published rules of a DNA synthesis company; docs/constraints.md lists them with source and date."""
    left: str | None = None
    """Letters to the left of every design in the final construct; rules take them into account."""
    right: str | None = None
    """Letters to the right of every design in the final construct; rules take them into account."""
    circular: bool = False
    """The final construct is circular, such as a plasmid: rules also apply across its ends."""
    without_flanks: tuple[str, ...] = ()
    """A rule that applies to the design alone, such as gc, or oracle for what --oracle names; may be given
    several times."""

    def problems(self) -> Iterator[str]:
        """Names of rules, and flanks to leave out."""
        for name in self.without_flanks:
            if name != "oracle" and name not in LOCAL:
                yield f"--without-flanks: must be one of oracle, {', '.join(LOCAL)}, got {name!r}"
        if self.without_flanks and not (self.left or self.right or self.circular):
            yield "--without-flanks: has no effect without --left, --right or --circular; leave it out"


def flanks_of(options: LetterRules) -> tuple[str, str]:
    """What stands left and right of a design when an oracle is asked."""
    return ("", "") if "oracle" in options.without_flanks else (options.left or "", options.right or "")


@dataclass(frozen=True, kw_only=True)
class EditOptions(LetterRules):
    """What a design must obey that is made from a sequence."""

    PANEL: ClassVar[str] = "Goal and constraints"

    max_edits: Annotated[int | None, Between(1)] = None
    """Most substitutions, insertions and deletions in a design."""
    keep: str | None = None
    """Positions of the input that must not change, such as 5-12,30 (the first is 1)."""
    translate: tuple[str, ...] = ()
    """First and last position of a reading frame whose protein must stay the same, such as 4-303; 303-4 is on
    the minus strand. May be given several times."""
    codon_table: Annotated[int, Between(1)] = 1
    """Genetic code of --translate, by its NCBI number."""
    min_cai: str | None = None
    """Host and least codon adaptation index of the reading frames of --translate, such as ecoli:0.8; without
    frames, of the whole design."""

    def problems(self) -> Iterator[str]:
        """Positions that can be read, and a genetic code that is used."""
        if self.keep is not None and not POSITIONS.fullmatch(self.keep):
            yield f"--keep: must be positions such as 5-12,30, got {self.keep!r}"
        if self.codon_table != 1 and not self.translate and self.min_cai is None:
            yield "--codon-table: has no effect without --translate; leave it out"


@dataclass(frozen=True, kw_only=True)
class ConstraintOptions(EditOptions):
    """What every design must obey."""

    PANEL: ClassVar[str] = "Goal and constraints"

    min_distance: Annotated[int | None, Between(1)] = None
    """Fewest edits between any two designs."""
