"""The bundled real data: what there is, where it comes from, and the files behind its names.

Each data set is a folder with ``meta.toml`` (read here), one or more data files, a README and SHA256SUMS.
``dataset:NAME`` (or ``dataset:NAME/FILE``) may stand wherever an input file may.
"""

from __future__ import annotations

import difflib
import hashlib
import os
import tomllib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from seqdesign.errors import InputError, UsageError

PREFIX = "dataset:"


@dataclass(frozen=True, kw_only=True)
class DatasetInfo:
    """What is known about one data set, from its ``meta.toml``; field names are the keys there."""

    name: str
    """Folder and name."""
    title: str
    """One line saying what it is."""
    file: str
    """The main data file."""
    kind: str
    """``sequences``, or ``motifs`` for a motif collection."""
    alphabet: str
    """Name of the alphabet, as ``--alphabet`` takes it."""
    rows: int
    """Number of records."""
    min_length: int
    """Letters of the shortest sequence (of a motif: positions)."""
    max_length: int
    """Letters of the longest."""
    outcome: str = ""
    """What the outcome is, with its unit and direction; empty where there is none."""
    weight_column: str = ""
    """A column that counts how often each sequence occurs."""
    aligned: bool = False
    """Whether sequences hold gaps."""
    licence: str
    """Licence of the package it came from."""
    source: str
    """Package, version and file it came from."""
    reference: str
    """Publication of the measurement."""
    note: str = ""
    """What to know before using it."""
    other_files: tuple[str, ...] = ()
    """Further files of the folder."""
    sha256: str
    """SHA-256 of the main file."""
    path: Path
    """Where the main file is."""


def data_dir() -> Path:
    """The folder of bundled data: inside an installed package, or ``data/`` of a checkout."""
    package = Path(__file__).resolve().parent.parent
    installed = package / "_data"
    return installed if installed.is_dir() else package.parent / "data"


@cache
def list_datasets() -> tuple[str, ...]:
    """Names of the bundled data sets, sorted."""
    return tuple(sorted(path.parent.name for path in data_dir().glob("*/meta.toml")))


def dataset_info(name: str, *, verify: bool = True) -> DatasetInfo:
    """The description of one data set; ``verify`` compares the SHA-256 of its files with SHA256SUMS.

    Raises UsageError for an unknown name, InputError when a file is missing or has changed.
    """
    if name not in list_datasets():
        close = difflib.get_close_matches(name, list_datasets(), n=3)
        hint = f"did you mean {', '.join(close)}?" if close else f"there are {', '.join(list_datasets())}"
        raise UsageError(f"there is no bundled data set {name!r}; {hint}")
    folder = data_dir() / name
    meta: dict[str, Any] = tomllib.loads((folder / "meta.toml").read_text(encoding="utf-8"))
    sums = _checksums(folder)
    if verify:
        for file, expected in sums.items():
            _verify(folder / file, expected)
    meta["other_files"] = tuple(meta.get("other_files", ()))
    return DatasetInfo(name=name, sha256=sums[meta["file"]], path=folder / meta["file"], **meta)


def _checksums(folder: Path) -> dict[str, str]:
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {file: digest for digest, file in (line.split(maxsplit=1) for line in lines)}


def _verify(path: Path, expected: str) -> None:
    try:
        found = hashlib.sha256(path.read_bytes()).hexdigest()
    except OSError as error:
        raise InputError(
            f"a bundled file cannot be read: {error.strerror}; install again", path=path
        ) from error
    if found != expected:
        raise InputError(
            f"a bundled file has changed: its SHA-256 must be {expected}, got {found}; install again",
            path=path,
        )


def file_of(info: DatasetInfo, file: str | None) -> Path:
    """The main file of a data set, or another of its files. Raises UsageError."""
    files = (info.file, *info.other_files)
    if file is not None and file not in files:
        raise UsageError(f"data set {info.name} has no file {file!r}; it has {', '.join(files)}")
    return info.path.parent / (file or info.file)


def resolve_input(path: str | os.PathLike[str]) -> str:
    """``dataset:NAME`` or ``dataset:NAME/FILE`` as the path of that file; any other path as it is.

    Raises UsageError for an unknown data set or file.
    """
    text = os.fspath(path)
    if not text.startswith(PREFIX):
        return text
    name, _, file = text.removeprefix(PREFIX).partition("/")
    return os.fspath(file_of(dataset_info(name, verify=False), file or None))
