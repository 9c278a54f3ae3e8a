"""Options of the training loop. Imports no torch."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Flag, Options

TARGET_STEPS = 4500
"""Steps that ``--epochs auto`` aims at: small sets are passed often, large ones a few times."""
SHORT = 20
"""Letters up to which it aims at that; longer sequences cost more a step and teach more, so steps fall as
1/sqrt."""
MIN_EPOCHS, MAX_EPOCHS = 6, 400


@dataclass(frozen=True, kw_only=True)
class RunOptions(Options):
    """On what to learn and where to compute."""

    PANEL: ClassVar[str] = "Training options"

    batch_size: Annotated[int, Flag("-b"), Between(1)] = 128
    """Sequences per step, over all devices."""
    held_out: Annotated[float, Between(0, 0.9, low_open=True)] = 0.1
    """Share of the sequences that is kept out of training to judge the model."""
    split: Literal["random", "cluster", "quantile", "modulo", "contiguous", "mutations"] = "random"
    """Which sequences are held out: random ones (duplicates together), similarity clusters, those with the
    best outcomes, those mutated at every n-th position (modulo) or in a stretch of neighbouring positions
    (contiguous), or the most mutated."""
    devices: Annotated[int, Between(1)] = 1
    """GPUs, or CPU processes, on each machine."""
    num_nodes: Annotated[int, Between(1)] = 1
    """Number of machines; start one process on each with torchrun, or let the cluster do it."""
    precision: Literal["32", "bf16"] = "32"
    """Arithmetic: 32-bit, or bfloat16 where it is safe (GPUs, recent CPUs)."""


@dataclass(frozen=True, kw_only=True)
class GivenSplitOptions(Options):
    """A split that the table itself gives."""

    PANEL: ClassVar[str] = "Training options"

    split_column: str | None = None
    """Column or header key with train, validation or test in every row, in place of --split; or with folds,
    of which the last is held out, or the one that COLUMN=VALUE names."""


@dataclass(frozen=True, kw_only=True)
class FitOptions(RunOptions):
    """How long and how fast to learn."""

    PANEL: ClassVar[str] = "Training options"

    epochs: Annotated[int | Literal["auto"], Between(1)] = "auto"
    """Passes over the training set; auto aims at 4,500 steps, fewer for long sequences, in 6 to 400 passes.
    """
    learning_rate: Annotated[float | Literal["auto"], Between(0, low_open=True)] = "auto"
    """Peak learning rate of AdamW; it warms up over 100 steps and falls along a cosine. auto is 0.002."""
    weight_decay: Annotated[float | Literal["auto"], Between(0)] = "auto"
    """Weight decay of AdamW; auto is 0.01."""
    clip: Annotated[float, Between(0, low_open=True)] = 5.0
    """Largest gradient norm."""
    patience: Annotated[int | Literal["auto"], Between(1)] = "auto"
    """Stop after this many passes without a better held-out loss; auto is a quarter of them, at least 5."""

    def problems(self) -> Iterator[str]:
        """Rules across fields."""
        if self.epochs != "auto" and self.patience != "auto" and self.patience > self.epochs:
            yield f"--patience: {self.patience} passes are never reached in --epochs {self.epochs}; lower it"


def num_epochs(options: FitOptions, num_train: int, length: int, aim: int = TARGET_STEPS) -> int:
    """Passes to run for ``num_train`` sequences of typically ``length`` letters.

    Where fewer steps than usual are the ``aim``, fewer passes are the most as well.
    """
    if options.epochs != "auto":
        return options.epochs
    steps = math.ceil(num_train / options.batch_size)
    target = aim * min(1.0, math.sqrt(SHORT / max(length, 1)))
    return min(MAX_EPOCHS * aim // TARGET_STEPS, max(MIN_EPOCHS, round(target / steps)))


def patience(options: FitOptions, epochs: int) -> int:
    """Passes without improvement after which to stop."""
    return max(5, epochs // 4) if options.patience == "auto" else options.patience
