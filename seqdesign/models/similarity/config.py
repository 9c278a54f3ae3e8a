"""Options of the similarity model. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Flag, Options
from seqdesign.training.config import SHORT, FitOptions

TARGET_STEPS = 2000
"""Steps that ``--epochs auto`` aims at, of sequences of 20 letters; fewer of longer ones, as 1 / sqrt."""
MIN_EPOCHS, MAX_EPOCHS = 3, 300


@dataclass(frozen=True, kw_only=True)
class TeachingOptions(Options):
    """Which pairs are alike."""

    PANEL: ClassVar[str] = "Model options"

    measure: Literal["edits", "alignment"] = "edits"
    """Similarity to learn. edits: 1 - edit distance / length of the longer sequence; alignment: score of the
    global alignment (BLOSUM62 for proteins) / the larger score of either with itself."""
    label: str | None = None
    """Column or header key of a family: two sequences of one family are similar (1), others are not (0)."""
    pairs: Path | None = None
    """Given similarities: a table with the columns a and b, ids of two sequences, and similarity, 0 to 1."""

    def problems(self) -> Iterator[str]:
        """One teacher."""
        given = [name for name in ("label", "pairs") if getattr(self, name) is not None]
        if len(given) == 2:
            yield "--pairs: cannot be combined with --label"
        if given and self.measure != "edits":
            yield f"--measure: has no effect with --{given[0]}; leave it out"


@dataclass(frozen=True, kw_only=True)
class SimilarityOptions(Options):
    """The network."""

    PANEL: ClassVar[str] = "Model options"

    hidden: Annotated[int, Between(1, 4096)] = 64
    """Units of the LSTM in each direction."""
    stretches: Annotated[int, Between(0, 256)] = 8
    """Stretches of a sequence, of which the code has the mean state each; 0: the last states alone (MaLSTM).
    """
    embedding: Annotated[int, Between(1, 1024)] = 16
    """Dimensions of a letter's embedding."""
    dropout: Annotated[float, Between(0, 0.9)] = 0.0
    """Share of the numbers of a code that are dropped in training."""


@dataclass(frozen=True, kw_only=True)
class SimilarityFitOptions(FitOptions):
    """How long and how fast to learn."""

    PANEL: ClassVar[str] = "Training options"

    batch_size: Annotated[int, Flag("-b"), Between(2)] = 32
    """Sequences per step, over all devices; their pairs are what is learned from."""
    epochs: Annotated[int | Literal["auto"], Between(1)] = "auto"
    """Passes over the training set; auto aims at 2,000 steps, fewer for long sequences, in 3 to 300 passes.
    """
    learning_rate: Annotated[float, Between(0, low_open=True)] = 4e-3
    """Peak learning rate of AdamW; it warms up over 100 steps and falls along a cosine."""
    clip: Annotated[float, Between(0, low_open=True)] = 1.0
    """Largest gradient norm."""


def num_epochs(options: FitOptions, num_train: int, length: int) -> int:
    """Passes to run for ``num_train`` sequences of typically ``length`` letters."""
    if options.epochs != "auto":
        return options.epochs
    steps = -(-num_train // options.batch_size)
    target = TARGET_STEPS * min(1.0, (SHORT / max(length, 1)) ** 0.5)
    return min(MAX_EPOCHS, max(MIN_EPOCHS, round(target / steps)))
