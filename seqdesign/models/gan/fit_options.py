"""How long and how fast a GAN learns. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Flag
from seqdesign.training.config import RunOptions

Auto = Literal["auto"]

AUTO_STEPS = 2000
LOOKS = 30
"""Times that a run is judged."""


@dataclass(frozen=True, kw_only=True)
class GANFitOptions(RunOptions):
    """How long and how fast to learn; ``auto`` is what the objective was published with."""

    PANEL: ClassVar[str] = "Training options"

    batch_size: Annotated[int, Flag("-b"), Between(1)] = 64
    """Sequences per step, over all devices."""
    steps: Annotated[int, Between(1)] = AUTO_STEPS
    """Steps of the generator."""
    judge_every: Annotated[int | Auto, Between(1)] = "auto"
    """Generator steps between two checks of held-out statistics; auto is a thirtieth of --steps."""
    patience: Annotated[int | Auto, Between(1)] = "auto"
    """Stop after this many checks without better statistics; auto is half of them."""
    critic_steps: Annotated[int | Auto, Between(1, 1000)] = "auto"
    """Critic steps per generator step."""
    learning_rate: Annotated[float | Auto, Between(0, low_open=True)] = "auto"
    """Learning rate of both players at its peak."""
    average: Annotated[float, Between(0, 1, high_open=True)] = 0.995
    """Decay of the running average of the generator's weights, which is what is kept; 0: none."""
    split: Literal["random", "cluster"] = "random"
    """Which sequences are held out: random ones (duplicates together), or whole similarity clusters."""

    def problems(self) -> Iterator[str]:
        """Rules across fields."""
        if self.patience != "auto" and self.patience > self.looks:
            yield f"--patience: {self.patience} checks are more than all {self.looks}; lower it"

    @property
    def steps_per_look(self) -> int:
        """Generator steps between two looks."""
        return max(1, self.steps // LOOKS) if self.judge_every == "auto" else self.judge_every

    @property
    def looks(self) -> int:
        """How often the run is judged."""
        return math.ceil(self.steps / self.steps_per_look)
