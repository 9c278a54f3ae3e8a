"""Files that are whole or absent, and their checksums."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any, BinaryIO

from seqdesign.config import jsonable
from seqdesign.errors import OutputError

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
