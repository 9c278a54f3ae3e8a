"""The options by which samples are drawn from any model. Imports no torch."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar, Literal

from seqdesign.config import Between, Flag, MadeBy
from seqdesign.constraints.options import ConstraintOptions

CHOOSE_FROM = 8
"""Draws for an outcome, of which the one is kept that is expected to be nearest."""


@dataclass(frozen=True, kw_only=True)
class DrawOptions(ConstraintOptions):
    """How many samples, how free, and what they shall be."""

    PANEL: ClassVar[str] = "Sample options"

    num: Annotated[int, Flag("-n"), Between(1)] = 100
    """Sequences to draw; with --start, for each sequence there."""
    temperature: Annotated[float, Between(0, low_open=True)] = 1.0
    """Below 1 the letters are drawn more conservatively, above 1 more freely."""
    unique: bool = False
    """Replace repeated sequences by new draws; memory then grows with --num."""
    condition: float | str | None = None
    """Outcome to draw sequences for, with a conditional model; when not given, outcomes are as frequent as in
    training."""
    choose_from: Annotated[int | None, Between(1, 1000)] = None
    """With --condition and a measured outcome: draws for each sequence, of which the one is kept whose
    outcome the model expects nearest to it; of a GAN, that the critic finds most real for it. 8 when not
    given; 1: as sequences with that measurement vary, noise of measuring included."""
    length: str | None = None
    """Length of a sample in letters, such as 50-80; as in training when not given."""
    start: Path | None = None
    """File of sequences to rewrite in part: --keep, --translate or --max-edits say what stays."""
    guide: Annotated[Path | None, MadeBy("train-predictor")] = None
    """Folder of a predictor made by train-predictor: samples are drawn towards higher predictions. Needs a
    model trained with --architecture masked."""
    guide_outcome: str | None = None
    """Which outcome of --guide counts; needed where it predicts several."""
    guide_strength: float = 1.0
    """Weight of the guide: log-odds of a sequence per standard deviation of the training outcomes; negative
    for lower predictions."""
    guide_by: Literal["taylor", "exact"] = "taylor"
    """How the guide judges letters that are not chosen yet: by the predictor's gradient, or by predicting
    each of them."""

    def problems(self) -> Iterator[str]:
        """Options that need each other."""
        needing = {"--keep": self.keep, "--max-edits": self.max_edits, "--translate": self.translate or None}
        given = [option for option, value in needing.items() if value is not None]
        if self.start is None and given:
            yield f"{given[0]}: refers to the sequence that a design is made from, so it needs --start"
        if self.start is not None and not given and self.template is None:
            yield "--start: has no effect without --keep, --translate or --max-edits; say what stays"
        if self.start is not None and self.length is not None:
            yield "--length: has no effect with --start, whose sequences keep theirs; leave it out"
        if self.choose_from is not None and self.condition is None:
            yield "--choose-from: has no effect without --condition; leave it out"
        if self.guide is None:
            for name in ("guide_outcome", "guide_strength", "guide_by"):
                if getattr(self, name) != type(self).__dataclass_fields__[name].default:
                    yield f"--{name.replace('_', '-')}: has no effect without --guide; leave it out"
