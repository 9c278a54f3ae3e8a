"""Small models and data: sequence VAEs over three letters, and strings whose outcome can be learned."""

from __future__ import annotations

import copy
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import torch
from lightning_fabric import Fabric
from numpy.typing import NDArray
from torch import Generator

from seqdesign.commands.train.train_predictor import TrainPredictorConfig, train_predictor
from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.fit import VAETraining, train_sequence_vae
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import TokenArray, Vocabulary, encode
from seqdesign.training.config import FitOptions
from seqdesign.training.data import Batch
from seqdesign.training.loop import make_fabric
from seqdesign.training.store import Checkpoint

VOCABULARY = Vocabulary(get_alphabet("letters:ABC"))
MAX_LENGTH = 5


def vae(
    *, max_length: int = MAX_LENGTH, mean: float = 0.5, scale: float = 2.0, gain: float = 1.0, **options: Any
) -> SequenceVAE:
    """Random weights, times ``gain``."""
    torch.manual_seed(0)
    chosen = {
        "encoder": "gru",
        "hidden": 8,
        "latent_dim": 2,
        "embedding": 4,
        "invariance_batch": 16,
        "dropout": 0.0,
        **options,
    }
    model = SequenceVAE(VAEOptions(**chosen), VOCABULARY, max_length, outcome_mean=mean, outcome_scale=scale)
    with torch.no_grad():
        for parameter in model.parameters():
            parameter *= gain
    return model.eval()


def batch(n: int = 12, seed: int = 0) -> Batch:
    """Strings of 1 to 5 letters with standard normal outcomes."""
    rng = Generator().manual_seed(seed)
    lengths = torch.randint(1, MAX_LENGTH + 1, (n,), generator=rng)
    tokens = torch.randint(VOCABULARY.n_letters, (n, MAX_LENGTH), generator=rng)
    tokens = tokens.where(torch.arange(MAX_LENGTH) < lengths[:, None], VOCABULARY.pad)
    return Batch(tokens, lengths, torch.randn(n, generator=rng))


def generator(seed: int = 0) -> Generator:
    return Generator().manual_seed(seed)


@pytest.fixture
def small() -> SimpleNamespace:
    """The functions of this file: tests cannot import each other's modules."""
    return SimpleNamespace(vae=vae, batch=batch, generator=generator, vocabulary=VOCABULARY)


MODEL = {"hidden": 8, "latent_dim": 3, "embedding": 4, "invariance_batch": 8, "dropout": 0.0}
FIT = {"epochs": 2, "batch_size": 16}


def strings(n: int = 64, seed: int = 0, low: int = 3, high: int = 8) -> list[str]:
    """Different random DNA strings of ``low`` to ``high`` letters."""
    rng, found = np.random.default_rng(seed), {}
    while len(found) < n:
        found["".join(rng.choice(list("ACGT"), size=rng.integers(low, high + 1)))] = None
    return list(found)


def dna(texts: list[str]) -> TokenArray:
    return encode(texts, get_alphabet("dna"))


def outcomes(texts: list[str]) -> NDArray[np.float64]:
    """Number of A."""
    return np.array([float(s.count("A")) for s in texts])


@pytest.fixture(scope="session")
def fabric() -> Fabric:
    """One CPU process."""
    return make_fabric(FitOptions(), torch.device("cpu"))


@pytest.fixture
def tiny(fabric: Fabric) -> SimpleNamespace:
    """The functions of this file: tests cannot import each other's modules."""

    def train(texts: list[str], y: NDArray[np.float64] | None, seed: int = 0, **given: Any) -> VAETraining:
        model = {k: v for k, v in given.items() if k in VAEOptions.__dataclass_fields__}
        fit = {k: v for k, v in given.items() if k in FitOptions.__dataclass_fields__}
        rest = {k: v for k, v in given.items() if k not in model | fit}
        return train_sequence_vae(
            dna(texts),
            y,
            options=VAEOptions(**(MODEL | model)),
            fit_options=FitOptions(**(FIT | fit)),
            seed=seed,
            fabric=fabric,
            **rest,
        )

    return SimpleNamespace(train=train, strings=strings, dna=dna, outcomes=outcomes, keep=keep)


def keep(checkpoint: Checkpoint) -> Checkpoint:
    """A copy that no longer shares the memory of the running model."""
    return copy.deepcopy(checkpoint)


@pytest.fixture(scope="session", autouse=True)
def one_thread() -> None:
    """Steps this small lose more to waiting threads than they win."""
    torch.set_num_threads(1)


@pytest.fixture(scope="session")
def tiny_predictor(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Five small networks on 80 RNA strings of 9 letters; T never stands at position 4, only A and G at 5.

    The outcome counts G, and position 5 counts twice. ``train.fa`` lies beside the folder.
    """
    folder = tmp_path_factory.mktemp("tiny")
    rng = np.random.default_rng(0)
    lines = []
    for i in range(80):
        letters = rng.choice(list("ACGU"), 9)
        letters[3] = rng.choice(list("ACG"))
        letters[4] = rng.choice(list("AG"))
        text = "".join(letters)
        value = text.count("G") + (text[4] == "G") + 0.1 * rng.standard_normal()
        lines.append(f">s{i} outcome={value:.4f}\n{text}\n")
    source = folder / "train.fa"
    source.write_text("".join(lines))
    train_predictor(
        TrainPredictorConfig(
            sequences=source, output=folder / "predictor", epochs=3, quiet=True, architecture="residual"
        )
    )
    return folder / "predictor"
