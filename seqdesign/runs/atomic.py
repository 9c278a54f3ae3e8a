"""Files that are whole or absent, alone or several at once, and their checksums."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import sys
from collections.abc import Iterator
from contextvars import ContextVar
from pathlib import Path
from typing import Any, BinaryIO, Literal

from seqdesign.config import jsonable
from seqdesign.errors import OutputError

TEMP_PREFIX = ".seqdesign-tmp-"
MANIFEST_SUFFIX = ".manifest.json"

_DESCRIPTOR = re.compile(r"/dev/(?:(stdout)|(stderr)|fd/(\d+))|/proc/(?:self|thread-self|\d+)/fd/(\d+)")
_LINKS = 40


class Together:
    """Files that were written inside a block and take their places at once, see ``together``."""

    def __init__(self) -> None:
        self._staged: dict[Path, tuple[Path, BinaryIO]] = {}

    def stage(self, target: Path, temp: Path, handle: BinaryIO) -> None:
        """Keep a finished temporary file, and the handle that holds its lock, for ``target``."""
        self._drop(target)
        self._staged[target] = temp, handle

    def bytes_of(self, path: str | os.PathLike[str]) -> Path:
        """Where the bytes that will be ``path`` are now: a temporary file, or ``path`` itself."""
        target = Path(os.path.realpath(path))
        return self._staged[target][0] if target in self._staged else Path(path)

    def commit(self) -> None:
        """Rename all files into their places, manifests last.

        While several files are replaced the old manifest beside them is gone, so no manifest ever vouches for
        files of two runs, whenever the process dies. Raises OutputError.
        """
        order = sorted(self._staged, key=lambda target: target.name.endswith(MANIFEST_SUFFIX))
        try:
            if len(order) > 1 and order[-1].name.endswith(MANIFEST_SUFFIX):
                order[-1].unlink(missing_ok=True)
            for target in order:
                temp, handle = self._staged[target]
                os.replace(temp, target)
                del self._staged[target]
                handle.close()
            for folder in {target.parent for target in order}:
                _sync_folder(folder)
        except OSError as error:
            self.discard()
            raise OutputError(f"cannot write {target}: {error.strerror or error}") from error

    def discard(self) -> None:
        """Remove what has not taken its place."""
        for target in list(self._staged):
            self._drop(target)

    def _drop(self, target: Path) -> None:
        if target in self._staged:
            temp, handle = self._staged.pop(target)
            with contextlib.suppress(OSError):
                os.unlink(temp)
            handle.close()


_together: ContextVar[Together | None] = ContextVar("together", default=None)


@contextlib.contextmanager
def together() -> Iterator[Together]:
    """Inside, ``atomic_write`` holds finished files back; they take their places together, or none does.

    They do at the end of the block or at a ``commit`` before; after an error what has not is removed.
    """
    files = Together()
    token = _together.set(files)
    try:
        yield files
        files.commit()
    finally:
        _together.reset(token)
        files.discard()


@contextlib.contextmanager
def alone() -> Iterator[None]:
    """Inside, files take their places at once, also within ``together``."""
    token = _together.set(None)
    try:
        yield
    finally:
        _together.reset(token)


def commit() -> None:
    """What is held back now takes its place; nothing outside of ``together``. Raises OutputError."""
    files = _together.get()
    if files is not None:
        files.commit()


def bytes_of(path: str | os.PathLike[str]) -> Path:
    """Where the bytes of a file just written are: ``path``, or a temporary file until they take its place."""
    files = _together.get()
    return Path(path) if files is None else files.bytes_of(path)


def descriptor_of(path: str | os.PathLike[str]) -> int | None:
    """The file descriptor that a name such as /dev/stdout or /dev/fd/63 means, through links too; else None.

    Behind it may be a file that somebody else has opened: it is written, at the place where it stands, and
    never replaced.
    """
    name = os.path.abspath(os.fspath(path))
    for _ in range(_LINKS):
        found = _DESCRIPTOR.fullmatch(name)
        if found:
            out, err, *numbers = found.groups()
            return 1 if out else 2 if err else int(next(n for n in numbers if n))
        try:
            name = os.path.normpath(os.path.join(os.path.dirname(name), os.readlink(name)))
        except OSError:
            return None
    return None


def is_stream(path: str | os.PathLike[str]) -> bool:
    """Whether what is written there goes through and is not kept: standard output, a pipe or a device."""
    if os.fspath(path) == "-" or descriptor_of(path) is not None:
        return True
    return os.path.exists(path) and not os.path.isfile(path) and not os.path.isdir(path)


Sync = Literal["all", "file", "none"]
"""What is forced to disk before a write is over: the file and its name, its bytes only, nothing."""


@contextlib.contextmanager
def atomic_write(path: str | os.PathLike[str], *, sync: Sync = "all") -> Iterator[BinaryIO]:
    """Binary handle whose bytes become ``path`` all at once when the block ends without an error.

    The bytes go to a temporary file in the same folder (so that the rename cannot cross file systems), are
    forced to disk, renamed over ``path``, and the folder is forced to disk too, or less by ``sync``: with
    ``file`` a power failure may undo the write, with ``none`` damage it. A symbolic link stays a link and its
    target is replaced. Permissions are those of the file replaced, or the umask's for a new one.
    After an error the old content is untouched and no temporary file is left. Devices, pipes and open
    descriptors such as /dev/stdout are written directly. Inside ``together`` the rename waits.

    Raises:
        OutputError: the file cannot be written.
    """
    target = Path(os.path.realpath(path))
    number = descriptor_of(path)
    try:
        if number is not None:
            for stream in (sys.stdout, sys.stderr):
                if stream is not None:
                    stream.flush()
            with os.fdopen(os.dup(number), "wb") as handle:
                yield handle
        elif target.exists() and not target.is_file() and not target.is_dir():
            with open(target, "wb") as handle:
                yield handle
        else:
            with _replacing(target, sync) as handle:
                yield handle
    except BrokenPipeError:
        raise
    except OSError as error:
        # An error about another file, such as an input read inside the block, keeps its own name.
        if error.filename is not None and Path(error.filename).parent not in (target.parent, target):
            raise
        raise OutputError(f"cannot write {os.fspath(path)}: {error.strerror or error}") from error


def write_json(path: str | os.PathLike[str], value: Any, *, sync: Sync = "all") -> None:
    """Write ``value`` as indented JSON, atomically; paths and arrays become JSON types, NaN becomes null."""
    text = json.dumps(jsonable(value), indent=2, ensure_ascii=False, allow_nan=False)
    with atomic_write(path, sync=sync) as handle:
        # File names that are not UTF-8 arrive as lone surrogates; the backslash form is their JSON escape.
        handle.write(text.encode("utf-8", "backslashreplace") + b"\n")


def sha256_file(path: str | os.PathLike[str]) -> str:
    """Hexadecimal SHA-256 of a file's bytes, read in blocks."""
    with open(path, "rb") as handle:
        return hashlib.file_digest(handle, "sha256").hexdigest()


def remove_stale(folder: Path) -> None:
    """Remove the temporary files in ``folder`` whose writers are dead; those of living ones are locked."""
    for path in folder.glob(f"{TEMP_PREFIX}*"):
        with contextlib.suppress(OSError), open(path, "rb") as handle:
            if _try_lock(handle):
                os.unlink(path)


@contextlib.contextmanager
def _replacing(target: Path, sync: Sync) -> Iterator[BinaryIO]:
    """Temporary file beside ``target`` that takes its place at the end of the block, or vanishes."""
    temp, handle = _temporary(target)
    try:
        yield handle
        handle.flush()
        if sync != "none":
            os.fsync(handle.fileno())
        if target.is_file():
            os.chmod(temp, target.stat().st_mode & 0o7777)
        waiting = _together.get()
        if waiting is not None:
            if target.is_dir():
                raise IsADirectoryError(21, "Is a directory", str(target))
            waiting.stage(target, temp, handle)
            return
        os.replace(temp, target)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(temp)
        handle.close()
        raise
    handle.close()
    if sync == "all":
        _sync_folder(target.parent)


def _temporary(target: Path) -> tuple[Path, BinaryIO]:
    """A new file beside ``target``, open and locked, so that ``remove_stale`` of others leaves it alone."""
    while True:
        # The name is short whatever the target's length, and random as process ids repeat across containers.
        temp = target.with_name(f"{TEMP_PREFIX}{os.getpid()}-{os.urandom(4).hex()}")
        handle = open(temp, "xb")
        # Somebody may have taken it for a dead one between these two lines.
        if _try_lock(handle) and temp.exists():
            return temp, handle
        handle.close()


def _try_lock(handle: BinaryIO) -> bool:
    import fcntl

    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return False
    except OSError:  # a file system without locks: then nothing is known to be dead, and nothing is removed
        return "w" in handle.mode or "x" in handle.mode
    return True


def _sync_folder(path: Path) -> None:
    """Force renames in a folder to disk."""
    folder = os.open(path, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
