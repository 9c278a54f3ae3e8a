"""Options of the language models, and how those left open adapt to the data. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Options

Auto = Literal["auto"]

WIDTH, HEADS, WINDOW = 64, 4, 5
"""Of a Transformer."""
GRU_WIDTH = 128
FEW_LETTERS = 1_000_000
"""Training letters below which networks learn more than is true of others."""


@dataclass(frozen=True, kw_only=True)
class LMOptions(Options):
    """Networks of a language model."""

    PANEL: ClassVar[str] = "Model options"

    architecture: Literal["auto", "ensemble", "transformer", "gru", "masked"] = "auto"
    """transformer and gru write from left to right and give the exact likelihood, so does ensemble, a mean of
    both and of a profile; masked is a Transformer that fills in letters in any order and gives a bound on it.
    auto is ensemble below a million training letters, else transformer."""
    width: Annotated[int | Auto, Between(4, 4096)] = "auto"
    """Units of a layer; auto is 64 for the Transformers and 128 for the GRU. Of an ensemble, those of its
    Transformer; its GRU has twice as many."""
    layers: Annotated[int, Between(1, 64)] = 2
    """Number of layers."""
    heads: Annotated[int, Between(1, 64)] = HEADS
    """Attention heads in each layer of a Transformer; must divide --width."""
    window: Annotated[int, Between(1, 63)] = WINDOW
    """Neighbouring letters that the convolution of a layer of a Transformer sees."""
    dropout: Annotated[float | Auto, Between(0, 0.9)] = "auto"
    """Share of features dropped in training; auto is 0.1 below a million training letters, else 0."""
    condition: str | None = None
    """Outcome, a column or header key, that the model is conditional on: a measured value or a label."""

    def problems(self) -> Iterator[str]:
        """Shapes that cannot be, and options without effect."""
        if self.architecture == "gru":
            for option, value, usual in (("heads", self.heads, HEADS), ("window", self.window, WINDOW)):
                if value != usual:
                    yield f"--{option}: has no effect with --architecture gru; leave it out"
        elif (width := WIDTH if self.width == "auto" else self.width) % self.heads:
            yield f"--heads: must divide the {width} units of --width, got {self.heads}"


def adapt(options: LMOptions, *, num_letters: int) -> LMOptions:
    """``options`` with every ``auto`` replaced, for so many letters to learn from."""
    width, dropout, architecture = options.width, options.dropout, options.architecture
    if architecture == "auto":
        architecture = "ensemble" if num_letters < FEW_LETTERS else "transformer"
    if width == "auto":
        width = GRU_WIDTH if architecture == "gru" else WIDTH
    if dropout == "auto":
        dropout = dropout_for(num_letters)
    return replace(options, architecture=architecture, width=width, dropout=dropout)


def dropout_for(num_letters: int) -> float:
    """Share of features to drop; chosen by the held-out likelihood of WW domains and of 300 promoters."""
    return 0.1 if num_letters < FEW_LETTERS else 0.0
