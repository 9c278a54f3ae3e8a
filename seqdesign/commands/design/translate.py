"""``seqdesign translate``: make sequences look like those of another set, by a trained translator."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar, Literal

from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest, leave_manifest, warn_of
from seqdesign.commands.session import checked
from seqdesign.config import MadeBy, Positional, RunConfig, SequenceOutput, Written, part, to_dict
from seqdesign.constraints.options import EditOptions
from seqdesign.models.translate.config import DraftOptions
from seqdesign.runs.progress import count
from seqdesign.runs.result import Result
from seqdesign.sequences.options import (
    DuplicatePolicy,
    LetterPolicy,
    SequenceColumns,
    file_format,
    layout_of,
    numbering_of,
)

if TYPE_CHECKING:
    from seqdesign.models.translate.store import TranslateRecord
    from seqdesign.models.translate.translations import Translation
    from seqdesign.runs.manifest import Manifest


@dataclass(frozen=True, kw_only=True)
class TranslateConfig(
    DraftOptions, EditOptions, SequenceColumns, DuplicatePolicy, LetterPolicy, SequenceOutput, RunConfig
):
    """Make sequences of one set look like those of the other, with a model made by train-translate.

    This is no translation into proteins. With rules a translation is as long as its source.

    Example: seqdesign translate models/translate weak.fa > stronger.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "output", "table", "report", "to", "max_edits", "keep", "translate", "forbid", "gc",
        "max_homopolymer", "on_unknown",
    )  # fmt: skip
    NUMBERED: ClassVar[bool] = True
    GENBANK: ClassVar[bool] = True

    model: Annotated[Path, Positional("MODEL"), MadeBy("train-translate")]
    """Folder of a model made by train-translate."""
    input: Annotated[Path, Positional("INPUT")]
    """FASTA, GenBank or a table, plain or compressed; - is stdin; dataset:NAME is bundled data."""
    to: Literal["a", "b"] = "b"
    """Which set the results look like: b turns what is like the first file of the training into what is like
    the second, a the other way."""
    table: Annotated[Path | None, Written("table")] = None
    """Also write a table of all translations: CSV, TSV, .xlsx or Parquet by suffix."""
    report: Annotated[Path | None, Written("page")] = None
    """Also write a self-contained HTML page."""


@dataclass(frozen=True, kw_only=True)
class TranslateResult(Result):
    """What was translated, on the whole."""

    command: ClassVar[str] = "translate"
    KEY: ClassVar[tuple[str, ...]] = (r"^translated (-?[\d.,]*\d(?:e[-+]?\d+)?%?)",)

    model: Path
    source: str
    """What the set is called that the model reads in this direction."""
    target: str
    num: int
    changed: int
    """Translations that differ from their source."""
    mean_edits: float
    returned: float
    """Share of all letters that the way back restores."""
    output: Path | None
    table: Path | None
    report: Path | None

    def text(self) -> str:
        """A few lines."""
        lines = [
            f"translated {self.num:,} sequences from {self.source} to {self.target}",
            f"{self.changed:,} changed, {self.mean_edits:.2f} edits on average",
            f"the way back restores {self.returned:.1%} of the letters",
        ]
        return "\n".join(
            [*lines, *(f"wrote {path}" for path in (self.output, self.table, self.report) if path)]
        )


@checked
def translate(config: TranslateConfig) -> TranslateResult:
    """Translate ``config.input`` into FASTA, and perhaps a table and a page. Raises SeqDesignError."""
    from seqdesign.models.translate.store import load_translator
    from seqdesign.models.translate.translations import translations
    from seqdesign.sequences.lab.genbank import genbank_records, write_sequences
    from seqdesign.sequences.reader import read_sequences
    from seqdesign.sequences.tables import write_table

    warn_of(config.model, quiet=config.quiet)
    with compute(config) as device:
        manifest = begin_manifest(config, device=str(device), inputs=[config.input, config.model])
        trained = load_translator(config.model, device)
        alphabet = trained.record.alphabet
        records = read_sequences(
            config.input,
            sequence_column=config.sequence,
            id_column=config.id_,
            format=file_format(config),
            layout=layout_of(config, alphabet=alphabet),
            outcomes=False,
            on_duplicate=config.on_duplicate,
        )
        found = translations(
            trained,
            records,
            config.to,
            rules=part(config, EditOptions),
            choose_from=config.choose_from,
            letters=part(config, LetterPolicy),
            first_position=numbering_of(config, None).first,
            device=device,
            on_step=count,
        )
    write_sequences(
        (one.fasta() for one in found),
        config.output or "-",
        alphabet=alphabet.name,
        parents=genbank_records(config.input),
    )
    if config.table is not None:
        write_table((one.row() for one in found), config.table, columns=tuple(found[0].row()))
    names = trained.record.names
    source, target = names if config.to == "b" else names[::-1]
    letters = sum(len(one.original) for one in found)
    done = TranslateResult(
        model=config.model,
        source=source,
        target=target,
        num=len(found),
        changed=sum(one.edits > 0 for one in found),
        mean_edits=sum(one.edits for one in found) / len(found),
        returned=sum(one.returned * len(one.original) for one in found) / max(1, letters),
        output=config.output,
        table=config.table,
        report=config.report,
    )
    leave_manifest(manifest, config, done)
    if config.report is not None:
        _write_page(config, config.report, found, done, trained.record, manifest)
    return done


def _write_page(
    config: TranslateConfig,
    report: Path,
    found: Sequence[Translation],
    done: TranslateResult,
    record: TranslateRecord,
    manifest: Manifest,
) -> None:
    """The page of ``--report``. Raises OutputError."""
    from seqdesign.pages.translation import translation_page

    rules = to_dict(part(config, EditOptions))
    translation_page(found, done.to_dict(), record, config.model, manifest, rules=rules).write(report)
