"""Predictor folders: the record of a model, what it was trained on, and how to save and load both."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from seqdesign.ensembles.model import Columns, SequencePredictor
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.errors import ModelError
from seqdesign.metrics.conformal import Conformal
from seqdesign.metrics.monotone import Curve
from seqdesign.metrics.novelty_model import NoveltyModel
from seqdesign.models.predictor.scales import Batches
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.tasks.by_name import get_task
from seqdesign.tasks.task import Task
from seqdesign.tasks.values import Units
from seqdesign.training.store import (
    WEIGHTS,
    Trained,
    load_model,
    record_from_dict,
    record_to_dict,
    save_model,
)
from seqdesign.training.tensor_file import checksum, read_checksum, read_tensors, write_tensors

KIND = "predictor"
REFERENCE = "reference.safetensors"


@dataclass(frozen=True)
class PredictorRecord:
    """What a predictor is besides its weights."""

    options: PredictorOptions
    """With every ``auto`` replaced: also the task, and whether both strands are read."""
    alphabet: Alphabet
    max_length: int
    min_length: int
    """Shortest training sequence."""
    positional: bool
    """Whether all sequences had about one length, so that every position has its own weights."""
    outcomes: tuple[str, ...]
    """Columns or header keys, in the order of the scores; one for classes."""
    classes: tuple[str, ...] = ()
    """Labels in the order of the scores; of a binary outcome the labels of 0 and 1; empty for numbers."""
    outcome_mean: tuple[float, ...] = ()
    outcome_scale: tuple[float, ...] = ()
    columns: Columns = field(default_factory=Columns)
    """Sizes of closed-form members that depend on the data."""
    carries: bool = False
    """Whether letters without evidence at their place are predicted from others; else they have no effect."""
    calibration: tuple[Conformal, ...] = ()
    """How wrong the ensemble's mean is, for each outcome of a regression; empty until training has ended."""
    probability_rows: int = 0
    """Rows by which probabilities were calibrated; none of these can be surer than they bear out."""
    batches: Batches | None = None
    """Offsets and scales of assays or plates, whose reference is the scale of all predictions."""
    curves: tuple[Curve | None, ...] = ()
    """What is measured where members add up so much, standardised, for each outcome; empty without any."""

    @property
    def task(self) -> str:
        """The name of the task: regression, binary, classes, ..."""
        return self.options.task

    @property
    def head(self) -> Task:
        """The task as an object. Raises UsageError where nobody brings it."""
        return get_task(self.options.task)

    @property
    def units(self) -> Units:
        """By what the outcomes were scaled."""
        return Units(self.outcome_mean, self.outcome_scale)

    @property
    def strands(self) -> str:
        """Both or one."""
        return self.options.strands

    @property
    def score_names(self) -> tuple[str, ...]:
        """What each score of ``by_name`` is of: an outcome, or a label."""
        return self.head.score_names(self.outcomes, self.classes)

    @property
    def num_scores(self) -> int:
        """K: one for each outcome, or for each class."""
        return self.head.num_scores(len(self.outcomes), len(self.classes))

    def build(self) -> SequencePredictor:
        """The networks, with weights from torch's global generator."""
        return SequencePredictor(
            self.options,
            Vocabulary(self.alphabet),
            self.max_length,
            num_scores=self.num_scores,
            positional=self.positional,
            outcome_mean=self.outcome_mean or (0.0,) * self.num_scores,
            outcome_scale=self.outcome_scale or (1.0,) * self.num_scores,
            columns=self.columns,
            carries=self.carries,
            curves=self.curves,
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        found = record_to_dict(self, KIND)
        if self.batches is None:  # as models of before had it
            del found["batches"]
        if not self.curves:
            del found["curves"]
        return found

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> PredictorRecord:
        """Raises KeyError, TypeError, ValueError or SeqDesignError for a record of another make."""
        made = record_from_dict(cls, {"batches": None, "probability_rows": 0, "curves": (), **record})
        batches = None if made.batches is None else Batches.of(record["batches"])
        curves = tuple(None if one is None else Curve.of(one) for one in record.get("curves", ()))
        return replace(made, batches=batches, curves=curves)


class TrainedPredictor(Trained[SequencePredictor, PredictorRecord]):
    """A model ready for use, in eval mode, and its record."""


def by_name(record: PredictorRecord, scores: Tensor) -> Tensor:
    """Scores (M, N, K) of the networks -> one for each of ``score_names``.

    Of a binary outcome with labels the networks give the log-odds of the second; those of the first are the
    same with the other sign, so that either label can be asked for by its name.
    """
    return record.head.named_scores(scores, record.classes)


class ByName(nn.Module):
    """A predictor whose scores have names: of both labels where there are two."""

    def __init__(self, trained: TrainedPredictor) -> None:
        super().__init__()
        self.model, self.record = trained.model, trained.record
        self.num_members = trained.model.num_members

    def only(self, members: Sequence[int]) -> ByName:
        """These members alone."""
        return ByName(TrainedPredictor(self.model.only(members), self.record))

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        """One-hot (N, V, L) -> (M, N, K)."""
        return by_name(self.record, self.model(x, lengths))


FAR = 2.0
"""Times the distance of 99% of held-out sequences from the typical one: what is beyond is unlike them all."""


@dataclass(frozen=True, eq=False)
class Reference:
    """What a predictor was trained on: tokens (N, L) and lengths (N,), and a model of their likes.

    ``percentiles`` (101,) are those of the novelty, in nats per letter, of sequences that were held out.
    """

    tokens: NDArray[np.uint8]
    lengths: NDArray[np.int64]
    novelty: NoveltyModel
    percentiles: NDArray[np.float64]

    def some(self, count: int) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
        """Tokens (n, L) and lengths (n,) of at most so many of them, always the same ones."""
        rows = np.random.default_rng(0).permutation(len(self.tokens))[:count]
        return self.tokens[rows], self.lengths[rows]

    def unusual(self, tokens: NDArray[np.uint8], lengths: NDArray[np.int64]) -> NDArray[np.float64]:
        """Percent (N,), 0..100, of held-out sequences that are less unlike the training sequences."""
        nats = self.novelty.nats(tokens, lengths)
        return np.interp(nats, self.percentiles, np.linspace(0.0, 100.0, len(self.percentiles)))

    @property
    def spread(self) -> tuple[float, float]:
        """Novelty of the typical held-out sequence and what 99% have at most, in nats per letter."""
        scale = np.linspace(0.0, 100.0, len(self.percentiles))
        typical, most = np.interp([50.0, 99.0], scale, self.percentiles)
        return float(typical), float(most)

    def far(self, tokens: NDArray[np.uint8], lengths: NDArray[np.int64]) -> NDArray[np.bool_]:
        """Whether sequences (N,) are more than twice as far from the typical held-out one as 99% of these."""
        typical, most = self.spread
        return np.asarray(self.novelty.nats(tokens, lengths) > typical + FAR * (most - typical))

    def constant(self, length: int) -> NDArray[np.bool_] | None:
        """Positions (length,) with one and the same letter in all training sequences, which teach nothing.

        None unless all training sequences have this length.
        """
        if len(self.tokens) < 2 or self.tokens.shape[1] != length or (self.lengths != length).any():
            return None
        return np.asarray((self.tokens == self.tokens[0]).all(axis=0))


def save_predictor(
    folder: Path, model: SequencePredictor, record: PredictorRecord, reference: Reference
) -> None:
    """Write model, record and ``reference.safetensors``, each atomically. Raises OutputError."""
    tensors = {
        "tokens": torch.from_numpy(reference.tokens),
        "lengths": torch.from_numpy(reference.lengths),
        "novelty": torch.from_numpy(reference.novelty.table),
        "percentiles": torch.from_numpy(reference.percentiles),
    }
    about = {
        "kind": "reference",
        "positional": reference.novelty.positional,
        "model": checksum(model.state_dict(), record.to_dict()),
    }
    write_tensors(folder / REFERENCE, tensors, about)
    save_model(folder, model, record)


def load_predictor(folder: str | os.PathLike[str], device: torch.device) -> TrainedPredictor:
    """A finished model. Raises ModelError: missing, unfinished, damaged, or of another kind."""
    return TrainedPredictor(*load_model(folder, device, kind=KIND, parse=PredictorRecord.from_dict))


def load_reference(folder: str | os.PathLike[str]) -> Reference:
    """What the model in a folder was trained on. Raises ModelError: missing, damaged, or of another model."""
    path = Path(folder) / REFERENCE
    tensors, raw = read_tensors(path)
    # Models of before version 1 of this key have none; a newer reference beside an older model has.
    if "model" in raw and raw["model"] != read_checksum(Path(folder) / WEIGHTS):
        raise ModelError(
            f"{path} belongs to another model than {WEIGHTS} beside it: a run that was to replace the model "
            "was killed; finish it with train-predictor --resume, or train again with --overwrite"
        )
    try:
        tokens, lengths, table, percentiles = (
            tensors[name].numpy() for name in ("tokens", "lengths", "novelty", "percentiles")
        )
        _check_reference(tokens, lengths, table, percentiles)
        return Reference(tokens, lengths, NoveltyModel(table, bool(raw["positional"])), percentiles)
    except (KeyError, ValueError, TypeError) as error:
        raise ModelError(f"{path} is damaged ({error!r}); train again") from error


def _check_reference(
    tokens: NDArray[Any], lengths: NDArray[Any], table: NDArray[Any], percentiles: NDArray[Any]
) -> None:
    """Raise ValueError for arrays that no save_predictor wrote."""
    kinds = (tokens.dtype in (np.uint8, np.int16), lengths.dtype == np.int64, table.dtype.kind == "f")
    shapes = (
        tokens.ndim == 2,
        lengths.shape == tokens.shape[:1],
        percentiles.ndim == 1,
        percentiles.size > 1,
    )
    if not all(kinds + shapes) or not len(tokens) or lengths.min() < 0 or lengths.max() > tokens.shape[1]:
        raise ValueError("its arrays have other shapes or types than they should")
