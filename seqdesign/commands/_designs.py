"""Designs as records: judged, with their FASTA headers, table rows and summary."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import torch

from seqdesign.commands._design_model import DesignModel
from seqdesign.commands._design_run import Campaign, Chosen
from seqdesign.commands._judge import confirmed_share
from seqdesign.commands._starts import StartSet
from seqdesign.metrics.pareto import front_of, hypervolume_of
from seqdesign.sequences.encoders import decode, encode
from seqdesign.sequences.fasta import Record, format_fields

if TYPE_CHECKING:
    from seqdesign.commands.maximize import MaximizeConfig

Status = Literal["ok", "unconfirmed", "rejected"]
DOUBTFUL = 0.5
"""Share of the gain below which a design is flagged as not confirmed."""
UNUSUAL = 99.0
"""Percentile of held-out sequences beyond which designs are called unlike the training data."""


@dataclass(frozen=True, kw_only=True)
class Design:
    """One design. Scores are of the objective, outcomes in the user's units."""

    id: str
    status: Status
    reason: str | None
    """Why it is not ``ok``, as ``RULE: what``; several are separated by semicolons."""
    parent: str | None
    original: str | None
    sequence: str
    score: float
    """By the members that designed it."""
    score_start: float
    """The same of the sequence that it is compared with: its parent, or typical training sequences."""
    score_judges: float | None
    """By the members that did not."""
    confidence: float | None
    """Share of the gain that the judges confirm, 0 to 1."""
    soft_gap: float | None
    """Score of the relaxed sequence less that of the decoded one."""
    outcomes: Mapping[str, float | None]
    """Predictions with standard deviation and interval, and what else the model says, by column."""
    edits: int | None
    edit_list: str | None
    front: bool | None
    """Whether no other design is better in one objective and as good in all others."""

    def fasta(self) -> Record:
        """The FASTA record."""
        values = {
            "parent": self.parent,
            "status": self.status,
            "score": self.score,
            **self.outcomes,
            "confidence": self.confidence,
            "soft_gap": self.soft_gap,
            "edits": self.edits,
            "edit_list": self.edit_list or None,
            "front": None if self.front is None else str(self.front).lower(),
            "reason": self.reason,
        }
        shown = {k: f"{v:.6g}" if isinstance(v, float) else v for k, v in values.items() if v is not None}
        return Record(self.id, format_fields(shown), self.sequence)

    def row(self) -> dict[str, Any]:
        """The table row."""
        plain = {name: getattr(self, name) for name in self.__dataclass_fields__ if name != "outcomes"}
        first = {name: plain.pop(name) for name in ("id", "status", "reason", "parent", "sequence", "score")}
        return {**first, **self.outcomes, **plain}
