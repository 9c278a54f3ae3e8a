"""The options by which commands read sequences, and the functions that apply them.

A command's config inherits these groups; importing this module loads no numpy.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, ClassVar, Literal

from seqdesign.config import Options
from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.alphabets import (
    Alphabet,
    get_alphabet,
    guess_alphabet,
    has_words,
    learn_alphabet,
    learned_spec,
)
from seqdesign.sequences.omitted import say_left_out

if TYPE_CHECKING:
    from seqdesign.sequences.encoders import TokenArray
    from seqdesign.sequences.lab.chains import Chains
    from seqdesign.sequences.lab.variants import Numbering, Variants
    from seqdesign.sequences.layout import Layout
    from seqdesign.sequences.numbers import CellFormat
    from seqdesign.sequences.reader import Format, SequenceSet

AUTO = "auto"


@dataclass(frozen=True, kw_only=True)
class SequenceColumns(Options):
    """Where sequences and ids stand in a file."""

    PANEL: ClassVar[str] = "Input options"
    SEQUENCES_ONLY: ClassVar[bool] = True
    """False for a command whose input may be something else than sequences."""
    NUMBERED: ClassVar[bool] = False
    """True for a command that speaks of positions without a wild type, too."""

    sequence: str | None = None
    """Column of sequences, or several to join, as heavy,light; 'sequence' or 'seq', also in capitals, when
    not given."""
    linker: str | None = None
    """Letters between sequences of several columns (--sequence heavy,light); when not given GGGGSGGGGSGGGGS
    for proteins, none for DNA and RNA."""
    id_: str | None = None
    """Column of the ids in a table; 'id' or 'name' when not given and there, else ids are seq1, seq2, ..."""
    format: Literal["auto", "fasta", "fastq", "table", "parquet", "xlsx", "genbank", "alignment"] = "auto"
    """Format of the input; auto goes by its content. table is CSV or TSV, xlsx a workbook, alignment
    Stockholm or CLUSTAL."""
    sheet: str | None = None
    """Sheet of a workbook (.xlsx); the first with a table when not given."""
    wild_type: Path | None = None
    """File with the one sequence to which a table's mutations apply; designs and edits are named relative to
    it."""
    mutations: str | None = None
    """Column of mutations such as A42G:T50S or p.Ala42Gly, or columns as wt,pos,mut; empty or WT is the wild
    type; 'mutant', 'mutations', 'variant' or 'hgvs_pro' when not given and there. Without --wild-type the
    column of sequences has that of each row."""
    first_position: int | None = None
    """Number that the first letter has in mutations, edits and positions; 1 when not given."""

    def problems(self) -> Iterator[str]:
        """Numbers are those of something."""
        if self.linker is not None and "," not in (self.sequence or ""):
            yield "--linker: has no effect unless --sequence names several columns; leave it out"
        if self.first_position is not None and not (self.wild_type or self.mutations or self.NUMBERED):
            yield "--first-position: has no effect without --wild-type; leave it out"


@dataclass(frozen=True, kw_only=True)
class ColumnOptions(SequenceColumns):
    """Where the outcome stands as well."""

    PANEL: ClassVar[str] = "Input options"

    outcome: str | None = None
    """Column of the outcome in a table, or key in FASTA headers (>id outcome=1.25); else 'outcome'."""


@dataclass(frozen=True, kw_only=True)
class CellOptions(Options):
    """How measured values are written."""

    PANEL: ClassVar[str] = "Input options"

    missing: tuple[str, ...] = ()
    """A cell that means 'not measured', such as ND, besides an empty cell and NA; repeatable."""
    decimal_comma: bool = False
    """Read 1,25 as one and a quarter."""
    replicates: str | None = None
    """Columns with replicates of one outcome, as rep1,rep2,rep3: the outcome is their mean, with a standard
    error."""
    counts: tuple[str, ...] = ()
    """Columns of reads before and after selection, as before,after, or of all rounds, as R0,R1,R2:
    the outcome is the log enrichment, with a standard error; repeat it for each replicate."""
    on_repeat: Literal["keep", "mean"] = "keep"
    """A sequence in several rows: keep all rows, or merge them into one with the mean outcome."""


@dataclass(frozen=True, kw_only=True)
class FileOptions(SequenceColumns, CellOptions):
    """Where sequences and values stand, and how they are written."""

    PANEL: ClassVar[str] = "Input options"


@dataclass(frozen=True, kw_only=True)
class DuplicatePolicy(Options):
    """What to do about ids that occur twice."""

    PANEL: ClassVar[str] = "Input options"

    on_duplicate: Literal["error", "first", "rename", "keep"] = "error"
    """An id that occurs twice: refuse it, keep its first record, rename it (id.2), or keep both."""


@dataclass(frozen=True, kw_only=True)
class RecordPolicy(DuplicatePolicy):
    """What to do about records that are not as they should be."""

    PANEL: ClassVar[str] = "Input options"

    on_missing: Literal["error", "drop", "unlabelled"] = "error"
    """A record without a finite outcome among others: refuse, drop, or use it without outcome."""


@dataclass(frozen=True, kw_only=True)
class ReadOptions(ColumnOptions, CellOptions, RecordPolicy):
    """All options of reading sequences with an outcome."""

    PANEL: ClassVar[str] = "Input options"


@dataclass(frozen=True, kw_only=True)
class LetterPolicy(Options):
    """How letters are read, for commands whose alphabet is the model's."""

    PANEL: ClassVar[str] = "Input options"

    on_unknown: Literal["error", "skip", "mask"] = "error"
    """A letter outside the alphabet, such as N: refuse it, skip its record, or mask it."""
    gaps: Literal["error", "strip"] = "error"
    """Gaps (- and .): refuse or remove them."""
    convert_ut: bool = False
    """Read U as T for DNA, T as U for RNA."""


@dataclass(frozen=True, kw_only=True)
class LetterOptions(LetterPolicy):
    """How letters are read, and which there are."""

    PANEL: ClassVar[str] = "Input options"

    alphabet: str = AUTO
    """dna, rna, protein, protein-stop; smiles; words or words:5000 (the most frequent); letters:ABC... for
    your own; protein+[Aib][Orn] for more than protein has; models/vae for those of a model; auto goes by the
    letters."""


def file_format(options: SequenceColumns) -> Format | None:
    """The ``format`` argument of the readers."""
    return None if options.format == "auto" else options.format


def layout_of(
    options: SequenceColumns,
    *,
    strict: bool = True,
    default: tuple[str, ...] = ("outcome",),
    known: Numbering | None = None,
    alphabet: Alphabet | None = None,
) -> Layout:
    """The ``layout`` argument of the readers; ``strict``: whether an option that a file has no use for is an
    error; ``default``: the outcomes where none is named; ``known``: what a model says of the wild type;
    ``alphabet``: that of a model, which says whether blanks separate words. Raises InputError for a wild type
    that is not one sequence.
    """
    from seqdesign.sequences.layout import Layout

    named = str(getattr(options, "alphabet", AUTO))
    outcome = getattr(options, "outcome", None)
    names = (outcome,) if isinstance(outcome, str) else tuple(outcome or ())
    measured = options if isinstance(options, CellOptions) else CellOptions()
    replicates = tuple(name.strip() for name in (measured.replicates or "").split(",") if name.strip())
    if replicates and len(names) > 1:
        raise UsageError(f"makes one outcome, but {len(names)} are named", option="--replicates")
    words = has_words(named) if alphabet is None else alphabet.spelling == "words"
    return Layout(
        options.sheet,
        _variants(options, known),
        replicates,
        _rounds(measured, names),
        measured.on_repeat == "mean",
        names or default,
        strict,
        chains=_chains(options, known, words),
        words=words,
    )


def _chains(options: SequenceColumns, known: Numbering | None, words: bool) -> Chains | None:
    """Columns of sequences to join, as options or a model say. Raises UsageError."""
    from seqdesign.sequences.lab.chains import Chains

    names = tuple(name.strip() for name in (options.sequence or "").split(",") if name.strip())
    if len(names) < 2:
        joined = None if known is None or options.sequence is not None else known.joined
        return None if joined is None else Chains(joined.columns, joined.linker, asked=False)
    if len(set(names)) < len(names):
        raise UsageError(f"names a column twice: {options.sequence}", option="--sequence")
    if words:
        raise UsageError("joins letters only; join texts in the table", option="--sequence")
    linker = options.linker
    if linker is None and known is not None and known.joined is not None:
        linker = known.joined.linker
    return Chains(names, linker)


def _rounds(options: CellOptions, outcomes: Sequence[str]) -> tuple[tuple[str, ...], ...]:
    """Columns of counts, a tuple for each replicate. Raises UsageError."""
    rounds = tuple(tuple(name.strip() for name in text.split(",") if name.strip()) for text in options.counts)
    every = [name for names in rounds for name in names]
    if rounds and min(map(len, rounds)) < 2:
        raise UsageError(
            f"needs columns before and after selection, such as before,after; got {options.counts[0]}"
            if len(rounds) == 1
            else "needs columns before and after selection for each replicate, such as before1,after1",
            option="--counts",
        )
    if len(set(every)) < len(every):
        twice = next(name for name in every if every.count(name) > 1)
        raise UsageError(f"names the column '{twice}' twice", option="--counts")
    if rounds and options.replicates:
        raise UsageError("makes an outcome of its own; leave --replicates out", option="--counts")
    if rounds and len(outcomes) > 1:
        raise UsageError(f"makes one outcome, but {len(outcomes)} are named", option="--counts")
    return rounds


def numbering_of(options: SequenceColumns, known: Numbering | None) -> Numbering:
    """The wild type and the number of its first letter: as options say, else as ``known`` of a model."""
    from dataclasses import replace

    from seqdesign.sequences.lab.variants import Numbering

    variants, known = _variants(options), known or Numbering()
    if variants is not None:
        return replace(variants.numbering, joined=known.joined)
    return known if options.first_position is None else replace(known, first=options.first_position)


def _variants(options: SequenceColumns, known: Numbering | None = None) -> Variants | None:
    from seqdesign.sequences.lab.variants import Variants
    from seqdesign.sequences.reader import read_sequences

    first = 1 if options.first_position is None else options.first_position
    if options.wild_type is None:
        if known is not None and known.wild_type:
            first = known.first if options.first_position is None else options.first_position
            return Variants(known.name, known.wild_type, first, options.mutations)
        if options.mutations is None:
            return None
        return Variants("", "", first, options.mutations)
    read = read_sequences(options.wild_type, on_duplicate="keep", outcomes=False)
    if len(read) != 1:
        raise InputError(
            f"must hold one sequence, the wild type, but has {len(read):,}", path=options.wild_type
        )
    return Variants(read.ids[0], read.sequences[0], first, options.mutations)


def cell_format(options: CellOptions) -> CellFormat:
    """The ``cells`` argument of the readers."""
    from seqdesign.sequences.numbers import CellFormat

    return CellFormat.of(options.missing, options.decimal_comma)


def read_with(
    options: ReadOptions,
    path: str | os.PathLike[str],
    *,
    outcomes: bool = True,
    labels: bool = False,
    columns: Sequence[str] = (),
) -> SequenceSet:
    """``read_sequences`` as the options say. Raises InputError and UsageError."""
    from seqdesign.sequences.reader import read_sequences

    return read_sequences(
        path,
        sequence_column=options.sequence,
        outcome=options.outcome,
        id_column=options.id_,
        format=file_format(options),
        layout=layout_of(options),
        on_duplicate=options.on_duplicate,
        on_missing=options.on_missing,
        cells=cell_format(options),
        outcomes=outcomes,
        labels=labels,
        columns=columns,
    )


def alphabet_with(options: LetterOptions, sequences: Iterable[str]) -> Alphabet:
    """The alphabet named by the options, learned or guessed. Raises InputError and UsageError."""
    if options.alphabet == AUTO:
        return guess_alphabet(sequences)
    if learned_spec(options.alphabet):
        return learn_alphabet(options.alphabet, list(sequences))
    return get_alphabet(options.alphabet)


def normal_records(options: LetterPolicy, records: SequenceSet, array: TokenArray) -> SequenceSet:
    """The records that ``encode_with`` has kept, with their sequences in the normal form of its alphabet."""
    from dataclasses import replace

    from seqdesign.sequences.encoders import normal_form

    kept = records.take(array.kept)
    texts = normal_form(kept.sequences, array.alphabet, convert_ut=options.convert_ut, gaps=options.gaps)
    return replace(kept, sequences=texts)


def encode_with(
    options: LetterPolicy, records: SequenceSet, alphabet: Alphabet, *, max_length: int | None = None
) -> TokenArray:
    """``encode`` as the options say, with file, line and record in its errors."""
    from seqdesign.sequences.encoders import encode

    array = encode(
        records.sequences,
        alphabet,
        on_unknown=options.on_unknown,
        ids=records.ids,
        source=records.source or None,
        lines=records.lines,
        max_length=max_length,
        convert_ut=options.convert_ut,
        gaps=options.gaps,
    )
    if options.on_unknown == "skip":
        kept = set(array.kept.tolist())
        out = [i for i in range(len(records)) if i not in kept]
        lines = [0 if records.lines is None else int(records.lines[i]) for i in out]
        say_left_out("--on-unknown skip", [records.ids[i] for i in out], lines, len(records))
    return array
