"""Small models for tests of what is silently wrong: strings of 12 letters, their outcome and a label."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from seqdesign.commands.train.train_predictor import TrainPredictorConfig, train_predictor
from seqdesign.commands.train.train_vae import TrainVAEConfig, train_vae
from seqdesign.models.vae.config import VAEOptions, adapt, language_options
from seqdesign.models.vae.store import VAERecord
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.training.store import save_model

LENGTH, FIXED = 12, "ACG"
"""Letters of a sequence, and those with which all of them begin."""


def texts(num: int, seed: int = 0) -> list[str]:
    """Different sequences; a part of them is the same in all."""
    rng = np.random.default_rng(seed)
    found: dict[str, None] = {}
    while len(found) < num:
        found[FIXED + "".join(rng.choice(list("ACGT"), size=LENGTH - len(FIXED)))] = None
    return list(found)


def score(text: str) -> float:
    """What is measured: the number of G behind the fixed part, and a little noise."""
    noise = int.from_bytes(text.encode(), "big") % 97 / 97
    return text[len(FIXED) :].count("G") + 0.3 * noise


def label(text: str) -> str:
    """Two kinds, of which the better one is the first in the alphabet."""
    return "binder" if text[len(FIXED) :].count("G") >= 3 else "nonbinder"


def table(path: Path, num: int = 160, seed: int = 0) -> Path:
    """A CSV file of both."""
    rows = [f"v{i},{t},{score(t):.3f},{label(t)}" for i, t in enumerate(texts(num, seed))]
    path.write_text("\n".join(["id,sequence,outcome,class", *rows]) + "\n")
    return path


SMALL = {"members": 2, "hidden": 8, "channels": 4, "epochs": 6, "architecture": "residual", "quiet": True}


@pytest.fixture(scope="session")
def zoo(tmp_path_factory: pytest.TempPathFactory) -> SimpleNamespace:
    """``table``, and models of it: ``numbers``, ``labels``, ``vae``."""
    home = tmp_path_factory.mktemp("zoo")
    data = table(home / "data.csv")
    train_predictor(TrainPredictorConfig(sequences=data, output=home / "numbers", **SMALL))
    train_predictor(TrainPredictorConfig(sequences=data, output=home / "labels", outcome=("class",), **SMALL))
    train_vae(
        TrainVAEConfig(
            sequences=data, output=home / "vae", hidden=8, latent_dim=3, embedding=4, invariance_batch=8,
            epochs=2, quiet=True,
        )
    )  # fmt: skip
    return SimpleNamespace(
        table=data, numbers=home / "numbers", labels=home / "labels", vae=home / "vae", texts=texts,
        score=score, label=label, write=table, length=LENGTH, fixed=FIXED,
    )  # fmt: skip


@pytest.fixture
def vae_folder() -> Callable[[Path], Path]:
    """Write a VAE of 4 letters with random weights and an outcome into a folder."""

    def make(folder: Path) -> Path:
        folder.mkdir(parents=True, exist_ok=True)
        small = VAEOptions(
            encoder="gru", decoder="gru", hidden=4, latent_dim=2, embedding=2, invariance_batch=4
        )
        options = adapt(small, max_length=4, fixed_length=True, num_train=100)
        record = VAERecord(
            options,
            language_options(options),
            get_alphabet("dna"),
            4,
            4,
            "y",
            0.0,
            1.0,
            naturalness_floor=-9.0,
        )
        torch.manual_seed(0)
        save_model(folder, record.build(), record)
        return folder

    return make
