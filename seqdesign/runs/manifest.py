"""What a run was: its manifest, where that is kept, and its lines at the foot of a page."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import json
import logging
import os
import platform
from collections.abc import Iterator, Mapping, Sequence
from contextvars import ContextVar
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, get_args

from seqdesign.config import jsonable
from seqdesign.errors import ModelError
from seqdesign.version import __version__

Status = Literal["running", "complete", "interrupted", "failed"]

MANIFEST = "manifest.json"
MAX_MANIFEST = 50_000_000
"""Bytes of a manifest that are read."""


SHOWN = 5
"""Records that are named where some are left out."""
TALK = ("json", "quiet", "verbose", "debug")
"""Options that change what a run says, not what it does."""


@dataclass
class LeftOut:
    """Records that an option leaves out, of a stream that is read in parts."""

    first: list[str] = field(default_factory=list)
    count: int = 0
    of: int = 0


_left_out: ContextVar[dict[str, LeftOut] | None] = ContextVar("left_out", default=None)


def note_left_out(why: str, names: Sequence[str], of: int) -> None:
    """Count and name records that the option ``why`` leaves out, of so many.

    Inside ``noting`` all parts of a run are added up, go into its manifest, and are said at its end.
    """
    tallies = _left_out.get()
    tally = LeftOut() if tallies is None else tallies.setdefault(why, LeftOut())
    tally.first += names[: max(0, SHOWN - tally.count)]
    tally.count, tally.of = tally.count + len(names), tally.of + of
    if tallies is None:
        _say({why: tally})


@contextlib.contextmanager
def noting(*, again: bool = False) -> Iterator[None]:
    """Inside, what ``note_left_out`` is told is kept for the manifest, and said at the end.

    again: a file is read a second time; nothing is said or kept.
    """
    token = _left_out.set({})
    try:
        yield
    finally:
        if not again:
            _say(_left_out.get() or {})
        _left_out.reset(token)


def _say(tallies: Mapping[str, LeftOut]) -> None:
    for text in _sentences(tallies):
        logging.getLogger("seqdesign").warning("%s", text)


def _sentences(tallies: Mapping[str, LeftOut]) -> list[str]:
    return [
        f"{one.count:,} of {one.of:,} records left out by {why}: {', '.join(one.first)}"
        + (f" and {one.count - SHOWN:,} more" if one.count > SHOWN else "")
        for why, one in tallies.items()
        if one.count
    ]


def library_versions() -> dict[str, str]:
    """Versions of Python, seqdesign and the libraries that decide the numbers; imports none of them."""
    from importlib.metadata import PackageNotFoundError, version

    found = {"seqdesign": __version__, "python": platform.python_version(), "platform": platform.platform()}
    for name in ("torch", "numpy", "pandas", "lightning-fabric", "safetensors"):
        with contextlib.suppress(PackageNotFoundError):
            found[name] = version(name)
    return found


@dataclass(frozen=True, kw_only=True)
class Manifest:
    """What a run was: enough to repeat it and to check that its files are still the ones it wrote."""

    command: str
    """Command line, as typed."""
    config: Mapping[str, Any]
    """Every option after defaults, config file and command line were merged."""
    seed: int | None
    """None for a command that makes no random choice."""
    device: str
    """Device that was used, such as ``cpu`` or ``cuda:0``."""
    threads: int | None
    inputs: Mapping[str, str]
    """Path -> SHA-256 of each file read; standard input is left out."""
    versions: Mapping[str, str]
    started: str
    """UTC, ISO 8601."""
    finished: str | None = None
    status: Status = "running"
    outputs: Mapping[str, str] = field(default_factory=dict)
    """Path within the folder -> SHA-256 of each file written."""
    name: str = ""
    """Name of the command, such as ``train-vae``."""
    result: Mapping[str, Any] | None = None
    """What ``--json`` prints; None until the run has ended."""
    notes: list[str] = field(default_factory=list)
    """What was said while it ran and must not be forgotten, such as the records that were left out."""

    @property
    def circumstances(self) -> str:
        """Seed, if there is one, and device, for people."""
        return f"seed {self.seed}, on {self.device}" if self.seed is not None else f"on {self.device}"

    def ended(
        self, status: Status, outputs: Mapping[str, str], result: Mapping[str, Any] | None = None
    ) -> Manifest:
        """The manifest of the same run at its end."""
        return dataclasses.replace(
            self,
            status=status,
            finished=utc_now(),
            outputs=outputs,
            result=result,
            notes=_sentences(_left_out.get() or {}),
        )


def manifest_path(run: str | os.PathLike[str]) -> Path:
    """Where the manifest of a run is: in its folder, or as ``NAME.manifest.json`` beside its main file."""
    path = Path(run)
    return path / MANIFEST if path.is_dir() else path.with_name(f"{path.name}.{MANIFEST}")


def read_manifest(run: str | os.PathLike[str]) -> Manifest:
    """Manifest of an earlier run, of which ``run`` is the folder or the main file.

    Raises:
        ModelError: there is none, or it is damaged.
    """
    path = manifest_path(run)
    try:
        with open(path, "rb") as handle:
            text = handle.read(MAX_MANIFEST + 1)
        if len(text) > MAX_MANIFEST:
            raise ValueError(f"it is longer than {MAX_MANIFEST:,} bytes")
        found = Manifest(**json.loads(text))
        _check_types(found)
        return found
    except OSError as error:
        raise ModelError(
            f"cannot read {path}: {error.strerror}; is {run} the folder of a run, or a file written with -o?"
        ) from error
    except (ValueError, TypeError, RecursionError) as error:
        raise ModelError(f"{path} is damaged or of another version ({error}); repeat the run") from error


def _check_types(found: Manifest) -> None:
    """Raise TypeError for a field that holds something else than this class says."""

    def texts(value: object) -> bool:
        return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())

    def whole(value: object) -> bool:
        return isinstance(value, int) and not isinstance(value, bool) and abs(value) < 2**64

    right = {
        **{name: isinstance(getattr(found, name), str) for name in ("command", "device", "started", "name")},
        "status": found.status in get_args(Status),
        **{name: texts(getattr(found, name)) for name in ("inputs", "outputs", "versions")},
        "config": isinstance(found.config, dict),
        "result": found.result is None or isinstance(found.result, dict),
        **{
            name: value is None or whole(value)
            for name, value in (("seed", found.seed), ("threads", found.threads))
        },
        "finished": found.finished is None or isinstance(found.finished, str),
        "notes": isinstance(found.notes, list) and all(isinstance(text, str) for text in found.notes),
    }
    wrong = [name for name, fits in right.items() if not fits]
    if wrong:
        raise TypeError(f"its field '{wrong[0]}' is of the wrong kind")


UNPREDICTABLE = "can hardly be predicted"
"""Words of a warning about an outcome of which a model knows next to nothing."""


def training_warnings(folder: Path | None, called: str | None = None) -> tuple[str, ...]:
    """What was said against a model at the end of its training; nothing where there is no manifest of it.

    called: its name in what is said, where that is not the folder.
    """
    if folder is None or not manifest_path(folder).is_file():
        return ()
    quality = (read_manifest(folder).result or {}).get("quality")
    said = quality.get("warnings") if isinstance(quality, dict) else None
    return tuple(f"{called or folder}: {text}" for text in said) if isinstance(said, list) else ()


def training_inputs(folder: Path) -> tuple[str, ...]:
    """SHA-256 of the files that a model was trained on; nothing where there is no manifest of it."""
    return tuple(read_manifest(folder).inputs.values()) if manifest_path(folder).is_file() else ()


def provenance(
    manifest: Manifest, result: Mapping[str, Any] | None = None, folder: Path | None = None
) -> dict[str, object]:
    """What stands at the foot of a page; the parameters are those of ``resolved_options``."""
    return {
        "command": manifest.command,
        "started": manifest.started,
        **({} if manifest.seed is None else {"seed": manifest.seed}),
        "device": manifest.device,
        "versions": dict(manifest.versions),
        "sha256 of inputs": dict(manifest.inputs),
        "options": resolved_options(manifest, result, folder),
    }


def resolved_options(
    manifest: Manifest, result: Mapping[str, Any] | None = None, folder: Path | None = None
) -> dict[str, str]:
    """Options that say something, as text; those left to the command with what it took: ``32 (auto)``.

    result: what the command said, where the manifest has not got it yet. folder: that of the model, whose
    record of its settings says what was chosen.
    """
    told = result if result is not None else manifest.result or {}
    chosen: dict[str, Any] = {**told, **_settings(folder), "device": manifest.device}
    found = {}
    for key, value in manifest.config.items():
        taken = chosen.get(key)
        left = value is None or value == "auto"
        if left and isinstance(taken, str | int | float) and taken not in ("", "auto"):
            found[key] = f"{taken} (auto)"
        elif value is not None and value not in ((), [], {}):
            found[key] = _in_words(jsonable(value))
    return {key.strip("_"): text for key, text in found.items() if key not in TALK}


def _in_words(value: Any) -> str:
    """The value of an option as it is typed; a switch is on or off."""
    if isinstance(value, bool):
        return "on" if value else "off"
    return ", ".join(map(str, value)) if isinstance(value, list) else str(value)


def _settings(folder: Path | None) -> dict[str, Any]:
    """The options in a model's record of itself; none where there is no record that can be read."""
    path = None if folder is None else folder / "config.json"
    if path is None or not path.is_file():
        return {}
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    options = record.get("options") if isinstance(record, dict) else None
    return dict(options) if isinstance(options, dict) else {}


def utc_now() -> str:
    """UTC now, ISO 8601."""
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
