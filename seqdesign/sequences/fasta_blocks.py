"""FASTA and FASTQ as blocks of whole records, still bytes: the common ground of all readers of them.

Everything that can be wrong with the layout of a file is found here; letters are judged by ``encoders``.
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import BinaryIO

from seqdesign.errors import InputError
from seqdesign.sequences.compression import inner_suffix, open_input, source_name
from seqdesign.sequences.lab.fastq import BROKEN_FASTQ, fastq_records, is_fastq

MAX_RECORD = 10_000_000

_BLOCK = 1 << 17  # small enough that its copies stay in the cache
_BOM = b"\xef\xbb\xbf"
_BLANKS = b" \t\v\f"


@dataclass(frozen=True, slots=True)
class Block:
    """Some whole records: headers without ``>``, sequences without white space, header lines (1-based).

    letters: all sequences one after the other.
    """

    headers: list[bytes]
    sequences: list[bytes]
    lines: Sequence[int]
    letters: bytes


def read_blocks(
    path: str | os.PathLike[str] | BinaryIO,
    *,
    max_record: int = MAX_RECORD,
    allow_empty: bool = False,
    words: bool = False,
) -> Iterator[Block]:
    """The records of a FASTA or FASTQ file, a bounded block at a time. Memory is bounded by ``max_record``.

    words: whether blanks and line ends inside a sequence separate words and are kept, as one blank.

    Raises InputError for text before the first ``>``, damaged FASTQ, an empty id or sequence, a NUL byte, a
    record of more than ``max_record`` characters, damaged compression, and a file without a record unless
    ``allow_empty``.
    """
    source = source_name(path)
    n_records = 0
    with open_input(path) as handle:
        blocks = _fastq_blocks if is_fastq(_start(handle), inner_suffix(source)) else _fasta_blocks
        for block in blocks(handle, source, max_record, words):
            n_records += len(block.headers)
            yield block
    if n_records == 0 and not allow_empty:
        raise InputError("no record; a FASTA file must have at least one '>id' line", path=source)


def _start(handle: io.BufferedReader) -> bytes:
    return handle.peek(_BLOCK)[:_BLOCK].removeprefix(_BOM).lstrip()


def _fasta_blocks(handle: io.BufferedReader, source: str, max_record: int, words: bool) -> Iterator[Block]:
    for text, line in _whole_records(handle, source, max_record):
        yield _two_line_block(text, line) or _general_block(text, line, source, words)


def _fastq_blocks(handle: io.BufferedReader, source: str, max_record: int, words: bool) -> Iterator[Block]:
    for headers, sequences, lines in fastq_records(_newline_blocks(handle), source, max_record):
        yield Block(headers, sequences, lines, b"".join(sequences))


def _whole_records(handle: io.BufferedReader, source: str, max_record: int) -> Iterator[tuple[bytes, int]]:
    """(text, its first line): pieces with LF line ends that start with ``>`` and end where a record ends."""
    carry, line, started = b"", 1, False
    for data in _newline_blocks(handle):
        if b"\0" in data:
            text = carry + data
            line += text.count(b"\n", 0, text.index(b"\0"))
            raise InputError("NUL byte; this is no text file, or it is damaged", path=source, line=line)
        if not started:
            stripped = data.lstrip()
            line += data.count(b"\n", 0, len(data) - len(stripped))
            if not stripped:
                continue
            _check_start(stripped, source, line)
            data, started = stripped, True
        text = carry + data
        # The last record may go on in the next block, so it is carried over.
        cut = text.rfind(b"\n>", max(0, len(carry) - 1))
        if cut >= 0:
            head, carry = text[: cut + 1], text[cut + 1 :]
            yield head, line
            line += head.count(b"\n")
        else:
            carry = text
        if len(carry) > max_record:
            raise InputError(
                f"the record is longer than {max_record:,} characters; is this file meant for this program?",
                path=source,
                line=line,
            )
    if carry:
        yield carry, line


def _newline_blocks(handle: io.BufferedReader) -> Iterator[bytes]:
    """Blocks with every line end as LF, without byte order mark."""
    first = True
    while data := handle.read(_BLOCK):
        while data.endswith(b"\r") and (more := handle.read(1)):  # CR and LF may lie in two blocks
            data += more
        if first:
            data, first = data.removeprefix(_BOM), False
        if b"\r" in data:
            data = data.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        yield data


def _check_start(text: bytes, source: str, line: int) -> None:
    if text.startswith(b">"):
        return
    if text.startswith(b"@"):
        raise InputError(BROKEN_FASTQ, path=source, line=line)
    shown = text[:20].split(b"\n")[0].decode("utf-8", errors="replace")
    raise InputError(
        f"a FASTA file must begin with '>', got {shown!r}; a table needs a .csv, .tsv or .parquet name",
        path=source,
        line=line,
    )


def _two_line_block(text: bytes, line: int) -> Block | None:
    """The fast way, for a header line and a sequence line in turn; None when the text is anything else."""
    rows = text.split(b"\n")
    if not rows[-1]:
        rows.pop()
    sequences = rows[1::2]
    joined = b"\n".join(rows[::2])
    names = joined[1:].split(b"\n>")
    letters = b"".join(sequences)
    if (
        len(names) != len(sequences)
        or 2 * len(names) != len(rows)
        or not all(sequences)
        or any(byte in letters for byte in b">" + _BLANKS)
        # An id that is empty or indented is for the general way to judge.
        or not all(names)
        or any(b"\n>" + blank in b"\n" + joined for blank in (b" ", b"\t", b"\v", b"\f"))
    ):
        return None
    return Block(names, sequences, range(line, line + len(rows), 2), letters)


def _general_block(text: bytes, line: int, source: str, words: bool) -> Block:
    """Any layout of lines, record by record, with the checks that name a line."""
    headers, sequences, lines = [], [], []
    for part in text[1:].split(b"\n>"):
        header, _, body = part.partition(b"\n")
        header = header.strip()
        if not header:
            raise InputError("the record has no id; write one after '>'", path=source, line=line)
        sequence = b" ".join(body.split()) if words else body.translate(None, b"\n" + _BLANKS)
        if not sequence:
            name = header.split()[0].decode("utf-8", errors="replace")
            raise InputError("the record has no sequence", path=source, line=line, record=name)
        headers.append(header)
        sequences.append(sequence)
        lines.append(line)
        line += part.count(b"\n") + 1
    return Block(headers, sequences, lines, b"".join(sequences))


def ids_of(block: Block, source: str) -> list[str]:
    """The first word of each header. Raises InputError for a header that is not UTF-8."""
    _header_text(block, source)
    # Splitting the bytes keeps ids with other Unicode spaces in one piece.
    return b"\n".join([header.split(None, 1)[0] for header in block.headers]).decode("utf-8").split("\n")


def ids_and_descriptions(block: Block, source: str) -> tuple[list[str], list[str]]:
    """The first word and the rest of each header. Raises InputError for a header that is not UTF-8."""
    text = _header_text(block, source)
    if not any(blank in text for blank in " \t\v\f"):
        return text.split("\n"), [""] * len(block.headers)
    words = [header.split(None, 1) for header in block.headers]
    rest = b"\n".join([w[1].rstrip() if len(w) > 1 else b"" for w in words]).decode("utf-8")
    return b"\n".join([w[0] for w in words]).decode("utf-8").split("\n"), rest.split("\n")


def _header_text(block: Block, source: str) -> str:
    try:
        return b"\n".join(block.headers).decode("utf-8")
    except UnicodeDecodeError:
        raise _not_text(block.headers, block, source, "header") from None


def sequence_texts(block: Block, source: str) -> list[str]:
    """The sequences as text. Raises InputError for one that is not UTF-8."""
    try:
        return b"\n".join(block.sequences).decode("utf-8").split("\n")
    except UnicodeDecodeError:
        raise _not_text(block.sequences, block, source, "sequence") from None


def _not_text(texts: Sequence[bytes], block: Block, source: str, what: str) -> InputError:
    for i, text in enumerate(texts):
        try:
            text.decode("utf-8")
        except UnicodeDecodeError as error:
            name = block.headers[i].split()[0].decode("utf-8", errors="replace")
            return InputError(
                f"the {what} is not UTF-8 text (byte {error.start + 1} of it); convert the file to UTF-8",
                path=source,
                line=block.lines[i],
                record=name,
            )
    raise AssertionError("every text is UTF-8")
