"""Files plain or compressed, real or standard streams, behind one pair of functions.

Reading goes by the first bytes (a gzip file named ``.fa`` is still gzip), writing by the suffix.
zstandard needs the ``zst`` extra.
"""

from __future__ import annotations

import bz2
import gzip
import importlib
import io
import lzma
import os
import sys
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import ModuleType
from typing import Any, BinaryIO, Protocol, cast

from seqdesign.errors import InputError, MissingExtraError, OutputError
from seqdesign.runs.atomic import atomic_write, descriptor_of

STANDARD_STREAM = "-"
SUFFIXES = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstandard"}
BUFFER = 1 << 20
_PACKED = 1 << 14

_MAGIC = {b"\x1f\x8b": "gzip", b"BZh": "bzip2", b"\xfd7zXZ\x00": "xz", b"\x28\xb5\x2f\xfd": "zstandard"}
_DAMAGE = (EOFError, zlib.error, lzma.LZMAError, gzip.BadGzipFile)


class BinaryStream(Protocol):
    """The part of a binary file that reading needs."""

    def readinto(self, buffer: Any, /) -> int:
        """Fill the buffer from its start; 0 at the end of the content."""
        ...

    def close(self) -> None:
        """Give the file back."""
        ...


class _Reader(io.RawIOBase):
    """Raw reader that turns decompression errors into an InputError with the file's name."""

    def __init__(self, inner: BinaryStream, kind: str, source: str) -> None:
        self._inner, self.kind = inner, kind
        self.name = source  # shown by the buffered reader on top as its own name
        self._n_read = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        try:
            count = self._inner.readinto(buffer)
        except (*_DAMAGE, OSError) as error:
            if isinstance(error, OSError) and error.errno is not None:
                raise InputError(f"cannot be read: {error.strerror}", path=self.name) from error
            raise self._damaged(error) from error
        except Exception as error:
            if type(error).__name__ != "ZstdError":
                raise
            raise self._damaged(error) from error
        self._n_read += count
        return count

    def _damaged(self, error: Exception) -> InputError:
        return InputError(
            f"damaged or truncated {self.kind} data after {self._n_read} bytes of content ({error}); "
            "fetch or compress the file again",
            path=self.name,
        )

    def close(self) -> None:
        if not self.closed:
            self._inner.close()
        super().close()


def _zstandard() -> ModuleType:
    try:
        return importlib.import_module("zstandard")
    except ImportError:
        raise MissingExtraError("zstandard (.zst) data", "zst") from None


class _ZstandardFrames:
    """One frame after the other. The package's own stream reader ends a truncated file without an error."""

    def __init__(self, below: io.BufferedReader) -> None:
        self._below, self._module = below, _zstandard()
        self._frame: Any = None
        self._packed = b""
        self._ready = b""

    def readinto(self, buffer: Any, /) -> int:
        while not self._ready:
            # Small pieces bound what a single call can unpack to.
            packed = self._packed or self._below.read(_PACKED)
            if not packed:
                if self._frame is not None:
                    raise EOFError("the last frame is not complete")
                return 0
            if self._frame is None:
                self._frame = self._module.ZstdDecompressor().decompressobj()
            self._ready, self._packed = self._frame.decompress(packed), b""
            if self._frame.eof:
                self._packed, self._frame = self._frame.unused_data, None
        part, self._ready = self._ready[: len(buffer)], self._ready[len(buffer) :]
        buffer[: len(part)] = part
        return len(part)

    def close(self) -> None:
        self._below.close()


def source_name(path: str | os.PathLike[str] | BinaryIO) -> str:
    """How messages name an input: its path, ``<stdin>``, or the name of an open handle."""
    if not isinstance(path, str | os.PathLike):
        return str(getattr(path, "name", "<stream>"))
    return "<stdin>" if os.fspath(path) == STANDARD_STREAM else os.fspath(path)


def open_input(path: str | os.PathLike[str] | BinaryIO) -> io.BufferedReader:
    """A buffered binary reader over the decompressed content of ``path`` ("-" is standard input).

    An open binary handle is accepted too, and closed with the reader; a reader from here is returned as it
    is. Raises InputError when the file cannot be opened, or while reading when it is damaged;
    MissingExtraError for zstandard without its package.
    """
    if isinstance(path, io.BufferedReader) and isinstance(path.raw, _Reader):
        return path
    source = source_name(path)
    raw = _open_raw(path, source) if isinstance(path, str | os.PathLike) else path
    buffered = (
        raw if isinstance(raw, io.BufferedReader) else io.BufferedReader(cast(io.RawIOBase, raw), BUFFER)
    )
    head = buffered.peek(6)[:6]
    kind = next((kind for magic, kind in _MAGIC.items() if head.startswith(magic)), "plain")
    return io.BufferedReader(_Reader(_decompressor(kind, buffered), kind, source), BUFFER)


def _open_raw(path: str | os.PathLike[str], source: str) -> BinaryIO:
    if source == "<stdin>":
        if sys.stdin is None:
            raise InputError("standard input is closed; name a file instead of '-'", path=source)
        return cast(BinaryIO, io.BufferedReader(io.FileIO(sys.stdin.fileno(), closefd=False), BUFFER))
    try:
        return open(path, "rb", buffering=BUFFER)
    except OSError as error:
        raise InputError(f"cannot be opened: {error.strerror}", path=source) from error


def _decompressor(kind: str, handle: io.BufferedReader) -> BinaryStream:
    if kind == "gzip":
        return _Owning(gzip.GzipFile(fileobj=handle), handle)
    if kind == "bzip2":
        return _Owning(bz2.BZ2File(handle), handle)
    if kind == "xz":
        return _Owning(lzma.LZMAFile(handle), handle)
    if kind == "zstandard":
        return _ZstandardFrames(handle)
    return handle


class _Owning:
    """A decompressor that closes the file below it, which the standard library's leave open."""

    def __init__(self, stream: BinaryStream, below: BinaryStream) -> None:
        self._stream, self._below = stream, below
        self.readinto = stream.readinto

    def close(self) -> None:
        self._stream.close()
        self._below.close()


def compression_of(handle: io.BufferedReader) -> str:
    """How the file below a handle of ``open_input`` is compressed: plain, gzip, bzip2, xz or zstandard."""
    return cast(_Reader, handle.raw).kind


def inner_suffix(path: str | os.PathLike[str]) -> str:
    """The suffix that names the format, lower case: ``.fa`` of ``x.fa.gz``; "" where there is none."""
    name = Path(path)
    if name.suffix.lower() in SUFFIXES:
        name = name.with_suffix("")
    return name.suffix.lower()


@contextmanager
def open_output(path: str | os.PathLike[str]) -> Iterator[BinaryIO]:
    """A binary handle to write ``path``, compressed by its suffix; "-" is standard output, left open.

    A real file appears under its name only when the block ends without an error (``atomic_write``).
    Raises OutputError when it cannot be written.
    """
    if os.fspath(path) == STANDARD_STREAM or descriptor_of(path) == 1:
        if sys.stdout is None:
            raise OutputError("standard output is closed; name a file with -o")
        yield cast(BinaryIO, sys.stdout.buffer)
        sys.stdout.buffer.flush()
        return
    compress = _compressor(Path(path).suffix.lower())
    with atomic_write(Path(path)) as raw:
        if compress is None:
            yield raw
            return
        with compress(raw) as handle:
            yield cast(BinaryIO, handle)


def _compressor(suffix: str) -> Callable[[BinaryIO], Any] | None:
    # Level 6 and no time stamp or name: equal content gives equal bytes.
    kind = SUFFIXES.get(suffix)
    if kind == "gzip":
        return lambda raw: gzip.GzipFile(filename="", mode="wb", compresslevel=6, fileobj=raw, mtime=0)
    if kind == "bzip2":
        return lambda raw: bz2.BZ2File(raw, "wb")
    if kind == "xz":
        return lambda raw: lzma.LZMAFile(raw, "wb")
    if kind == "zstandard":
        compressor = _zstandard().ZstdCompressor(write_checksum=True)
        return lambda raw: compressor.stream_writer(raw, closefd=False)
    return None
