"""What every model folder holds: weights with their record, the checkpoint of a run, its figures.

``model.safetensors`` has the weights and all that is needed to build the networks; ``config.json`` beside it
is a copy of that record for people. Only the safetensors file is read.
"""

from __future__ import annotations

import csv
import dataclasses
import io
import os
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Generic, Protocol, TypeVar

import torch
from torch import Tensor, nn

from seqdesign.config import Options, from_dict, to_dict
from seqdesign.errors import ModelError
from seqdesign.runs.atomic import atomic_write, write_json
from seqdesign.training.record_types import check_types
from seqdesign.training.tensor_file import read_tensors, write_tensors

WEIGHTS, CONFIG, CHECKPOINT = "model.safetensors", "config.json", "checkpoint/last.safetensors"
METRICS = "metrics.csv"
MAX_LENGTH = 10_000_000
"""Letters of the longest sequence that any file may hold."""
SHOWN = 200
"""Characters of somebody else's error that are repeated."""
NAMES = {"vae": "VAE", "gan": "GAN", "lm": "language model", "similarity": "similarity model"}
"""Kind -> how people call it."""

ClassT = TypeVar("ClassT")
ModelT = TypeVar("ModelT", bound=nn.Module)
ModelT_co = TypeVar("ModelT_co", bound=nn.Module, covariant=True)
RecordT = TypeVar("RecordT", bound="Record[Any]")


@dataclass
class FitState:
    """Where a run stands; together with the weights it is all that a resumed run needs."""

    epoch: int = 0
    """Finished passes."""
    step: int = 0
    """Finished steps."""
    stale: dict[str, int] = field(default_factory=dict)
    """Player, or ``player.member``, -> passes since its held-out loss improved. One that ran out of patience
    rests."""
    best: dict[str, float] = field(default_factory=dict)
    """Player, or ``player.member``, -> best held-out loss."""
    history: list[dict[str, float]] = field(default_factory=list)
    """One record of train and held-out terms per pass."""
    sums: dict[str, float] = field(default_factory=dict)
    """Training terms summed over the steps of the pass under way."""
    moves: dict[str, int] = field(default_factory=dict)
    """Player -> steps that it has taken."""


@dataclass(frozen=True)
class Checkpoint:
    """A run to write down or to continue: weights now, the best so far, optimizers and the state.

    What ``Hooks.save`` gets shares the memory of the running model; copy it to keep it.
    """

    model: dict[str, Tensor]
    best: dict[str, Tensor]
    optimizers: dict[str, dict[str, Any]]
    state: FitState
    averages: dict[str, Tensor] = field(default_factory=dict)
    """Running averages of the weights of the players who keep them."""


class OutdatedError(Exception):
    """A record of an earlier version: says what is wrong with it and what to do."""


class Record(Protocol[ModelT_co]):
    """What a model is besides its weights."""

    def build(self) -> ModelT_co:
        """The networks, with weights from torch's global generator."""
        ...

    def to_dict(self) -> dict[str, Any]:
        """JSON object; ``kind`` says what the model is."""
        ...


def record_to_dict(record: Any, kind: str) -> dict[str, Any]:
    """The dataclass ``record`` as a JSON object that says its ``kind``."""
    return {"kind": kind, **{name: _plain(getattr(record, name)) for name in record.__dataclass_fields__}}


def record_from_dict(cls: type[ClassT], values: Mapping[str, Any]) -> ClassT:
    """Inverse of ``record_to_dict``.

    Raises KeyError, TypeError, ValueError or SeqDesignError for a record of another make.
    """
    hints = typing.get_type_hints(cls)
    names = [one.name for one in dataclasses.fields(cls)]  # type: ignore[arg-type]
    return cls(**{name: _typed(hints[name], values[name]) for name in names})


def _plain(value: Any) -> Any:
    if isinstance(value, Options):
        return to_dict(value)
    if hasattr(value, "to_dict"):
        return value.to_dict()
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.asdict(value)
    return [_plain(item) for item in value] if isinstance(value, tuple | list) else value


def _typed(hint: Any, value: Any) -> Any:
    """What ``_plain`` was given, for a field of this type."""
    if typing.get_origin(hint) is tuple:
        return tuple(_typed(typing.get_args(hint)[0], item) for item in value)
    if not isinstance(hint, type):
        return value
    if issubclass(hint, Options):
        return from_dict(hint, value)
    if hasattr(hint, "from_dict"):
        return hint.from_dict(value)
    if dataclasses.is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return hint(**{name: _typed(hints.get(name), item) for name, item in value.items()})
    return hint(*value) if issubclass(hint, tuple) else value


@dataclass(frozen=True)
class Trained(Generic[ModelT, RecordT]):
    """A model ready for use, in eval mode, and its record."""

    model: ModelT
    record: RecordT


def save_model(folder: Path, model: nn.Module, record: Record[Any]) -> None:
    """Write ``model.safetensors`` and ``config.json``, each atomically. Raises OutputError."""
    write_tensors(folder / WEIGHTS, model.state_dict(), record.to_dict())
    write_json(folder / CONFIG, record.to_dict())


def model_kind(folder: str | os.PathLike[str]) -> str:
    """What a finished model is, such as ``vae``. Raises ModelError as ``load_model``."""
    return str(_read(Path(folder))[1].get("kind"))


def load_model(
    folder: str | os.PathLike[str],
    device: torch.device,
    *,
    kind: str,
    parse: Callable[[Mapping[str, Any]], RecordT],
) -> tuple[Any, RecordT]:
    """The networks of a finished model, in eval mode, and its record.

    ``parse`` makes the record of the JSON object. Raises ModelError: missing, unfinished, damaged, or of
    another kind.
    """
    path = Path(folder) / WEIGHTS
    tensors, raw = _read(Path(folder))
    if raw.get("kind") != kind:
        raise ModelError(
            f"{path} is of kind {raw.get('kind')!r}, a {NAMES.get(kind, kind)} is needed; name another folder"
        )
    try:
        record = parse(raw)
        check_types(record)
        _check_sizes(raw, tensors)
        with torch.random.fork_rng(devices=[]):  # the initial weights are drawn and thrown away
            model = record.build()
    except MemoryError:
        raise
    except OutdatedError as error:
        raise ModelError(f"{path} {error}") from error
    except Exception as error:  # a record that somebody else made can break anything in there
        raise ModelError(
            f"{path} has a record that this version cannot read ({_brief(error)}); train again"
        ) from error
    try:
        model.load_state_dict(tensors)
    except RuntimeError as error:
        detail = " ".join(str(error).split())
        raise ModelError(f"{path} does not fit its own record ({detail}); train again") from error
    return model.to(device).eval(), record


def _check_sizes(raw: Mapping[str, Any], tensors: Mapping[str, Tensor]) -> None:
    """Raise ValueError for lengths that are no lengths, before networks of such a size are built."""
    shortest, longest = raw.get("min_length", 0), raw.get("max_length", 1)
    whole = all(isinstance(n, int) and not isinstance(n, bool) for n in (shortest, longest))
    if not whole or not 0 <= shortest <= longest or not 1 <= longest <= MAX_LENGTH:
        raise ValueError(f"its lengths cannot be {shortest!r} to {longest!r}")
    if not all(bool(t.isfinite().all()) for t in tensors.values() if t.is_floating_point()):
        raise ValueError("its weights are not all finite")


def _brief(error: BaseException) -> str:
    text = " ".join(f"{type(error).__name__}: {error}".split())
    return text if len(text) <= SHOWN else f"{text[:SHOWN]} ..."


def run_identity(
    fingerprint: str, options: Options, fit_options: Options, seed: int, num_processes: int
) -> dict[str, Any]:
    """What must be the same for a run to be continued; the keys name it in the error message."""
    return {
        "input": fingerprint,
        "model options": to_dict(options),
        "training options": to_dict(fit_options),
        "--seed": seed,
        "number of processes": num_processes,
    }


def save_checkpoint(
    folder: Path, checkpoint: Checkpoint, record: Record[Any], identity: Mapping[str, Any]
) -> None:
    """Everything that a resumed run needs, in one file. ``identity``: what must not change in between."""
    tensors: dict[str, Tensor] = {f"model/{k}": v for k, v in checkpoint.model.items()}
    tensors |= {f"best/{k}": v for k, v in checkpoint.best.items()}
    tensors |= {f"average/{k}": v for k, v in checkpoint.averages.items()}
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
    if not {"identity", "groups", "state"} <= raw.keys() or not isinstance(raw["identity"], dict):
        raise ModelError(f"{path} is not the checkpoint of a training run; start anew with --overwrite")
    changed = [key for key, value in identity.items() if raw["identity"].get(key) != value]
    if changed:
        details = "; ".join(differences(raw["identity"], identity))
        raise ModelError(
            f"{path} was made with other {', '.join(changed)}; resume with the same input and options, or "
            f"start anew with --overwrite ({details})"
        )
    parts: dict[str, dict[str, Tensor]] = {"model": {}, "best": {}, "average": {}}
    try:
        optimizers = {player: {"param_groups": g, "state": {}} for player, g in raw["groups"].items()}
        for key, value in tensors.items():
            kind, _, name = key.partition("/")
            if kind == "optimizer":
                player, i, entry = name.split("/")
                optimizers[player]["state"].setdefault(int(i), {})[entry] = value
            else:
                parts[kind][name] = value
        state = FitState(**raw["state"])
    except (KeyError, ValueError, TypeError, AttributeError) as error:
        raise ModelError(f"{path} is damaged ({_brief(error)}); start anew with --overwrite") from error
    return Checkpoint(parts["model"], parts["best"], optimizers, state, parts["average"])


def differences(then: Mapping[str, Any], now: Mapping[str, Any]) -> list[str]:
    """What is not as it was, each with both values: ``--epochs 5, now 6``; the input by name only."""
    found = []
    for key, value in now.items():
        before = then.get(key)
        if before == value:
            continue
        if isinstance(value, dict) and isinstance(before, dict):
            options = {name: (before.get(name), value.get(name)) for name in {**before, **value}}
            found += [
                f"--{name.rstrip('_').replace('_', '-')} was {_word(a)}, is {_word(b)}"
                for name, (a, b) in options.items()
                if a != b
            ]
        elif key == "input":
            found.append("the sequences or outcomes of the input differ")
        else:
            found.append(f"{key} was {_word(before)}, is {_word(value)}")
    return found


def _word(value: Any) -> str:
    return ",".join(map(str, value)) if isinstance(value, list) else str(value)


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


def _read(folder: Path) -> tuple[dict[str, Tensor], dict[str, Any]]:
    if not (folder / WEIGHTS).exists() and (folder / CHECKPOINT).exists():
        record = read_tensors(folder / CHECKPOINT)[1].get("record")
        kind = record.get("kind", "vae") if isinstance(record, dict) else "vae"
        raise ModelError(f"{folder} holds an unfinished training run; finish it with train-{kind} --resume")
    return read_tensors(folder / WEIGHTS)
