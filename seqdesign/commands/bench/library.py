"""``seqdesign library``: few degenerate oligos that hold wanted sequences, and scans of one sequence."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from seqdesign.commands.bench.back_translate import Host
from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.commands.session import checked
from seqdesign.config import Between, CommandConfig, Flag, Positional, SeedOption, SequenceOutput, Written
from seqdesign.errors import InputError
from seqdesign.runs.progress import count
from seqdesign.runs.result import Result
from seqdesign.sequences.options import (
    AUTO,
    LetterOptions,
    SequenceColumns,
    alphabet_with,
    file_format,
    layout_of,
)

if TYPE_CHECKING:
    from seqdesign.libraries.cover import Sublibrary
    from seqdesign.libraries.scans import Variant
    from seqdesign.sequences.alphabets import Alphabet
    from seqdesign.sequences.reader import SequenceSet

MAX_SIZE, SUBLIBRARIES = 1e7, 1


@dataclass(frozen=True, kw_only=True)
class LibraryConfig(SequenceColumns, SeedOption, SequenceOutput, CommandConfig):
    """Find few degenerate oligos that hold as many wanted sequences as possible, or scan a sequence.

    Writes degenerate DNA as FASTA, one record a sublibrary, with size and number of targets in its header.

    Example: seqdesign library variants.fa --max-size 1e6 --sublibraries 4 > oligos.fa
    """

    SEQUENCES_ONLY: ClassVar[bool] = False

    input: Annotated[Path, Positional("TARGETS")]
    """Wanted proteins or DNA, aligned: FASTA, Stockholm, CLUSTAL or a table; - is stdin; dataset:NAME is
    bundled data. With --scan the sequences to scan."""
    max_size: Annotated[float | None, Between(1, 1e15)] = None
    """Most DNA sequences in all sublibraries together; 1e7 when not given."""
    sublibraries: Annotated[int | None, Between(1, 384)] = None
    """Most degenerate oligos; 1 when not given."""
    stops: bool = True
    """Allow degenerate codons that include a stop codon; --no-stops gives no truncated proteins, but covers
    fewer targets."""
    codons: Annotated[Host, Flag("-c")] = "ecoli"
    """Host whose frequent codons are preferred among equals."""
    searches: Annotated[int, Between(1, 10_000)] = 12
    """Independent searches, of which the best is taken; more take longer and find better libraries."""
    scan: Literal["single", "deletion", "nnk"] | None = None
    """Write all single substitutions, all deletions, or NNK at each codon instead."""
    positions: str | None = None
    """Positions to scan, such as 5-12,30; all when not given."""
    width: Annotated[int, Between(1, 1000)] = 1
    """Letters that each deletion of --scan deletion takes; 3 keeps the frame of DNA."""
    alphabet: str = AUTO
    """dna or protein; auto goes by the letters."""
    table: Annotated[Path | None, Written("table")] = None
    """Also write which sublibraries hold each target, or the variants of a scan: CSV, TSV or Parquet."""
    codes: Annotated[Path | None, Written("table")] = None
    """Also write the code at each position of each sublibrary, and what it stands for."""

    def problems(self) -> Iterator[str]:
        """A scan is no cover."""
        names = ("max_size", "sublibraries", "codes") if self.scan else ("positions",)
        for name in names:
            if getattr(self, name) is not None:
                where = "with" if self.scan else "without"
                yield f"--{name.replace('_', '-')}: has no effect {where} --scan; leave it out"
        if self.width != 1 and self.scan != "deletion":
            yield "--width: has no effect without --scan deletion; leave it out"


@dataclass(frozen=True, kw_only=True)
class LibraryResult(Result):
    """What the library holds."""

    command: ClassVar[str] = "library"

    targets: int
    covered: int
    """Targets in at least one sublibrary; with --scan sequences that were scanned."""
    records: int
    """Sublibraries, or variants of a scan."""
    size: int
    """DNA sequences of all records together."""
    sizes: tuple[int, ...]
    """DNA sequences of each sublibrary; empty for a scan."""
    products: int
    """Different products of all sublibraries, each counted for itself; of a scan its records."""
    scan: str | None
    output: Path | None
    table: Path | None
    codes: Path | None

    def text(self) -> str:
        """A few lines."""
        if self.scan is not None:
            lines = [f"{self.scan} scan of {self.targets:,} sequences: {self.records:,} records"]
            if self.size > self.records:
                lines.append(f"they stand for {self.size:,} DNA sequences")
        else:
            each = f" ({', '.join(f'{size:,}' for size in self.sizes)})" if self.records > 1 else ""
            said = f"{self.covered:,} of {self.targets:,} targets are in {self.records} sublibraries"
            lines = [f"{said} of {self.size:,} DNA sequences{each} and {self.products:,} products"]
        return "\n".join([*lines, *(f"wrote {p}" for p in (self.output, self.table, self.codes) if p)])


@checked
def library(config: LibraryConfig) -> LibraryResult:
    """Write degenerate oligos or a scan as FASTA, and tables. Raises SeqDesignError."""
    from seqdesign.libraries.targets import read_targets

    manifest = begin_manifest(config, device="cpu", inputs=[config.input])
    targets = read_targets(
        config.input,
        sequence_column=config.sequence,
        id_column=config.id_,
        format=file_format(config),
        layout=layout_of(config, default=()),
    )
    letters = LetterOptions(alphabet=config.alphabet)
    alphabet = alphabet_with(letters, [text.replace("-", "") for text in targets.sequences])
    if alphabet.name not in ("dna", "protein", "protein-stop"):
        raise InputError(f"a library is made of DNA or proteins, this is {alphabet.name}", path=config.input)
    usage: dict[str, float] = {}
    if alphabet.name != "dna":
        from seqdesign.sequences.lab.codon_usage import codon_usage

        usage = {
            codon: share for own in codon_usage(config.codons).shares.values() for codon, share in own.items()
        }
    made = _scan if config.scan else _cover
    result = made(config, targets, alphabet, usage)
    leave_manifest(manifest, config, result)
    return result


def _cover(
    config: LibraryConfig, targets: SequenceSet, alphabet: Alphabet, usage: Mapping[str, float]
) -> LibraryResult:
    from seqdesign.libraries.cover import cover
    from seqdesign.libraries.degenerate import base_codes, codon_codes

    codes = base_codes() if alphabet.name == "dna" else codon_codes(config.stops)
    try:
        found = cover(
            targets.sequences,
            codes,
            config.max_size or MAX_SIZE,
            config.sublibraries or SUBLIBRARIES,
            pick=lambda letters: codes.best(letters, usage),
            searches=config.searches,
            seed=config.seed,
            progress=lambda done: count(done, config.searches),
        )
    except InputError as error:
        raise InputError(str(error), path=config.input) from None
    _write_fasta(config, ((f"library{i + 1}", _header(one), one.dna) for i, one in enumerate(found)))
    if config.table is not None:
        _write_table(config.table, _target_rows(targets, found), ("id", "covered", "sublibraries"))
    if config.codes is not None:
        names = ("sublibrary", "position", "code", "stands_for", "size", "wanted")
        _write_table(config.codes, _code_rows(targets, found), names)
    return LibraryResult(
        targets=len(targets),
        covered=len({i for one in found for i in one.members}),
        records=len(found),
        size=sum(one.size for one in found),
        sizes=tuple(one.size for one in found),
        products=sum(one.num_products for one in found),
        scan=None,
        output=config.output,
        table=config.table,
        codes=config.codes,
    )


def _header(one: Sublibrary) -> dict[str, Any]:
    return {"size": one.size, "products": one.num_products, "targets": len(one.members)}


def _target_rows(targets: SequenceSet, found: Sequence[Sublibrary]) -> Iterator[dict[str, Any]]:
    for i, name in enumerate(targets.ids):
        where = [f"library{k + 1}" for k, one in enumerate(found) if i in one.members]
        yield {"id": name, "covered": bool(where), "sublibraries": " ".join(where)}


def _code_rows(targets: SequenceSet, found: Sequence[Sublibrary]) -> Iterator[dict[str, Any]]:
    for k, one in enumerate(found):
        for position, code in enumerate(one.codes):
            yield {
                "sublibrary": f"library{k + 1}",
                "position": position + 1,
                "code": code,
                "stands_for": one.letters[position],
                "size": one.factors[position],
                "wanted": "".join(sorted({targets.sequences[i][position] for i in one.members})),
            }


def _scan(
    config: LibraryConfig, targets: SequenceSet, alphabet: Alphabet, usage: Mapping[str, float]
) -> LibraryResult:
    made = [
        (f"{name}_{variant.name}", name, variant)
        for name, text in zip(targets.ids, targets.sequences, strict=True)
        for variant in _variants(config, text.replace("-", ""), alphabet, usage)
    ]
    if not made:
        raise InputError("the scan has no variant; name other --positions", path=config.input)
    headers = (
        {"parent": parent, "position": v.position} | ({"size": v.size} if v.size > 1 else {})
        for _, parent, v in made
    )
    _write_fasta(config, ((record, h, v.sequence) for (record, _, v), h in zip(made, headers, strict=True)))
    if config.table is not None:
        rows = (
            {"id": record, "parent": parent, "change": v.name, "position": v.position, "sequence": v.sequence}
            for record, parent, v in made
        )
        _write_table(config.table, rows, ("id", "parent", "change", "position", "sequence"))
    return LibraryResult(
        targets=len(targets),
        covered=len(targets),
        records=len(made),
        size=sum(v.size for _, _, v in made),
        sizes=(),
        products=len(made),
        scan=config.scan,
        output=config.output,
        table=config.table,
        codes=None,
    )


def _variants(
    config: LibraryConfig, text: str, alphabet: Alphabet, usage: Mapping[str, float]
) -> Iterator[Variant]:
    from seqdesign.libraries import scans

    bad = next((c for c in text if c not in alphabet.letters), None)
    if bad is not None:
        raise InputError(f"a scan needs letters of {alphabet.name}, got {bad!r}", path=config.input)
    if config.scan == "nnk":
        return scans.nnk(text, protein=alphabet.name != "dna", usage=usage, positions=config.positions)
    places = scans.chosen(config.positions, len(text))
    if config.scan == "deletion":
        return scans.deletions(text, config.width, places)
    return scans.single(text, alphabet.letters, places)


def _write_fasta(config: LibraryConfig, records: Any) -> None:
    from seqdesign.sequences.compression import open_output
    from seqdesign.sequences.fasta import Record, format_fields, write_fasta

    with open_output(config.output or "-") as handle:
        write_fasta((Record(name, format_fields(fields), text) for name, fields, text in records), handle)


def _write_table(path: Path, rows: Any, columns: Sequence[str]) -> None:
    from seqdesign.sequences.tables import write_table

    write_table(rows, path, columns=columns)
