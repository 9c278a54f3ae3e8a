"""Models for design, from a folder, from what names an oracle, or from what was just trained."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from seqdesign.design.evidence import evidence_of
from seqdesign.design.generator import check_alphabet
from seqdesign.design.jury import split_members
from seqdesign.design.model import DesignModel
from seqdesign.design.options import JUDGES
from seqdesign.errors import UsageError
from seqdesign.families import Generator
from seqdesign.models.predictor.store import KIND as PREDICTOR
from seqdesign.models.predictor.store import (
    ByName,
    Reference,
    TrainedPredictor,
    load_predictor,
    load_reference,
)
from seqdesign.models.vae.store import TrainedVAE, load_vae
from seqdesign.oracles.construct import ConstructOracle
from seqdesign.oracles.load import load_oracle
from seqdesign.oracles.oracle import num_members
from seqdesign.oracles.predictor import PredictorOracle
from seqdesign.oracles.tokens import TokenOracle
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.training.measured import Measured, load_measured
from seqdesign.training.store import model_kind


def open_model(
    folder: Path,
    device: torch.device,
    *,
    generator: Generator | None = None,
    judges: float = JUDGES,
) -> DesignModel:
    """A model made by train-predictor or train-vae, for design. Raises ModelError and UsageError."""
    return with_judges(load_folder(folder, device), generator, judges)


def open_oracle(
    spec: str,
    device: torch.device,
    *,
    alphabet: str | None = None,
    length: int | None = None,
    trust: bool = False,
    outcome: str | None = None,
    sequence: str | None = None,
    generator: Generator | None = None,
    judges: float = JUDGES,
    flanks: tuple[str, str] = ("", ""),
) -> DesignModel:
    """Another oracle, see ``load_oracle``, for design; each function of a list is a member that designs or
    judges.

    length: letters of what it is tried on, as many as a design has; the generator's when not given.
    flanks: what stands left and right of a design when the oracle is asked. A model of ours is asked about
    the design alone. Raises ModelError, UsageError and InputError.
    """
    if os.path.isdir(spec):  # unlike Path, not troubled by the length of a command
        return open_model(Path(spec), device, generator=generator, judges=judges)
    if length is None and generator is None:
        raise UsageError("is needed with --oracle, or --template or --start", option="--length")
    if length is None and generator is not None:
        length = generator.lengths[1]
    oracle = load_oracle(
        spec,
        alphabet=get_alphabet(alphabet or "dna"),
        length=(length or 1) + sum(map(len, flanks)),
        device=device,
        trust=trust,
        outcome=outcome,
        sequence=sequence,
    )
    if any(flanks):
        oracle = ConstructOracle(oracle, *flanks)
    return with_judges(DesignModel(spec, oracle, device), generator, judges)


def with_judges(model: DesignModel, generator: Generator | None, judges: float) -> DesignModel:
    """The same model with its members divided into those that design and those that judge."""
    model.jury = split_members(num_members(model.oracle), judges)
    if generator is not None:
        check_alphabet(generator, model.alphabet)
        model.generator = generator
    return model


def load_folder(folder: Path, device: torch.device) -> DesignModel:
    """The oracle of a model made by train-predictor or train-vae. Raises ModelError and UsageError."""
    if model_kind(folder) != PREDICTOR:
        measured = load_measured(folder)
        return of_vae(load_vae(folder, device), device, name=str(folder), folder=folder, measured=measured)
    predictor, reference = load_predictor(folder, device), load_reference(folder)
    return of_predictor(
        predictor, reference, device, name=str(folder), folder=folder, measured=load_measured(folder)
    )


def of_vae(
    trained: TrainedVAE,
    device: torch.device,
    *,
    name: str,
    folder: Path | None = None,
    measured: Measured | None = None,
) -> DesignModel:
    """The outcome network of a VAE behind its encoder. Raises UsageError for one without outcomes."""
    record = trained.record
    if record.outcome is None:
        raise UsageError(f"{name} was trained without outcomes; train again with outcomes", option="--model")

    def predict(tokens: Tensor, lengths: Tensor) -> Tensor:
        return trained.model.outcome(trained.model.encode(tokens, lengths).mean)

    oracle = TokenOracle(
        predict, alphabet=record.alphabet, outcome=record.outcome, max_length=record.max_length
    )
    lengths = (record.min_length, record.max_length, record.max_length)
    positional = record.min_length == record.max_length
    evidence = evidence_of(measured, record.alphabet, positional=positional, both_strands=False)
    return DesignModel(name, oracle, device, lengths=lengths, folder=folder, evidence=evidence)


def of_predictor(
    trained: TrainedPredictor,
    reference: Reference,
    device: torch.device,
    *,
    name: str,
    folder: Path | None = None,
    measured: Measured | None = None,
) -> DesignModel:
    """An ensemble with what it was trained on."""
    about = trained.record
    return DesignModel(
        name,
        PredictorOracle(ByName(trained), alphabet=about.alphabet, outcomes=about.score_names),
        device,
        trained=trained,
        reference=reference,
        lengths=(about.min_length, int(np.median(reference.lengths)), about.max_length),
        folder=folder,
        evidence=evidence_of(
            measured, about.alphabet, positional=about.positional, both_strands=about.strands == "both"
        ),
    )
