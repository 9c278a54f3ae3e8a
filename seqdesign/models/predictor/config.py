"""Where outcomes stand, and how a predictor is fitted and adapted. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Options
from seqdesign.sequences.options import CellOptions
from seqdesign.training.config import FitOptions

ADAPT_WEIGHT = 1.0


@dataclass(frozen=True, kw_only=True)
class OutcomeOptions(CellOptions):
    """Where the outcomes stand, and how much each is worth."""

    PANEL: ClassVar[str] = "Input options"

    outcome: tuple[str, ...] = ()
    """Column or header key of an outcome; repeat it for several; 'outcome' when not given."""
    sigma: tuple[str, ...] = ()
    """Column or header key of the outcome's standard error, one for each outcome; precise values count
    more."""
    weight: str | None = None
    """Column or header key of the rows' weights; a row of weight 0 is ignored."""
    batch: str | None = None
    """Column or header key of the assay or plate: an offset and a scale of each are learned, and predictions
    are on the scale of the largest, or of the one that COLUMN=VALUE names."""


@dataclass(frozen=True, kw_only=True)
class AdaptOptions(Options):
    """Another assay, of which few outcomes or none are known."""

    PANEL: ClassVar[str] = "Training options"

    adapt: Path | None = None
    """Sequences of another assay that predictions are for, with few outcomes or none: residual networks
    (--architecture) learn from features by which the two assays cannot be told apart. With 10 outcomes
    predictions are on its scale."""
    adapt_weight: Annotated[float, Between(0)] = ADAPT_WEIGHT
    """Weight of telling the assays apart, which networks learn to prevent; 0 only joins the assays."""

    def problems(self) -> Iterator[str]:
        """What has an effect with --adapt only, or none with it."""
        if self.adapt is None and self.adapt_weight != ADAPT_WEIGHT:
            yield "--adapt-weight: has no effect without --adapt; leave it out"
        if self.adapt is not None:
            if getattr(self, "architecture", "auto") not in ("auto", "residual"):
                yield "--adapt: needs --architecture residual; other kinds have no features to adapt"
            for name in ("batch", "split_column"):
                if getattr(self, name, None) is not None:
                    yield f"--{name.replace('_', '-')}: cannot be combined with --adapt"


@dataclass(frozen=True, kw_only=True)
class PredictorFitOptions(FitOptions):
    """As for the VAE, with more decay and less patience for residual networks."""

    PANEL: ClassVar[str] = "Training options"

    epochs: Annotated[int | Literal["auto"], Between(1)] = "auto"
    """Passes over the training set; auto aims at 4,500 steps in 6 to 400 passes, for motif networks at
    2,700 in at most 240; fewer steps for long sequences."""
    learning_rate: Annotated[float | Literal["auto"], Between(0, low_open=True)] = "auto"
    """Peak learning rate of AdamW; it warms up over 100 steps and falls along a cosine. auto is 0.002, for
    motif networks 0.008."""
    weight_decay: Annotated[float | Literal["auto"], Between(0)] = "auto"
    """Weight decay of AdamW; auto is 0.1, for motif networks 0.01."""
    patience: Annotated[int | Literal["auto"], Between(1)] = "auto"
    """Stop a network after this many passes without a better loss on its own part of the sequences; auto is a
    quarter of them, at least 5 and at most 20; motif networks are not stopped."""
