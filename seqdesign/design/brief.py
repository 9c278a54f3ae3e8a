"""What a design campaign is asked for, as plain values."""

from __future__ import annotations

from dataclasses import dataclass, field

from seqdesign.constraints.options import ConstraintOptions
from seqdesign.design.options import TRIES, num_wanted
from seqdesign.sequences.lab.variants import Numbering
from seqdesign.sequences.options import LetterPolicy
from seqdesign.sequences.reader import SequenceSet


@dataclass(frozen=True, kw_only=True)
class Brief:
    """The goal, the rules, where designs begin and how long is searched; defaults are the command's."""

    objective: tuple[str, ...] = ()
    """Goals as text, see ``parse_objective``; nothing is ``max``."""
    risk: str = "mean"
    codons: str | None = None
    """Host whose codon usage is an outcome, ``cai``, of the frames whose protein stays."""
    pareto: bool = False
    rules: ConstraintOptions = field(default_factory=ConstraintOptions)
    num: int | None = None
    """Designs of each start, or in all from noise; None: 1 or 64."""
    starts: SequenceSet | None = None
    """Sequences to improve; None: from noise."""
    letters: LetterPolicy = field(default_factory=LetterPolicy)
    """How the letters of the starts are read."""
    length: int | None = None
    """Letters of a design from noise; None: as the template or the model says."""
    indels: int = 0
    """Letters inserted and deleted in a design, at most."""
    lengths: str | None = None
    """Fewest and most letters of a design with indels, such as 74-78."""
    tries: int = TRIES
    budget: int | None = None
    enough: float | None = None
    min_confidence: float | None = None
    only_seen: bool = True
    """Whether designs have only letters or words that training has seen."""
    include_known: bool = False
    """Whether sequences that are measured already may be delivered."""
    exclude: tuple[str, ...] = ()
    """Sequences that count as measured as well."""
    numbering: Numbering = field(default_factory=Numbering)
    """The wild type by which designs are named, and the number of the first letter."""
    seed: int = 0

    @property
    def wanted(self) -> int:
        """Designs of each start, or in all."""
        return num_wanted(self.num, self.starts is None)
