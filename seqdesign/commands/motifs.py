"""``seqdesign motifs``: which motifs are in sequences, which are enriched, gained, lost or new."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.commands.session import checked
from seqdesign.config import Between, CommandConfig, Flag, Positional, SeedOption, Written
from seqdesign.runs.result import Result
from seqdesign.sequences.options import LetterOptions, SequenceColumns

if TYPE_CHECKING:
    from seqdesign.motifs.denovo import NewMotif
    from seqdesign.motifs.enrichment import Enrichment, MotifChange
    from seqdesign.motifs.search import MotifSearch

TOP = 10


@dataclass(frozen=True, kw_only=True)
class MotifsConfig(SequenceColumns, LetterOptions, SeedOption, CommandConfig):
    """Find motifs in sequences: hits with p- and q-values, enrichment, gains and losses, new motifs.

    Motifs are those of the bundled JASPAR collection or of a file.

    Example: seqdesign motifs designs.fa --table hits.csv
    """

    input: Annotated[Path, Positional("SEQS")]
    """FASTA, CSV, TSV or Parquet, plain or compressed; - is stdin; dataset:NAME is bundled data."""
    motifs: Annotated[Path | None, Flag("-m")] = None
    """Motif file: MEME, JASPAR or TRANSFAC; JASPAR 2024 CORE of vertebrates, bundled, when not given."""
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
    """Write all hits: CSV, TSV or Parquet by suffix; - is stdout."""
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
class MotifsResult(Result):
    """What was found; the lists are complete.

    ``changes`` begins with the smallest p-value, ``enrichment`` with the group of motifs that has it, and in
    a group with the motif that describes the sites best.
    """

    command: ClassVar[str] = "motifs"

    input: str
    collection: str
    """Title of the motif collection."""
    num_motifs: int
    num_best_only: int
    """Motifs so short that even their best match has a larger p-value; it alone counts as their hit."""
    num_sequences: int
    alphabet: str
    strands: Literal["both", "one"]
    p_value: float
    num_hits: int
    num_with_hit: int
    """Sequences with at least one hit."""
    background: str
    """What the enrichment compares with."""
    num_background: int
    enrichment: tuple[Enrichment, ...]
    num_pairs: int
    """Sequences whose parent was found; 0 without --parents."""
    changes: tuple[MotifChange, ...]
    denovo: tuple[NewMotif, ...]
    written: tuple[Path, ...]

    def text(self) -> str:
        """The main findings."""
        from seqdesign.pages.motif_text import lines

        return "\n".join(lines(self, TOP))


@checked
def motifs(config: MotifsConfig) -> MotifsResult:
    """Scan ``config.input`` for motifs and write what was asked for. Raises SeqDesignError."""
    from seqdesign.motifs.search import search

    inputs = [config.input, config.motifs, config.background, config.parents]
    manifest = begin_manifest(config, device="cpu", inputs=inputs)
    found = search(config)
    written = list(_write(config, found))
    result = MotifsResult(
        input=str(config.input),
        collection=found.collection.title,
        num_motifs=len(found.collection.motifs),
        num_best_only=found.num_best_only,
        num_sequences=len(found.sequences),
        alphabet=found.sequences.alphabet.name,
        strands="both" if found.both_strands else "one",
        p_value=config.p_value,
        num_hits=sum(map(len, found.hits)),
        num_with_hit=int(found.sequences_with.any(axis=0).sum()),
        background=found.background_name,
        num_background=found.num_background,
        enrichment=tuple(found.enrichment),
        num_pairs=len(found.pairs),
        changes=tuple(found.changes),
        denovo=tuple(found.denovo),
        written=(*written, *((config.report,) if config.report else ())),
    )
    leave_manifest(manifest, config, result)
    if config.report is not None:
        from seqdesign.pages.motifs import motif_page

        motif_page(result, found, manifest).write(config.report)
    return result


def _write(config: MotifsConfig, found: MotifSearch) -> Iterator[Path]:
    """Write the tables; yields the files."""
    from dataclasses import asdict

    from seqdesign.pages import motif_tables as tables
    from seqdesign.sequences.tables import write_table

    def enriched() -> Iterator[dict[str, Any]]:
        return (asdict(row) for row in found.enrichment)

    wanted = (
        (config.table, tables.HIT_COLUMNS, tables.hit_rows(found)),
        (config.enriched, tables.ENRICHMENT_COLUMNS, enriched()),
        (config.changed, tables.CHANGE_COLUMNS, tables.change_rows(found)),
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
