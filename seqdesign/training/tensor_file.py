"""Tensors and a JSON record in one safetensors file: whole or absent, checked on reading, no pickle.

safetensors itself refuses truncated files, overlaps and lying shapes, but a flipped bit in the data or in the
record loads silently; so the file carries a SHA-256 over both.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from typing import Any

import torch
from safetensors import SafetensorError, safe_open
from safetensors.torch import save
from torch import Tensor

from seqdesign.errors import ModelError
from seqdesign.runs.atomic import atomic_write

KEY = "seqdesign"
FORMAT = 1
"""Version of what the record and the tensors mean; a newer one is refused."""


def write_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], record: Mapping[str, Any]
) -> None:
    """Write tensors (moved to the CPU) and a JSON-able record, atomically. Raises OutputError."""
    plain = {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}
    text = json.dumps(record)
    about = {"format": FORMAT, "sha256": _digest(plain, text), "record": text}
    # One key: safetensors writes several in random order, and the same run shall give the same bytes.
    data = save(plain, {KEY: json.dumps(about)})
    with atomic_write(path) as handle:
        handle.write(data)


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors (on the CPU) and the record of a file by ``write_tensors``.

    Raises ModelError: missing, damaged, not ours, or of a newer format.
    """
    name = os.fspath(path)
    if not os.path.isfile(name):
        raise ModelError(f"{name} does not exist; train the model first, or name its folder with --model")
    try:
        with safe_open(name, framework="pt") as handle:
            metadata = handle.metadata() or {}
            tensors = {key: handle.get_tensor(key) for key in handle.keys()}  # noqa: SIM118  (not a mapping)
    except (SafetensorError, OSError, ValueError) as error:
        raise ModelError(
            f"{name} is damaged or no safetensors file ({error}); restore it or train again"
        ) from error
    if KEY not in metadata:
        raise ModelError(f"{name} was not written by seqdesign; name a folder that a train command made")
    try:
        about = json.loads(metadata[KEY])
        version, checksum, record = int(about["format"]), about["sha256"], str(about["record"])
    except (ValueError, KeyError, TypeError) as error:
        raise ModelError(f"{name} is damaged: its record is unreadable; restore it or train again") from error
    if version > FORMAT:
        raise ModelError(f"{name} has format {version}, this version reads up to {FORMAT}; update seqdesign")
    if checksum != _digest(tensors, record):
        raise ModelError(f"{name} is damaged: its checksum does not match; restore it or train again")
    return tensors, json.loads(record)


def _digest(tensors: Mapping[str, Tensor], record: str) -> str:
    """SHA-256 over the record and over names, types, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256(f"{record}\n".encode())
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
