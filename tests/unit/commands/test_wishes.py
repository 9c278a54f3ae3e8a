"""Wishes that a config of a command refuses by itself, before anything is read."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from seqdesign.commands.design.sample_vae import SampleVAEConfig
from seqdesign.commands.look.attribute import AttributeConfig
from seqdesign.commands.look.evaluate import EvaluateConfig
from seqdesign.commands.look.logo import LogoConfig
from seqdesign.commands.look.motifs import MotifsConfig
from seqdesign.commands.look.predict import PredictConfig
from seqdesign.commands.train.train_gan import TrainGANConfig
from seqdesign.commands.train.train_lm import TrainLMConfig
from seqdesign.commands.train.train_predictor import TrainPredictorConfig
from seqdesign.commands.train.train_similarity import TrainSimilarityConfig
from seqdesign.commands.train.train_vae import TrainVAEConfig
from seqdesign.config import CommandConfig
from seqdesign.errors import UsageError

STDIN, FILE = Path("-"), Path("x.fa")
SHARED = "--devices: several processes cannot share stdin; name a file"


@pytest.mark.parametrize(
    ("kind", "options", "message"),
    [
        (TrainVAEConfig, {"sequences": STDIN, "devices": 2}, SHARED),
        (TrainLMConfig, {"sequences": STDIN, "num_nodes": 2}, SHARED),
        (TrainGANConfig, {"sequences": STDIN, "devices": 2}, SHARED),
        (TrainSimilarityConfig, {"sequences": STDIN, "devices": 2}, SHARED),
        (TrainVAEConfig, {"sequences": FILE, "outcome": "a", "condition": "b"}, "--outcome: must be the one"),
        (TrainLMConfig, {"sequences": FILE, "outcome": "a", "condition": "b"}, "--outcome: must be the one"),
        (TrainVAEConfig, {"sequences": FILE, "overwrite": True, "resume": True}, "--overwrite: cannot be"),
        (TrainPredictorConfig, {"sequences": FILE, "devices": 2}, "--devices: a predictor is trained by one"),
        (SampleVAEConfig, {"decode": "greedy", "temperature": 0.5}, "--temperature: has no effect"),
        (AttributeConfig, {"input": FILE, "parents": FILE, "edits": STDIN}, "--edits: stdout carries"),
        (
            AttributeConfig,
            {"input": FILE, "parents": FILE, "edits": STDIN, "output": Path("t.csv"), "json": True},
            "--json: stdout carries the table",
        ),
        (AttributeConfig, {"input": STDIN, "parents": STDIN, "output": FILE}, "only one of them can be -"),
        (EvaluateConfig, {"input": FILE, "designs": True, "vae": Path("m")}, "--vae"),
        (LogoConfig, {"input": FILE, "kind": "counts", "background": "input"}, "--background: has no effect"),
        (MotifsConfig, {"input": FILE, "table": STDIN, "json": True}, "--json: stdout carries the table"),
        (PredictConfig, {"input": FILE, "json": True}, "--json: stdout carries the table"),
    ],
)
def test_what_cannot_be_wished_for_is_named_by_its_option(
    kind: type[CommandConfig], options: dict[str, Any], message: str
) -> None:
    with pytest.raises(UsageError, match=message):
        kind(**options)
