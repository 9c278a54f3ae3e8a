"""The options of the next round of measurements; importing this loads no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Flag
from seqdesign.design.options import SeenOptions


@dataclass(frozen=True, kw_only=True)
class RoundOptions(SeenOptions):
    """What the next round shall be."""

    PANEL: ClassVar[str] = "Goal and constraints"

    batch: Annotated[int, Flag("-n"), Between(1)] = 96
    """Sequences to propose."""
    acquisition: Literal["upper", "expected", "thompson", "mean"] = "upper"
    """upper: the highest mean + 2 standard deviations; expected: one after the other, what raises the
    expected best of the batch most; thompson: each sequence is the best in a function drawn from what is
    still possible; mean: the highest means, which explores nothing."""
    minimize: bool = False
    """Lower the outcome instead of raising it."""
    min_distance: Annotated[int, Between(1)] = 1
    """Fewest edits between any two proposed sequences."""
    strands: Literal["one", "both"] = "one"
    """both: a sequence and its reverse complement count as the same."""
