"""``seqdesign back-translate``: proteins to genes in the codons of a host, under all rules."""

from __future__ import annotations

import time
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.commands.session import checked
from seqdesign.config import Between, CommandConfig, Flag, Positional, SeedOption, SequenceOutput, Written
from seqdesign.constraints.options import LetterRules
from seqdesign.errors import InputError
from seqdesign.runs.progress import say
from seqdesign.runs.result import Result
from seqdesign.sequences.options import DuplicatePolicy, SequenceColumns, file_format

if TYPE_CHECKING:
    from seqdesign.constraints.codons import Gene
    from seqdesign.sequences.reader import SequenceSet

Host = Literal["bsubtilis", "celegans", "chicken", "ecoli", "fly", "human", "mouse", "yeast"]


@dataclass(frozen=True, kw_only=True)
class BackTranslateConfig(
    LetterRules, SequenceColumns, DuplicatePolicy, SequenceOutput, SeedOption, CommandConfig
):
    """Turn proteins into genes with the codons that a host prefers, under hard rules.

    Every gene that is written obeys the rules; the exit code is 1 when no gene was found for some protein.

    Example: seqdesign back-translate proteins.fa --codons ecoli --synthesis twist --forbid BsaI -o genes.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "output", "table", "codons", "usage", "stop", "forbid", "gc", "gc_window", "max_homopolymer",
        "synthesis", "left", "right", "sequence", "id_",
    )  # fmt: skip

    input: Annotated[Path, Positional("FILE")]
    """Proteins: FASTA, CSV, TSV or Parquet file, plain or compressed; - for stdin, dataset:NAME."""
    codons: Annotated[Host, Flag("-c")] = "ecoli"
    """Host whose codon usage is used."""
    usage: Literal["optimal", "match"] = "optimal"
    """optimal: the most frequent codons; match: all codons in the proportions of the host."""
    stop: Literal["yes", "no"] = "yes"
    """Whether genes end with a stop codon."""
    codon_table: Annotated[int, Between(1)] = 1
    """Genetic code, by its NCBI number."""
    table: Annotated[Path | None, Written("table")] = None
    """Also write a table with the codon adaptation index of each gene: CSV, TSV or Parquet by suffix."""


@dataclass(frozen=True, kw_only=True)
class BackTranslateResult(Result):
    """What was made."""

    command: ClassVar[str] = "back-translate"

    input: str
    codons: str
    n_records: int
    n_genes: int
    failed: tuple[str, ...]
    """Proteins for which no gene was found."""
    cai: float
    """Mean codon adaptation index of the genes."""
    lost: float
    """Mean share of it that the rules cost."""
    most_lost: float
    """The same of the gene that lost most."""
    seconds: float
    output: Path | None
    table: Path | None

    @property
    def exit_code(self) -> int:
        """1 where a protein has no gene."""
        return 1 if self.failed else 0

    def text(self) -> str:
        """Two lines."""
        found = f"{self.n_genes:,} of {self.n_records:,} proteins have a gene that obeys the rules"
        cost = f"the rules cost {self.lost:.2%} of it, {self.most_lost:.2%} at most"
        about = f"\ncodon adaptation index {self.cai:.3f} on average; {cost}" if self.n_genes else ""
        return f"{found}, in {self.seconds:.1f} s{about}"


def back_translate(config: BackTranslateConfig) -> BackTranslateResult:
    """Write a gene for each protein. Raises SeqDesignError."""
    return _back_translate(config)


@checked
def _back_translate(config: BackTranslateConfig) -> BackTranslateResult:
    from seqdesign.constraints import codons
    from seqdesign.sequences.compression import open_output
    from seqdesign.sequences.fasta import Record, format_fields, write_fasta
    from seqdesign.sequences.lab.codon_usage import codon_usage
    from seqdesign.sequences.tables import write_table

    begin = time.monotonic()
    manifest = begin_manifest(config, device="cpu", inputs=[config.input])
    records = _proteins(config)
    genes = codons.back_translate(
        records.sequences,
        codon_usage(config.codons, config.codon_table),
        config,
        usage=config.usage,
        stop=config.stop == "yes",
        ids=records.ids,
        source=records.source,
        seed=config.seed,
    )
    made = [(name, gene) for name, gene in zip(records.ids, genes, strict=True) if gene.sequence is not None]
    failed = tuple(name for name, gene in zip(records.ids, genes, strict=True) if gene.sequence is None)
    for name in failed:
        say(
            f"warning: record '{name}': no gene was found that obeys the rules; loosen them",
            quiet=config.quiet,
        )
    roles = records.columns.get("role", [""] * len(records))
    kept = {name: {"role": role} for name, role in zip(records.ids, roles, strict=True) if role}
    with open_output(config.output or "-") as handle:
        lines = (
            Record(name, format_fields({**kept.get(name, {}), "cai": f"{gene.cai:.4g}"}), gene.sequence or "")
            for name, gene in made
        )
        write_fasta(lines, handle)
    if config.table is not None:
        rows = [_row(*one) for one in zip(records.ids, records.sequences, genes, strict=True)]
        write_table(rows, config.table, columns=list(rows[0]))
    lost = [gene.lost for _, gene in made]
    result = BackTranslateResult(
        input=str(config.input),
        codons=config.codons,
        n_records=len(records.ids),
        n_genes=len(made),
        failed=failed,
        cai=sum(gene.cai for _, gene in made) / max(1, len(made)),
        lost=sum(lost) / max(1, len(made)),
        most_lost=max(lost, default=0.0),
        seconds=time.monotonic() - begin,
        output=config.output,
        table=config.table,
    )
    leave_manifest(manifest, config, result)
    return result


def _proteins(config: BackTranslateConfig) -> SequenceSet:
    """The records to translate. Raises InputError, also where all of them look like genes."""
    from seqdesign.sequences.reader import read_sequences

    records = read_sequences(
        config.input,
        sequence_column=config.sequence,
        id_column=config.id_,
        format=file_format(config),
        on_duplicate=config.on_duplicate,
        on_missing="unlabelled",
        columns=["role"],
        lacking_columns="leave out",
        outcomes=False,
    )
    if set("".join(records.sequences).upper()) <= set("ACGTUN"):
        raise InputError(
            "holds DNA or RNA, and back-translate makes genes from proteins; to change a gene, use check "
            "--mend, or maximize with --translate",
            path=config.input,
        )
    return records


def _row(name: str, protein: str, gene: Gene) -> dict[str, Any]:
    return {
        "id": name,
        "protein": protein,
        "sequence": gene.sequence,
        "cai": None if gene.sequence is None else gene.cai,
        "best_cai": gene.best_cai,
        "lost": None if gene.sequence is None else gene.lost,
    }
