"""GAN folders: the record of a model, and how to save and load one."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn

from seqdesign.adversarial.networks import Critic
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.model import SequenceGAN
from seqdesign.models.gan.networks import Generator
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.training.store import load_model, record_from_dict, record_to_dict, save_model

KIND = "gan"


@dataclass(frozen=True)
class GANRecord:
    """What a SequenceGAN is besides its weights."""

    options: GANOptions
    alphabet: Alphabet
    max_length: int
    min_length: int
    """Letters of the shortest training sequence; equal to ``max_length`` where all are alike."""
    outcome: str | None
    """Column or header key of the outcome that the model is conditional on."""
    classes: tuple[float, ...] = ()
    """Labels in order, or the largest outcome of each bin; empty for an unconditional model."""
    shares: tuple[float, ...] = ()
    """Share of each class among the training sequences."""
    labels: tuple[str, ...] = ()
    """What the classes are called where they are text: a class is its place among them."""
    believed: float | None = None
    """Critic's score below which samples are left out: 99% of real sequences that were not learned from have
    more, or nine tenths of the samples; None, of older models: all are kept."""

    def build(self) -> SequenceGAN:
        """The networks, with weights from torch's global generator."""
        return SequenceGAN(
            self.options,
            Vocabulary(self.alphabet),
            self.max_length,
            self.min_length,
            self.classes,
        )

    @property
    def class_names(self) -> tuple[str, ...]:
        """The classes as people call them."""
        return tuple(self.labels[int(c)] if self.labels else f"{c:g}" for c in self.classes)

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        return record_to_dict(self, KIND)

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> GANRecord:
        """Raises KeyError, TypeError, ValueError or SeqDesignError for a record of another make."""
        return record_from_dict(cls, {"labels": (), "believed": None, **record})  # older versions have none


@dataclass(frozen=True)
class TrainedGAN:
    """A model ready for use, in eval mode.

    ``generator(z, condition)`` gives soft one-hot sequences (N, V, L), differentiable in z (N, d) ~ N(0, I);
    where lengths differ it has V + 1 symbols, the last one END. ``critic`` gives scores (N,) of such.
    """

    generator: Generator
    critic: Critic
    record: GANRecord

    @classmethod
    def of(cls, model: SequenceGAN, record: GANRecord) -> TrainedGAN:
        """The two networks of a model."""
        return cls(model.generator, model.critic, record)

    @property
    def end(self) -> int | None:
        """The symbol END; None where all sequences have one length."""
        record = self.record
        return record.alphabet.size if record.min_length < record.max_length else None


def save_gan(folder: Path, model: SequenceGAN, record: GANRecord) -> None:
    """Write ``model.safetensors`` and ``config.json``, each atomically. Raises OutputError."""
    networks = nn.ModuleDict({player: getattr(model, player) for player in model.players})
    save_model(folder, networks, record)


def load_gan(folder: str | os.PathLike[str], device: torch.device) -> TrainedGAN:
    """A finished model. Raises ModelError: missing, unfinished, damaged, or of another kind."""
    model, record = load_model(folder, device, kind=KIND, parse=GANRecord.from_dict)
    return TrainedGAN.of(model, record)
