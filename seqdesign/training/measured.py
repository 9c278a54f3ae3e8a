"""The sequences that a model was trained on, with what was measured of them, beside its weights.

Design asks which letters were ever seen at a place and which sequences are measured already, and lets judges
of its own learn from them.
"""

from __future__ import annotations

import os
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.errors import ModelError
from seqdesign.sequences.encoders import TokenArray
from seqdesign.sequences.lab.chains import Joined
from seqdesign.sequences.lab.variants import Numbering
from seqdesign.training.tensor_file import read_tensors, write_tensors

MEASURED = "measured.safetensors"
ARRAYS = ("tokens", "lengths", "values", "held_out")


@dataclass(frozen=True, eq=False)
class Measured:
    """N sequences of a model's data. Tokens from V on are no letters; values that nobody measured are NaN."""

    tokens: NDArray[Any]
    """(N, L), padded."""
    lengths: NDArray[np.int64]
    """(N,)."""
    values: NDArray[np.float64]
    """(N, K) in the user's units; labels as their numbers. K is 0 without outcomes."""
    held_out: NDArray[np.bool_]
    """(N,): rows that no weight was learned from."""
    numbering: Numbering = field(default_factory=Numbering)
    """The wild type, and the number of its first letter."""
    detail: NDArray[np.float64] | None = None
    """(N, K): what the task knows of values besides their numbers, such as the side of a limit."""

    @classmethod
    def of(
        cls,
        array: TokenArray,
        values: NDArray[np.float64] | None,
        held_out: NDArray[np.int64],
        numbering: Numbering | None = None,
        *,
        detail: NDArray[np.float64] | None = None,
    ) -> Measured:
        """Encoded sequences with values (N,), (N, K) or None; ``held_out``: places of those held out."""
        n = len(array)
        table = np.zeros((n, 0)) if values is None else np.asarray(values, dtype=np.float64).reshape(n, -1)
        fresh = np.zeros(n, dtype=bool)
        fresh[held_out] = True
        return cls(array.tokens.copy(), array.lengths.copy(), table, fresh, numbering or Numbering(), detail)

    def __len__(self) -> int:
        return len(self.lengths)

    def take(self, rows: NDArray[np.bool_] | NDArray[np.int64]) -> Measured:
        """Some of the rows."""
        arrays = {name: getattr(self, name)[rows] for name in ARRAYS}
        detail = None if self.detail is None else self.detail[rows]
        return Measured(**arrays, numbering=self.numbering, detail=detail)


def save_measured(folder: Path, measured: Measured) -> None:
    """Write ``measured.safetensors``, atomically. Raises OutputError."""
    tensors = {name: torch.from_numpy(getattr(measured, name)) for name in ARRAYS}
    if measured.detail is not None:
        tensors["detail"] = torch.from_numpy(measured.detail)
    about: dict[str, object] = {"kind": "measured"}
    if measured.numbering != Numbering():
        about["numbering"] = asdict(measured.numbering)
    write_tensors(folder / MEASURED, tensors, about)


def load_measured(folder: str | os.PathLike[str]) -> Measured | None:
    """What the model in a folder was trained on; None for a model of a version that did not keep it.

    Raises ModelError for a damaged file.
    """
    path = Path(folder) / MEASURED
    if not path.is_file():
        return None
    tensors, about = read_tensors(path)
    try:
        numbering = _numbering(about.get("numbering", {}))
        detail = tensors["detail"].numpy() if "detail" in tensors else None
        arrays = {name: tensors[name].numpy() for name in ARRAYS}
        return Measured(**arrays, numbering=numbering, detail=detail)
    except (KeyError, TypeError) as error:
        raise ModelError(f"{path} lacks {error}; train again") from error


def _numbering(about: dict[str, Any]) -> Numbering:
    """From JSON. Raises TypeError and KeyError."""
    joined = about.get("joined")
    if joined is not None:
        joined = Joined(tuple(joined["columns"]), joined["linker"], tuple(joined["lengths"]))
    return Numbering(**{**about, "joined": joined})


def measured_range(folder: Path | None, *outcomes: str) -> dict[str, tuple[float, float]]:
    """Least and largest measured value of each outcome of a model; nothing where that is not known.

    outcomes: their names in the order of the model.
    """
    try:
        known = None if folder is None else load_measured(folder)
    except ModelError:
        return {}
    return {} if known is None else _ranges(known.values, outcomes)


def training_range(folder: Path, *outcomes: str) -> dict[str, tuple[float, float]]:
    """As ``measured_range``, of the rows that weights were learned from only. Raises ModelError."""
    known = load_measured(folder)
    return {} if known is None else _ranges(known.values[~known.held_out], outcomes)


def _ranges(values: NDArray[np.float64], outcomes: tuple[str, ...]) -> dict[str, tuple[float, float]]:
    found = {}
    for name, column in zip(outcomes, values.T, strict=False):
        finite = column[np.isfinite(column)]
        if finite.size:
            found[name] = (float(finite.min()), float(finite.max()))
    return found
