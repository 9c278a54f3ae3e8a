"""Small models for tests of what is silently wrong: strings of 12 letters, their outcome and a label."""

from __future__ import annotations

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest

from seqdesign.commands.train_predictor import TrainPredictorConfig, train_predictor
from seqdesign.commands.train_vae import TrainVAEConfig, train_vae

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
