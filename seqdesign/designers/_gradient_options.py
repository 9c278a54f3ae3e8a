"""Options of the designers that follow a gradient. Imports no torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Options


@dataclass(frozen=True, kw_only=True)
class FastSeqpropOptions(Options):
    """How normalised logits ascend, and how their best sequence is polished."""

    PANEL: ClassVar[str] = "Fast SeqProp options"

    steps: Annotated[int, Between(0)] = 150
    """Gradient steps on the logits, half of --budget at most."""
    learning_rate: Annotated[float, Between(0, low_open=True)] = 0.1
    """First step size of Adam on the normalised logits; it falls to 0 along a cosine."""
    forward: Literal["sampled", "argmax"] = "sampled"
    """The sequence whose gradient is taken: drawn from the letters' probabilities, or the likeliest."""
    candidates: Annotated[int, Between(1)] = 16
    """Substitutions ranked by the gradient that are scored at once while polishing."""
    patience: Annotated[int, Between(1)] = 64
    """Substitutions scored without a better one before a sequence counts as polished."""
    kick: Annotated[float, Between(0, 1)] = 0.03
    """Share of the free positions that is drawn anew to leave a polished sequence, two at least."""
