"""Sequences in and out: files, tables in memory, lists of strings."""

from __future__ import annotations

import math
import os
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from typing import Any

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.alphabets import Alphabet
from seqdesign.sequences.lab.replicates import STDERR
from seqdesign.sequences.options import (
    CellOptions,
    FileOptions,
    LetterOptions,
    alphabet_with,
    cell_format,
    file_format,
    layout_of,
)
from seqdesign.sequences.reader import ID_COLUMNS, OUTCOME, SEQUENCE_COLUMNS, SequenceSet, read_sequences
from seqdesign.verbs.options import pick, verb


@verb(FileOptions)
def read(
    path: str | os.PathLike[str],
    *,
    outcome: str | Sequence[str] | None = None,
    words: bool = False,
    **options: Any,
) -> SequenceSet:
    """Sequences of a file, with their outcomes: FASTA, GenBank or a table, plain or compressed.

    Args:
        path: file, or ``dataset:NAME`` for bundled data.
        outcome: columns, or keys of FASTA headers, that hold measured outcomes; ``outcome`` if it is there.
        words: whether blanks in sequences separate words; else they are dropped.

    Returns:
        N sequences with ids; ``columns`` holds the text of each outcome (N,), and ``outcomes`` the numbers
        (N,) of a single one, NaN where it was not measured.

    Raises:
        InputError: the file cannot be read, with its line and record.
        UsageError: a column or option that does not fit.

    Example:
        >>> data = read("dataset:rna_mpsa_5ss9", outcome="outcome")
        >>> len(data), data.sequences[0]
    """
    where = pick(FileOptions, options)
    names = (outcome,) if isinstance(outcome, str) else tuple(outcome or ())
    layout = replace(layout_of(where, default=names or (OUTCOME,)), words=words)
    return _both(
        read_sequences(
            path,
            sequence_column=where.sequence,
            columns=(*(names or (OUTCOME,)), *layout.made_columns()),
            lacking_columns="error" if names else "leave out",
            id_column=where.id_,
            format=file_format(where),
            layout=layout,
            cells=cell_format(where),
            on_missing="unlabelled",
        )
    )


def sequence_set(
    what: Any,
    outcomes: Any = None,
    *,
    outcome: str | Sequence[str] | None = None,
    written: CellOptions | None = None,
) -> SequenceSet:
    """Sequences from whatever holds them.

    Args:
        what: a SequenceSet, a list of strings, a DataFrame with a column ``sequence`` or ``seq``, or a path.
        outcomes: (N,) numbers or labels beside a list of strings; None or NaN is not measured.
        outcome: columns of a DataFrame or file that hold outcomes, or what ``outcomes`` are called;
            ``outcome`` where it is there.
        written: how values are written in a file, and which are replicates.

    Raises InputError and UsageError.
    """
    if isinstance(what, str | os.PathLike):
        return read(what, outcome=outcome, **({} if written is None else vars(written)))
    if written is not None and (written.replicates or written.counts or written.on_repeat != "keep"):
        option = "replicates" if written.replicates else "counts" if written.counts else "on_repeat"
        raise UsageError(
            "outcomes are made of the columns of a file: write the table to one, and give its path",
            option=option,
        )
    if isinstance(what, SequenceSet):
        return _both(what)
    if hasattr(what, "columns") and hasattr(what, "iloc"):
        return _from_frame(what, (outcome,) if isinstance(outcome, str) else tuple(outcome or ()))
    texts = list(what)
    bad = next((i for i, text in enumerate(texts) if not isinstance(text, str)), None)
    if bad is not None:
        raise InputError(f"sequence {bad + 1} must be text, got {texts[bad]!r}")
    if not texts:
        raise InputError("there are no sequences")
    columns = {}
    if outcomes is not None:
        cells = list(outcomes)
        if len(cells) != len(texts):
            raise UsageError(
                f"must be {len(texts)} values, one a sequence, got {len(cells)}", option="outcomes"
            )
        named = (outcome,) if isinstance(outcome, str) else tuple(outcome or (OUTCOME,))
        if len(named) > 1:
            raise UsageError(
                f"names {len(named)} columns, but beside strings stand values of one", option="outcome"
            )
        columns[named[0]] = [_cell(value) for value in cells]
    return _both(SequenceSet([f"seq{i + 1}" for i in range(len(texts))], texts, columns=columns))


def _both(records: SequenceSet) -> SequenceSet:
    """One outcome as text in ``columns`` and as numbers in ``outcomes``, whichever of them is missing."""
    if records.outcomes is not None and not records.columns:
        return replace(records, columns={OUTCOME: [_cell(float(value)) for value in records.outcomes]})
    measured = [name for name in records.columns if not name.startswith(STDERR)]
    if records.outcomes is None and len(measured) == 1:
        try:
            return replace(records, outcomes=records.numbers(measured[0]))
        except InputError:  # labels
            return records
    return records


def _from_frame(frame: Any, names: tuple[str, ...]) -> SequenceSet:
    """Records of a DataFrame; its index gives the ids where there is no column for them."""
    have = [str(name) for name in frame.columns]
    sequence = next((name for name in SEQUENCE_COLUMNS if name in have), None)
    if sequence is None:
        raise InputError(f"a table needs a column 'sequence' or 'seq'; it has {', '.join(have)}")
    missing = [name for name in names if name not in have]
    if missing:
        raise UsageError(f"there is no column {missing[0]!r}; there are {', '.join(have)}", option="outcome")
    ids = next((name for name in ID_COLUMNS if name in have), None)
    names = names or ((OUTCOME,) if OUTCOME in have else ())
    named = frame[ids] if ids is not None else [f"seq{i + 1}" for i in range(len(frame))]
    return _both(
        SequenceSet(
            [str(name) for name in named],
            [str(text) for text in frame[sequence]],
            columns={name: [_cell(value) for value in frame[name]] for name in names},
        )
    )


def _cell(value: Any) -> str:
    """A value as the text of a table's cell; missing is empty."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return ""
    return repr(float(value)) if hasattr(value, "__float__") and not isinstance(value, str) else str(value)


def alphabet_of(name: str, sequences: Iterable[str]) -> Alphabet:
    """The alphabet of this name, learned from the sequences or, for ``auto``, the one that they fit."""
    return alphabet_with(LetterOptions(alphabet=name), sequences)


@verb()
def write(sequences: Any, path: str | os.PathLike[str]) -> int:
    """Write sequences as FASTA, or as a table where the suffix says so.

    Args:
        sequences: a SequenceSet, a list of strings, a DataFrame, or a record of this package.
        path: ``.fa`` and the like for FASTA, ``.csv``, ``.tsv``, ``.xlsx`` or ``.parquet`` for a table,
            ``.gb`` for GenBank; ``.gz`` and ``.zst`` compress.

    Returns:
        How many were written.

    Raises:
        OutputError: the file cannot be written; nothing that was there is lost.
        InputError: something that is no sequence.

    Example:
        >>> write(["ACGT", "ACGA"], "two.fa")
    """
    from seqdesign.sequences.compression import inner_suffix
    from seqdesign.sequences.fasta import Record, format_fields
    from seqdesign.sequences.lab.genbank import write_sequences
    from seqdesign.sequences.tables import WRITTEN, write_table

    if hasattr(sequences, "write") and not isinstance(sequences, SequenceSet):
        return int(sequences.write(path))
    records = sequence_set(sequences)
    if inner_suffix(path) in WRITTEN:
        columns = {"id": records.ids, "sequence": records.sequences, **records.columns}
        return write_table(columns, path)
    return write_sequences(
        (
            Record(name, format_fields(_fields(records.columns, i)), text)
            for i, (name, text) in enumerate(zip(records.ids, records.sequences, strict=True))
        ),
        path,
    )


def _fields(columns: Mapping[str, Sequence[str]], i: int) -> dict[str, Any]:
    return {name: cells[i] for name, cells in columns.items() if cells[i] != ""}
