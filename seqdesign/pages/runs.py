"""The runs that a report is about: model folders and files of sequences, with their manifests."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from seqdesign.errors import InputError, UsageError
from seqdesign.runs.atomic import sha256_file
from seqdesign.runs.manifest import MANIFEST, Manifest, manifest_path, read_manifest

SUFFIX = f".{MANIFEST}"
SINCE = {"missing": "is no longer there", "changed": "has changed since"}
"""What became of a file, in words."""


@dataclass(frozen=True)
class Run:
    """A model folder, or a file of sequences."""

    path: Path
    manifest: Manifest | None
    """None for a file without one, and for a model saved from Python."""
    label: str = ""
    """What to call it on a page about several runs, where not by its path."""

    @property
    def name(self) -> str:
        """What to call it on a page."""
        return self.label or str(self.path)

    @property
    def is_model(self) -> bool:
        """Whether it is a folder."""
        return self.path.is_dir()

    @property
    def option(self) -> Mapping[str, Any]:
        """The options of the run."""
        return {} if self.manifest is None else self.manifest.config

    @property
    def result(self) -> Mapping[str, Any]:
        """What the run said at its end."""
        return {} if self.manifest is None or self.manifest.result is None else self.manifest.result

    @property
    def base(self) -> Path:
        """The folder that relative paths of the run start from."""
        if self.is_model or self.manifest is None:
            return base_folder(self.path, self.option.get("output"))
        return base_folder(self.path, next(iter(self.manifest.outputs), None))

    @property
    def model(self) -> Path | None:
        """Folder of the model that a file was made with, if it is still there."""
        if self.is_model or not self.model_name:
            return None
        folder = self.base / self.model_name
        return folder if (folder / MANIFEST).exists() else None

    @property
    def model_name(self) -> str:
        """The model that a file was made with, as it was typed; empty for none."""
        return str(self.option.get("model") or self.result.get("model") or "")


def base_folder(run: Path, output: str | None) -> Path:
    """The folder in which a run was started, as far as can be told from where it wrote."""
    here, typed = Path(os.path.abspath(run)), Path(output or "")
    parts = Path(os.path.normpath(typed)).parts
    ends = here.parts[len(here.parts) - len(parts) :]
    if not output or typed.is_absolute() or ".." in parts or ends != parts:
        return Path.cwd()
    return Path(*here.parts[: len(here.parts) - len(parts)])


def find_runs(paths: Iterable[Path]) -> list[Run]:
    """The runs of ``paths``: models first, then files, each in the order of their beginning.

    A folder that is no run stands for all runs inside it. Raises InputError for a path that does not exist
    and a folder without any run.
    """
    found: dict[Path, Run] = {}
    for path in paths:
        for inner in _inside(path):
            found.setdefault(inner.resolve(), Run(inner, _manifest(inner)))
    runs = _labelled(list(found.values()))
    return sorted(runs, key=lambda run: (not run.is_model, run.manifest.started if run.manifest else ""))


def _labelled(runs: list[Run]) -> list[Run]:
    """Several runs of one folder go by their places in it."""
    shared = os.path.commonpath([os.path.dirname(os.path.abspath(run.path)) for run in runs]) if runs else ""
    if len(runs) < 2 or shared == os.path.abspath(os.sep):
        return runs
    return [replace(run, label=os.path.relpath(os.path.abspath(run.path), shared)) for run in runs]


def _inside(path: Path) -> Iterator[Path]:
    if str(path).startswith("dataset:") or path.is_file() or (path / MANIFEST).is_file():
        yield path
        return
    if not path.exists():
        raise InputError("there is no such file or folder", path=path)
    if _holds_model(path):
        yield path
        return
    files = [p for p in sorted(path.rglob(f"*{MANIFEST}")) if p.name == MANIFEST or p.name.endswith(SUFFIX)]
    if not files:
        raise InputError("is a folder without any run in it; name files or models' folders", path=path)
    for file in files:
        target = file.parent if file.name == MANIFEST else file.with_name(file.name.removesuffix(SUFFIX))
        if target.exists():
            yield target


def _holds_model(folder: Path) -> bool:
    """Whether it is the folder of a model, such as one saved from Python, which leaves no manifest."""
    from seqdesign.training.store import WEIGHTS

    return (folder / WEIGHTS).is_file()


def _manifest(path: Path) -> Manifest | None:
    return read_manifest(path) if manifest_path(path).is_file() else None


def changed_files(files: Mapping[str, str], base: Path) -> dict[str, str]:
    """Name -> what became of it, for files whose SHA-256 is not the one noted: ``changed`` or ``missing``."""
    from seqdesign.sequences.bundled import resolve_input

    found = {}
    for name, known in files.items():
        try:
            path = base / resolve_input(name)
        except UsageError:  # a data set of another version
            found[name] = "missing"
            continue
        if not path.is_file():
            found[name] = "missing"
        elif sha256_file(path) != known:
            found[name] = "changed"
    return found


def run_warnings(run: Run) -> Iterator[str]:
    """What is wrong with a run as a whole: it did not end, or its files are not what they were."""
    if run.manifest is None:
        return
    if run.manifest.status != "complete":
        yield f"the run is {run.manifest.status}, so its files may be incomplete"
    where = run.path if run.is_model else run.base
    for name, state in changed_files(run.manifest.outputs, where).items():
        yield f"{name} was written by the run and {SINCE[state]}"
    for name, state in changed_files(run.manifest.inputs, run.base).items():
        yield f"its input {name} {SINCE[state]}"
