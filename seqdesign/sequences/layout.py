"""Tables that hold sequences as mutations of a wild type, or one outcome in several cells.

What comes out has a column of sequences, and means in a column of their own.
"""

from __future__ import annotations

import itertools
import math
import shlex
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.lab.chains import Chains
from seqdesign.sequences.lab.counts import enrichment
from seqdesign.sequences.lab.hints import mutations_in
from seqdesign.sequences.lab.replicates import COUNT, STDERR, NoiseCeiling, average, group_equal
from seqdesign.sequences.lab.variants import COLUMNS, Numbering, Variants, unmutated
from seqdesign.sequences.numbers import CellFormat, StoredNumber
from seqdesign.sequences.omitted import say_left_out
from seqdesign.sequences.tables import TableBatch, choose_columns

SEQUENCE, NAME = "\0sequence", "\0id"
"""Columns of sequences and names made from mutations; no file can have them."""


@dataclass(frozen=True)
class Layout:
    """How a file is laid out besides the names of its columns.

    sheet: of a workbook, by default the first. variants: the wild type of mutations. chains: columns of
    sequences that are joined. replicates: columns of
    one outcome; average_rows: whether the rows of one sequence become one. averaged: names of the outcomes
    that are averaged; that of ``replicates`` alone need not be a column. counts: columns of reads in the
    order of selection, a tuple for each replicate, which make the outcome instead.
    """

    sheet: str | None = None
    variants: Variants | None = None
    replicates: tuple[str, ...] = ()
    counts: tuple[tuple[str, ...], ...] = ()
    average_rows: bool = False
    averaged: tuple[str, ...] = ("outcome",)
    strict: bool = True
    """Whether what a file has no use for is an error; not where one layout is for files of several kinds."""
    chains: Chains | None = None
    words: bool = False
    """Whether blanks in a sequence separate words and are kept; else they are dropped."""
    noise: dict[str, NoiseCeiling] = field(default_factory=dict)
    """Outcome -> noise ceiling, once the file has been read."""

    @property
    def averages(self) -> bool:
        """Whether values are averaged."""
        return bool(self.replicates or self.counts) or self.average_rows

    @property
    def numbering(self) -> Numbering | None:
        """What designs need to speak the language of the file; None for nothing special."""
        found = None if self.variants is None else self.variants.numbering
        joined = None if self.chains is None else self.chains.joined
        return found if joined is None else replace(found or Numbering(), joined=joined)

    def made_columns(self) -> tuple[str, ...]:
        """The columns of standard errors that averages bring along."""
        return tuple(stderr_column(name, self.averaged) for name in self.averaged) if self.averages else ()

    def used_columns(self, header: Iterable[str]) -> set[str]:
        """Columns of a table that served or were made."""
        made = {
            column for name in self.averaged for column in (COUNT, f"{COUNT}_{name}", *self.made_columns())
        }
        found = {*self.replicates, *itertools.chain(*self.counts), *(made if self.averages else ())}
        if self.chains is not None:
            found |= {*self.chains.columns}
        if self.variants is not None:
            column = self.variants.column or next((name for name in COLUMNS if name in header), "")
            found |= {column, *map(str.strip, column.split(",")), self.variants.wild_types}
        return found

    def refuse_headers(self, source: str) -> None:
        """Raise UsageError for what only tables can have."""
        options = {
            "--sheet": self.sheet is not None,
            "--replicates": bool(self.replicates),
            "--counts": bool(self.counts),
            "--on-repeat": self.average_rows,
            "--mutations": self.variants is not None and self.variants.column is not None,
        }
        for option, given in options.items():
            if given and self.strict:
                raise UsageError(f"{source} is not a table; leave it out", option=option)


def stderr_column(name: str, outcomes: Sequence[str]) -> str:
    """Column of the standard errors of an averaged outcome."""
    return STDERR if len(outcomes) == 1 else f"{STDERR}_{name}"


def laid_out(
    batches: Iterator[TableBatch],
    layout: Layout,
    source: str,
    *,
    sequence_columns: Sequence[str],
    id_columns: Sequence[str],
    cells: CellFormat,
) -> Iterator[TableBatch]:
    """The batches with the columns that ``layout`` asks for.

    sequence_columns and id_columns: names under which these are looked for. With means the table is held in
    memory and comes as one batch. Raises InputError for mutations that do not fit the wild type, with all of
    them, a missing column, and rows of one sequence with different labels.
    """
    batches = _refuse_unmutated(batches, layout.variants, source, sequence_columns)
    if layout.chains is not None:
        batches = layout.chains.join(batches, SEQUENCE, source, sequence_columns)
    if layout.variants is not None:
        batches = _from_mutations(
            batches, layout.variants, source, sequence_columns, id_columns, layout.strict, cells
        )
    if layout.averages:
        batches = iter(_averaged(list(batches), layout, source, (SEQUENCE, *sequence_columns), cells))
    return batches


def _from_mutations(
    batches: Iterator[TableBatch],
    variants: Variants,
    source: str,
    sequence_columns: Sequence[str],
    id_columns: Sequence[str],
    strict: bool,
    cells: CellFormat,
) -> Iterator[TableBatch]:
    column: str | None = None
    for batch in batches:
        if column is None:
            column = _mutation_column(batch.columns, variants, source, sequence_columns, strict)
        if column == "":  # the table has sequences, and the wild type gives their numbering
            yield batch
            continue
        batch = _without_missing(_joined(batch, column), column, cells, id_columns)
        texts, own = batch.columns[column], None
        if not variants.wild_type:
            variants.wild_types = _wild_types(batch, source, sequence_columns)
            own = ["".join(text.split()) for text in batch.columns[variants.wild_types]]
        made = {SEQUENCE: variants.sequences(texts, batch.lines, own)}
        if variants.problems:
            continue
        if own is None and not any(name in batch.columns for name in id_columns):
            made[NAME] = [variants.named(text) for text in texts]
        yield replace(batch, columns={**batch.columns, **made})
    variants.refuse(source, column or "", adjustable=cells.adjustable)


def _parts(column: str, header: Iterable[str]) -> tuple[str, ...]:
    """The columns that a name such as wt,pos,mut stands for, none where it is one of the header itself."""
    names = tuple(name.strip() for name in column.split(","))
    known = set(header)
    return names if len(names) > 1 and column not in known and known.issuperset(names) else ()


def _joined(batch: TableBatch, column: str) -> TableBatch:
    """With a column that joins the cells of those it stands for."""
    parts = _parts(column, batch.columns)
    if not parts:
        return batch
    cells = zip(*(batch.columns[name] for name in parts), strict=True)
    joined = ["".join(cell.strip() for cell in row) for row in cells]
    return replace(batch, columns={**batch.columns, column: joined})


def _wild_types(batch: TableBatch, source: str, sequence_columns: Sequence[str]) -> str:
    """The column of sequences before mutations. Raises InputError for none."""
    found = next((name for name in sequence_columns if name in batch.columns), None)
    if found is None:
        raise InputError(
            "the mutations have no wild type; name its file with --wild-type, or the column that has that of "
            f"each row with --sequence; the columns are {', '.join(batch.columns)}",
            path=source,
        )
    return found


def _refuse_unmutated(
    batches: Iterator[TableBatch], variants: Variants | None, source: str, sequence_columns: Sequence[str]
) -> Iterator[TableBatch]:
    """The batches. Raises InputError where the sequences are those before the mutations of another column.

    Looked at are the columns ``COLUMNS`` of the first batch, where no column of mutations is asked for.
    """
    looked = variants is not None and variants.column is not None
    for batch in batches:
        sequence = next((name for name in sequence_columns if name in batch.columns), None)
        if not looked and sequence is not None:
            for column in (name for name in COLUMNS if name in batch.columns):
                if unmutated(batch.columns[sequence], batch.columns[column]):
                    raise InputError(
                        f"column '{sequence}' has the sequences before the mutations of column '{column}'; "
                        f"add --mutations {column}, which applies them, or remove that column",
                        path=source,
                        line=1,
                    )
        looked = True
        yield batch


def _without_missing(
    batch: TableBatch, column: str, cells: CellFormat, id_columns: Sequence[str]
) -> TableBatch:
    """The rows whose mutations are no word of ``--missing``, such as a line of means below a table.

    An empty cell is the wild type.
    """
    texts = batch.columns[column]
    out = [i for i, text in enumerate(texts) if text.strip() and text.strip().lower() in cells.missing]
    if not out:
        return batch
    ids = next((batch.columns[name] for name in id_columns if name in batch.columns), texts)
    say_left_out("--missing", [ids[i] for i in out], [batch.lines[i] for i in out], len(texts))
    gone = set(out)
    kept = [i for i in range(len(texts)) if i not in gone]
    columns = {name: [values[i] for i in kept] for name, values in batch.columns.items()}
    return replace(batch, columns=columns, lines=[batch.lines[i] for i in kept])


def _mutation_column(
    columns: Mapping[str, Sequence[str]],
    variants: Variants,
    source: str,
    sequence_columns: Sequence[str],
    strict: bool,
) -> str:
    """The column of mutations, "" where there are sequences instead. Raises InputError."""
    header, named = list(columns), variants.column
    sequences = any(name in header for name in sequence_columns)
    if named is not None:
        names = _parts(named, header) or (named,)
        if strict or not sequences or set(names) <= set(header):
            choose_columns(header, names, source)
            return named
    if sequences:
        return ""
    found = next((name for name in COLUMNS if name in header), None)
    if found is None:
        meant = mutations_in(columns)
        raise InputError(
            f"there is no column of mutations; name it with --mutations"
            f"{' ' + shlex.quote(meant) if meant else ''}; the columns are {', '.join(header)}",
            path=source,
        )
    return found


def _averaged(
    batches: list[TableBatch],
    layout: Layout,
    source: str,
    sequence_columns: Sequence[str],
    cells: CellFormat,
) -> list[TableBatch]:
    if not batches:
        return []
    columns = {name: [c for batch in batches for c in batch.columns[name]] for name in batches[0].columns}
    lines = [line for batch in batches for line in batch.lines]
    if layout.replicates:
        choose_columns(list(columns), layout.replicates, source)
    groups, first = np.arange(len(lines)), list(range(len(lines)))
    sequence = next((name for name in sequence_columns if name in columns), None)
    if layout.average_rows and sequence is not None:
        groups, first = group_equal(
            [(" " if layout.words else "").join(text.split()) for text in columns[sequence]]
        )
    made = {name: [texts[i] for i in first] for name, texts in columns.items()}
    if layout.counts:
        made |= _enriched(columns, layout, groups, len(first), lines, source, cells)
        return [TableBatch(made, [lines[i] for i in first], batches[0].dialect)]
    for name in layout.averaged:
        sources = layout.replicates or (name,)
        if not all(one in columns for one in sources):
            continue  # the reader says so where it is needed
        means, errors, counts = _means(
            name, [columns[one] for one in sources], groups, len(first), layout, lines, source, cells
        )
        made[name] = means
        made[stderr_column(name, layout.averaged)] = errors
        made[COUNT if len(layout.averaged) == 1 else f"{COUNT}_{name}"] = counts
    return [TableBatch(made, [lines[i] for i in first], batches[0].dialect)]


def _means(
    name: str,
    table: Sequence[Sequence[str]],
    groups: NDArray[np.int64],
    num: int,
    layout: Layout,
    lines: Sequence[int],
    source: str,
    cells: CellFormat,
) -> tuple[list[str], list[str], list[str]]:
    """Means, standard errors and counts as text; a cell that is no number stands in the place of its mean."""
    odd: dict[int, str] = {}
    signs: set[bool] = set()
    values = np.full((len(table), len(groups)), np.nan)
    for k, column in enumerate(table):
        for i, cell in enumerate(column):
            number = cells.number(cell)
            if number is not None:
                values[k, i] = number
                if not math.isnan(number):
                    signs.add(cell.rstrip().endswith("%"))
                continue
            group, text = int(groups[i]), cell.strip()
            if odd.setdefault(group, text) != text and cells.kind(cell) == "text":
                raise InputError(
                    f"'{name}' is '{text}' here and '{odd[group]}' elsewhere for one sequence; labels "
                    "have no mean, so correct one of them or leave --on-repeat out",
                    path=source,
                    line=lines[i],
                )
    if len(signs) == 2:
        raise InputError(
            f"some numbers of '{name}' have a percent sign and others have none; write all of them with it, "
            "or none",
            path=source,
        )
    place = np.tile(np.arange(len(table)), len(groups)) if len(table) > 1 else None
    found = average(values.T.ravel(), np.repeat(groups, len(table)), num, place)
    if found.noise is not None:
        layout.noise[name] = found.noise

    means = _text_of(found.means)
    for group, text in odd.items():
        means[group] = text
    return means, _text_of(found.stderr), [StoredNumber(n) for n in found.counts.tolist()]


def _text_of(numbers: NDArray[np.float64]) -> list[str]:
    return ["" if np.isnan(x) else StoredNumber(repr(float(x))) for x in numbers]


def _enriched(
    columns: Mapping[str, Sequence[str]],
    layout: Layout,
    groups: NDArray[np.int64],
    num: int,
    lines: Sequence[int],
    source: str,
    cells: CellFormat,
) -> dict[str, list[str]]:
    """Columns of log enrichment, its standard error and the replicates; reads of one group are added up.

    Where the wild type has reads its value is 0.
    """
    choose_columns(list(columns), list(itertools.chain(*layout.counts)), source)
    name = layout.averaged[0]
    if name in columns:
        raise InputError(
            f"there is a column '{name}', and --counts makes an outcome of that name; leave --counts out, or "
            "name the new outcome with --outcome",
            path=source,
        )
    tables = []
    for names in layout.counts:
        rounds = [np.bincount(groups, _reads(columns[n], n, lines, source, cells), num) for n in names]
        for one, total in zip(names, rounds, strict=True):
            if not total.any():
                raise InputError(f"'{one}' has no reads at all", path=source)
        tables.append(np.stack(rounds).astype(np.float64))
    found = enrichment(tables)
    values = found.values
    if layout.variants is not None and SEQUENCE in columns:
        plain = layout.variants.numbering.wild_type.upper()
        at = next((g for g, s in zip(groups, columns[SEQUENCE], strict=True) if s.upper() == plain), None)
        if at is not None and not np.isnan(values[at]):
            values = values - values[at]
    if found.noise is not None:
        layout.noise[name] = found.noise
    counted: list[str] = [StoredNumber(n) for n in found.replicates.tolist()]
    return {name: _text_of(values), STDERR: _text_of(found.stderr), COUNT: counted}


def _reads(
    column: Sequence[str], name: str, lines: Sequence[int], source: str, cells: CellFormat
) -> NDArray[np.float64]:
    """Counts of a column (N,), 0 for an empty cell. Raises InputError for what is no count."""
    found = np.zeros(len(column))
    for i, cell in enumerate(column):
        number = cells.number(cell)
        if number is None or number < 0 or number != np.floor(number):
            if number is not None and np.isnan(number):
                continue
            raise InputError(
                f"'{name}' is {cell.strip()!r} here, which is no count of reads; give the whole numbers as "
                "they were counted, or name an outcome that was made from them with --outcome",
                path=source,
                line=lines[i],
            )
        found[i] = number
    return found
