"""What a model file is, by its content. Nothing in it is run or unpickled to find out."""

from __future__ import annotations

import os
import zipfile
from pathlib import Path
from typing import BinaryIO, Literal

FileKind = Literal["onnx", "torchscript", "exported", "pickle", "safetensors", "hdf5", "other"]

GRAPH = 7
"""The field of an ONNX file that holds the graph."""


OPCODES = (b"(", b"]", b"}", b"c", b"N", b"I", b"F", b"S", b"V")
"""What a pickle of protocol 0 or 1 can begin with."""


def file_kind(path: str | os.PathLike[str]) -> FileKind:
    """The kind of a model file.

    ``torchscript`` and ``exported`` are programs of PyTorch; ``pickle`` is what torch.save, joblib and pickle
    write. Raises OSError when the file cannot be read.
    """
    with Path(path).open("rb") as handle:
        start = handle.read(16)
        if start[:4] == b"PK\3\4":
            return _archive(path)
        if start[:8] == b"\x89HDF\r\n\x1a\n":
            return "hdf5"
        size = handle.seek(0, os.SEEK_END)
        handle.seek(max(0, size - 1))
        # Protocols from 2 begin with their number, older ones with an opcode; all end with a full stop.
        if start[:1] == b"\x80" or (start[:1] in OPCODES and handle.read(1) == b"."):
            return "pickle"
        if start[8:9] == b"{" and int.from_bytes(start[:8], "little") < size:
            return "safetensors"
        handle.seek(0)
        return "onnx" if _is_onnx(handle, size) else "other"


def _archive(path: str | os.PathLike[str]) -> FileKind:
    """PyTorch archives are ZIP files in one folder."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = {name.partition("/")[2] for name in archive.namelist()} | set(archive.namelist())
    except zipfile.BadZipFile:
        return "other"
    if names & {"archive_format", "serialized_exported_program.json"}:
        return "exported"
    if "constants.pkl" in names and any(name.startswith("code/") for name in names):
        return "torchscript"
    return "pickle" if any(name.endswith(".pkl") for name in names) else "other"


def _is_onnx(handle: BinaryIO, size: int) -> bool:
    """Whether the fields of a protocol buffer fill the file, with version and graph as ONNX has them."""
    seen = set()
    while handle.tell() < size:
        key = _varint(handle)
        if key is None:
            return False
        field, wire = key >> 3, key & 7
        if wire == 0:
            value = _varint(handle)
            if value is None or (field == 1 and value > 1000):
                return False
        elif wire == 2:
            length = _varint(handle)
            if length is None or handle.tell() + length > size:
                return False
            handle.seek(length, os.SEEK_CUR)
        else:
            return False
        seen.add((field, wire))
    return {(1, 0), (GRAPH, 2)} <= seen


def _varint(handle: BinaryIO) -> int | None:
    value = 0
    for shift in range(0, 70, 7):
        byte = handle.read(1)
        if not byte:
            return None
        value |= (byte[0] & 0x7F) << shift
        if byte[0] < 0x80:
            return value
    return None
