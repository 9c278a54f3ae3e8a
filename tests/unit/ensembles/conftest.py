"""What tests of several kinds of model ask."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import Tensor

from seqdesign.ensembles.reader import Basis
from seqdesign.judging.processes import GaussianProcess, Kind, hyperparameters, read_as
from seqdesign.models.predictor.fit import PredictorTraining
from seqdesign.models.predictor.predictions import predict_outcomes
from seqdesign.models.predictor.store import load_predictor, save_predictor
from seqdesign.sequences.encoders import TokenArray


@pytest.fixture
def predicted(tmp_path: Path) -> Callable[[PredictorTraining, TokenArray], np.ndarray]:
    """Means (N,) of the first outcome of sequences, which a stored model gives as well."""

    def means(made: PredictorTraining, array: TokenArray) -> np.ndarray:
        found = predict_outcomes(made.trained, array.tokens, array.lengths).mean[:, 0]
        save_predictor(tmp_path, made.trained.model, made.trained.record, made.reference)
        stored = load_predictor(tmp_path, torch.device("cpu"))
        again = predict_outcomes(stored, array.tokens, array.lengths).mean[:, 0]
        assert np.array_equal(again, found)
        return found

    return means


@pytest.fixture
def judge() -> Callable[..., tuple[GaussianProcess, float]]:
    """A process of a kind that has learned from tokens (N, L) with values (N, 1), and its mean squared error
    where each row is left out.
    """

    def learned(kind: Kind, basis: Basis, tokens: Tensor, values: Tensor) -> tuple[GaussianProcess, float]:
        reader = read_as(kind, basis, tokens)
        x = reader(tokens)
        process = GaussianProcess(kind, hyperparameters(kind, reader, x, values, 0), reader, x, values)
        return process, float((process.left_out()[0] - values).square().mean())

    return learned
