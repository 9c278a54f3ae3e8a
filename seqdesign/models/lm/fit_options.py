"""How long and how fast a language model learns. Imports no torch."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Flag
from seqdesign.training.config import FitOptions

TARGET_STEPS = 1000
"""Steps that ``--epochs auto`` aims at."""
MIN_EPOCHS, MAX_EPOCHS = 3, 200


@dataclass(frozen=True, kw_only=True)
class LMFitOptions(FitOptions):
    """How long and how fast to learn."""

    PANEL: ClassVar[str] = "Training options"

    batch_size: Annotated[int, Flag("-b"), Between(1)] = 64
    """Sequences per step, over all devices."""
    epochs: Annotated[int | Literal["auto"], Between(1)] = "auto"
    """Passes over the training set; auto aims at 1,000 steps in 3 to 200 passes."""
    learning_rate: Annotated[float, Between(0, low_open=True)] = 3e-3
    """Peak learning rate of AdamW; it warms up over 100 steps and falls along a cosine."""
    clip: Annotated[float, Between(0, low_open=True)] = 1.0
    """Largest gradient norm."""
    average: Annotated[float, Between(0, 1, high_open=True)] = 0.998
    """Decay of the running average of the weights, which is what is judged and kept; 0: none."""


def num_epochs(options: LMFitOptions, num_train: int) -> int:
    """Passes to run for ``num_train`` sequences."""
    if options.epochs != "auto":
        return options.epochs
    steps = math.ceil(num_train / options.batch_size)
    return min(MAX_EPOCHS, max(MIN_EPOCHS, round(TARGET_STEPS / steps)))
