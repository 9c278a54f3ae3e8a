"""Aligned targets of a library: FASTA, a table, or an alignment in CLUSTAL format."""

from __future__ import annotations

import io
import os
from typing import Any

from seqdesign.errors import InputError
from seqdesign.sequences.bundled import resolve_input
from seqdesign.sequences.compression import open_input
from seqdesign.sequences.reader import SequenceSet, read_sequences

_CLUSTAL = (b"CLUSTAL", b"MUSCLE")


def read_targets(path: str | os.PathLike[str], **options: Any) -> SequenceSet:
    """Targets with gaps as they are, in capitals. ``options`` are those of ``read_sequences``. InputError."""
    with open_input(resolve_input(path)) as handle:
        clustal = handle.peek(16).startswith(_CLUSTAL)
        text = handle.read() if clustal else b""
    records = _clustal(text, path) if clustal else read_sequences(path, outcomes=False, **options)
    texts = [sequence.upper().replace(".", "-") for sequence in records.sequences]
    return SequenceSet(records.ids, texts, source=records.source, lines=records.lines)


def _clustal(text: bytes, path: str | os.PathLike[str]) -> SequenceSet:
    from Bio import AlignIO

    try:
        found = AlignIO.read(io.StringIO(text.decode("utf-8")), "clustal")
    except ValueError as error:
        raise InputError(f"cannot be read as a CLUSTAL alignment: {error}", path=path) from None
    return SequenceSet([r.id for r in found], [str(r.seq) for r in found], source=os.fspath(path))
