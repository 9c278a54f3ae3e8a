"""Sequences with their outcomes from any file: FASTA, alignments, tables, Parquet, whole or in batches.

The format is decided by the content, and by the name's suffix where the content leaves it open. A path may be
``-`` (standard input) or ``dataset:NAME`` (bundled data).
"""

from __future__ import annotations

import io
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import BinaryIO, Literal, cast

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError, UsageError
from seqdesign.runs.progress import phase
from seqdesign.sequences.bundled import resolve_input
from seqdesign.sequences.compression import inner_suffix, open_input
from seqdesign.sequences.fasta import header_fields, header_key
from seqdesign.sequences.fasta_blocks import MAX_RECORD, ids_and_descriptions, read_blocks, sequence_texts
from seqdesign.sequences.lab.bare import is_alignment, read_bare
from seqdesign.sequences.lab.fastq import BROKEN_FASTQ, is_fastq
from seqdesign.sequences.lab.genbank import is_genbank
from seqdesign.sequences.lab.hints import options_for, outcomes_in
from seqdesign.sequences.lab.replicates import NoiseCeiling
from seqdesign.sequences.lab.sheets import OLD_EXCEL, is_workbook
from seqdesign.sequences.lab.variants import Numbering
from seqdesign.sequences.layout import NAME, SEQUENCE, Layout, laid_out
from seqdesign.sequences.numbers import CellFormat, Tally, to_numbers
from seqdesign.sequences.omitted import say_left_out
from seqdesign.sequences.origin import Origin, origin_of
from seqdesign.sequences.tables import TableBatch, choose_columns, is_parquet, read_table
from seqdesign.sequences.unique_ids import OnDuplicate, UniqueIds

Format = Literal["fasta", "fastq", "table", "parquet", "xlsx", "genbank", "alignment"]
OnMissing = Literal["error", "drop", "unlabelled"]
Lacking = Literal["error", "leave out"]

FASTA_SUFFIXES = (".fa", ".fasta", ".fna", ".faa", ".ffn", ".frn", ".fas", ".seq")
TABLE_SUFFIXES = (".csv", ".tsv", ".tab")
SEQUENCE_COLUMNS = ("sequence", "seq", "Sequence", "Seq", "SEQUENCE", "SEQ")
ID_COLUMNS = ("id", "name")
OUTCOME = "outcome"

_HEAD = 4096
_OUTCOME = "\0outcome"
"""Column of outcomes that are not numbers yet; no file can have one of this name."""


@dataclass(frozen=True, eq=False)
class SequenceSet:
    """N sequences as read: strings with their case, gaps and unknown letters untouched.

    outcomes: (N,) float64 with NaN where a record is unlabelled, or None when no record has one.
    weights: (N,) float64 or None. lines: (N,) int64, where each record begins in ``source`` (0: unknown).
    n_dropped: records left out by ``on_missing="drop"`` or ``on_duplicate="first"``. columns: the text of the
    columns, or header keys, that were asked for; "" where a header lacks one. cells: how those are read.
    """

    ids: list[str]
    sequences: list[str]
    outcomes: NDArray[np.float64] | None = None
    source: str = ""
    weights: NDArray[np.float64] | None = None
    lines: NDArray[np.int64] | None = None
    n_dropped: int = 0
    columns: Mapping[str, list[str]] = field(default_factory=dict)
    cells: CellFormat = field(default_factory=CellFormat)
    said: str = ""
    """What the column of the outcome was found to hold, in words."""
    labels: tuple[str, ...] = ()
    """Where the outcome is a label: all labels in order; ``outcomes`` are places in them."""
    origin: Origin | None = None
    """The command of seqdesign that wrote the file; its predictions are not read as outcomes."""
    dialect: str = ""
    """How a table was found to be written, in words."""
    noise: Mapping[str, NoiseCeiling] = field(default_factory=dict)
    """Outcome -> how well it could be predicted at best, where it is the mean of replicates."""
    numbering: Numbering | None = None
    """The wild type that was named, and the number of its first letter."""
    unused: tuple[str, ...] = ()
    """Columns of the table that were not asked for."""

    def __post_init__(self) -> None:
        for name in ("sequences", "outcomes", "weights", "lines"):
            value = getattr(self, name)
            if value is not None and len(value) != len(self.ids):
                raise ValueError(f"{name} must have {len(self.ids)} entries as ids has, got {len(value)}")

    def numbers(self, column: str) -> NDArray[np.float64]:
        """One of ``columns`` as (N,) numbers, NaN where missing. Raises InputError for other text."""
        return to_numbers(
            self.columns[column], column, self.source, self.line_numbers(), self.ids, self.cells
        )

    def readable(self, column: str) -> NDArray[np.float64]:
        """As ``numbers``, with NaN for other text too."""
        return Tally(column, self.cells).add(self.columns[column], self.line_numbers(), self.ids)

    def line_numbers(self) -> list[int]:
        """Where each record begins, 0 where that is not known."""
        return [0] * len(self) if self.lines is None else self.lines.tolist()

    def __len__(self) -> int:
        return len(self.ids)

    def take(self, indices: Sequence[int] | NDArray[np.int64]) -> SequenceSet:
        """The chosen records, in the order given."""
        chosen = np.asarray(indices, dtype=np.int64)
        places = chosen.tolist()
        return replace(
            self,
            ids=[self.ids[i] for i in places],
            sequences=[self.sequences[i] for i in places],
            outcomes=None if self.outcomes is None else self.outcomes[chosen],
            weights=None if self.weights is None else self.weights[chosen],
            lines=None if self.lines is None else self.lines[chosen],
            n_dropped=0,
            columns={name: [cells[i] for i in places] for name, cells in self.columns.items()},
        )


@dataclass(frozen=True, kw_only=True)
class _Options:
    """What to read from a file; see ``stream_sequences``."""

    sequence_column: str | None
    outcome: str | None
    id_column: str | None
    weight_column: str | None
    columns: Sequence[str]
    lacking_columns: Lacking
    format: Format | None
    on_duplicate: OnDuplicate
    max_record: int
    batch_size: int
    allow_empty: bool
    cells: CellFormat
    layout: Layout
    outcomes: bool = True
    """Whether to look for an outcome at all."""
    whole: bool = False
    """Whether outcomes stay text, in the column ``_OUTCOME``, until all of them can be looked at."""


@phase("reading")
def read_sequences(
    path: str | os.PathLike[str] | BinaryIO,
    *,
    sequence_column: str | None = None,
    outcome: str | None = None,
    id_column: str | None = None,
    weight_column: str | None = None,
    columns: Sequence[str] = (),
    lacking_columns: Lacking = "error",
    format: Format | None = None,
    on_duplicate: OnDuplicate = "error",
    on_missing: OnMissing = "error",
    max_record: int = MAX_RECORD,
    cells: CellFormat | None = None,
    layout: Layout | None = None,
    outcomes: bool = True,
    labels: bool = False,
) -> SequenceSet:
    """All sequences of a file; see ``stream_sequences`` for the options not named here.

    on_missing: where some records have an outcome, one without (empty, NA or not finite) is an error, is
    dropped, or stays unlabelled (NaN). Without any outcome, ``outcomes`` is None. Whether they are numbers is
    decided from all of them. outcomes: False looks for none, so that nothing in them can be wrong. labels:
    whether they may be labels, where none of them is a number.

    Raises InputError, also for a file without a record, and UsageError for a column option with FASTA.
    """
    options = _Options(
        sequence_column=sequence_column, outcome=outcome, id_column=id_column, weight_column=weight_column,
        columns=columns, lacking_columns=lacking_columns, format=format, on_duplicate=on_duplicate,
        max_record=max_record, batch_size=16384, allow_empty=False, cells=cells or CellFormat(),
        layout=layout or Layout(), outcomes=outcomes, whole=True,
    )  # fmt: skip
    whole = _with_outcomes(_join(list(_stream(path, options))), outcome or OUTCOME, labels)
    if whole.outcomes is None or not np.isnan(whole.outcomes).any():
        return whole
    if outcome is None and np.isnan(whole.outcomes).all():
        return replace(whole, outcomes=None)
    return _apply_missing(whole, on_missing, outcome or OUTCOME)


def stream_sequences(
    path: str | os.PathLike[str] | BinaryIO,
    batch_size: int = 4096,
    *,
    sequence_column: str | None = None,
    outcome: str | None = None,
    id_column: str | None = None,
    weight_column: str | None = None,
    columns: Sequence[str] = (),
    lacking_columns: Lacking = "error",
    format: Format | None = None,
    on_duplicate: OnDuplicate = "keep",
    max_record: int = MAX_RECORD,
    allow_empty: bool = False,
    cells: CellFormat | None = None,
    layout: Layout | None = None,
) -> Iterator[SequenceSet]:
    """The sequences of a file, at most ``batch_size`` at a time, in constant memory if duplicates are kept.

    sequence_column: by default ``sequence`` or ``seq``. outcome: the column, or the key in FASTA headers
    (``>id outcome=1.25``), by default ``outcome``; it must exist if named; missing or infinite values become
    NaN. id_column: by default ``id`` or ``name`` if there, else records are called seq1, seq2, ...
    weight_column: none by default. columns: further columns, or keys in FASTA headers, to keep as text; with
    them no outcome is looked for unless it is named, and one that the file lacks is an error or is left out.
    allow_empty: a file without a record gives no batch instead of an error. cells: what counts as missing,
    and the decimal sign. layout: the sheet of a workbook, mutations of a wild type, and replicates.

    Raises InputError naming file, line and column or record, for text in place of a number among others;
    UsageError for a column option with FASTA.
    """
    yield from _stream(
        path,
        _Options(
            sequence_column=sequence_column, outcome=outcome, id_column=id_column,
            weight_column=weight_column, columns=columns, lacking_columns=lacking_columns, format=format,
            on_duplicate=on_duplicate, max_record=max_record, batch_size=batch_size, allow_empty=allow_empty,
            cells=cells or CellFormat(), layout=layout or Layout(),
        ),
    )  # fmt: skip


def _stream(path: str | os.PathLike[str] | BinaryIO, options: _Options) -> Iterator[SequenceSet]:
    path = resolve_input(path) if isinstance(path, str | os.PathLike) else path
    with open_input(path) as handle:
        if options.allow_empty and is_blank(handle):
            return
        kind = options.format or guess_format(handle)
        file = path if isinstance(path, str) else str(handle.name)
        if kind in ("fasta", "fastq"):
            yield from _stream_fasta(handle, options, file)
        elif kind in ("genbank", "alignment"):
            yield from _stream_bare(handle, options, kind)
        else:
            yield from _stream_table(handle, options, kind == "parquet", file)


def is_blank(handle: io.BufferedReader) -> bool:
    """Whether a file has nothing, or nothing but a little white space."""
    head = handle.peek(_HEAD)
    return len(head) < _HEAD and not head.removeprefix(b"\xef\xbb\xbf").strip()


def guess_format(handle: io.BufferedReader) -> Format:
    """By the first bytes, and by the suffix of the handle's name where they leave it open.

    Raises InputError when neither tells.
    """
    head = handle.peek(_HEAD)[:_HEAD]
    if head.startswith(OLD_EXCEL):
        raise InputError("this is a workbook of the old kind (.xls); save it as .xlsx", path=handle.name)
    if is_workbook(head):
        return "xlsx"
    suffix = inner_suffix(handle.name)
    text = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if is_parquet(head):
        return "parquet"
    if is_genbank(text):
        return "genbank"
    if is_alignment(text):
        return "alignment"
    if text.startswith(b">") or suffix in FASTA_SUFFIXES:
        return "fasta"
    if is_fastq(text, suffix):
        return "fastq"
    rows = [line for line in text.splitlines() if not line.startswith((b"#", b";"))]
    first_line = rows[0] if rows else b""
    one_column = first_line.strip(b'" ').decode("utf-8", errors="replace") in SEQUENCE_COLUMNS
    if suffix in TABLE_SUFFIXES or any(c in first_line for c in (b",", b"\t", b";")) or one_column:
        return "table"
    if not text:
        raise InputError("no record; the file is empty", path=handle.name)
    if text.startswith(b"@"):
        raise InputError(BROKEN_FASTQ, path=handle.name, line=1)
    raise InputError(
        "neither FASTA (no '>' at the start) nor a table (no comma or tab in the first line); give the file "
        "a suffix such as .fa or .csv, or name its format",
        path=handle.name,
        line=1,
    )


def _refuse_columns(options: _Options, source: str, kind: str) -> None:
    """Raise UsageError for options of tables."""
    for name in ("sequence_column", "id_column", "weight_column"):
        if getattr(options, name) is not None:
            raise UsageError(f"{name.replace('_', ' ')}: {source} is {kind} and has no columns; leave it out")
    options.layout.refuse_headers(source)


def _stream_bare(handle: io.BufferedReader, options: _Options, kind: str) -> Iterator[SequenceSet]:
    """The records of a GenBank file by their LOCUS, or of an alignment; such files hold no outcomes."""
    source, called = handle.name, "GenBank" if kind == "genbank" else "an alignment"
    _refuse_columns(options, source, called)
    wanted = [*options.columns] if options.lacking_columns == "error" else []
    if options.outcome is not None and options.outcomes:
        wanted.append(options.outcome)
    if wanted:
        raise InputError(
            f"is {called} and holds no '{wanted[0]}'; give it in FASTA headers or a table", path=source
        )
    rows = read_bare(handle, kind)
    unique = UniqueIds(options.on_duplicate, source)
    names, kept = unique.apply([row.name for row in rows], [row.line for row in rows])
    unique.say_dropped()
    if not rows and not options.allow_empty:
        raise InputError("no record", path=source)
    rows = rows if kept is None else [rows[i] for i in kept]
    whole = SequenceSet(
        names, [row.text for row in rows], source=source, cells=options.cells,
        lines=np.array([row.line for row in rows], dtype=np.int64), n_dropped=unique.n_dropped,
        numbering=options.layout.numbering,
    )  # fmt: skip
    yield from _cut(whole, options.batch_size)


def _stream_fasta(handle: io.BufferedReader, options: _Options, file: str | None) -> Iterator[SequenceSet]:
    source = handle.name
    _refuse_columns(options, source, "FASTA")
    unique = UniqueIds(options.on_duplicate, source)
    key = options.outcome or ("" if options.columns else OUTCOME) if options.outcomes else ""
    n_found = n_dropped = 0
    origin, first = None, True
    found: set[str] = set()
    for block in read_blocks(
        handle, max_record=options.max_record, allow_empty=options.allow_empty, words=options.layout.words
    ):
        ids, descriptions = ids_and_descriptions(block, source)
        sequences = sequence_texts(block, source)
        lines: Sequence[int] = block.lines
        if first:
            first = False
            origin = origin_of(header_fields(descriptions[0]), file, ids[0]) if ids else None
            key = _measured_key(key, origin, options, source)
        ids, kept = unique.apply(ids, lines)
        if kept is not None:
            descriptions = [descriptions[i] for i in kept]
            sequences = [sequences[i] for i in kept]
            lines = [lines[i] for i in kept]
        cells = _header_values(descriptions, key) if key else None
        extra = {name: _header_values(descriptions, name) for name in options.columns}
        outcomes = None
        if options.whole and key:
            extra[_OUTCOME] = cells
        elif cells is not None:
            outcomes = to_numbers(cells, key, source, lines, ids, options.cells)
        n_found += cells is not None
        found |= {name for name, texts in extra.items() if texts is not None}
        whole = SequenceSet(
            ids, sequences, outcomes, source, None, np.asarray(lines, dtype=np.int64),
            columns={name: texts or [""] * len(ids) for name, texts in extra.items()}, cells=options.cells,
            origin=origin, numbering=options.layout.numbering,
        )  # fmt: skip
        yield from _cut(replace(whole, n_dropped=unique.n_dropped - n_dropped), options.batch_size)
        n_dropped = unique.n_dropped
    unique.say_dropped()
    if options.outcome is not None and options.outcomes and n_found == 0 and not options.allow_empty:
        raise InputError(f"no header has {key}=NUMBER, the outcome that was asked for", path=source)
    lacking = [name for name in options.columns if name not in found]
    if lacking and options.lacking_columns == "error":
        why = f"; the file was {origin.says()}" if origin is not None else ""
        why = why or "; write >id outcome=1.25, or name another key with --outcome"
        raise InputError(f"no header has {lacking[0]}=VALUE{why}", path=source)


def _measured_key(key: str, origin: Origin | None, options: _Options, source: str) -> str:
    """The key or column of the outcome, "" where that is a prediction of ours. InputError if asked for."""
    if not key or origin is None or not origin.is_prediction(key):
        return key
    if options.outcome is not None:
        raise origin.refusal(key, source)
    return ""


def _header_values(descriptions: Sequence[str], key: str) -> list[str] | None:
    """The text of ``key`` in each header, "" where it is missing; None when it is in none of them."""
    key = header_key(key)  # as a name that is no key is written
    if not any(f"{key}=" in text for text in descriptions):
        return None
    cells = [header_fields(text).get(key, "") for text in descriptions]
    return cells if any(cells) else None


def _stream_table(
    handle: io.BufferedReader, options: _Options, parquet: bool, file: str | None
) -> Iterator[SequenceSet]:
    source = handle.name
    unique = UniqueIds(options.on_duplicate, source)
    roles: dict[str, str | None] = {}
    n_rows = n_dropped = 0
    origin = None
    layout = options.layout
    if not layout.strict and not is_workbook(handle.peek(_HEAD)[:_HEAD]):
        layout = replace(layout, sheet=None)
    rows = read_table(handle, batch_size=options.batch_size, parquet=parquet, sheet=layout.sheet)
    batches = laid_out(
        (batch for batch in map(_without_empty_rows, rows) if batch.lines), layout, source,
        sequence_columns=SEQUENCE_COLUMNS if options.sequence_column is None else (options.sequence_column,),
        id_columns=ID_COLUMNS if options.id_column is None else (options.id_column,),
        cells=options.cells,
    )  # fmt: skip
    for batch in batches:
        if not roles:
            origin = origin_of(batch.columns, file)
            _refuse_lacking(list(batch.columns), origin, options, source)
            roles = _roles(batch, options, source)
            roles["outcome"] = _measured_key(roles["outcome"] or "", origin, options, source) or None
        between = " " if layout.words else ""
        sequences = [between.join(s.split()) for s in batch.columns[cast(str, roles["sequence"])]]
        _refuse_empty(sequences, source, batch.lines, cast(str, roles["sequence"]))
        id_column = roles["id"]
        if id_column is None:
            ids = [f"seq{n_rows + i + 1}" for i in range(len(sequences))]
        else:
            ids = [name.strip() for name in batch.columns[id_column]]
            _refuse_empty(ids, source, batch.lines, id_column)
        columns = {name: batch.columns[name] for name in options.columns if name in batch.columns}
        numbers: dict[str, NDArray[np.float64] | None] = {"outcome": None, "weight": None}
        for role in numbers:
            column = roles[role]
            if column is not None and role == "outcome" and options.whole:
                columns[_OUTCOME] = batch.columns[column]
            elif column is not None:
                numbers[role] = to_numbers(
                    batch.columns[column], column, source, batch.lines, ids, options.cells
                )
        whole = SequenceSet(
            ids, sequences, numbers["outcome"], source, numbers["weight"],
            np.asarray(batch.lines, dtype=np.int64), columns=columns, cells=options.cells, origin=origin,
            dialect=batch.dialect, noise=layout.noise, numbering=options.layout.numbering,
            unused=_unused(batch, {*columns, *roles.values(), *layout.used_columns(batch.columns)}),
        )  # fmt: skip
        names, kept = (ids, None) if id_column is None else unique.apply(ids, batch.lines)
        if kept is not None:
            whole = replace(whole.take(kept), ids=names)
        yield replace(whole, n_dropped=unique.n_dropped - n_dropped)
        n_rows += len(sequences)
        n_dropped = unique.n_dropped
    unique.say_dropped()
    if n_rows == 0 and not options.allow_empty:
        raise InputError("no record; the table has a header only", path=source)


def _refuse_lacking(header: list[str], origin: Origin | None, options: _Options, source: str) -> None:
    """Raise InputError for a column of measured values that a file of ours cannot have."""
    wanted = [options.outcome, *(options.columns if options.lacking_columns == "error" else ())]
    lacking = [name for name in wanted if name is not None and name not in header]
    if origin is not None and lacking and options.outcomes:
        raise InputError(
            f"there is no column '{lacking[0]}'; the file was {origin.says()}", path=source, line=1
        )


def _roles(batch: TableBatch, options: _Options, source: str) -> dict[str, str | None]:
    """Which column serves as sequence, id, outcome and weight. Raises InputError for a missing one."""
    header = list(batch.columns)
    names = (SEQUENCE,) if SEQUENCE in header else SEQUENCE_COLUMNS
    sequence = next((c for c in names if c in header), None)
    if options.sequence_column is not None and sequence != SEQUENCE:
        sequence = options.sequence_column
    if sequence is None:
        hint = options_for(batch.columns)
        where = f" of {batch.dialect}" if batch.dialect.startswith("sheet") else ""
        raise InputError(
            "there is no column 'sequence'; "
            + (f"these options may be meant: {hint}" if hint else "name it with --sequence")
            + f"; the columns{where} are {', '.join(header)}",
            path=source,
            line=1,
        )
    outcome = options.outcome or (OUTCOME if OUTCOME in header and not options.columns else None)
    outcome = outcome if options.outcomes else None
    named = [sequence, options.id_column, outcome, options.weight_column]
    if options.lacking_columns == "error":
        named += options.columns
    if OUTCOME in named and OUTCOME not in header and (hint := outcomes_in(batch.columns)):
        raise InputError(f"there is no column '{OUTCOME}'; {hint} may be meant", path=source, line=1)
    choose_columns(header, [name for name in named if name is not None], source)
    return {
        "sequence": sequence,
        "id": options.id_column or next((c for c in (*ID_COLUMNS, NAME) if c in header), None),
        "outcome": outcome,
        "weight": options.weight_column,
    }


def _unused(batch: TableBatch, used: set[str | None]) -> tuple[str, ...]:
    """Columns that nobody asked for."""
    return tuple(name for name in batch.columns if name not in used and not name.startswith("\0"))


def _without_empty_rows(batch: TableBatch) -> TableBatch:
    """The batch without rows that have nothing in any cell, as spreadsheets write at the end."""
    cells = list(batch.columns.values())
    if not cells or "" not in cells[0]:
        return batch
    kept = [i for i in range(len(batch.lines)) if any(column[i].strip() for column in cells)]
    return TableBatch(
        {name: [column[i] for i in kept] for name, column in batch.columns.items()},
        [batch.lines[i] for i in kept],
    )


def _refuse_empty(cells: list[str], source: str, lines: Sequence[int], column: str) -> None:
    if "" in cells:
        raise InputError(f"column '{column}' is empty here", path=source, line=lines[cells.index("")])


def _cut(whole: SequenceSet, size: int) -> Iterator[SequenceSet]:
    if len(whole) <= size:
        yield whole
        return
    for start in range(0, len(whole), size):
        part = whole.take(np.arange(start, min(start + size, len(whole))))
        yield replace(part, n_dropped=whole.n_dropped if start == 0 else 0)


def _join(parts: list[SequenceSet]) -> SequenceSet:
    def column(name: str) -> NDArray[np.float64] | None:
        values = [getattr(part, name) for part in parts]
        if all(value is None for value in values):
            return None
        return np.concatenate(
            [np.full(len(p), np.nan) if v is None else v for p, v in zip(parts, values, strict=True)]
        )

    return SequenceSet(
        ids=[i for part in parts for i in part.ids],
        sequences=[s for part in parts for s in part.sequences],
        outcomes=column("outcomes"),
        source=parts[0].source,
        weights=column("weights"),
        lines=np.concatenate([cast(NDArray[np.int64], part.lines) for part in parts]),
        n_dropped=sum(part.n_dropped for part in parts),
        columns={name: [c for part in parts for c in part.columns[name]] for name in parts[0].columns},
        cells=parts[0].cells,
        origin=parts[0].origin,
        dialect=parts[0].dialect,
        noise=parts[0].noise,
        numbering=parts[-1].numbering,
        unused=parts[0].unused,
    )


def _with_outcomes(whole: SequenceSet, name: str, labels: bool) -> SequenceSet:
    """The text of all outcomes as numbers, or as places among the ``labels`` if these are permitted.

    Raises InputError that names all cells that are neither.
    """
    if _OUTCOME not in whole.columns:
        return whole
    columns = dict(whole.columns)
    texts = columns.pop(_OUTCOME)
    tally = Tally(name, whole.cells)
    values = tally.add(texts, whole.line_numbers(), whole.ids)
    found: tuple[str, ...] = ()
    if labels and tally.kind == "labels":
        texts = ["" if whole.cells.is_missing(text) else text.strip() for text in texts]
        found = tuple(sorted(set(texts) - {""}))
        place = {label: float(i) for i, label in enumerate(found)}
        values = np.array([place.get(text, np.nan) for text in texts])
    else:
        tally.require_numbers(whole.source)
    return replace(whole, outcomes=values, columns=columns, said=f"{name}: {tally.says()}", labels=found)


def _apply_missing(whole: SequenceSet, on_missing: OnMissing, name: str) -> SequenceSet:
    missing = np.isnan(cast(NDArray[np.float64], whole.outcomes))
    if on_missing == "unlabelled":
        return whole
    if on_missing == "drop":
        n_missing = int(missing.sum())
        if n_missing == len(whole):
            raise InputError(f"no record is left: none has a finite '{name}'", path=whole.source)
        out = whole.take(np.flatnonzero(missing))
        lines = [0] * n_missing if out.lines is None else out.lines.tolist()
        say_left_out("--on-missing drop", out.ids, lines, len(whole))
        return replace(whole.take(np.flatnonzero(~missing)), n_dropped=whole.n_dropped + n_missing)
    first = int(missing.argmax())
    raise InputError(
        f"'{name}' is missing or not finite here, and in {int(missing.sum())} of {len(whole)} records; "
        "use --on-missing drop or --on-missing unlabelled",
        path=whole.source,
        line=None if whole.lines is None else int(whole.lines[first]),
        record=whole.ids[first],
    )
