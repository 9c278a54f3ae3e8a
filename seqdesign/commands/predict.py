"""``seqdesign predict``: outcomes of sequences with their uncertainty, or naturalness, in constant memory."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest, leave_manifest
from seqdesign.commands.session import checked
from seqdesign.config import CommandConfig, ComputeOptions, Flag, Options, Positional, Written
from seqdesign.errors import ModelError, UsageError
from seqdesign.runs.manifest import training_warnings
from seqdesign.runs.progress import Progress, say
from seqdesign.runs.result import Result
from seqdesign.sequences.options import LetterPolicy, SequenceColumns, encode_with, file_format

if TYPE_CHECKING:
    from seqdesign.families import Rows


DEFAULT_MODELS = (Path("models/predictor"), Path("models/vae"))


@dataclass(frozen=True, kw_only=True)
class TableOutput(Options):
    """Options of commands whose result is a table."""

    PANEL: ClassVar[str] = "Output options"

    output: Annotated[Path | None, Flag("-o"), Written("table")] = None
    """Table to write, CSV, TSV or Parquet by suffix; - or nothing is CSV on stdout. With --json a file is
    needed."""

    def problems(self) -> Iterator[str]:
        """Stdout carries either the table or the JSON object, never both."""
        if getattr(self, "json", False) and self.output in (None, Path("-")):
            yield "--json: stdout carries the table; add --output FILE for it, or leave --json out"


@dataclass(frozen=True, kw_only=True)
class PredictConfig(TableOutput, SequenceColumns, LetterPolicy, ComputeOptions, CommandConfig):
    """Predict the outcomes of sequences, with their uncertainty, as a table.

    Example: seqdesign predict candidates.fa -o predictions.csv
    """

    input: Annotated[Path, Positional("INPUT")]
    """FASTA, CSV, TSV or Parquet, plain or compressed; - is stdin; dataset:NAME is bundled data."""
    model: Annotated[Path | None, Flag("-m")] = None
    """Folder made by train-predictor, train-vae or train-lm; else models/predictor or models/vae."""
    outcome: tuple[str, ...] = ()
    """Column or header key of the measured outcome, one for each outcome of the model; by default the names
    that the model was trained with, where the input has them."""


@dataclass(frozen=True)
class Agreed:
    """How predictions of one outcome compare with the measured values in the input."""

    name: str
    num_measured: int
    """Those that the model was not trained on, over which the figures are."""
    r2: float | None
    """1 - squared error / variance of the measured outcomes."""
    pearson: float | None
    num_trained: int = 0
    """Measured outcomes that the model was trained on."""


@dataclass(frozen=True, kw_only=True)
class PredictResult(Result):
    """What was predicted, and how it compares with measured outcomes where the input has them."""

    command: ClassVar[str] = "predict"

    model: Path
    num: int
    num_measured: int
    r2: float | None
    """1 - squared error / variance of the measured outcomes."""
    pearson: float | None
    outcomes: tuple[Agreed, ...]
    """The same for every outcome of the model."""
    output: Path | None

    def text(self) -> str:
        """One or two lines."""
        lines = [
            f"predicted {self.num:,} sequences with {self.model}"
            + (f" into {self.output}" if self.output else "")
        ]
        for one in self.outcomes:
            name = f" of {one.name}" if len(self.outcomes) > 1 else ""
            if one.r2 is not None and one.pearson is not None:
                lines.append(
                    f"against {one.num_measured:,} measured outcomes{name}: R2 {one.r2:.3f}, Pearson "
                    f"{one.pearson:.3f}"
                )
            if one.num_trained:
                count = one.num_measured + one.num_trained
                lines.append(
                    f"{one.num_trained:,} of {count:,} measured outcomes{name} were trained on, so they tell "
                    "nothing of how good the model is and are left out of these figures"
                )
        return "\n".join(lines)


@dataclass
class Agreement:
    """Running sums for R2 and Pearson's r, so that memory does not grow with the file (Welford 1962)."""

    n: int = 0
    num_trained: int = 0
    """Pairs left out, since the model was trained on them."""
    mean: list[float] = field(default_factory=lambda: [0.0, 0.0])
    products: list[float] = field(default_factory=lambda: [0.0, 0.0, 0.0])
    squared_error: float = 0.0

    def add(self, measured: float, predicted: float) -> None:
        """One more pair."""
        self.n += 1
        before = (measured - self.mean[0], predicted - self.mean[1])
        self.mean = [m + d / self.n for m, d in zip(self.mean, before, strict=True)]
        after = (measured - self.mean[0], predicted - self.mean[1])
        terms = (before[0] * after[0], before[1] * after[1], before[0] * after[1])
        self.products = [p + t for p, t in zip(self.products, terms, strict=True)]
        self.squared_error += (measured - predicted) ** 2

    def figures(self) -> tuple[float | None, float | None]:
        """(R2, Pearson), None where they mean nothing."""
        yy, ff, yf = self.products
        if self.n < 2 or yy <= 0:
            return None, None
        return 1 - self.squared_error / yy, yf / math.sqrt(yy * ff) if ff > 0 else None


@checked
def predict(config: PredictConfig) -> PredictResult:
    """Write a table with one row per sequence. Raises SeqDesignError."""
    from seqdesign.families import family_of
    from seqdesign.sequences.tables import write_table

    folder = config.model
    if folder is None:
        folder = DEFAULT_MODELS[0] if DEFAULT_MODELS[0].exists() else DEFAULT_MODELS[1]
    for text in training_warnings(folder):
        say(f"warning: {text}", quiet=config.quiet)
    with compute(config) as device:
        manifest = begin_manifest(config, device=str(device), inputs=[config.input, folder])
        family = family_of(folder)
        if family.rows is None:
            raise ModelError(f"{folder} was made by {family.made_by}, and such a model predicts nothing")
        rows = family.rows(folder, device)
        if config.outcome and len(config.outcome) != len(rows.outcomes):
            raise UsageError(
                f"the model has {len(rows.outcomes)} outcomes, {len(config.outcome)} are named",
                option="--outcome",
            )
        agreement = [Agreement() for _ in rows.outcomes]
        num = write_table(_rows(config, folder, rows, agreement), config.output or "-", columns=rows.columns)
    found = tuple(
        Agreed(name, one.n, *one.figures(), one.num_trained)
        for name, one in zip(rows.outcomes, agreement, strict=True)
    )
    first = found[0] if found else Agreed("", 0, None, None)
    result = PredictResult(
        model=folder,
        num=num,
        num_measured=first.num_measured,
        r2=first.r2,
        pearson=first.pearson,
        outcomes=found,
        output=config.output,
    )
    leave_manifest(manifest, config, result)
    return result


def _trained_on(folder: Path) -> frozenset[bytes]:
    """Tokens of the sequences that a model has learned from. Raises ModelError."""
    from seqdesign.training.measured import load_measured

    measured = load_measured(folder)
    if measured is None:
        return frozenset()
    learned = measured.take(~measured.held_out)
    return frozenset(row[:n].tobytes() for row, n in zip(learned.tokens, learned.lengths, strict=True))


def _rows(
    config: PredictConfig, folder: Path, rows: Rows, agreement: Sequence[Agreement]
) -> Iterator[dict[str, Any]]:
    from seqdesign.sequences.reader import stream_sequences

    wanted = config.outcome or rows.outcomes
    trained = _trained_on(folder)
    progress, done = Progress("predicting", quiet=config.quiet), 0
    for block in stream_sequences(
        config.input,
        sequence_column=config.sequence,
        columns=wanted or ("outcome",),
        lacking_columns="error" if config.outcome else "leave out",
        id_column=config.id_,
        format=file_format(config),
    ):
        array = encode_with(config, block, rows.alphabet, max_length=rows.max_length)
        block = block.take(array.kept)
        if not len(block):
            continue
        measured = [
            rows.measured(block, name).tolist() if name in block.columns else [math.nan] * len(block)
            for name in wanted
        ]
        for i, (row, predicted) in enumerate(rows.of(array, block)):
            for k, name in enumerate(rows.outcomes):
                value, column = measured[k][i], rows.measured_column(name)
                row[column] = None if math.isnan(value) else rows.shown(value)
                if math.isnan(value + predicted[k]):
                    continue
                if array.tokens[i, : array.lengths[i]].tobytes() in trained:
                    agreement[k].num_trained += 1
                else:
                    agreement[k].add(value, predicted[k])
            yield row
        done += len(block)
        progress.update(done)
    progress.close()
