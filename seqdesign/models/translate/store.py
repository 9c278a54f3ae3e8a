"""Folders of translators: the record of a model, and how to save and load one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch

from seqdesign.models.translate.choosing import Chooser
from seqdesign.models.translate.config import TranslateOptions
from seqdesign.models.translate.model import SequenceTranslator
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.training.store import Trained, load_model, record_from_dict, record_to_dict

KIND = "translate"


@dataclass(frozen=True)
class TranslateRecord:
    """What a SequenceTranslator is besides its weights."""

    options: TranslateOptions
    alphabet: Alphabet
    max_length: int
    min_length: int
    """Letters of the shortest training sequence; equal to ``max_length`` where all are alike."""
    names: tuple[str, ...]
    """What set a and set b are called: the names of their files."""
    choices: dict[str, Any] | None = None
    """A ``Chooser`` as a JSON object; None in models of earlier versions."""

    def build(self) -> SequenceTranslator:
        """The networks, with weights from torch's global generator."""
        return SequenceTranslator(self.options, Vocabulary(self.alphabet), self.max_length, self.min_length)

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        return record_to_dict(self, KIND)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> TranslateRecord:
        """Raises KeyError, TypeError, ValueError or SeqDesignError for a record of another make."""
        return record_from_dict(cls, {"choices": None, **record})

    @cached_property
    def chooser(self) -> Chooser | None:
        """What chooses among translations."""
        return None if self.choices is None else Chooser.from_dict(self.choices, self.alphabet)


class TrainedTranslator(Trained[SequenceTranslator, TranslateRecord]):
    """A model ready for use, in eval mode, and its record."""


def load_translator(folder: str | os.PathLike[str], device: torch.device) -> TrainedTranslator:
    """A finished model. Raises ModelError: missing, unfinished, damaged, or of another kind."""
    return TrainedTranslator(*load_model(folder, device, kind=KIND, parse=TranslateRecord.from_dict))
