"""``seqdesign revise``: improve each input sequence with a trained VAE."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from seqdesign.commands.campaign import BlockOptions, sharded
from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest, leave_manifest, warn_of
from seqdesign.commands.session import checked
from seqdesign.config import (
    Flag,
    MadeBy,
    Positional,
    RunConfig,
    SequenceOutput,
    Written,
    fields_of,
    part,
    to_dict,
)
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.design.options import GoalOptions, SeenOptions, SimilarityLimit
from seqdesign.errors import ModelError
from seqdesign.revisers.revise_options import ReviseOptions, SearchOptions
from seqdesign.runs.progress import say
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
    from seqdesign.design.evidence import Evidence
    from seqdesign.design.records import Revision, RevisionSummary
    from seqdesign.models.vae.store import VAERecord
    from seqdesign.runs.manifest import Manifest
    from seqdesign.sequences.reader import SequenceSet


@dataclass(frozen=True, kw_only=True)
class ReviseConfig(
    GoalOptions,
    SeenOptions,
    SimilarityLimit,
    ReviseOptions,
    SearchOptions,
    SequenceColumns,
    DuplicatePolicy,
    LetterPolicy,
    SequenceOutput,
    BlockOptions,
    RunConfig,
):
    """Revise sequences into better ones with a model made by train-vae.

    Writes FASTA with the predictions in its headers; --table and --report tell more.

    Example: seqdesign revise --alpha -1 input.fa > revised.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "output", "model", "table", "report", "max_edits", "keep", "minimize", "target", "top", "forbid",
        "gc", "max_homopolymer", "alpha", "sequence", "on_unknown",
    )  # fmt: skip
    NUMBERED: ClassVar[bool] = True
    GENBANK: ClassVar[bool] = True

    input: Annotated[Path, Positional("INPUT")]
    """FASTA, GenBank or a table, plain or compressed; - is stdin; dataset:NAME is bundled data."""
    model: Annotated[Path, Flag("-m"), MadeBy("train-vae")] = Path("models/vae")
    """Folder of a model made by train-vae on sequences with outcomes."""
    judge: Annotated[Path | None, MadeBy("train-predictor")] = None
    """Folder of a model made by train-predictor: of more candidates those stay that its judges think best,
    with their prediction and interval."""
    method: str = "revise"
    """revise, or search: the best of random mutants by the same outcome network (the baseline)."""
    table: Annotated[Path | None, Written("table")] = None
    """Also write a table of all revisions: CSV, TSV, .xlsx or Parquet by suffix."""
    report: Annotated[Path | None, Written("page")] = None
    """Also write a self-contained HTML page."""

    def problems(self) -> Iterator[str]:
        """Settings that would have no effect."""
        revise, search = (
            [spec.name for spec in fields_of(group)] for group in (ReviseOptions, SearchOptions)
        )
        end = ["restarts", "rounds", "survivors", "neighbours", "step_length"]
        idle = {
            "--method search": revise if self.method == "search" else [],
            "--method revise": search if self.method == "revise" else [],
            "--select end": end if self.select == "end" else [],
            "--optimizer original": ["metric", "step_length"] if self.optimizer == "original" else [],
            "--optimizer barrier": ["learning_rate"] if self.optimizer == "barrier" else [],
            "--rounds 0 --neighbours 0": ["survivors"] if self.rounds == self.neighbours == 0 else [],
        }
        for reason, names in idle.items():
            for name in names:
                if getattr(self, name) != getattr(ReviseConfig, name):
                    yield f"--{name.replace('_', '-')}: has no effect with {reason}; leave it out"


@dataclass(frozen=True, kw_only=True)
class ReviseResult(Result):
    """What was revised, on the whole."""

    command: ClassVar[str] = "revise"
    KEY: ClassVar[tuple[str, ...]] = (
        r"of which (-?[\d.,]*\d(?:e[-+]?\d+)?%?) revised",
        r"before, (-?[\d.,]*\d(?:e[-+]?\d+)?%?) after",
    )

    model: Path
    method: str
    summary: RevisionSummary
    output: Path | None
    table: Path | None
    report: Path | None

    def text(self) -> str:
        """A few lines."""
        return "\n".join(
            [*self.summary.lines(), *(f"wrote {p}" for p in (self.output, self.table, self.report) if p)]
        )


@sharded
def revise(config: ReviseConfig) -> ReviseResult:
    """Revise ``config.input``; FASTA to the output, optionally a table and a page. Raises SeqDesignError."""
    return revise_records(config)[0]


@checked
def revise_records(config: ReviseConfig) -> tuple[ReviseResult, list[Revision]]:
    """``revise``, and every revision as a record."""
    from seqdesign.design import revisions
    from seqdesign.design.opening import open_model
    from seqdesign.design.records import revision_columns
    from seqdesign.models.similarity.limit import similarity_limit
    from seqdesign.models.vae.store import load_vae
    from seqdesign.sequences.lab.genbank import genbank_records, write_sequences
    from seqdesign.sequences.tables import write_table

    optimize = revisions.find_method(config.method)
    warn_of(config.model, quiet=config.quiet)
    with compute(config) as device:
        inputs = [config.input, config.model, config.judge, config.similarity]
        manifest = begin_manifest(config, device=str(device), inputs=inputs)
        trained = load_vae(config.model, device)
        if trained.record.outcome is None:
            raise ModelError(
                f"{config.model} was trained without outcomes, so it cannot tell what is better; train "
                "again on sequences with outcome=NUMBER in their headers, or with --outcome COLUMN"
            )
        evidence = _evidence(config, trained.record)
        found, summary = revisions.run(
            trained,
            _read(config, evidence, trained.record),
            goal=part(config, GoalOptions),
            letters=part(config, LetterPolicy),
            optimize=optimize,
            options=part(config, SearchOptions if config.method == "search" else ReviseOptions),
            evidence=evidence,
            judge=None if config.judge is None else open_model(config.judge, device),
            alike=similarity_limit(config.similarity, config.min_similarity, device),
            only_seen=config.letters == "seen",
            numbering=numbering_of(config, None if evidence is None else evidence.measured.numbering),
            seed=config.seed,
            block_size=config.block_size,
            device=device,
        )
    write_sequences(
        (r.fasta() for r in found),
        config.output or "-",
        alphabet=trained.record.alphabet.name,
        parents=genbank_records(config.input),
    )
    if config.table is not None:
        columns = revision_columns(trained.record.outcome)
        write_table((r.row() for r in found), config.table, columns=columns)
    done = ReviseResult(
        model=config.model,
        method=config.method,
        summary=summary,
        output=config.output,
        table=config.table,
        report=config.report,
    )
    leave_manifest(manifest, config, done)
    if config.report is not None:
        _write_page(config, config.report, found, summary, trained.record, manifest)
    return done, found


def _write_page(
    config: ReviseConfig,
    report: Path,
    found: Sequence[Revision],
    summary: RevisionSummary,
    record: VAERecord,
    manifest: Manifest,
) -> None:
    """The page of ``--report``. Raises OutputError."""
    from seqdesign.pages.revision import revision_page

    page = revision_page(
        found,
        summary,
        record,
        config.model,
        manifest,
        rules=to_dict(part(config, ConstraintOptions)),
        method=config.method,
        judge=config.judge,
    )
    page.write(report)


def _evidence(config: ReviseConfig, record: VAERecord) -> Evidence | None:
    """What the model was trained on. Raises ModelError."""
    from seqdesign.design.evidence import evidence_of
    from seqdesign.training.measured import load_measured

    positional = record.min_length == record.max_length
    measured = load_measured(config.model)
    found = evidence_of(measured, record.alphabet, positional=positional, both_strands=False)
    if found is None and config.letters == "seen":
        say(
            f"warning: {config.model} does not say which letters it has seen, so all are permitted; "
            "train again to have only those",
            quiet=config.quiet,
        )
    return found


def _read(config: ReviseConfig, evidence: Evidence | None, record: VAERecord) -> SequenceSet:
    """The inputs, with what was measured of them where the file has the model's outcome."""
    from seqdesign.sequences.reader import OUTCOME, read_sequences

    return read_sequences(
        config.input,
        sequence_column=config.sequence,
        id_column=config.id_,
        format=file_format(config),
        layout=layout_of(
            config, known=None if evidence is None else evidence.measured.numbering, alphabet=record.alphabet
        ),
        outcomes=False,
        columns=[record.outcome or OUTCOME],
        lacking_columns="leave out",
        on_duplicate=config.on_duplicate,
    )
