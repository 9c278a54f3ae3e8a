"""The folder of a run, with its lock, its status and its manifest."""

from __future__ import annotations

import contextlib
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import IO, Any

from seqdesign.errors import OutputError
from seqdesign.runs.atomic import bytes_of, remove_stale, sha256_file, write_json
from seqdesign.runs.manifest import MANIFEST, Manifest, Status
from seqdesign.runs.progress import say

MODEL = "model.safetensors"
LOCK = ".lock"
CHECKPOINT = "checkpoint/last.safetensors"


class RunDir:
    """The folder of one run. As a context manager it is locked inside and its status is set at the end:

        with RunDir(path, overwrite=False, resume=False) as run:
            run.prepare(begin_manifest(config, device="cpu", inputs=[config.input]))
            ...  # read and check everything
            run.start()
            ...
            with together():
                ...  # write the files
                run.finish("complete", outputs=["model.safetensors"])

    Until ``start`` nothing in the folder changes, so a run that is refused leaves a finished model as it was.
    From then on, leaving with KeyboardInterrupt sets ``interrupted``, with any other error ``failed``.

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
        model: str = MODEL,
    ) -> None:
        self.path = Path(path)
        self.overwrite = overwrite
        self.resume = resume
        self.model = model
        self.manifest: Manifest | None = None
        self.started = False
        self._clear: tuple[str, ...] = ()
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
        self._lock = lock_file(self.path / LOCK, str(self.path))
        try:
            if (self.path / self.model).exists() and not (self.overwrite or self.resume):
                what, more = (
                    ("a model", ", --resume to continue it") if self.model == MODEL else (self.model, "")
                )
                raise OutputError(
                    f"{self.path} already holds {what}; add --overwrite to replace it{more}, or choose "
                    "another folder"
                )
            for folder in (self.path, *(part for part in self.path.iterdir() if part.is_dir())):
                remove_stale(folder)  # of a killed run
        except BaseException:
            self._release()
            raise
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: object) -> None:
        try:
            if self.started and self.manifest is not None and self.manifest.status == "running":
                if kind is None:
                    self.finish("complete")
                else:
                    stopped = issubclass(kind, KeyboardInterrupt)
                    with contextlib.suppress(OSError, OutputError):  # the error on its way says more
                        self.finish("interrupted" if stopped else "failed")
                    if stopped and (self.path / CHECKPOINT).exists():
                        say(f"{self.path} can be continued: repeat the command with --resume", quiet=False)
        finally:
            self._release()

    def prepare(self, manifest: Manifest, clear: Iterable[str] = ()) -> None:
        """Keep the manifest, and the names of files that a new run clears away, until ``start``."""
        self.manifest, self._clear = manifest, tuple(clear)

    def start(self, manifest: Manifest | None = None) -> None:
        """Write the manifest, the prepared one if none is given; a second time does nothing."""
        if self.started:
            return
        self.manifest = manifest or self.manifest
        assert self.manifest is not None, "start() before prepare()"
        self.started = True
        write_json(self.path / MANIFEST, self.manifest)
        for name in self._clear:
            (self.path / name).unlink(missing_ok=True)

    def finish(
        self, status: Status, outputs: Iterable[str] = (), result: Mapping[str, Any] | None = None
    ) -> None:
        """Write the manifest with its last status, the result, and the checksums of ``outputs`` (names in the
        folder).
        """
        assert self.manifest is not None, "finish() before prepare()"
        self.started = True
        sums = {name: sha256_file(bytes_of(self.path / name)) for name in outputs}
        self.manifest = self.manifest.ended(status, sums, result)
        write_json(self.path / MANIFEST, self.manifest)

    def _release(self) -> None:
        if self._lock is not None:
            unlock_file(self.path / LOCK, self._lock)
            self._lock = None
        if self._created:  # a run that ended before it wrote anything leaves nothing
            with contextlib.suppress(OSError):
                self.path.rmdir()


def lock_file(path: Path, what: str) -> IO[str]:
    """The lock file ``path``, held open; the system drops the lock when the process dies, however it dies.

    Raises OutputError: another process holds it, or it cannot be written; ``what`` it guards is named.
    """
    import fcntl

    while True:
        try:
            handle = open(path, "a+", encoding="ascii")
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError as error:
            handle.seek(0)
            owner = handle.read().strip() or "unknown"
            handle.close()
            raise OutputError(
                f"{what} is in use by another run (process {owner}); wait for it, or name another place"
            ) from error
        except OSError as error:
            raise OutputError(f"cannot write {what}: {error.strerror}") from error
        # The last owner unlinks the file as it leaves; a lock on an unlinked file guards nothing.
        if _same_file(handle, path):
            handle.truncate(0)
            handle.write(f"{os.getpid()}\n")
            handle.flush()
            return handle
        handle.close()


def unlock_file(path: Path, handle: IO[str]) -> None:
    """Remove a lock file and let go of it."""
    with contextlib.suppress(OSError):
        os.unlink(path)
    handle.close()


def _same_file(handle: IO[str], path: Path) -> bool:
    try:
        return os.path.samestat(os.fstat(handle.fileno()), os.stat(path))
    except FileNotFoundError:
        return False
