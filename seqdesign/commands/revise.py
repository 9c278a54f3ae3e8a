"""``seqdesign revise``: improve each input sequence with a trained VAE."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest, leave_manifest, warn_of
from seqdesign.config import Between, Flag, Positional, RunConfig, SequenceOutput, Written, fields_of
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.errors import InputError, ModelError, UsageError
from seqdesign.revisers.revise_options import ReviseOptions, SearchOptions
from seqdesign.runs.progress import Progress
from seqdesign.runs.result import Result
from seqdesign.sequences.options import LetterPolicy, SequenceColumns, encode_with, file_format

if TYPE_CHECKING:
    import torch

    from seqdesign.constraints.rules import Rules
    from seqdesign.design.revisions import Revision, Summary
    from seqdesign.models.vae.store import TrainedVAE
    from seqdesign.revisers.problem import DesignProblem
    from seqdesign.sequences.encoders import TokenArray
    from seqdesign.sequences.reader import SequenceSet

BLOCK = 1000
"""Inputs revised side by side."""


@dataclass(frozen=True, kw_only=True)
class GoalOptions(ConstraintOptions):
    """What is better, and what must hold."""

    PANEL: ClassVar[str] = "Goal and constraints"

    minimize: bool = False
    """Lower the outcome instead of raising it."""
    target: float | None = None
    """Bring the outcome to this value."""
    indels: Literal["auto", "yes", "no"] = "auto"
    """Whether insertions and deletions are permitted; auto: unless all training sequences had one length."""
    min_loglik_change: float | None = None
    """Least change of log p(x), nats, such as -3; when not given, a revision is at least as natural per
    letter as its input or as the least natural 5% of the training sequences."""
    length: str | None = None
    """Fewest and most letters of a revision, such as 50-80."""
    top: Annotated[int, Between(1, 1000)] = 1
    """Revisions of each input, best first."""

    def problems(self) -> Iterator[str]:
        """One goal only."""
        if self.minimize and self.target is not None:
            yield "--minimize: cannot be combined with --target"
        if self.min_distance is not None and self.top == 1:
            yield "--min-distance: has no effect with --top 1; leave it out"


@dataclass(frozen=True, kw_only=True)
class ReviseConfig(
    GoalOptions, ReviseOptions, SearchOptions, SequenceColumns, LetterPolicy, SequenceOutput, RunConfig
):
    """Revise sequences into better ones with a model made by train-vae.

    Writes FASTA with the predictions in its headers; --table and --report tell more.

    Example: seqdesign revise --alpha -1 input.fa > revised.fa
    """

    input: Annotated[Path, Positional("INPUT")]
    """FASTA, CSV, TSV or Parquet, plain or compressed; - is stdin; dataset:NAME is bundled data."""
    model: Annotated[Path, Flag("-m")] = Path("models/vae")
    """Folder of a model made by train-vae on sequences with outcomes."""
    method: str = "revise"
    """revise, or search: the best of random mutants by the same outcome network (the baseline)."""
    table: Annotated[Path | None, Written()] = None
    """Also write a table of all revisions: CSV, TSV or Parquet by suffix."""
    report: Annotated[Path | None, Written()] = None
    """Also write a self-contained HTML page."""

    def problems(self) -> Iterator[str]:
        """Settings that would have no effect."""
        revise, search = (
            [spec.name for spec in fields_of(group)] for group in (ReviseOptions, SearchOptions)
        )
        end = ["restarts", "rounds", "survivors", "step_length"]
        idle = {
            "--method search": revise if self.method == "search" else [],
            "--method revise": search if self.method == "revise" else [],
            "--select end": end if self.select == "end" else [],
            "--optimizer original": ["metric", "step_length"] if self.optimizer == "original" else [],
            "--optimizer barrier": ["learning_rate"] if self.optimizer == "barrier" else [],
            "--rounds 0": ["survivors"] if self.rounds == 0 else [],
        }
        for reason, names in idle.items():
            for name in names:
                if getattr(self, name) != getattr(ReviseConfig, name):
                    yield f"--{name.replace('_', '-')}: has no effect with {reason}; leave it out"


@dataclass(frozen=True, kw_only=True)
class ReviseResult(Result):
    """What was revised, on the whole."""

    command: ClassVar[str] = "revise"

    model: Path
    method: str
    summary: Summary
    output: Path | None
    table: Path | None
    report: Path | None

    def text(self) -> str:
        """A few lines."""
        return "\n".join(
            [*self.summary.lines(), *(f"wrote {p}" for p in (self.output, self.table, self.report) if p)]
        )


def revise(config: ReviseConfig) -> ReviseResult:
    """Revise ``config.input``; FASTA to the output, optionally a table and a page. Raises SeqDesignError."""
    return revise_records(config)[0]


def revise_records(config: ReviseConfig) -> tuple[ReviseResult, list[Revision]]:
    """``revise``, and every revision as a record."""
    from seqdesign.design.revisions import columns, summarise
    from seqdesign.models.vae.store import load_vae
    from seqdesign.sequences.compression import open_output
    from seqdesign.sequences.fasta import write_fasta
    from seqdesign.sequences.tables import write_table

    optimize = _optimizer(config.method)
    warn_of(config.model, quiet=config.quiet)
    with compute(config) as device:
        manifest = begin_manifest(config, device=str(device), inputs=[config.input, config.model])
        trained = load_vae(config.model, device)
        if trained.record.outcome is None:
            raise ModelError(
                f"{config.model} was trained without outcomes, so it cannot tell what is better; train "
                "again on sequences with outcome=NUMBER in their headers, or with --outcome COLUMN"
            )
        records = _read(config)
        revisions: list[Revision] = []
        progress = Progress("revising", quiet=config.quiet)
        for first in range(0, len(records), BLOCK):
            block = records.take(range(first, min(first + BLOCK, len(records))))
            revisions += _revised(config, trained, block, device, optimize)
            progress.update(min(first + BLOCK, len(records)), len(records))
        progress.close()
    if not revisions:
        raise InputError("no record is left after --on-unknown skip", path=records.source)
    if all(r.status == "unjudged" for r in revisions):
        raise InputError(str(revisions[0].reason), path=records.source, record=revisions[0].id)
    summary = summarise(revisions, trained.record)
    with open_output(config.output or "-") as handle:
        write_fasta((r.fasta(config.top) for r in revisions), handle)
    if config.table is not None:
        write_table((r.row() for r in revisions), config.table, columns=columns(trained.record.outcome))
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
        from seqdesign.pages.revision import revision_page

        revision_page(revisions, summary, trained.record, config.model, manifest).write(config.report)
    return done, revisions


def _revised(
    config: ReviseConfig, trained: TrainedVAE, records: SequenceSet, device: torch.device, optimize: Any
) -> list[Revision]:
    """The revisions of some records, in their order; one that the model cannot judge stays as it is."""
    from seqdesign.design.revisions import describe, unjudged
    from seqdesign.sequences.scope import Scope

    record = trained.record
    outcome = record.outcome or "outcome"
    array = encode_with(config, records, record.alphabet)
    records = records.take(array.kept)
    scope = Scope(record.min_length, record.max_length)
    problems = scope.objections(array)
    part, rows = scope.judged(array, problems)
    found: list[Revision] = []
    if len(part):
        judged = records.take(rows)
        problem = _problem(config, trained, part, judged, device)
        found = describe(problem, optimize(problem, config, config.seed), judged, record.alphabet, outcome)
    place = {name: i for i, name in enumerate(records.ids)}
    found += [unjudged(records.ids[i], records.sequences[i], why, outcome) for i, why in problems.items()]
    return sorted(found, key=lambda one: place[one.id]) if problems else found


def _read(config: ReviseConfig) -> SequenceSet:
    from seqdesign.sequences.reader import read_sequences

    return read_sequences(
        config.input,
        sequence_column=config.sequence,
        id_column=config.id_,
        format=file_format(config),
        outcomes=False,
    )


def _optimizer(method: str):  # type: ignore[no-untyped-def]
    """The optimizer function that ``--method`` names. Raises UsageError."""
    from seqdesign.registry import Registry

    registry = Registry("optimizer", "seqdesign.revisers.methods", "seqdesign.revisers")
    if method not in registry:
        raise UsageError(f"must be one of {', '.join(registry.names())}, got {method!r}", option="--method")
    return registry.load(method)


def _problem(
    config: ReviseConfig,
    trained: TrainedVAE,
    array: TokenArray,
    records: SequenceSet,
    device: torch.device,
) -> DesignProblem:
    """The design problem of some records."""
    import torch

    from seqdesign.revisers.problem import DesignProblem

    model, record = trained.model, trained.record
    tokens = torch.full((len(array), record.max_length), model.vocabulary.pad, device=device)
    tokens[:, : array.tokens.shape[1]] = torch.from_numpy(array.tokens.astype("int64"))
    lengths = torch.from_numpy(array.lengths).to(device)
    rules, forced = _rules(config, trained, tokens, lengths, records.ids, records.source)
    return DesignProblem(
        model=model,
        tokens=tokens,
        lengths=lengths,
        score=_score(config),
        min_length=record.min_length,
        max_edits=config.max_edits,
        indels=config.indels == "yes" or (config.indels == "auto" and record.min_length < record.max_length),
        forced=forced,
        rules=rules,
        min_distance=config.min_distance,
        floor_per_letter=record.naturalness_floor,
        min_loglik_change=config.min_loglik_change,
        top=config.top,
    )


def _score(config: GoalOptions):  # type: ignore[no-untyped-def]
    from seqdesign.objectives.by_name import goal

    if config.target is not None:
        return goal("target", config.target)
    return goal("minimize" if config.minimize else "maximize")


def _rules(
    config: ReviseConfig,
    trained: TrainedVAE,
    tokens: torch.Tensor,
    lengths: torch.Tensor,
    ids: list[str],
    source: str,
) -> tuple[Rules | None, torch.Tensor | None]:
    """The constraints, and the tokens (N, T) that --keep fixes, -1 elsewhere; None for neither.

    Raises UsageError and InputError, also where the constraints contradict each other for a record.
    """
    from seqdesign.constraints.build import build_rules
    from seqdesign.constraints.check import check_feasible

    record = trained.record
    # The search holds the edit budget itself, insertions and deletions included.
    rules = build_rules(
        config,
        record.alphabet,
        tokens,
        tokens.device,
        lengths=lengths,
        shortest=record.min_length,
        ids=ids,
        source=source,
        leave_out=("max-edits",),
    )
    forced = None
    for constraint in rules.constraints:
        if constraint.name.startswith("--keep "):
            mask = constraint.mask()
            assert mask is not None
            forced = tokens.where(~mask.all(2), -1)
    if all(constraint.name.startswith("--keep ") for constraint in rules.constraints):
        return None, forced
    check_feasible(rules, tokens, ids=ids, source=source)
    return rules, forced
