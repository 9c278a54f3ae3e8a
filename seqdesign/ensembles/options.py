"""Options of an ensemble of predictors, and how those left open adapt to the data. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal, NamedTuple

from seqdesign.config import Between, Flag, Options
from seqdesign.tasks.by_name import unknown

Auto = Literal["auto"]

Architecture = Literal[
    "auto", "ridge", "codons", "words", "ends", "grammar", "aligned", "family", "folded", "pairs", "kernel",
    "residual", "motif", "killoran",
]  # fmt: skip
LINEAR_KINDS = ("ridge", "codons", "words", "ends", "grammar", "aligned", "family", "folded", "pairs")
CLOSED_KINDS = (*LINEAR_KINDS, "kernel")
"""Kinds of model without gradient descent."""
LABELS = {
    "ridge": "ridge regression", "codons": "counts of codons", "words": "counts of words",
    "ends": "words and ends", "grammar": "grammar of words", "aligned": "aligned ridge",
    "family": "family ridge", "folded": "letters and folding", "pairs": "pairwise ridge",
    "kernel": "Gaussian process", "residual": "residual networks", "motif": "motif networks",
    "killoran": "networks of Killoran et al.",
}  # fmt: skip
"""Kind of model -> how people call it; the simplest first."""

KILLORAN_WIDTH, MOTIF_WIDTH = 15, 11
SHORT = 20
"""Letters up to which one layer of convolutions sees everything."""


@dataclass(frozen=True, kw_only=True)
class PredictorOptions(Options):
    """An ensemble of predictors; outcomes are scaled to unit variance inside."""

    PANEL: ClassVar[str] = "Model options"

    architecture: Architecture = "auto"
    """Kind of model. ridge: letters at their places; codons: counts of codons, and the first 60 letters;
    words: counts of words anywhere; ends: words, and letters by their distance from either end; grammar:
    words, and places, order and distances of the few that carry the outcome; aligned: letters by alignment to
    a common parent; family: by that of natural relatives; folded: letters, and how RNA folds; pairs: pairs of
    letters at their places; kernel: a Gaussian process over substitutions; residual: networks on top of
    ridge; motif: those that look for the best place of each filter; killoran: those of Killoran et al. auto
    tries all that fit the data and takes the simplest that predicts as well as any."""
    paths: Literal["auto", "dense", "conv", "both"] = "auto"
    """What residual puts on top of its linear path where all sequences have one length: fully connected
    layers, convolutions, or both; auto is dense. Other data always get convolutions."""
    members: Annotated[int | Auto, Flag("--ensemble"), Between(2, 64)] = "auto"
    """Members of the ensemble, each validated on its own part of the sequences; auto is 5."""
    hidden: Annotated[int | Auto, Between(4, 4096)] = "auto"
    """Units of the fully connected layers; auto is 64, for killoran 200."""
    channels: Annotated[int | Auto, Between(1, 1024)] = "auto"
    """Filters of the convolutions; auto is 48 for up to 20 letters, else 24, for killoran 100."""
    width: Annotated[int | Auto, Between(1, 101)] = "auto"
    """Letters under the first filter, an odd number; auto is 7, for killoran 15, or less for short sequences.
    """
    dropout: Annotated[float | Auto, Between(0, 0.9)] = "auto"
    """Share of hidden units dropped in training; auto falls from 0.3 to 0 with the number of sequences."""
    task: str = "auto"
    """What the outcome is: regression (numbers), binary (one of two values), classes (one of several labels)
    or censored (numbers, and limits such as <0.1 and >100), log10 and censored-log10 (learned as logarithms);
    auto goes by the values."""
    strands: Literal["auto", "both", "one"] = "auto"
    """Whether a sequence and its reverse complement have the same outcome; auto decides from the data, for
    DNA only."""

    def problems(self) -> Iterator[str]:
        """A filter needs a middle."""
        if self.width != "auto" and self.width % 2 == 0:
            yield f"--width: must be odd, got {self.width}"
        if wrong := unknown(self.task):
            yield f"--task: {wrong}"


def adapt(
    options: PredictorOptions, *, max_length: int, num_train: int, task: str, both_strands: bool
) -> PredictorOptions:
    """``options`` with every other ``auto`` replaced, for ``num_train`` sequences of at most ``max_length``.

    The architecture must be decided.
    """
    assert options.architecture != "auto"
    killoran, motif = options.architecture == "killoran", options.architecture == "motif"
    members, hidden, channels = options.members, options.hidden, options.channels
    width, dropout = options.width, options.dropout
    if members == "auto":
        members = 5
    if hidden == "auto":
        hidden = 200 if killoran else 64
    if channels == "auto":
        channels = 100 if killoran else (64 if motif else 48) if max_length <= SHORT else 24
    if width == "auto":
        width = KILLORAN_WIDTH if killoran else MOTIF_WIDTH if motif else 7
        width = min(width, max_length - 1 + max_length % 2)
    if dropout == "auto":
        dropout = 0.3 if num_train < 3_000 else 0.1 if num_train < 20_000 else 0.0
    paths = options.paths
    if paths == "auto":
        paths = "dense"
    return replace(
        options, paths=paths, members=members, hidden=hidden,
        channels=channels, width=max(1, width), dropout=dropout, task=task,
        strands="both" if both_strands else "one",
    )  # fmt: skip


class Sizes(NamedTuple):
    """Those of the networks."""

    members: int
    hidden: int
    channels: int
    width: int
    dropout: float


def sizes(options: PredictorOptions) -> Sizes:
    """The sizes of adapted options."""
    values = (getattr(options, name) for name in Sizes._fields)
    found = Sizes(*values)
    assert not any(isinstance(value, str) for value in found), "adapt() the options first"
    return found
