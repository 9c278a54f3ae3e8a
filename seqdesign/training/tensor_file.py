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
from safetensors.torch import load, save
from torch import Tensor

from seqdesign.errors import ModelError
from seqdesign.runs.atomic import atomic_write

KEY = "seqdesign"
MAX_HEADER = 100_000_000
"""Bytes that the format allows a header."""
FORMAT = 1
"""Version of what the record and the tensors mean; a newer one is refused."""


def write_tensors(
    path: str | os.PathLike[str], tensors: Mapping[str, Tensor], record: Mapping[str, Any]
) -> None:
    """Write tensors (moved to the CPU) and a JSON-able record, atomically. Raises OutputError."""
    plain = _plain(tensors)
    text = json.dumps(record)
    about = {"format": FORMAT, "sha256": _digest(plain, text), "record": text}
    # One key: safetensors writes several in random order, and the same run shall give the same bytes.
    data = save(plain, {KEY: json.dumps(about)})
    with atomic_write(path) as handle:
        handle.write(data)


def checksum(tensors: Mapping[str, Tensor], record: Mapping[str, Any]) -> str:
    """The SHA-256 that a file with these contents carries, by which another file can say that it belongs."""
    return _digest(_plain(tensors), json.dumps(record))


def read_checksum(path: str | os.PathLike[str]) -> str:
    """The checksum that a file says it has. Raises ModelError as ``read_tensors``."""
    return _about(os.fspath(path), _read(os.fspath(path), header_only=True))[0]


def read_tensors(path: str | os.PathLike[str]) -> tuple[dict[str, Tensor], dict[str, Any]]:
    """The tensors (on the CPU) and the record of a file by ``write_tensors``.

    The whole file is read, not mapped: what is checked here does not change any more when the file does.
    Raises ModelError: missing, damaged, not ours, or of a newer format.
    """
    name = os.fspath(path)
    data = _read(name)
    try:
        tensors = load(data)
    except (
        Exception
    ) as error:  # safetensors raises many kinds for damaged data, KeyError and OverflowError too
        raise ModelError(
            f"{name} is damaged or no safetensors file ({error}); restore it or train again"
        ) from error
    stated, record = _about(name, data)
    if stated != _digest(tensors, record):
        raise ModelError(f"{name} is damaged: its checksum does not match; restore it or train again")
    try:
        found = json.loads(record)
    except (ValueError, RecursionError) as error:
        raise ModelError(f"{name} is damaged: its record is unreadable; restore it or train again") from error
    if not isinstance(found, dict):
        raise ModelError(
            f"{name} is damaged: its record must be an object, got {type(found).__name__}; train again"
        )
    return tensors, found


def _read(name: str, *, header_only: bool = False) -> bytes:
    """The bytes of a file, or its header. Raises ModelError."""
    if not os.path.isfile(name):
        raise ModelError(f"{name} does not exist; train the model first, or name its folder with --model")
    try:
        with open(name, "rb") as handle:
            if not header_only:
                return handle.read()
            size = handle.read(8)
            return size + handle.read(min(int.from_bytes(size, "little"), MAX_HEADER))
    except OSError as error:
        raise ModelError(f"{name} cannot be read: {error.strerror or error}") from error


def _about(name: str, data: bytes) -> tuple[str, str]:
    """(checksum, record) that the header states. Raises ModelError."""
    try:
        size = int.from_bytes(data[:8], "little")
        metadata = json.loads(data[8 : 8 + size]).get("__metadata__") or {}
        if KEY not in metadata:
            raise ModelError(f"{name} was not written by seqdesign; name a folder that a train command made")
        about = json.loads(metadata[KEY])
        version, stated, record = int(about["format"]), str(about["sha256"]), str(about["record"])
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError, RecursionError) as error:
        raise ModelError(f"{name} is damaged: its record is unreadable; restore it or train again") from error
    if version > FORMAT:
        raise ModelError(f"{name} has format {version}, this version reads up to {FORMAT}; update seqdesign")
    return stated, record


def _plain(tensors: Mapping[str, Tensor]) -> dict[str, Tensor]:
    return {name: tensor.detach().cpu().contiguous() for name, tensor in tensors.items()}


def _digest(tensors: Mapping[str, Tensor], record: str) -> str:
    """SHA-256 over the record and over names, types, shapes and bytes, in the order of the names."""
    digest = hashlib.sha256(f"{record}\n".encode("utf-8", "surrogatepass"))
    for name in sorted(tensors):
        tensor = tensors[name]
        digest.update(f"{name} {tensor.dtype} {tuple(tensor.shape)}\n".encode())
        digest.update(tensor.reshape(-1).view(torch.uint8).numpy().tobytes())
    return digest.hexdigest()
