"""``seqdesign evaluate``: are generated sequences new, diverse, and like the real ones?"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar, Literal

from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest, leave_manifest, warn_of
from seqdesign.commands.session import checked
from seqdesign.config import Between, Flag, MadeBy, Options, Positional, RunConfig, Written, part
from seqdesign.devices.cores import cores
from seqdesign.runs.result import Result
from seqdesign.sequences.options import LetterOptions, SequenceColumns

if TYPE_CHECKING:
    from seqdesign.evaluation.compare import Judgement
    from seqdesign.evaluation.findings import Finding
    from seqdesign.evaluation.measures import Row

COLUMNS = ("measure", "name", "value", "low", "high", "real", "z", "verdict")


@dataclass(frozen=True, kw_only=True)
class ReportOutput(Options):
    """Files besides the text."""

    PANEL: ClassVar[str] = "Output options"

    table: Annotated[Path | None, Written("table")] = None
    """Table of all measures to write, CSV, TSV, .xlsx or Parquet by suffix."""
    report: Annotated[Path | None, Written("page")] = None
    """HTML page to write, with spectra, profiles, distances and logos."""


@dataclass(frozen=True, kw_only=True)
class EvaluateConfig(ReportOutput, SequenceColumns, LetterOptions, RunConfig):
    """Compare generated sequences with real ones: copies, diversity, statistics, and verdicts in words.

    Example: seqdesign evaluate samples.fa --train train.fa --heldout heldout.fa
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "train", "heldout", "report", "table", "vae", "predictor", "on_unknown",
    )  # fmt: skip

    input: Annotated[Path, Positional("GENERATED")]
    """Generated sequences: FASTA, GenBank or a table, plain or compressed; - is stdin."""
    train: Annotated[Path | None, Flag("-t")] = None
    """Sequences that the generator learned from; dataset:NAME is bundled data."""
    heldout: Path | None = None
    """Real sequences that it has never seen; without them the training set is halved for comparison."""
    vae: Annotated[Path | None, Flag("-m"), MadeBy("train-vae")] = None
    """Folder of a model made by train-vae: compare the likelihoods by its language model too."""
    predictor: Annotated[Path | None, MadeBy("train-predictor")] = None
    """Folder of a model made by train-predictor: compare the predicted outcomes too."""
    designs: bool = False
    """Judge designs, which are meant to differ from real sequences, by whether they are new, varied and
    predictable."""
    max_sequences: Annotated[int, Between(100)] = 5000
    """Sequences of each set in the statistics, drawn at random; copies are counted in all."""
    max_nearest: Annotated[int, Between(100)] = 1000
    """Most generated and held-out sequences for which the nearest training sequence is searched."""
    resamples: Annotated[int, Between(20, 100_000)] = 200
    """Resampled sets for the intervals and for the comparison with real sequences."""

    def problems(self) -> Iterator[str]:
        """Standard input can be read once."""
        if self.designs and self.vae is not None:
            yield "--vae: has no effect with --designs; leave it out"
        if [self.input, self.train, self.heldout].count(Path("-")) > 1:
            yield "GENERATED, --train, --heldout: only one of them can be - (standard input)"


@dataclass(frozen=True, kw_only=True)
class EvaluateResult(Result):
    """All measures, and what they say."""

    command: ClassVar[str] = "evaluate"
    text_to: ClassVar[Literal["stdout", "stderr"]] = "stdout"
    KEY: ClassVar[tuple[str, ...]] = (r"^(! .*)$",)

    input: str
    alphabet: str
    num_generated: int
    num_training: int
    num_held_out: int
    num_compared: int
    """Generated sequences in the statistics, and as many training ones."""
    measures: tuple[Row, ...]
    findings: tuple[Finding, ...]
    num_flagged: int
    verdict: str | None
    """Of the generator: healthy, unhealthy or too few to tell; None of designs and without real sequences."""
    detectable: float
    """Smallest AUC of a classifier that would have been beyond chance."""
    table: Path | None
    report: Path | None

    def text(self) -> str:
        """The table, then the findings, flagged ones first."""
        from seqdesign.evaluation.findings import cells
        from seqdesign.reports.tables import Column, text_table

        columns = [Column("measure"), Column("generated"), Column("interval", "95% interval"), Column("real")]
        table = text_table([cells(row) for row in self.measures], [*columns, Column("verdict")])
        lines = [f"{'!' if f.flagged else ' '} {f.text}" for f in self.findings]
        lines += [*self._conclusion()]
        return "\n".join([self.headline(), "", table, *lines])

    def _conclusion(self) -> Iterator[str]:
        if self.verdict == "too few to tell":
            yield (
                "Too few to tell whether their generator is healthy: no classifier below AUC "
                f"{min(self.detectable, 1):.2f} would be noticed; give more generated and held-out sequences."
            )
        elif self.verdict is not None:
            alike = "like" if self.verdict == "healthy" else "not like"
            line = f"Their generator is {self.verdict}: by these measures they are {alike} real ones."
            designs = " Designs, which ought to differ, are judged with --designs."
            yield line + (designs if self.verdict == "unhealthy" else "")

    def headline(self) -> str:
        """What was compared."""
        sizes = f"{self.num_generated:,} generated, {self.num_training:,} training, "
        return f"{self.input} ({self.alphabet}): {sizes}{self.num_held_out:,} held-out sequences"


@checked
def evaluate(config: EvaluateConfig) -> EvaluateResult:
    """Measure, judge, and write what was asked for.

    Raises InputError for files that cannot be read or hold too few sequences, ModelError for the VAE,
    UsageError for the alphabet, OutputError for files that cannot be written.
    """
    from seqdesign.evaluation.compare import compare_sets
    from seqdesign.evaluation.sets import read_sets
    from seqdesign.sequences.tables import write_table

    inputs = [config.input, config.train, config.heldout, config.vae, config.predictor]
    with compute(config) as device:
        manifest = begin_manifest(config, device=str(device), inputs=inputs)
    for folder in (config.vae, config.predictor):
        warn_of(folder, quiet=config.quiet)
    sets = read_sets(
        config.input,
        config.train,
        config.heldout,
        columns=part(config, SequenceColumns),
        letters=part(config, LetterOptions),
    )
    with compute(config) as device:
        judgement = compare_sets(
            sets,
            vae=config.vae,
            predictor=config.predictor,
            device=device,
            max_sequences=config.max_sequences,
            max_nearest=config.max_nearest,
            resamples=config.resamples,
            seed=config.seed,
            workers=config.threads or cores(),
            designs=config.designs,
        )
    result = _result(config, judgement)
    if config.table is not None:
        write_table((_table_row(row) for row in result.measures), config.table, columns=COLUMNS)
    leave_manifest(manifest, config, result)
    if config.report is not None:
        from seqdesign.pages.evaluation import evaluation_page

        evaluation_page(judgement, str(config.input), manifest).write(config.report)
    return result


def _result(config: EvaluateConfig, judgement: Judgement) -> EvaluateResult:
    sets, sample = judgement.sets, judgement.sample
    return EvaluateResult(
        input=str(config.input),
        alphabet=sets.alphabet.name,
        num_generated=len(sets.generated),
        num_training=len(sets.training),
        num_held_out=len(sets.held_out),
        num_compared=len(sample.generated) if sample else 0,
        measures=tuple(judgement.evaluation.rows),
        findings=judgement.findings,
        num_flagged=judgement.num_flagged,
        verdict=judgement.verdict,
        detectable=judgement.detectable,
        table=config.table,
        report=config.report,
    )


def _table_row(row: Row) -> dict[str, Any]:
    values = (row.label, row.name, row.value, row.low, row.high, row.real, row.z, row.verdict)
    return {
        name: None if isinstance(value, float) and value != value else value
        for name, value in zip(COLUMNS, values, strict=True)
    }
