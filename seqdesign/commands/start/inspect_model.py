"""What ``seqdesign inspect`` says of the folder of a model, whatever its family."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar, Literal

from seqdesign.commands.session import WEIGHTS
from seqdesign.errors import InputError
from seqdesign.families import family_of
from seqdesign.runs.manifest import manifest_path, read_manifest
from seqdesign.runs.result import Result


@dataclass(frozen=True, kw_only=True)
class InspectModelResult(Result):
    """A trained model: what it is, what it reads, how good it is, and which commands use it."""

    command: ClassVar[str] = "inspect"
    text_to: ClassVar[Literal["stdout", "stderr"]] = "stdout"

    input: str
    kind: str
    """Family of the model."""
    made_by: str
    alphabet: str | None
    min_length: int | None
    max_length: int | None
    """Letters of the shortest and the longest sequence of training."""
    outcome: str | None
    """What it predicts or is conditional on; names joined by commas."""
    trained_on: tuple[str, ...]
    """Files as they were typed; empty for a model saved from Python."""
    num_train: int | None
    started: str | None
    """Date and time of the run."""
    measure: str | None
    """Of its quality on sequences that it had not seen."""
    value: float | None
    beside: float | None
    """The same measure of the simplest model that can do it."""
    used_by: tuple[str, ...]

    def text(self) -> str:
        """A short report."""
        when = f", {self.started[:10]}" if self.started else ""
        lines = [f"{self.input}: a model of {self.made_by}{when}"]
        rows = {"alphabet": self.alphabet, "length": self._lengths(), "outcome": self.outcome}
        number = f" ({self.num_train:,} sequences)" if self.num_train else ""
        rows["learned from"] = ", ".join(self.trained_on) + number if self.trained_on else None
        if self.value is not None:
            simple = f"; the simplest model {self.beside:.3f}" if self.beside is not None else ""
            rows["held out"] = f"{self.measure} {self.value:.3f}{simple}"
        rows["used by"] = ", ".join(self.used_by) or None
        width = max(len(name) for name in rows)
        return "\n".join([*lines, *(f"{name:<{width}}  {text}" for name, text in rows.items() if text)])

    def _lengths(self) -> str | None:
        if self.max_length is None:
            return None
        same = self.min_length in (None, self.max_length)
        return f"{self.max_length}" if same else f"{self.min_length} to {self.max_length}"


def inspect_model(folder: Path) -> InspectModelResult:
    """What is in the folder of a finished model. Raises InputError for another folder, and ModelError."""
    if not (folder / WEIGHTS).exists() and not (folder / "checkpoint").exists():
        raise InputError("is a folder without a model; name a file of sequences or a model", path=folder)
    family = family_of(folder)
    record = _record(folder)
    run = read_manifest(folder) if manifest_path(folder).is_file() else None
    said: Mapping[str, Any] = {} if run is None or run.result is None else run.result
    quality = family.quality(said) if family.quality is not None and said else {}
    outcomes = record.get("outcomes") or [record.get("outcome") or quality.get("outcome")]
    alphabet, num_train = record.get("alphabet"), said.get("num_train")
    return InspectModelResult(
        input=str(folder),
        kind=family.kind,
        made_by=family.made_by,
        alphabet=alphabet.get("name") if isinstance(alphabet, dict) else None,
        min_length=record.get("min_length"),
        max_length=record.get("max_length"),
        outcome=", ".join(str(name) for name in outcomes if name) or None,
        trained_on=() if run is None else tuple(run.inputs),
        num_train=sum(num_train) if isinstance(num_train, list) else num_train,
        started=None if run is None else run.started,
        measure=_typed(quality.get("measure"), str),
        value=_typed(quality.get("value"), float),
        beside=_typed(quality.get("beside"), float),
        used_by=tuple(family.used_by),
    )


def _record(folder: Path) -> Mapping[str, Any]:
    """The record of the model as JSON; {} for a family of a plug-in that writes none."""
    path = folder / "config.json"
    return json.loads(path.read_text(encoding="utf-8")) if path.is_file() else {}


def _typed(value: object, kind: type) -> Any:
    return value if isinstance(value, kind) else None
