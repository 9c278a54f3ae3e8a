"""SequenceVAE folders: the record of a model, and how to save and load one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from seqdesign.language.config import LMOptions
from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.mixture import COMPONENTS
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.training.store import OutdatedError, Trained, load_model, record_from_dict, record_to_dict

KIND = "vae"


@dataclass(frozen=True)
class VAERecord:
    """What a SequenceVAE is besides its weights."""

    options: VAEOptions
    """With every ``auto`` replaced."""
    language: LMOptions
    """Those of the language model beside it, likewise."""
    alphabet: Alphabet
    max_length: int
    min_length: int
    """Shortest training sequence."""
    outcome: str | None
    """Column or header key of the outcome; None: trained without."""
    outcome_mean: float
    outcome_scale: float
    outcome_range: tuple[float, float] = (0.0, 0.0)
    """Least and greatest training outcome."""
    naturalness_floor: float | None = None
    """log p(x) per letter that 95% of the training sequences exceed; None until training has ended."""
    code_components: int = 0
    """Of the law of the codes of data; 0 until training has ended, and in models of earlier versions."""

    def build(self) -> SequenceVAE:
        """The networks, with weights from torch's global generator."""
        return SequenceVAE(
            self.options,
            Vocabulary(self.alphabet),
            self.max_length,
            language=self.language,
            outcome_mean=self.outcome_mean,
            outcome_scale=self.outcome_scale,
            code_components=self.code_components,
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        return record_to_dict(self, KIND)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> VAERecord:
        """Raises KeyError, TypeError, ValueError or SeqDesignError for a record of another make."""
        if "language" not in record:
            raise OutdatedError(
                "was made by an earlier version, whose naturalness model this one cannot read (no "
                "'language'); train again with train-vae --overwrite"
            )
        found = record_from_dict(cls, {"code_components": 0, **record})
        if not 0 <= found.code_components <= COMPONENTS[-1]:
            raise ValueError(f"its codes cannot have {found.code_components} components")
        return found


class TrainedVAE(Trained[SequenceVAE, VAERecord]):
    """A model ready for use, in eval mode, and its record."""


def load_vae(folder: str | os.PathLike[str], device: torch.device) -> TrainedVAE:
    """A finished model. Raises ModelError: missing, unfinished, damaged, or of another kind."""
    return TrainedVAE(*load_model(folder, device, kind=KIND, parse=VAERecord.from_dict))
