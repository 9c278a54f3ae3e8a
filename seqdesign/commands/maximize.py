"""``seqdesign maximize``: sequences that a predictor scores highest, under hard constraints."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.config import Between, Flag, Options, RunConfig, SequenceOutput, Written, resolve
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.errors import InputError, UsageError
from seqdesign.runs.progress import Progress, say
from seqdesign.runs.result import Result
from seqdesign.sequences.options import ColumnOptions, LetterPolicy

if TYPE_CHECKING:
    from seqdesign.design.campaign import Designer
    from seqdesign.design.model import DesignModel
    from seqdesign.design.records import Design, DesignSummary
    from seqdesign.design.starts import StartSet
    from seqdesign.runs.manifest import Manifest

DEFAULT_MODEL = Path("models/predictor")
NUM = 64
"""Designs when neither ``--num`` nor ``--start`` is given."""
TRIES = 2
"""Independent runs for each design wanted."""


@dataclass(frozen=True, kw_only=True)
class OracleOptions(Options):
    """Who says how good a sequence is."""

    PANEL: ClassVar[str] = "Model options"

    model: Annotated[Path | None, Flag("-m")] = None
    """Folder of a model made by train-predictor or train-vae; models/predictor when not given."""
    oracle: str | None = None
    """Another oracle instead: module:function, table:FILE, FILE.onnx, FILE.pt, FILE.pt2 or cmd:COMMAND."""
    alphabet: str | None = None
    """Alphabet of --oracle: dna, rna, protein or letters:ABC...; dna when not given."""
    trust_model: bool = False
    """Load a TorchScript or exported file of --oracle, although such files can run any code."""

    def problems(self) -> Iterator[str]:
        """One oracle, and options that fit it."""
        if self.model is not None and self.oracle is not None:
            yield "--oracle: cannot be combined with --model"
        if self.oracle is None:
            for name in ("alphabet", "trust_model"):
                if getattr(self, name):
                    yield f"--{name.replace('_', '-')}: has no effect without --oracle; leave it out"


@dataclass(frozen=True, kw_only=True)
class ObjectiveOptions(Options):
    """What is better."""

    PANEL: ClassVar[str] = "Goal and constraints"

    objective: tuple[str, ...] = ()
    """max, min, target=1.5, max:NAME*2, specific:ON-OFF, ...; several are added up; max when not given."""
    risk: str = "mean"
    """How the members of an ensemble count: mean, lower:K (mean - K standard deviations) or quantile:Q."""
    pareto: bool = False
    """Spread the designs along the Pareto front of several --objective instead of adding them up."""

    def problems(self) -> Iterator[str]:
        """A front needs two axes."""
        if self.pareto and len(self.objective) < 2:
            yield "--pareto: needs at least two --objective, such as --objective max:a --objective min:b"


@dataclass(frozen=True, kw_only=True)
class DesignOptions(Options):
    """Where to begin, how to search and how much."""

    PANEL: ClassVar[str] = "Design options"

    num: Annotated[int | None, Flag("-n"), Between(1)] = None
    """Designs wanted: 64 in all; with --start that many of each, 1 when not given."""
    start: Path | None = None
    """Sequences to improve: FASTA, CSV, TSV or Parquet; without it designs begin from noise."""
    length: Annotated[int | None, Between(1)] = None
    """Letters of a design from noise; the template's, or typical ones of the model's, when not given."""
    method: str | None = None
    """How to search: mean-field (default), fast-seqprop, taylor, ledidi, softmax or gibbs with a gradient;
    latent (default) with --generator; evolution (default), greedy, annealing, adalead or ada-beam without."""
    set_: tuple[str, ...] = ()
    """A setting of the method, such as --set learning_rate=0.1; a wrong name lists them."""
    budget: Annotated[int | None, Between(1)] = None
    """Sequences that the oracle may be asked for in each run; the method's own default when not given."""
    tries: Annotated[int, Between(1)] = TRIES
    """Independent runs for each design wanted; the best designs of all of them are kept."""
    enough: float | None = None
    """Score at which a run ends and from which fewer edits count more than a better score."""


@dataclass(frozen=True, kw_only=True)
class GeneratorOptions(Options):
    """What makes designs look like real sequences."""

    PANEL: ClassVar[str] = "Generator options"

    generator: Path | None = None
    """Folder of a model made by train-gan, such as models/gan: designs are what it writes (method latent)."""
    condition: float | str | None = None
    """Outcome that a conditional --generator writes for; needed with one."""

    def problems(self) -> Iterator[str]:
        """A condition is the generator's."""
        if self.generator is None and self.condition is not None:
            yield "--condition: has no effect without --generator; leave it out"


@dataclass(frozen=True, kw_only=True)
class GuardOptions(Options):
    """How designs are judged that the optimizer may have deceived itself about."""

    PANEL: ClassVar[str] = "Judging options"

    judges: Annotated[float, Between(0, 0.9)] = 0.4
    """Share of the ensemble's members that never design and only judge; 0: none."""
    min_confidence: Annotated[float | None, Between(0, 1)] = None
    """Drop designs of whose gain the judges confirm a smaller share than this; 0.5 is a sensible value."""


@dataclass(frozen=True, kw_only=True)
class MaximizeConfig(
    OracleOptions,
    ObjectiveOptions,
    ConstraintOptions,
    DesignOptions,
    GeneratorOptions,
    GuardOptions,
    ColumnOptions,
    LetterPolicy,
    SequenceOutput,
    RunConfig,
):
    """Design sequences that a predictor scores highest, from noise, from sequences or from a template.

    Writes FASTA with the predictions in its headers; --table and --report tell more.

    Example: seqdesign maximize -n 64 --forbid GAATTC --max-homopolymer 4 > designs.fa
    """

    table: Annotated[Path | None, Written()] = None
    """Also write a table of all designs, the rejected ones with the reason: CSV, TSV or Parquet by suffix."""
    report: Annotated[Path | None, Written()] = None
    """Also write a self-contained HTML page."""

    def problems(self) -> Iterator[str]:
        """Settings that would have no effect."""
        if self.start is not None and self.length is not None:
            yield "--length: has no effect with --start; leave it out"


@dataclass(frozen=True, kw_only=True)
class MaximizeResult(Result):
    """What was designed, on the whole."""

    command: ClassVar[str] = "maximize"

    model: str
    method: str
    summary: DesignSummary
    seconds: float
    output: Path | None
    table: Path | None
    report: Path | None

    def text(self) -> str:
        """A few lines."""
        written = [f"wrote {p}" for p in (self.output, self.table, self.report) if p]
        return "\n".join([*self.summary.lines(), *written])


def maximize(config: MaximizeConfig) -> MaximizeResult:
    """Design; FASTA to the output, optionally a table and a page. Raises SeqDesignError."""
    return maximize_records(config)[0]


def maximize_records(config: MaximizeConfig) -> tuple[MaximizeResult, list[Design]]:
    """``maximize``, and every design that was delivered as a record."""
    from seqdesign.design.model import load_design_model
    from seqdesign.sequences.compression import open_output
    from seqdesign.sequences.fasta import write_fasta
    from seqdesign.sequences.tables import write_table

    begin = time.monotonic()
    with compute(config) as device:
        manifest = begin_manifest(config, device=str(device), inputs=_inputs(config))
        model = load_design_model(config, device)
        method = config.method or default_method(config, model)
        designer, options = _method(config, method)
        designs, summary = _design(config, model, designer, options)
        kept = [design for design in designs if design.status != "rejected"]
    with open_output(config.output or "-") as handle:
        write_fasta((design.fasta() for design in kept), handle)
    if config.table is not None:
        rows = [design.row() for design in designs]
        write_table(rows, config.table, columns=list(rows[0]))
    result = MaximizeResult(
        model=model.name,
        method=method,
        summary=summary,
        seconds=time.monotonic() - begin,
        output=config.output,
        table=config.table,
        report=config.report,
    )
    leave_manifest(manifest, config, result)
    if config.report is not None:
        _write_report(config, model, designs, summary, manifest)
    return result, kept


def _inputs(config: MaximizeConfig) -> list[Path | None]:
    """What the design depends on besides the options."""
    from seqdesign.commands.provenance import oracle_input

    if config.oracle is None:
        return [config.start, config.model or DEFAULT_MODEL, config.generator]
    return [config.start, oracle_input(config.oracle), config.generator]


def default_method(config: MaximizeConfig, model: DesignModel) -> str:
    """Through the generator if there is one, else along the gradient if there is one."""
    if config.generator is not None:
        return "latent"
    return "mean-field" if model.oracle.differentiable else "evolution"


def _method(config: MaximizeConfig, name: str) -> tuple[Designer, Any]:
    """The designer of this name, and its options as ``--set`` says. Raises UsageError."""
    from typing import get_type_hints

    from seqdesign.registry import Registry

    registry = Registry("method", "seqdesign.designers.methods", "seqdesign.designers")
    try:
        designer = registry.load(name)
    except UsageError as error:
        raise UsageError(str(error), option="--method") from error
    typed: dict[str, str] = {}
    for text in config.set_:
        setting, equals, value = text.partition("=")
        if not equals:
            raise UsageError(f"must be NAME=VALUE, such as learning_rate=0.1, got {text!r}", option="--set")
        typed[setting.strip().replace("-", "_")] = value.strip()
    kind = get_type_hints(designer)["options"]
    try:
        return designer, resolve(kind, typed)
    except UsageError as error:
        from seqdesign.config import fields_of

        known = ", ".join(f"{spec.name}={spec.default}" for spec in fields_of(kind))
        raise UsageError(f"{error}; {name} knows {known or 'no settings'}", option="--set") from error


def _design(
    config: MaximizeConfig, model: DesignModel, designer: Designer, options: Any
) -> tuple[list[Design], DesignSummary]:
    """All designs, judged, in the order of their parents and then from the best down."""
    from seqdesign.design import records
    from seqdesign.design.campaign import run_campaign
    from seqdesign.design.plan import make_plan

    progress = Progress("designing", quiet=config.quiet)
    batches = []
    for starts in _starts(config, model):
        plan = make_plan(config, model, designer, options, starts)
        chosen = run_campaign(plan, starts.tokens, starts.groups, starts.rules, progress.update)
        batches.append(records.Batch(starts, plan, chosen))
    progress.close()
    designs, summary = records.describe(config, model, batches)
    for line in summary.warnings:
        say(f"warning: {line}", quiet=config.quiet)
    if not designs:
        raise InputError("no design obeys the constraints; loosen them, or raise --budget or --tries")
    return designs, summary


def _write_report(
    config: MaximizeConfig,
    model: DesignModel,
    designs: list[Design],
    summary: DesignSummary,
    manifest: Manifest,
) -> None:
    from seqdesign.pages.design import design_page

    assert config.report is not None
    page = design_page(designs, summary, model.alphabet.letters, manifest)
    page.write(config.report)


def _starts(config: MaximizeConfig, model: DesignModel) -> Iterator[StartSet]:
    """Where designs begin; all contradictions are found before anything is optimised."""
    from seqdesign.design.starts import design_length, noise_starts, read_starts

    num = num_wanted(config)
    directions = num if config.pareto else 1
    copies = config.tries if config.pareto else config.tries * num
    length = design_length(config, model)
    if length is not None:
        yield noise_starts(
            config,
            model.alphabet,
            length,
            directions=directions,
            copies=copies,
            device=model.device,
            generator=model.generator,
        )
        return
    yield from list(
        read_starts(
            config,
            model.alphabet,
            directions=directions,
            copies=copies,
            device=model.device,
            check=model.check_length,
        )
    )


def num_wanted(config: MaximizeConfig) -> int:
    """Designs of each parent, or in all."""
    return config.num or (NUM if config.start is None else 1)
