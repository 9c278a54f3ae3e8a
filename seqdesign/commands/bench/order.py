"""``seqdesign order``: designs to plates, barcodes, primers and the files to send."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from seqdesign.commands.provenance import begin_manifest
from seqdesign.commands.session import read_files
from seqdesign.config import Between, CommandConfig, Flag, Positional, SeedOption, Written
from seqdesign.errors import InputError
from seqdesign.runs.result import Result
from seqdesign.sequences.options import DuplicatePolicy, SequenceColumns, file_format, layout_of

if TYPE_CHECKING:
    from seqdesign.ordering.order import Construct
    from seqdesign.sequences.reader import SequenceSet

FASTA, GENBANK, README, PAGE = "constructs.fa", "constructs.gb", "README.md", "report.html"


@dataclass(frozen=True, kw_only=True)
class OrderConfig(SequenceColumns, DuplicatePolicy, SeedOption, CommandConfig):
    """Turn designs into an order: one folder with the sheet to upload, plates, FASTA and GenBank.

    Example: seqdesign order shortlist.fa --left ACACGACGCTCTTCC --right AGATCGGAAGAGC -o order
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "output", "overwrite", "layout", "plate", "left", "right", "barcode_length", "primers", "avoid",
        "sequence", "id_",
    )  # fmt: skip

    input: Annotated[Path, Positional("DESIGNS")]
    """DNA or RNA to order: FASTA, CSV, TSV or Parquet; - is stdin. RNA is written as DNA."""
    output: Annotated[Path, Flag("-o"), Written("folder")] = Path("order")
    """Folder to write."""
    overwrite: bool = False
    """Replace an order that is already there."""
    layout: Literal["plate", "pool", "agilent"] = "plate"
    """Columns of the sheet to upload: plate (plate, well, name, sequence), pool (name, sequence), or agilent
    (SequenceName, Sequence, Replication)."""
    file_type: Literal["csv", "tsv", "xlsx"] = "csv"
    """Kind of the tables."""
    prefix: str | None = None
    """Name constructs PREFIX_001, PREFIX_002, ...; by their ids when not given."""
    left: str = ""
    """Adapter before every design, 5' to 3'."""
    right: str = ""
    """Adapter behind every design, 5' to 3'."""
    barcode_length: Annotated[int | None, Between(6, 40)] = None
    """Bases of a barcode of its own for each construct; none when not given."""
    barcode_errors: Literal["edits", "substitutions"] = "edits"
    """The one sequencing error that barcodes survive: a substitution, insertion or deletion, or a
    substitution only."""
    barcode_at: Literal["left", "right"] = "right"
    """Side of the design on which the barcode stands, inside the adapters."""
    avoid: tuple[str, ...] = ()
    """Site or enzyme, such as BsaI, that barcodes avoid on both strands and that is reported in any
    construct; may be given several times."""
    plate: Literal["96", "384"] = "96"
    """Wells of a plate."""
    fill: Literal["rows", "columns"] = "rows"
    """Fill plates along rows (A01, A02, ...) or down columns (A01, B01, ...)."""
    skip: Annotated[int, Between(0, 383)] = 0
    """Wells of the first plate to leave empty."""
    primers: bool = False
    """Add primers that amplify each whole construct."""
    tm: Annotated[float, Between(40, 80)] = 60.0
    """Melting temperature of the primers, degrees Celsius."""

    def problems(self) -> Iterator[str]:
        """Options that would have no effect."""
        if self.barcode_length is None:
            for name in ("barcode_errors", "barcode_at"):
                if getattr(self, name) != type(self).__dataclass_fields__[name].default:
                    yield f"--{name.replace('_', '-')}: has no effect without --barcode-length; leave it out"
        if self.tm != 60.0 and not self.primers:
            yield "--tm: has no effect without --primers; leave it out"
        if self.skip >= int(self.plate):
            yield f"--skip: a plate has {self.plate} wells, got {self.skip}"
        for side in ("left", "right"):
            bad = [c for c in getattr(self, side).upper() if c not in "ACGT"]
            if bad:
                yield f"--{side}: may hold A, C, G and T only, got {bad[0]!r}"


@dataclass(frozen=True, kw_only=True)
class OrderResult(Result):
    """What was ordered."""

    command: ClassVar[str] = "order"

    constructs: int
    plates: int
    shortest: int
    longest: int
    bases: int
    barcodes: int
    notes: tuple[str, ...]
    output: Path
    files: tuple[str, ...]

    def text(self) -> str:
        """A few lines."""
        plates = "1 plate" if self.plates == 1 else f"{self.plates} plates"
        lengths = f"{self.shortest:,} to {self.longest:,} bases"
        lines = [f"{self.constructs:,} constructs of {lengths} on {plates}, {self.bases:,} bases in all"]
        if self.barcodes:
            lines.append(f"{self.barcodes:,} barcodes; one sequencing error never turns one into another")
        lines += [f"warning: {note}" for note in self.notes]
        return "\n".join([*lines, f"wrote {self.output}: {', '.join(self.files)}"])


def order(config: OrderConfig) -> OrderResult:
    """Write the folder of an order. Raises SeqDesignError."""
    from seqdesign.ordering.order import warnings_of
    from seqdesign.pages.order import order_page
    from seqdesign.runs.folder import RunDir
    from seqdesign.runs.manifest import MANIFEST, noting

    read_files(config)
    sheet = f"order.{config.file_type}"
    with noting(), RunDir(config.output, overwrite=config.overwrite, model=sheet) as run:
        sites = _sites(config.avoid)
        manifest = begin_manifest(config, device="cpu", inputs=[config.input])
        run.prepare(manifest)
        made = _constructs(config, sites)
        notes = warnings_of(made, sites)
        lengths = [len(one.sequence) for one in made]
        names = (sheet, f"bench.{config.file_type}", FASTA, GENBANK, README, PAGE)
        result = OrderResult(
            constructs=len(made),
            plates=len({one.plate for one in made}),
            shortest=min(lengths),
            longest=max(lengths),
            bases=sum(lengths),
            barcodes=sum(bool(one.barcode) for one in made),
            notes=tuple(notes),
            output=config.output,
            files=(*names, MANIFEST),
        )
        run.start()
        _write(config, run.path, made, names, notes)
        order_page(made, notes, manifest, sheet=sheet).write(run.path / PAGE)
        run.finish("complete", outputs=names, result=result.to_dict())
    return result


def _sites(avoid: Sequence[str]) -> dict[str, str]:
    """Name as typed -> site. Raises UsageError."""
    from seqdesign.constraints.builtin.forbid import resolve
    from seqdesign.errors import UsageError
    from seqdesign.sequences.alphabets import get_alphabet

    try:
        return {text: resolve(text, get_alphabet("dna")).upper() for text in avoid}
    except UsageError as error:
        raise UsageError(str(error).partition(": ")[2], option="--avoid") from None


def _constructs(config: OrderConfig, sites: dict[str, str]) -> list[Construct]:
    from seqdesign.libraries.degenerate import expansions
    from seqdesign.ordering.order import constructs, reverse_complement

    records = _read(config)
    words = [word for site in sites.values() for word in expansions(site)]
    roles = [role or "design" for role in records.columns.get("role", [""] * len(records))]
    try:
        return constructs(
            records.ids,
            records.sequences,
            roles,
            prefix=config.prefix,
            left=config.left.upper(),
            right=config.right.upper(),
            barcode_length=config.barcode_length,
            barcode_errors=config.barcode_errors,
            barcode_first=config.barcode_at == "left",
            forbidden=[*words, *map(reverse_complement, words)],
            plate=int(config.plate),
            direction=config.fill,
            first=config.skip,
            with_primers=config.primers,
            tm=config.tm,
            seed=config.seed,
        )
    except InputError as error:
        raise error if error.path else InputError(str(error), path=config.input) from None


def _read(config: OrderConfig) -> SequenceSet:
    from seqdesign.sequences.reader import read_sequences

    return read_sequences(
        config.input,
        sequence_column=config.sequence,
        id_column=config.id_,
        format=file_format(config),
        on_duplicate=config.on_duplicate,
        columns=["role"],
        lacking_columns="leave out",
        outcomes=False,
        layout=layout_of(config, default=()),
    )


def _write(
    config: OrderConfig, folder: Path, made: list[Construct], names: Sequence[str], notes: list[str]
) -> None:
    from seqdesign.ordering.files import genbank, readme
    from seqdesign.runs.atomic import together
    from seqdesign.sequences.compression import open_output
    from seqdesign.sequences.fasta import Record, format_fields, write_fasta
    from seqdesign.sequences.tables import write_table

    sheet, bench = names[:2]
    with together():
        write_table([one.vendor_row(config.layout) for one in made], folder / sheet)
        write_table([one.row() for one in made], folder / bench)
        with open_output(folder / FASTA) as handle:
            records = (
                Record(
                    one.name,
                    format_fields({"id": one.id, "role": one.role, "well": f"{one.plate}{one.well}"}),
                    one.sequence,
                )
                for one in made
            )
            write_fasta(records, handle)
        with open_output(folder / GENBANK) as handle:
            handle.write(genbank(made))
        with open_output(folder / README) as handle:
            handle.write(readme(made, sheet, notes, _settings(config)).encode())


def _settings(config: OrderConfig) -> list[str]:
    """Sentences for the README."""
    parts = []
    if config.left or config.right:
        left, right = config.left.upper() or "none", config.right.upper() or "none"
        parts.append(f"Adapters: {left} before, {right} behind.")
    if config.barcode_length:
        side = "before" if config.barcode_at == "left" else "behind"
        parts.append(
            f"Barcodes of {config.barcode_length} bases stand {side} the design; one error "
            f"({config.barcode_errors}) makes none of them, nor its reverse complement, look like another."
        )
    if config.primers:
        parts.append(f"Primers amplify the whole construct and melt near {config.tm:g} C.")
    parts.append("The column tm is of the design alone, by nearest neighbours, 50 mM sodium, 25 nM strands.")
    return parts
