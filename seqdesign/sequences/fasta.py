"""FASTA in and out, and FASTQ in: strict and streaming.

Accepted: byte order mark, LF, CRLF or CR line ends, blank lines, no final newline, white space inside a
sequence (dropped), any compression of ``compression.py``. Refused with file, line and advice: text before the
first ``>``, an empty id, an empty sequence, a NUL byte, headers that are not UTF-8, a record longer than a
cap. Repeated ids are refused, skipped, renamed or kept, as asked.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.compression import source_name
from seqdesign.sequences.encoders import (
    ALIEN,
    GapPolicy,
    OnUnknown,
    TokenArray,
    Vocabulary,
    encode,
    letter_table,
    pad_rows,
)
from seqdesign.sequences.fasta_blocks import (
    MAX_RECORD,
    Block,
    ids_and_descriptions,
    ids_of,
    read_blocks,
    sequence_texts,
)
from seqdesign.sequences.unique_ids import OnDuplicate, UniqueIds
from seqdesign.symbols import spelled

_FIELD = re.compile(r'(?<!\S)([^\s="]+)=("(?:[^"\\]|\\.)*"|\S*)')
_ESCAPED = re.compile(r"\\(.)")
_BLANK = re.compile(r"[ \t\n\r\v\f]")
_NOT_IN_KEYS = re.compile(r'[\s="]+')
_LINE_END = re.compile(r"[\n\r]")


@dataclass(frozen=True, slots=True)
class Record:
    """One FASTA record. description is the header after the id; line (1-based) is the header's, 0 if none."""

    id: str
    description: str
    sequence: str
    line: int = 0


def header_fields(description: str) -> dict[str, str]:
    """The ``key=value`` and ``key="quoted value"`` parts of a description; the last of a key wins."""
    return {
        key: _ESCAPED.sub(r"\1", value[1:-1]) if len(value) > 1 and value[0] == value[-1] == '"' else value
        for key, value in _FIELD.findall(description)
    }


def header_key(name: str) -> str:
    """Any name as the key of a header field: white space, = and quotes become underscores."""
    return _NOT_IN_KEYS.sub("_", name) or "_"


def header_id(name: str) -> str:
    """Any id as the first word of a header: white space becomes underscores."""
    return re.sub(f"{_BLANK.pattern}+", "_", name) or "_"


def check_header_ids(ids: Sequence[str], source: str) -> None:
    """Raise InputError where two ids that differ would be the same in a header; to be called before work."""
    if not any(_BLANK.search(name) for name in ids):
        return
    seen: dict[str, str] = {}
    for name in ids:
        other = seen.setdefault(header_id(name), name)
        if other != name:
            raise InputError(
                f"the ids {other!r} and {name!r} would be one in FASTA, where ids have no spaces; rename one",
                path=source,
                record=name,
            )


def format_fields(fields: Mapping[str, Any]) -> str:
    """The inverse of ``header_fields``: ``key=value`` parts, quoted where needed; floats with six digits.

    Keys are written as ``header_key`` makes them; of two that become the same, the later gets a number. A
    line end in a value becomes a space.
    """
    parts = []
    taken: set[str] = set()
    for name, value in fields.items():
        text = _LINE_END.sub(" ", f"{value:.6g}" if isinstance(value, float) else str(value))
        key, number = header_key(name), 2
        while key in taken:
            key, number = f"{header_key(name)}_{number}", number + 1
        taken.add(key)
        if re.search(r'[\s"\\]', text):
            text = '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'
        parts.append(f"{key}={text}")
    return " ".join(parts)


def read_fasta(
    path: str | os.PathLike[str] | BinaryIO,
    *,
    max_record: int = MAX_RECORD,
    on_duplicate: OnDuplicate = "error",
    words: bool = False,
) -> Iterator[Record]:
    """The records of a FASTA file one by one, in constant memory ("keep") or with one entry per id.

    Raises InputError as the module says; ``max_record`` is the longest record in characters; ``words`` keeps
    blanks in sequences, which separate words.
    """
    source = source_name(path)
    unique = UniqueIds(on_duplicate, source)
    for block in read_blocks(path, max_record=max_record, words=words):
        ids, descriptions = ids_and_descriptions(block, source)
        ids, kept = unique.apply(ids, block.lines)
        sequences = sequence_texts(block, source)
        places = range(len(ids)) if kept is None else kept
        for name, i in zip(ids, places, strict=True):
            yield Record(name, descriptions[i], sequences[i], block.lines[i])


def read_fasta_tokens(
    path: str | os.PathLike[str] | BinaryIO,
    alphabet: Alphabet,
    *,
    max_record: int = MAX_RECORD,
    on_duplicate: OnDuplicate = "error",
    on_unknown: OnUnknown = "error",
    convert_ut: bool = False,
    gaps: GapPolicy = "error",
) -> tuple[list[str], TokenArray]:
    """(ids, tokens) of a whole FASTA file, without making a string of each sequence.

    Equals ``encode`` of what ``read_fasta`` gives, with the same errors; ``kept`` counts records after the
    duplicate policy, and ids are those of the kept records.
    """
    source = source_name(path)
    unique = UniqueIds(on_duplicate, source)
    table = letter_table(alphabet, convert_ut)
    pad = Vocabulary(alphabet).pad
    all_ids: list[str] = []
    codes: list[bytes] = []
    lengths: list[NDArray[np.int64]] = []
    kept: list[NDArray[np.int64]] = []
    n_seen = 0
    for block in read_blocks(path, max_record=max_record):
        ids, block = _without_repeats(block, unique, source)
        n_records = len(block.sequences)
        block_codes = block.letters.translate(table)
        rows = np.arange(n_records, dtype=np.int64)
        if ALIEN.to_bytes() in block_codes:
            encoded = encode(
                sequence_texts(block, source), alphabet, on_unknown=on_unknown, ids=ids, source=source,
                lines=block.lines, convert_ut=convert_ut, gaps=gaps,
            )  # fmt: skip
            rows = encoded.kept
            ids = [ids[i] for i in rows]
            lengths.append(encoded.lengths)
            block_codes = encoded.tokens[encoded.tokens != pad].tobytes()
        else:
            lengths.append(np.fromiter(map(len, block.sequences), dtype=np.int64, count=n_records))
        all_ids += ids
        codes.append(block_codes)
        kept.append(rows + n_seen)
        n_seen += n_records
    all_lengths = np.concatenate(lengths)
    tokens = pad_rows(np.frombuffer(bytearray().join(codes), dtype=np.uint8), all_lengths, pad)
    return all_ids, TokenArray(tokens, all_lengths, alphabet, np.concatenate(kept))


def _without_repeats(block: Block, unique: UniqueIds, source: str) -> tuple[list[str], Block]:
    """(ids, block) after the duplicate policy."""
    ids, kept = unique.apply(ids_of(block, source), block.lines)
    if kept is None:
        return ids, block
    sequences = [block.sequences[i] for i in kept]
    headers, lines = [block.headers[i] for i in kept], [block.lines[i] for i in kept]
    return ids, Block(headers, sequences, lines, b"".join(sequences))


def write_fasta(records: Iterable[Record], handle: BinaryIO, width: int = 0) -> int:
    """Writes records as UTF-8 FASTA, sequences on one line (``width=0``) or wrapped; returns how many.

    Letters with names are spelled out; such sequences are never wrapped.
    Ids are written as ``header_id`` makes them. Raises ValueError for a record that could not be read back:
    an empty id, a sequence that is empty or has white space or ``>``, a description of several lines.
    """
    n_written = 0
    for record in records:
        sequence, name = record.sequence, header_id(record.id)
        if (
            not record.id
            or not sequence
            or _BLANK.search(sequence)
            or ">" in sequence
            or _LINE_END.search(record.description)
        ):
            raise ValueError(f"a FASTA record needs an id and a sequence, got {record}")
        header = f"{name} {record.description}" if record.description else name
        whole = spelled(sequence)
        if width > 0 and whole == sequence:
            whole = "\n".join(sequence[i : i + width] for i in range(0, len(sequence), width))
        handle.write(f">{spelled(header)}\n{whole}\n".encode())
        n_written += 1
    return n_written
