"""Files plain or compressed, real or standard streams, behind one pair of functions.

Reading goes by the first bytes (a gzip file named ``.fa`` is still gzip), writing by the suffix.
zstandard needs the ``zst`` extra.
"""

from __future__ import annotations

import bz2
import codecs
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
from seqdesign.runs.progress import beside

STANDARD_STREAM = "-"
SUFFIXES = {".gz": "gzip", ".bz2": "bzip2", ".xz": "xz", ".zst": "zstandard"}
GENBANK_SUFFIXES = (".gb", ".gbk", ".genbank", ".gbff")
BUFFER = 1 << 20
_PACKED = 1 << 14
_MAX_WINDOW = 1 << 27
"""Bytes that a zstandard frame may ask to be kept, as much as the program ``zstd`` takes by default."""

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
    """One frame after the other, in constant memory.

    The package's stream reader bounds what one call unpacks, but ends a truncated file without an error, and
    its object for single frames sees the end but has no bound. So the reader unpacks, and ``_Frames`` follows
    where frames end.
    """

    def __init__(self, below: io.BufferedReader) -> None:
        module = _zstandard()
        self._below = _Counted(below)
        self._reader = module.ZstdDecompressor(max_window_size=_MAX_WINDOW).stream_reader(
            self._below, read_size=_PACKED, read_across_frames=True, closefd=False
        )

    def readinto(self, buffer: Any, /) -> int:
        count: int = self._reader.readinto(buffer)
        if count == 0 and not self._below.frames.complete:
            raise EOFError("the last frame is not complete")
        return count

    def close(self) -> None:
        self._below.close()


class _Counted:
    """A file whose zstandard frames are followed as it is read."""

    def __init__(self, below: io.BufferedReader) -> None:
        self._below, self.frames = below, _Frames()

    def read(self, size: int = -1) -> bytes:
        data = self._below.read(size)
        self.frames.add(data)
        return data

    def close(self) -> None:
        self._below.close()


class _Frames:
    """Follows the frames of a zstandard stream (RFC 8878) without unpacking them."""

    def __init__(self) -> None:
        self._held = bytearray()
        self._skip = 0
        self._state = "magic"
        self._checksum = False

    @property
    def complete(self) -> bool:
        """Whether what was read so far ends where a frame ends."""
        return self._state == "magic" and not self._held and not self._skip

    def add(self, data: bytes) -> None:
        """Some more bytes of the stream."""
        view = memoryview(data)
        while view or (self._state == "frame end" and not self._skip):
            if self._skip:
                step = min(self._skip, len(view))
                self._skip -= step
                view = view[step:]
                continue
            if self._state == "frame end":
                self._state = "magic"
                continue
            need = self._needed() - len(self._held)
            self._held += view[:need]
            view = view[need:]
            if len(self._held) == self._needed():
                self._step()

    def _needed(self) -> int:
        if self._state == "magic":
            return 4
        if self._state == "block":
            return 3
        if self._state == "skippable":
            return 4
        return 1  # the descriptor of a frame

    def _step(self) -> None:
        held, self._held = bytes(self._held), bytearray()
        if self._state == "magic":
            skippable = held[1:] == b"\x2a\x4d\x18" and held[0] & 0xF0 == 0x50
            self._state = "skippable" if skippable else "descriptor"
        elif self._state == "skippable":
            self._skip, self._state = int.from_bytes(held, "little"), "frame end"
        elif self._state == "descriptor":
            flag, single, dictionary = held[0] >> 6, held[0] >> 5 & 1, held[0] & 3
            self._checksum = bool(held[0] >> 2 & 1)
            sizes = (1 if single else 0, 2, 4, 8)
            self._skip = (not single) + (0, 1, 2, 4)[dictionary] + sizes[flag]
            self._state = "block"
        else:
            header = int.from_bytes(held, "little")
            last, kind, size = header & 1, header >> 1 & 3, header >> 3
            self._skip = (1 if kind == 1 else size) + (4 if last and self._checksum else 0)
            self._state = "frame end" if last else "block"


class _Utf16:
    """UTF-16 text with a byte order mark, as spreadsheets write "Unicode text", read as UTF-8."""

    def __init__(self, below: io.BufferedReader) -> None:
        self._below = below
        self._decoder = codecs.getincrementaldecoder("utf-16")()
        self._ready = b""

    def readinto(self, buffer: Any, /) -> int:
        while not self._ready:
            data = self._below.read(_PACKED)
            try:
                self._ready = self._decoder.decode(data, final=not data).encode()
            except UnicodeError as error:
                raise EOFError(f"it begins like UTF-16 text but is not: {error}") from None
            if not data:
                break
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
    plain: io.BufferedReader = io.BufferedReader(_Reader(_decompressor(kind, buffered), kind, source), BUFFER)
    try:
        head = plain.peek(2)[:2]
    except BaseException:
        plain.close()
        raise
    if head in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
        return io.BufferedReader(_Reader(_Utf16(plain), kind, source), BUFFER)
    return plain


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
        stream = beside(cast(BinaryIO, sys.stdout.buffer))
        try:
            yield stream
            stream.flush()
        except OSError as error:
            if isinstance(error, BrokenPipeError) or error.filename is not None:
                raise  # a reader that has seen enough, or another file
            raise OutputError(f"cannot write to stdout: {error.strerror or error}") from error
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
