"""Language model folders: the record of a model, and how to save and load one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from seqdesign.language.config import LMOptions
from seqdesign.language.model import SequenceLM
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.training.store import Trained, load_model, record_from_dict, record_to_dict

KIND = "lm"


@dataclass(frozen=True)
class LMRecord:
    """What a SequenceLM is besides its weights."""

    options: LMOptions
    """With every ``auto`` replaced."""
    alphabet: Alphabet
    max_length: int
    min_length: int
    """Letters of the longest and the shortest sequence of training; samples have neither more nor fewer."""
    outcome: str | None = None
    """Column or header key of the outcome that the model is conditional on."""
    knots: tuple[float, ...] = ()
    """Outcomes between which the condition is interpolated: all values where they are few, else quantiles."""
    shares: tuple[float, ...] = ()
    """Share of each value among the training sequences; empty where the knots are quantiles."""

    def build(self) -> SequenceLM:
        """The networks, with weights from torch's global generator."""
        return SequenceLM(
            self.options, Vocabulary(self.alphabet), self.max_length, self.min_length, self.knots
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        return record_to_dict(self, KIND)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> LMRecord:
        """Raises KeyError, TypeError, ValueError or SeqDesignError for a record of another make."""
        return record_from_dict(cls, record)


class TrainedLM(Trained[SequenceLM, LMRecord]):
    """A model ready for use, in eval mode, and its record."""


def load_lm(folder: str | os.PathLike[str], device: torch.device) -> TrainedLM:
    """A finished model. Raises ModelError: missing, unfinished, damaged, or of another kind."""
    return TrainedLM(*load_model(folder, device, kind=KIND, parse=LMRecord.from_dict))
