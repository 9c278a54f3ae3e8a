"""``seqdesign maximize``: sequences that a predictor scores highest, under hard constraints."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from seqdesign.commands.campaign import BlockOptions, sharded
from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest, leave_manifest, oracle_input
from seqdesign.commands.session import checked
from seqdesign.config import RunConfig, SequenceOutput, Written, part, to_dict
from seqdesign.constraints.options import ConstraintOptions, flanks_of
from seqdesign.design.options import (
    DEFAULT_MODEL,
    DesignOptions,
    GeneratorOptions,
    GuardOptions,
    NoveltyOptions,
    ObjectiveOptions,
    OracleOptions,
)
from seqdesign.runs.progress import say
from seqdesign.runs.result import Result
from seqdesign.sequences.alphabets import Alphabet, model_alphabet
from seqdesign.sequences.options import (
    ColumnOptions,
    DuplicatePolicy,
    LetterPolicy,
    file_format,
    layout_of,
    numbering_of,
)

if TYPE_CHECKING:
    import torch

    from seqdesign.design.model import DesignModel
    from seqdesign.design.records import Design, DesignSummary
    from seqdesign.runs.manifest import Manifest
    from seqdesign.sequences.reader import SequenceSet


@dataclass(frozen=True, kw_only=True)
class MaximizeConfig(
    OracleOptions,
    ObjectiveOptions,
    ConstraintOptions,
    NoveltyOptions,
    DesignOptions,
    GeneratorOptions,
    GuardOptions,
    ColumnOptions,
    DuplicatePolicy,
    LetterPolicy,
    SequenceOutput,
    BlockOptions,
    RunConfig,
):
    """Design sequences that a predictor scores highest, from noise, from sequences or from a template.

    Writes FASTA with the predictions in its headers; --table and --report tell more.

    Example: seqdesign maximize -n 64 --forbid GAATTC --max-homopolymer 4 > designs.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "output", "model", "table", "report", "num", "start", "length", "objective", "max_edits", "keep",
        "template", "forbid", "gc", "max_homopolymer", "translate", "oracle", "letters", "on_unknown",
    )  # fmt: skip
    NUMBERED: ClassVar[bool] = True
    GENBANK: ClassVar[bool] = True

    table: Annotated[Path | None, Written("table")] = None
    """Also write a table of all designs, the rejected ones with the reason: CSV, TSV, .xlsx or Parquet by
    suffix."""
    report: Annotated[Path | None, Written("page")] = None
    """Also write a self-contained HTML page."""

    def problems(self) -> Iterator[str]:
        """Settings that would have no effect."""
        if self.start is not None and self.length is not None:
            yield "--length: has no effect with --start; leave it out"


@dataclass(frozen=True, kw_only=True)
class MaximizeResult(Result):
    """What was designed, on the whole."""

    command: ClassVar[str] = "maximize"
    KEY: ClassVar[tuple[str, ...]] = (
        r"and (-?[\d.,]*\d(?:e[-+]?\d+)?%?) at best",
        r"^judges: (-?[\d.,]*\d(?:e[-+]?\d+)?%?)",
    )

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


@sharded
def maximize(config: MaximizeConfig) -> MaximizeResult:
    """Design; FASTA to the output, optionally a table and a page. Raises SeqDesignError."""
    return maximize_records(config)[0]


@checked
def maximize_records(config: MaximizeConfig) -> tuple[MaximizeResult, list[Design]]:
    """``maximize``, and every design that was delivered as a record."""
    from seqdesign.design import campaign

    begin = time.monotonic()
    with compute(config) as device:
        manifest = begin_manifest(config, device=str(device), inputs=_inputs(config))
        starts = _read_starts(config)
        model = _open(config, starts, device)
        method = config.method or campaign.default_method(model)
        designs, summary = campaign.run(
            model,
            objective=config.objective,
            risk=config.risk,
            codons=config.codons,
            pareto=config.pareto,
            rules=part(config, ConstraintOptions),
            num=config.num,
            starts=starts,
            letters=part(config, LetterPolicy),
            length=config.length,
            indels=config.indels,
            lengths=config.lengths,
            method=method,
            settings=config.set_,
            budget=config.budget,
            tries=config.tries,
            enough=config.enough,
            min_confidence=config.min_confidence,
            only_seen=config.letters == "seen",
            include_known=config.include_known,
            exclude=_excluded(config.exclude, _alphabet(config)),
            numbering=numbering_of(config, model.numbering),
            seed=config.seed,
            block_size=config.block_size,
        )
    for line in summary.warnings:
        say(f"warning: {line}", quiet=config.quiet)
    kept = [design for design in designs if design.status != "rejected"]
    _write(config, designs, kept, model.alphabet.name)
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
        _write_page(config, config.report, designs, result, model, manifest)
    return result, kept


def _write_page(
    config: MaximizeConfig,
    report: Path,
    designs: Sequence[Design],
    result: MaximizeResult,
    model: DesignModel,
    manifest: Manifest,
) -> None:
    """The page of ``--report``. Raises OutputError."""
    from seqdesign.pages.design import design_page

    page = design_page(
        designs,
        result.summary,
        model.alphabet,
        manifest,
        model=result.model,
        method=result.method,
        rules=to_dict(part(config, ConstraintOptions)),
    )
    page.write(report)


def _write(config: MaximizeConfig, designs: list[Design], kept: list[Design], alphabet: str) -> None:
    """Sequences that are delivered, and the table of all. Raises OutputError."""
    from seqdesign.sequences.lab.genbank import genbank_records, write_sequences
    from seqdesign.sequences.tables import write_table

    write_sequences(
        (design.fasta() for design in kept),
        config.output or "-",
        alphabet=alphabet,
        parents=genbank_records(config.start),
    )
    if config.table is not None:
        rows = [design.row() for design in designs]
        write_table(rows, config.table, columns=list(rows[0]))


def _inputs(config: MaximizeConfig) -> list[Path | None]:
    """What the design depends on besides the options."""
    if config.oracle is None:
        return [config.start, config.model or DEFAULT_MODEL, config.generator, *config.exclude]
    return [config.start, oracle_input(config.oracle), config.generator, *config.exclude]


def _read_starts(config: MaximizeConfig) -> SequenceSet | None:
    """The records of ``--start``. Raises InputError."""
    from seqdesign.sequences.reader import read_sequences

    if config.start is None:
        return None
    known = None
    if config.oracle is None and config.wild_type is None:
        from seqdesign.training.measured import load_measured

        measured = load_measured(config.model or DEFAULT_MODEL)
        known = None if measured is None else measured.numbering
    return read_sequences(
        config.start,
        sequence_column=config.sequence,
        outcome=config.outcome,
        id_column=config.id_,
        format=file_format(config),
        layout=layout_of(config, known=known, alphabet=_alphabet(config)),
        on_duplicate=config.on_duplicate,
        on_missing="unlabelled",
    )


def _excluded(files: Sequence[Path], alphabet: Alphabet | None) -> list[str]:
    """The sequences of ``--exclude``. Raises InputError."""
    from seqdesign.sequences.layout import Layout
    from seqdesign.sequences.reader import read_sequences

    layout = Layout(words=alphabet is not None and alphabet.spelling == "words")
    found = [read_sequences(path, on_missing="unlabelled", layout=layout) for path in files]
    return [text for records in found for text in records.sequences]


def _alphabet(config: MaximizeConfig) -> Alphabet | None:
    """That of the model, which says how text is read; None with an oracle."""
    return None if config.oracle is not None else model_alphabet(config.model or DEFAULT_MODEL)


def _open(config: MaximizeConfig, starts: SequenceSet | None, device: torch.device) -> DesignModel:
    """The models or oracle that the options name. Raises ModelError, UsageError and InputError."""
    from seqdesign.design.generator import load_generator
    from seqdesign.design.opening import open_model, open_oracle

    generator = None
    if config.generator is not None:
        generator = load_generator(config.generator, config.condition, device)
    if config.oracle is None:
        return open_model(config.model or DEFAULT_MODEL, device, generator=generator, judges=config.judges)
    length = config.length
    if length is None and config.template:
        length = len(config.template)
    elif length is None and starts is not None:
        length = len(starts.sequences[0])
    return open_oracle(
        config.oracle,
        device,
        alphabet=config.alphabet,
        length=length,
        trust=config.trust_model,
        outcome=config.outcome,
        sequence=config.sequence,
        generator=generator,
        judges=config.judges,
        flanks=flanks_of(config),
    )
