"""SequenceVAE folders: ``model.safetensors`` with the weights and all that is needed to build the networks.

``config.json`` beside it is a copy of that record for people; only the safetensors file is read.
"""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqdesign.config import from_dict, to_dict
from seqdesign.errors import ModelError, SeqDesignError
from seqdesign.models.vae.config import VAEOptions
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.rundir import atomic_write, write_json
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.training.loop import Checkpoint, FitState
from seqdesign.training.tensor_file import read_tensors, write_tensors

KIND = "vae"
WEIGHTS, CONFIG, CHECKPOINT = "model.safetensors", "config.json", "checkpoint/last.safetensors"
METRICS = "metrics.csv"


@dataclass(frozen=True)
class VAERecord:
    """What a SequenceVAE is besides its weights."""

    options: VAEOptions
    """With every ``auto`` replaced."""
    alphabet: Alphabet
    max_length: int
    min_length: int
    """Shortest training sequence."""
    outcome: str | None
    """Column or header key of the outcome; None: trained without."""
    outcome_mean: float
    outcome_scale: float
    naturalness_floor: float | None = None
    """log p(x) per letter that 95% of the training sequences exceed; None until training has ended."""

    def build(self) -> SequenceVAE:
        """The networks, with weights from torch's global generator."""
        return SequenceVAE(
            self.options,
            Vocabulary(self.alphabet),
            self.max_length,
            outcome_mean=self.outcome_mean,
            outcome_scale=self.outcome_scale,
        )

    def to_dict(self) -> dict[str, Any]:
        """JSON object."""
        fields = {name: getattr(self, name) for name in self.__dataclass_fields__}
        return {
            "kind": KIND, **fields, "options": to_dict(self.options), "alphabet": self.alphabet.to_dict(),
        }  # fmt: skip

    @classmethod
    def from_dict(cls, record: Mapping[str, Any]) -> VAERecord:
        """Raises KeyError, TypeError, ValueError or SeqDesignError for a record of another make."""
        values = {name: record[name] for name in cls.__dataclass_fields__}
        values["options"] = from_dict(VAEOptions, record["options"])
        values["alphabet"] = Alphabet.from_dict(record["alphabet"])
        return cls(**values)


@dataclass(frozen=True)
class TrainedVAE:
    """A model ready for use, in eval mode, and its record."""

    model: SequenceVAE
    record: VAERecord


def save_vae(folder: Path, model: SequenceVAE, record: VAERecord) -> None:
    """Write ``model.safetensors`` and ``config.json``, each atomically. Raises OutputError."""
    write_tensors(folder / WEIGHTS, model.state_dict(), record.to_dict())
    write_json(folder / CONFIG, record.to_dict())


def load_vae(folder: str | os.PathLike[str], device: torch.device) -> TrainedVAE:
    """A finished model. Raises ModelError: missing, unfinished, damaged, or of another kind."""
    path = Path(folder)
    if not (path / WEIGHTS).exists() and (path / CHECKPOINT).exists():
        raise ModelError(f"{path} holds an unfinished training run; finish it with train-vae --resume")
    tensors, raw = read_tensors(path / WEIGHTS)
    record = _record(path / WEIGHTS, raw)
    with torch.random.fork_rng(devices=[]):  # the initial weights are drawn and thrown away
        model = record.build()
    _load_state(model, tensors, path / WEIGHTS)
    return TrainedVAE(model.to(device).eval(), record)


def save_checkpoint(
    folder: Path, checkpoint: Checkpoint, record: VAERecord, identity: Mapping[str, Any]
) -> None:
    """Everything that a resumed run needs, in one file. ``identity``: what must not change in between."""
    tensors: dict[str, Tensor] = {f"model/{k}": v for k, v in checkpoint.model.items()}
    tensors |= {f"best/{k}": v for k, v in checkpoint.best.items()}
    groups = {}
    for player, state in checkpoint.optimizers.items():
        groups[player] = state["param_groups"]
        for i, values in state["state"].items():
            tensors |= {f"optimizer/{player}/{i}/{name}": v for name, v in values.items()}
    path = folder / CHECKPOINT
    path.parent.mkdir(exist_ok=True)
    write_tensors(
        path,
        tensors,
        {"record": record.to_dict(), "identity": identity, "groups": groups, "state": vars(checkpoint.state)},
    )


def load_checkpoint(folder: Path, identity: Mapping[str, Any]) -> Checkpoint:
    """The last checkpoint of a run with the same ``identity``. Raises ModelError."""
    path = folder / CHECKPOINT
    if not path.exists():
        raise ModelError(f"{folder} holds no checkpoint to resume; start without --resume")
    tensors, raw = read_tensors(path)
    if not {"identity", "groups", "state"} <= raw.keys():
        raise ModelError(f"{path} is no checkpoint of train-vae; start anew with --overwrite")
    changed = [key for key, value in identity.items() if raw["identity"].get(key) != value]
    if changed:
        raise ModelError(
            f"{path} was made with other {', '.join(changed)}; resume with the same input and options, or "
            "start anew with --overwrite"
        )
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}}
    optimizers = {player: {"param_groups": g, "state": {}} for player, g in raw["groups"].items()}
    for key, value in tensors.items():
        kind, _, name = key.partition("/")
        if kind == "optimizer":
            player, i, entry = name.split("/")
            optimizers[player]["state"].setdefault(int(i), {})[entry] = value
        else:
            parts[kind][name] = value
    return Checkpoint(parts["model"], parts["best"], optimizers, FitState(**raw["state"]))


def write_metrics(folder: Path, history: list[dict[str, float]]) -> None:
    """Write ``metrics.csv``: one row per pass, whole at any time; nothing before the first pass has ended."""
    if not history:
        return
    text = io.StringIO(newline="")
    writer = csv.DictWriter(text, fieldnames=list(history[0]), lineterminator="\n")
    writer.writeheader()
    writer.writerows(history)
    with atomic_write(folder / METRICS) as handle:
        handle.write(text.getvalue().encode())


def _record(path: Path, raw: Mapping[str, Any]) -> VAERecord:
    if raw.get("kind") != KIND:
        raise ModelError(f"{path} is of kind {raw.get('kind')!r}, a VAE is needed; name another folder")
    try:
        return VAERecord.from_dict(raw)
    except (KeyError, TypeError, ValueError, SeqDesignError) as error:
        raise ModelError(
            f"{path} has a record that this version cannot read ({error!r}); train again"
        ) from error


def _load_state(model: SequenceVAE, tensors: dict[str, Tensor], path: Path) -> None:
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        detail = " ".join(str(error).split())
        raise ModelError(f"{path} does not fit its own record ({detail}); train again") from error
