"""Folders of similarity models: the record of a model, and how to save and load one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from seqdesign.models.similarity.config import SimilarityOptions
from seqdesign.models.similarity.model import SequenceSimilarity
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.training.store import Trained, load_model, record_from_dict, record_to_dict

KIND = "similarity"


@dataclass(frozen=True)
class SimilarityRecord:
    """What a SequenceSimilarity is besides its weights."""

    options: SimilarityOptions
    alphabet: Alphabet
    max_length: int
    min_length: int
    """Letters of the longest and the shortest training sequence."""
    teacher: str
    """What it was taught: edits, alignment, label NAME or pairs."""
    num_reference: int
    """Training sequences whose codes are kept."""

    def build(self) -> SequenceSimilarity:
        """The networks, with weights from torch's global generator."""
        return SequenceSimilarity(self.options, Vocabulary(self.alphabet), self.num_reference)

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        return record_to_dict(self, KIND)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> SimilarityRecord:
        """Raises KeyError, TypeError, ValueError or SeqDesignError for a record of another make."""
        options = {"stretches": 0, **record["options"]}  # earlier versions had the last states alone
        return record_from_dict(cls, {**record, "options": options})


class TrainedSimilarity(Trained[SequenceSimilarity, SimilarityRecord]):
    """A model ready for use, in eval mode, and its record."""


def load_similarity(folder: str | os.PathLike[str], device: torch.device) -> TrainedSimilarity:
    """A finished model. Raises ModelError: missing, unfinished, damaged, or of another kind."""
    return TrainedSimilarity(*load_model(folder, device, kind=KIND, parse=SimilarityRecord.from_dict))
