"""What a run leaves behind so that it can be shown and repeated: its manifest, and its lines on a page."""

from __future__ import annotations

import os
import shlex
import sys
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

from seqdesign.config import CommandConfig, fields_of, from_dict, to_dict, to_words
from seqdesign.errors import ModelError, UsageError
from seqdesign.runs.atomic import bytes_of, commit, is_stream, sha256_file, write_json
from seqdesign.runs.blocks import join
from seqdesign.runs.manifest import Manifest, library_versions, manifest_path, training_warnings, utc_now
from seqdesign.runs.progress import say
from seqdesign.runs.result import Result

MODEL_FILES = ("model.safetensors", "reference.safetensors", "measured.safetensors")
"""What commands read of a model's folder."""

DRAWN = (".html", ".htm", ".svg", ".png", ".pdf")
"""Suffixes of pages and drawings."""
LOUDNESS = ("json", "quiet", "verbose", "debug")

PathLike = str | os.PathLike[str]


def begin_manifest(config: CommandConfig, *, device: str, inputs: Iterable[PathLike | None]) -> Manifest:
    """The manifest of a run that starts now. ``inputs`` as typed: files, dataset:NAME, models' folders.

    None and standard input are left out. Raises UsageError for a data set that does not exist.
    """
    files = input_files((*inputs, getattr(config, "wild_type", None)))
    sums = {name: sha256_file(file) for name, file in files.items()}
    manifest = Manifest(
        command=shlex.join([os.path.basename(sys.argv[0]), *sys.argv[1:]]),
        config=to_dict(config),
        seed=getattr(config, "seed", None),
        device=device,
        threads=getattr(config, "threads", None),
        inputs=sums,
        versions=library_versions(),
        started=utc_now(),
        name=type(config).__module__.rpartition(".")[2].replace("_", "-"),
    )
    join(manifest)
    return manifest


def input_files(inputs: Iterable[PathLike | None]) -> dict[str, Path]:
    """Name as typed -> the file that is read, for those that exist."""
    from seqdesign.sequences.bundled import resolve_input

    found: dict[str, Path] = {}
    for item in inputs:
        if item is None or os.fspath(item) == "-":
            continue
        path = Path(resolve_input(item))
        if path.is_dir():
            files = [path / name for name in MODEL_FILES]
            found |= {str(file): file for file in files if file.exists()}
        elif path.is_file():
            found[os.fspath(item)] = path
    return found


def warn_of(folder: Path | None, *, quiet: bool) -> None:
    """Say what was said against a model at the end of its training; it is so whenever it is used."""
    for text in training_warnings(folder):
        say(f"warning: {text}", quiet=quiet)


def oracle_input(oracle: str | None) -> Path | None:
    """The file or folder behind ``--oracle``, where there is one."""
    if oracle is None:
        return None
    head, _, rest = oracle.partition(":")
    candidates = (Path(oracle), Path(rest), Path(f"{head.replace('.', '/')}.py"))
    return next((path for path in candidates if str(path) != "." and _exists(path)), None)


def _exists(path: Path) -> bool:
    """False also for a text that is too long or odd to be a path, such as that of a command."""
    try:
        return path.exists()
    except (OSError, ValueError):
        return False


def leave_manifest(manifest: Manifest, config: CommandConfig, result: Result) -> None:
    """Write the manifest beside the first file that the command has written, if there is one that stays.

    Pages and drawings do not count: they say themselves what they are of. All files written so far take their
    places together with the manifest, so what fails later loses none of them. Raises OutputError.
    """
    files = [path for path in written_files(config).values() if not is_stream(path)]
    files = [path for path in files if bytes_of(path).is_file()]
    if files:
        sums = {str(path): sha256_file(bytes_of(path)) for path in files}
        write_json(manifest_path(files[0]), manifest.ended("complete", sums, result.to_dict()))
    commit()


def written_files(config: CommandConfig) -> dict[str, Path]:
    """Field -> path of the files with data that a command writes, the main one first."""
    specs = sorted(fields_of(type(config)), key=lambda spec: spec.name != "output")
    named = (spec.name for spec in specs if spec.written not in (None, "campaign"))
    paths = {name: getattr(config, name) for name in named}
    return {name: path for name, path in paths.items() if path is not None and path.suffix not in DRAWN}


def command_line(name: str, config: type, values: Mapping[str, Any]) -> str:
    """What to type to run a command with these options, but for those that only change what it says."""
    kept = {key: value for key, value in values.items() if key not in LOUDNESS}
    return shlex.join(["seqdesign", name, *to_words(config, kept)])


def typed_command(manifest: Manifest) -> str:
    """What to type to make a run again; what was typed, if its command is of another version."""
    try:
        return command_line(manifest.name, command_of(manifest)[0], manifest.config)
    except ModelError:
        return manifest.command


def config_of(manifest: Manifest) -> Any:
    """The options of a run as its command takes them. Raises ModelError if this version has others."""
    kind, _ = command_of(manifest)
    # Every command had these once; where they changed nothing, they are gone.
    gone = {"seed", "device", "threads", "outcome"} - {spec.name for spec in fields_of(kind)}
    try:
        return from_dict(kind, {k: v for k, v in manifest.config.items() if k not in gone})
    except UsageError as error:
        raise ModelError(
            f"this version of seqdesign has other options than the run had ({error}); install seqdesign "
            f"{manifest.versions.get('seqdesign', '')}"
        ) from error


def command_of(manifest: Manifest) -> tuple[type, Any]:
    """Config class and function of the command that a manifest is of. Raises ModelError."""
    import importlib
    from typing import get_type_hints

    import seqdesign.commands

    module = manifest.name.replace("-", "_")
    if not module.isidentifier() or module.startswith("_"):
        raise ModelError(
            f"the manifest is of an older version and does not say which command ran ({manifest.name!r}); "
            "repeat the run by hand"
        )
    room = next(
        (path.parent.name for path in Path(seqdesign.commands.__path__[0]).glob(f"*/{module}.py")), None
    )
    try:
        function = getattr(importlib.import_module(f"seqdesign.commands.{room}.{module}"), module)
    except (ImportError, AttributeError):
        raise ModelError(f"there is no command {manifest.name!r} in this version of seqdesign") from None
    return get_type_hints(function)["config"], function
