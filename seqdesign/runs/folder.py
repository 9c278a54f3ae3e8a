"""Files that are whole or absent: atomic writes, checksums, a run's folder with its manifest and lock."""

from __future__ import annotations

import contextlib
import dataclasses
import datetime
import hashlib
import json
import os
import platform
import shlex
import sys
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, BinaryIO, Literal

from seqdesign import __version__
from seqdesign.config import CommandConfig, jsonable, to_dict
from seqdesign.errors import ModelError, OutputError

Status = Literal["running", "complete", "interrupted", "failed"]

MANIFEST = "manifest.json"
LOCK = ".lock"
TEMP_PREFIX = ".seqdesign-tmp-"


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """Binary handle whose bytes become ``path`` all at once when the block ends without an error.

    The bytes go to a temporary file in the same folder (so that the rename cannot cross file systems), are
    forced to disk, renamed over ``path``, and the folder is forced to disk too. A symbolic link stays a link
    and its target is replaced. Permissions are those of the file replaced, or the umask's for a new one.
    After an error the old content is untouched and no temporary file is left. Devices and pipes are written
    directly.

    Raises:
        OutputError: the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    try:
        if target.exists() and not target.is_file() and not target.is_dir():
            with open(target, "wb") as handle:
                yield handle
        else:
            with _replacing(target) as handle:
                yield handle
    except BrokenPipeError:
        raise
    except OSError as error:
        # An error about another file, such as an input read inside the block, keeps its own name.
        if error.filename is not None and Path(error.filename).parent not in (target.parent, target):
            raise
        raise OutputError(f"cannot write {os.fspath(path)}: {error.strerror or error}") from error


def write_json(path: str | os.PathLike[str], value: Any) -> None:
    """Write ``value`` as indented JSON, atomically; paths and arrays become JSON types, NaN becomes null."""
    text = json.dumps(jsonable(value), indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_write(path) as handle:
        # File names that are not UTF-8 arrive as lone surrogates; the backslash form is their JSON escape.
        handle.write(text.encode("utf-8", "backslashreplace") + b"\n")


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Hexadecimal SHA-256 of a file's bytes, read in blocks."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


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
    seed: int
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

    @classmethod
    def begin(
        cls, config: CommandConfig, *, device: str, inputs: Iterable[str | os.PathLike[str]]
    ) -> Manifest:
        """Manifest of a run that starts now, from this process's command line."""
        return cls(
            command=shlex.join([os.path.basename(sys.argv[0]), *sys.argv[1:]]),
            config=to_dict(config),
            seed=config.seed,
            device=device,
            threads=config.threads,
            inputs={os.fspath(path): sha256_file(path) for path in inputs if os.fspath(path) != "-"},
            versions=library_versions(),
            started=_now(),
            name=type(config).__module__.rpartition(".")[2].replace("_", "-"),
        )

    def ended(
        self, status: Status, outputs: Mapping[str, str], result: Mapping[str, Any] | None = None
    ) -> Manifest:
        """The manifest of the same run at its end."""
        return dataclasses.replace(self, status=status, finished=_now(), outputs=outputs, result=result)


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
        return Manifest(**json.loads(path.read_bytes()))
    except OSError as error:
        raise ModelError(
            f"cannot read {path}: {error.strerror}; is {run} the folder of a run, or a file written with -o?"
        ) from error
    except (ValueError, TypeError) as error:
        raise ModelError(f"{path} is damaged or of another version ({error}); repeat the run") from error


class RunDir:
    """The folder of one run. As a context manager it is locked inside and its status is set at the end:

        with RunDir(path, overwrite=False, resume=False) as run:
            run.start(Manifest.begin(config, device="cpu", inputs=[config.input]))
            ...
            run.finish("complete", outputs=["model.safetensors"])

    All refusals come from ``__enter__``, before any work. Leaving with KeyboardInterrupt sets
    ``interrupted``, with any other error ``failed``.

    Args:
        path: folder; it and its parents are created, a symbolic link to a folder is kept.
        overwrite: allow replacing a model.
        resume: allow continuing a model.
        model: file whose presence means that there is a model to lose.
    """

    def __init__(
        self,
        path: str | os.PathLike[str],
        *,
        overwrite: bool = False,
        resume: bool = False,
        model: str = "model.safetensors",
    ) -> None:
        self.path = Path(path)
        self.overwrite = overwrite
        self.resume = resume
        self.model = model
        self.manifest: Manifest | None = None
        self._lock: IO[str] | None = None
        self._created = False

    def __enter__(self) -> RunDir:
        """Lock the folder.

        Raises:
            OutputError: the folder cannot be created or written, is in use by another run, or holds a model
            that
                may be neither replaced nor continued.
        """
        self._created = not self.path.exists()
        try:
            self.path.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise OutputError(f"cannot create the folder {self.path}: {error.strerror}") from error
        self._lock = _lock(self.path)
        try:
            if (self.path / self.model).exists() and not (self.overwrite or self.resume):
                raise OutputError(
                    f"{self.path} already holds a model; add --overwrite to replace it, --resume to "
                    "continue it, or choose another folder"
                )
            # Of a killed run: the lock says that nobody writes them now.
            for stale in self.path.rglob(f"{TEMP_PREFIX}*"):
                stale.unlink(missing_ok=True)
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if self.manifest is not None and self.manifest.status == "running":
                if kind is None:
                    self.finish("complete")
                else:
                    with contextlib.suppress(OSError, OutputError):  # the error on its way says more
                        self.finish("interrupted" if issubclass(kind, KeyboardInterrupt) else "failed")
        finally:
            self._release()

    def start(self, manifest: Manifest) -> None:
        """Write the manifest with status ``running``."""
        self.manifest = manifest
        write_json(self.path / MANIFEST, manifest)

    def finish(
        self, status: Status, outputs: Iterable[str] = (), result: Mapping[str, Any] | None = None
    ) -> None:
        """Write the manifest with its last status, the result, and the checksums of ``outputs`` (names in the
        folder).
        """
        assert self.manifest is not None, "finish() before start()"
        sums = {name: sha256_file(self.path / name) for name in outputs}
        self.manifest = self.manifest.ended(status, sums, result)
        write_json(self.path / MANIFEST, self.manifest)

    def _release(self) -> None:
        if self._lock is not None:
            with contextlib.suppress(OSError):
                os.unlink(self.path / LOCK)
            self._lock.close()
            self._lock = None
        if self._created:  # a run that ended before it wrote anything leaves nothing
            with contextlib.suppress(OSError):
                self.path.rmdir()


@contextlib.contextmanager
def _replacing(target: Path) -> Iterator[BinaryIO]:
    """Temporary file beside ``target`` that takes its place at the end of the block, or vanishes."""
    # The name is short whatever the target's length, and random because process ids repeat across containers.
    temp = target.with_name(f"{TEMP_PREFIX}{os.getpid()}-{os.urandom(4).hex()}")
    created = False
    try:
        with open(temp, "xb") as handle:
            created = True
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        if target.is_file():
            os.chmod(temp, target.stat().st_mode & 0o7777)
        os.replace(temp, target)
    except BaseException:
        if created:
            with contextlib.suppress(OSError):
                os.unlink(temp)
        raise
    folder = os.open(target.parent, os.O_RDONLY)
    try:
        os.fsync(folder)  # the rename itself
    finally:
        os.close(folder)


def _lock(folder: Path) -> IO[str]:
    """Lock file, held open; the system drops the lock when the process dies, however it dies."""
    import fcntl

    while True:
        try:
            handle = open(folder / LOCK, "a+", encoding="ascii")
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.seek(0)
            owner = handle.read().strip() or "unknown"
            handle.close()
            raise OutputError(
                f"{folder} is in use by another run (process {owner}); wait for it, or choose another folder"
            ) from error
        except OSError as error:
            raise OutputError(f"cannot write into {folder}: {error.strerror}") from error
        # The last owner unlinks the file as it leaves; a lock on an unlinked file guards nothing.
        if _same_file(handle, folder / LOCK):
            handle.truncate(0)
            handle.write(f"{os.getpid()}\n")
            handle.flush()
            return handle
        handle.close()


def _same_file(handle: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle.fileno()), os.stat(path))
    except FileNotFoundError:
        return False


def _now() -> str:
    return datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds")
