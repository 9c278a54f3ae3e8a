"""``seqdesign motifs``: which motifs are in sequences, which are enriched, gained, lost or new."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.commands.session import checked
from seqdesign.config import Between, CommandConfig, Flag, Positional, SeedOption, Written
from seqdesign.motifs.findings import MotifFindings, lines
from seqdesign.runs.result import Result
from seqdesign.sequences.options import (
    DuplicatePolicy,
    LetterOptions,
    SequenceColumns,
    alphabet_with,
    file_format,
    layout_of,
)

if TYPE_CHECKING:
    from seqdesign.motifs.encoded import Encoded
    from seqdesign.motifs.result import MotifSearch
    from seqdesign.sequences.alphabets import Alphabet
    from seqdesign.sequences.reader import SequenceSet

TOP = 10


@dataclass(frozen=True, kw_only=True)
class MotifsConfig(SequenceColumns, DuplicatePolicy, LetterOptions, SeedOption, CommandConfig):
    """Find motifs in sequences: hits with p- and q-values, enrichment, gains and losses, new motifs.

    Motifs are those of the bundled JASPAR collection or of a file.

    Example: seqdesign motifs designs.fa --table hits.csv
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "motifs", "background", "parents", "denovo", "report", "table", "enriched", "strands",
    )  # fmt: skip

    input: Annotated[Path, Positional("SEQS")]
    """FASTA, GenBank or a table, plain or compressed; - is stdin; dataset:NAME is bundled data."""
    motifs: Annotated[Path | None, Flag("-m")] = None
    """Motif file (MEME, JASPAR, TRANSFAC, HOMER and others, or a matrix); when not given, or jaspar: the
    bundled JASPAR 2024 CORE of vertebrates."""
    p_value: Annotated[float, Between(0, 1, low_open=True)] = 1e-4
    """A window is a hit if its p-value is at most this; of a motif too short for it, the best match."""
    strands: Literal["auto", "both", "one"] = "auto"
    """Strands to search; auto is both for DNA and one for RNA and protein."""
    pseudocount: Annotated[float, Between(0, 1000, low_open=True)] = 0.1
    """Sites of background letters added to each motif position."""
    background: Path | None = None
    """Sequences to compare with; else shuffles of the input that keep all pairs of neighbouring letters."""
    shuffles: Annotated[int, Between(1, 1000)] = 5
    """Shuffles of each sequence, where they are the background."""
    parents: Path | None = None
    """Sequences that the input was made from, by parent=ID in the header, a column 'parent', or equal ids."""
    denovo: Annotated[int, Between(0, 100)] = 0
    """How many new motifs to look for, without any collection."""
    table: Annotated[Path | None, Written("table")] = None
    """Write all hits: CSV, TSV, .xlsx or Parquet by suffix; - is stdout."""
    enriched: Annotated[Path | None, Written("table")] = None
    """Write the enrichment of all motifs as a table."""
    changed: Annotated[Path | None, Written("table")] = None
    """Write gained and lost motifs of each pair of --parents as a table."""
    denovo_output: Annotated[Path | None, Written("motifs")] = None
    """Write the new motifs of --denovo as a MEME file."""
    report: Annotated[Path | None, Written("page")] = None
    """Write a self-contained HTML page."""

    def problems(self) -> Iterator[str]:
        """Settings that would have no effect, and more than one thing on stdout."""
        if self.background is not None and self.shuffles != MotifsConfig.shuffles:
            yield "--shuffles: has no effect with --background; leave it out"
        if self.changed is not None and self.parents is None:
            yield "--changed: has no effect without --parents; name the parents' file"
        if self.denovo_output is not None and not self.denovo:
            yield "--denovo-output: has no effect without --denovo; say how many motifs to look for"
        if self.json and Path("-") in (self.table, self.enriched, self.changed):
            yield "--json: stdout carries the table; name a file for it, or leave --json out"


@dataclass(frozen=True, kw_only=True)
class MotifsResult(MotifFindings, Result):
    """What was found; see ``MotifFindings``."""

    command: ClassVar[str] = "motifs"
    KEY: ClassVar[tuple[str, ...]] = (
        r"^([\d,]+) motifs in .* enriched",
        r"^(-?[\d.,]*\d(?:e[-+]?\d+)?%?) hits",
    )

    input: str
    written: tuple[Path, ...]

    def text(self) -> str:
        """The main findings."""
        return "\n".join([*lines(self, TOP), *(f"wrote {path}" for path in self.written)])


@checked
def motifs(config: MotifsConfig) -> MotifsResult:
    """Scan ``config.input`` for motifs and write what was asked for. Raises SeqDesignError."""
    from seqdesign.motifs.files import JASPAR

    collection = config.motifs if str(config.motifs) != JASPAR else None
    inputs = [config.input, collection, config.background, config.parents]
    manifest = begin_manifest(config, device="cpu", inputs=inputs)
    found = _search(config)
    written = list(_write(config, found))
    result = MotifsResult(
        input=str(config.input),
        written=(*written, *((config.report,) if config.report else ())),
        **vars(found.findings()),
    )
    leave_manifest(manifest, config, result)
    if config.report is not None:
        from seqdesign.pages.motifs import motif_page

        motif_page(result, found, manifest).write(config.report)
    return result


def _search(config: MotifsConfig) -> MotifSearch:
    """Read what the options name, and search it."""
    from seqdesign.motifs.files import open_motifs
    from seqdesign.motifs.search import check_letters, search, which_strands
    from seqdesign.sequences.parents import read_parents

    records = _read(config, config.input)
    alphabet = alphabet_with(config, records.sequences)
    collection = open_motifs(config.motifs, alphabet.letters)
    check_letters(collection, alphabet)
    both = which_strands(config.strands, alphabet)
    sequences = _encoded(config, records, alphabet)
    del records  # the letters are kept once
    others, parents = (
        None if path is None else _encoded(config, _read(config, path), alphabet)
        for path in (config.background, config.parents)
    )
    pairs: list[tuple[int, int, str]] = []
    if parents is not None and config.parents is not None:
        pairs = read_parents(config, (config.input, config.parents), sequences.ids, parents.ids)
    return search(
        sequences, collection, both_strands=both, background=others, background_name=str(config.background),
        parents=parents, pairs=pairs, p_value=config.p_value, pseudocount=config.pseudocount,
        shuffles=config.shuffles, denovo=config.denovo, seed=config.seed,
        keep_hits=config.table is not None or config.report is not None,
    )  # fmt: skip


def _read(config: MotifsConfig, path: Path) -> SequenceSet:
    from seqdesign.sequences.reader import read_sequences

    return read_sequences(
        path,
        sequence_column=config.sequence,
        id_column=config.id_,
        format=file_format(config),
        layout=layout_of(config),
        on_duplicate=config.on_duplicate,
        on_missing="unlabelled",
    )


def _encoded(config: MotifsConfig, records: SequenceSet, alphabet: Alphabet) -> Encoded:
    from seqdesign.motifs.encoded import encode_records

    return encode_records(
        records, alphabet, on_unknown=config.on_unknown, gaps=config.gaps, convert_ut=config.convert_ut
    )


def _write(config: MotifsConfig, found: MotifSearch) -> Iterator[Path]:
    """Write the tables; yields the files."""
    from dataclasses import asdict

    from seqdesign.motifs.result import CHANGE_COLUMNS, ENRICHMENT_COLUMNS, HIT_COLUMNS
    from seqdesign.sequences.tables import write_table

    wanted = (
        (config.table, HIT_COLUMNS, found.hit_rows()),
        (config.enriched, ENRICHMENT_COLUMNS, map(asdict, found.enrichment)),
        (config.changed, CHANGE_COLUMNS, found.change_rows()),
    )
    for path, columns, rows in wanted:
        if path is not None:
            write_table(rows, path, columns=columns)
            if path != Path("-"):
                yield path
    if config.denovo_output is not None:
        from seqdesign.motifs.files import write_meme

        write_meme([new.motif for new in found.denovo], config.denovo_output)
        yield config.denovo_output
