"""How long and how fast a translator learns. Imports no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Flag
from seqdesign.training.config import RunOptions

LOOKS = 20
"""Times that a run is judged."""


@dataclass(frozen=True, kw_only=True)
class TranslateFitOptions(RunOptions):
    """How long and how fast to learn."""

    PANEL: ClassVar[str] = "Training options"

    batch_size: Annotated[int, Flag("-b"), Between(1)] = 32
    """Sequences of each set per step, over all devices."""
    held_out: Annotated[float, Between(0, 0.9, low_open=True)] = 0.3
    """Share of each set that is not learned from: two thirds of it teach the classifier that judges, the
    rest is translated and judged."""
    split: Literal["random", "cluster"] = "random"
    """Which sequences are held out: random ones (duplicates together), or whole similarity clusters."""
    steps: Annotated[int, Between(1)] = 1000
    """Steps of the translators; the critics make as many."""
    learning_rate: Annotated[float, Between(0, low_open=True)] = 2e-3
    """Learning rate of all networks; it falls along a line in the second half."""
    average: Annotated[float, Between(0, 1, high_open=True)] = 0.99
    """Decay of the running average of the translators' weights, which is what is kept; 0: none."""

    @property
    def steps_per_look(self) -> int:
        """Steps between two looks at held-out figures."""
        return max(1, self.steps // LOOKS)

    @property
    def looks(self) -> int:
        """How often the run is judged."""
        return math.ceil(self.steps / self.steps_per_look)
