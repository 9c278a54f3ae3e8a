"""``seqdesign predict``: outcomes of sequences with their uncertainty, or naturalness, in constant memory."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, ClassVar

from seqdesign.commands.campaign import BlockOptions, sharded
from seqdesign.commands.device import compute
from seqdesign.commands.provenance import begin_manifest, leave_manifest, warn_of
from seqdesign.commands.session import checked
from seqdesign.config import CommandConfig, ComputeOptions, Flag, MadeBy, Options, Positional, Written
from seqdesign.errors import InputError, ModelError, UsageError
from seqdesign.metrics.agreement import Figures
from seqdesign.runs.blocks import end_of_blocks, results
from seqdesign.runs.manifest import training_inputs
from seqdesign.runs.progress import phase
from seqdesign.runs.result import Result
from seqdesign.sequences.options import (
    CellOptions,
    LetterPolicy,
    SequenceColumns,
    cell_format,
    encode_with,
    file_format,
    layout_of,
)

if TYPE_CHECKING:
    from seqdesign.families import Rows
    from seqdesign.models.predictor.scales import Batches
    from seqdesign.sequences.encoders import TokenArray
    from seqdesign.sequences.lab.replicates import NoiseCeiling
    from seqdesign.sequences.lab.variants import Numbering
    from seqdesign.sequences.reader import SequenceSet
    from seqdesign.tasks.task import Task


Predicted = tuple[dict[str, Any], Sequence[float] | None]
"""A row, and for each outcome the prediction that is compared with what was measured."""

BLOCK = 4096
"""Sequences predicted at a time."""
DEFAULT_MODELS = (Path("models/predictor"), Path("models/vae"))


@dataclass(frozen=True, kw_only=True)
class TableOutput(Options):
    """Options of commands whose result is a table."""

    PANEL: ClassVar[str] = "Output options"

    output: Annotated[Path | None, Flag("-o"), Written("table")] = None
    """Table to write, CSV, TSV, .xlsx or Parquet by suffix; - or nothing is CSV on stdout. With --json
    a file is needed."""

    def problems(self) -> Iterator[str]:
        """Stdout carries either the table or the JSON object, never both."""
        if getattr(self, "json", False) and self.output in (None, Path("-")):
            yield "--json: stdout carries the table; add --output FILE for it, or leave --json out"


@dataclass(frozen=True, kw_only=True)
class PredictConfig(
    TableOutput, SequenceColumns, CellOptions, LetterPolicy, BlockOptions, ComputeOptions, CommandConfig
):
    """Predict the outcomes of sequences, with their uncertainty, as a table.

    Example: seqdesign predict candidates.fa -o predictions.csv
    """

    FIRST: ClassVar[tuple[str, ...]] = ("output", "model", "outcome", "sequence", "on_unknown")
    NUMBERED: ClassVar[bool] = True

    input: Annotated[Path, Positional("INPUT")]
    """FASTA, GenBank or a table, plain or compressed; - is stdin; dataset:NAME is bundled data."""
    model: Annotated[
        Path | None, Flag("-m"), MadeBy("train-predictor", "train-vae", "train-lm", "train-similarity")
    ] = None
    """Folder made by train-predictor, train-vae, train-lm or train-similarity; else models/predictor or
    models/vae."""
    outcome: tuple[str, ...] = ()
    """Column or header key of the measured outcome, one for each outcome of the model; by default the names
    that the model was trained with, where the input has them."""


@dataclass(frozen=True)
class Agreed:
    """How predictions of one outcome compare with the measured values in the input."""

    name: str
    num_measured: int
    num_trained_on: int | None
    """Measured sequences that the model has learned from; None where nobody knows."""
    r2: float | None
    """1 - squared error / variance of the measured outcomes; None for labels, as the next."""
    pearson: float | None
    auroc: float | None
    """Of labels of two kinds."""
    accuracy: float | None
    """Share of labels that the most probable one is."""
    others: Mapping[str, float]
    """Of other outcomes, by name, such as the concordance of limits."""
    fresh: Figures | None
    """The same of the measured sequences that the model has not learned from, where it has of some."""
    ceiling: NoiseCeiling | None = None
    """How well any model could do, where the measured values are means of replicates."""

    def lines(self, several: bool) -> Iterator[str]:
        """What a person reads."""
        name = f" of {self.name}" if several else ""
        figures = Figures(self.num_measured, self.r2, self.pearson, self.auroc, self.accuracy, self.others)
        if not (said := figures.text()):
            return
        yield f"against {self.num_measured:,} measured outcomes{name}: {said}"
        if self.ceiling is not None:
            yield f"  noise of the measurements allows {self.ceiling.ceiling()}"
        if self.num_trained_on and self.fresh is not None:
            rest = f"the other {self.fresh.num:,}: {self.fresh.text() or 'too few to tell'}"
            yield (
                f"  {self.num_trained_on:,} of them were trained on, so this says little about new sequences"
                + (f"; {rest}" if self.fresh.num else "")
            )


@dataclass(frozen=True, kw_only=True)
class PredictResult(Result):
    """What was predicted, and how it compares with measured outcomes where the input has them."""

    command: ClassVar[str] = "predict"
    KEY: ClassVar[tuple[str, ...]] = (r"(?:R2|AUROC|accuracy) (-?[\d.,]*\d(?:e[-+]?\d+)?%?)",)

    model: Path
    num: int
    num_unjudged: int
    """Sequences that the model cannot judge; the column problem says why."""
    num_measured: int
    r2: float | None
    """1 - squared error / variance of the measured outcomes; None for labels."""
    pearson: float | None
    outcomes: tuple[Agreed, ...]
    """The same for every outcome of the model, and figures for labels."""
    notes: tuple[str, ...]
    """What should be known of the input."""
    output: Path | None

    def text(self) -> str:
        """A few lines."""
        lines = [
            f"predicted {self.num:,} sequences with {self.model}"
            + (f" into {self.output}" if self.output else "")
        ]
        for one in self.outcomes:
            lines += one.lines(len(self.outcomes) > 1)
        return "\n".join([*lines, *(f"warning: {note}" for note in self.notes)])


@sharded
@checked
def predict(config: PredictConfig) -> PredictResult:
    """Write a table with one row per sequence. Raises SeqDesignError."""
    from seqdesign.families import family_of
    from seqdesign.sequences.tables import write_table
    from seqdesign.training.measured import load_measured

    folder = config.model
    if folder is None:
        folder = DEFAULT_MODELS[0] if DEFAULT_MODELS[0].exists() else DEFAULT_MODELS[1]
    warn_of(folder, quiet=config.quiet)
    with compute(config) as device:
        manifest = begin_manifest(config, device=str(device), inputs=[config.input, folder])
        family = family_of(folder)
        if family.rows is None:
            raise ModelError(
                f"{folder} was made by {family.made_by}, and such a model predicts nothing; name a folder of "
                "train-predictor, train-vae, train-lm or train-similarity"
            )
        rows = family.rows(folder, device)
        if config.outcome and len(config.outcome) != len(rows.outcomes):
            raise UsageError(
                f"the model predicts {len(rows.outcomes)} outcomes, but {len(config.outcome)} columns "
                "are named; "
                "name one for each",
                option="--outcome",
            )
        measured = load_measured(folder)
        run = _Run(config, rows, None if measured is None else measured.numbering)
        num = write_table(run.rows(), config.output or "-", columns=rows.columns)
    found = tuple(run.agreed())
    same = manifest.inputs.get(str(config.input)) in training_inputs(folder)
    notes = [*run.notes(), *(_same_file(found) if same else ())]
    result = PredictResult(
        model=folder,
        num=num,
        num_unjudged=len(run.problems),
        num_measured=found[0].num_measured if found else 0,
        r2=found[0].r2 if found else None,
        pearson=found[0].pearson if found else None,
        outcomes=found,
        notes=tuple(notes),
        output=config.output,
    )
    leave_manifest(manifest, config, result)
    return result


def _same_file(found: tuple[Agreed, ...]) -> Iterator[str]:
    """What to say of the file that a model without a memory was trained on."""
    if any(one.num_measured and one.num_trained_on is None for one in found):
        yield (
            "this is the file that the model was trained on, so these figures say little about new sequences"
        )


class _Run:
    """The rows of one input, and what is counted on the way."""

    def __init__(self, config: PredictConfig, rows: Rows, known: Numbering | None) -> None:
        from seqdesign.sequences.numbers import Tally
        from seqdesign.tasks.by_name import get_task

        self.config, self.model = config, rows
        self.classes: tuple[str, ...] = getattr(rows, "classes", ())
        self.task: Task = getattr(rows, "task", None) or get_task("regression")
        self.names = config.outcome or tuple(map(self.task.column, rows.outcomes))
        self.layout = layout_of(config, default=tuple(self.names), known=known, alphabet=rows.alphabet)
        self.tallies = [Tally(name, cell_format(config)) for name in self.names]
        self.agreement = [[self.task.agreement(), self.task.agreement()] for _ in self.names]
        """Of all measured sequences, and of those that the model has not learned from."""
        self.batches: Batches | None = getattr(rows, "batches", None)
        self.aligned = False
        self.remembers = False
        self.problems: dict[str, str] = {}
        self.foreign: set[str] = set()
        """Columns that hold predictions of ours."""
        self.written_by = ""
        self.noise: Mapping[str, NoiseCeiling] = {}
        self.num = 0

    def rows(self) -> Iterator[dict[str, Any]]:
        """The table. Raises InputError, where no sequence can be judged before there is a row of it."""
        stream, held = self._rows(), list[dict[str, Any]]()
        for row in stream:
            held.append(row)
            if not row.get("problem"):
                break
        else:
            if held:
                raise self._none_judged()
        yield from held
        yield from stream

    def _none_judged(self) -> InputError:
        name, why = next(iter(self.problems.items()))
        others = f"; none of the other {self.num - 1:,} can be judged either" if self.num > 1 else ""
        return InputError(why + others, path=self.config.input, record=name)

    def _rows(self) -> Iterator[dict[str, Any]]:
        current: list[tuple[SequenceSet, TokenArray]] = []
        # Each result comes before the next job is asked for, so current is its block.
        with phase("predicting") as shown:
            for predicted in results(self._jobs(current), pack=list, unpack=list, size=len):
                yield from self._block(*current[0], predicted)
                shown.update(self.num)
        end_of_blocks()

    def _jobs(self, current: list[tuple[SequenceSet, TokenArray]]) -> Iterator[Callable[[], list[Predicted]]]:
        """What predicts each block, which then stands in ``current``."""
        from seqdesign.families import judged_rows
        from seqdesign.sequences.reader import stream_sequences

        config = self.config
        for block in stream_sequences(
            config.input,
            batch_size=config.block_size or BLOCK,
            sequence_column=config.sequence,
            columns=(*self.names, *([self.batches.column] if self.batches else [])),
            lacking_columns="error" if config.outcome and not self.batches else "leave out",
            id_column=config.id_,
            format=file_format(config),
            layout=self.layout,
            cells=cell_format(config),
        ):
            self.noise = block.noise
            array = encode_with(config, block, self.model.alphabet)
            block = block.take(array.kept)
            current[:] = [(block, array)]
            yield lambda block=block, array=array: (  # type: ignore[misc]
                list(judged_rows(self.model, array, block)) if len(block) else []
            )

    def _block(
        self, block: SequenceSet, array: TokenArray, told: list[Predicted]
    ) -> Iterator[dict[str, Any]]:
        self.num += len(block)
        if not len(block):
            return
        model, measured = self.model, self._measured(block)
        common = self._common(measured, block)
        remember = getattr(model, "trained_on", None)
        seen = remember(array) if remember and any(measured.values()) else None
        self.remembers = self.remembers or seen is not None
        for i, (row, predicted) in enumerate(told):
            values = {k: column[i] for k, column in measured.items()}
            alike = {k: column[i] for k, column in common.items()}
            row |= {
                model.measured_column(model.outcomes[k]): None if math.isnan(v) else model.shown(v)
                for k, v in values.items()
            }
            if predicted is None:
                self.problems[block.ids[i]] = row["problem"]
            else:
                self._compare(alike, predicted, seen is not None and not seen[i])
            yield row

    def _compare(self, values: dict[int, float], predicted: Sequence[float], fresh: bool) -> None:
        """Count measured and predicted values; fresh: of a sequence that the model has not learned from."""
        for k, value in values.items():
            if not math.isnan(value + predicted[k]):
                self.agreement[k][0].add(value, predicted[k])
                if fresh:
                    self.agreement[k][1].add(value, predicted[k])

    def _common(self, measured: dict[int, list[float]], block: SequenceSet) -> dict[int, list[float]]:
        """The measured values on the scale of the predictions, where assays or plates are named."""
        if self.batches is None or self.batches.column not in block.columns:
            return measured
        self.aligned = True
        cells = block.columns[self.batches.column]
        return {k: self.batches.common(values, cells, k) for k, values in measured.items()}

    def _measured(self, block: SequenceSet) -> dict[int, list[float]]:
        """Place of an outcome -> measured values (N,) of the block, where there are such."""
        found = {}
        for k, (name, tally) in enumerate(zip(self.names, self.tallies, strict=True)):
            if block.origin is not None and block.origin.is_prediction(name):
                if self.config.outcome:
                    raise block.origin.refusal(name, block.source)
                self.written_by = block.origin.says()
            elif name not in block.columns:
                if self.config.outcome:
                    raise InputError(f"there is no column '{name}'", path=block.source or None)
            else:
                tally.add(block.columns[name], block.line_numbers(), block.ids)
                values = self.model.measured(block, name)
                found[k] = list(values) if isinstance(values, Sequence) else values.tolist()
        return found

    def agreed(self) -> Iterator[Agreed]:
        """How well predictions and measured values agree, by outcome."""
        for column, name, (every, fresh) in zip(self.names, self.model.outcomes, self.agreement, strict=True):
            all_of_them, others = every.figures(), fresh.figures()
            trained_on = all_of_them.num - others.num if self.remembers else None
            yield Agreed(
                name,
                all_of_them.num,
                trained_on,
                all_of_them.r2,
                all_of_them.pearson,
                all_of_them.auroc,
                all_of_them.accuracy,
                all_of_them.others,
                others if trained_on else None,
                self.noise.get(column),
            )

    def notes(self) -> Iterator[str]:
        """What was odd about the input."""
        from seqdesign.sequences.scope import left_out

        if self.problems:
            yield f"{left_out(self.problems, self.num)}; the column problem says so"
        if self.batches is not None:
            how = "are brought to it to be compared" if self.aligned else "are compared as they stand"
            yield (
                f"predictions are on the scale of {self.batches.reference} in '{self.batches.column}'; "
                f"measured values {how}"
            )
        if self.written_by:
            yield f"the input was {self.written_by}, so nothing is compared"
        for tally in self.tallies:
            if self.classes:
                others = {label: n for label, n in tally.labels.items() if label not in self.classes}
                if others:
                    yield (
                        f"'{tally.name}': {sum(others.values()):,} cells are not labels of the model "
                        f"({', '.join(self.classes)}), such as {next(iter(others))!r}; not compared"
                    )
            elif (tally.odd or tally.text) and not self.task.claims([tally]):
                yield f"'{tally.name}': {tally.says()}; such cells count as not measured"
