"""Small models that several tests of commands read."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqdesign.commands.train_predictor import TrainPredictorConfig, train_predictor


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
