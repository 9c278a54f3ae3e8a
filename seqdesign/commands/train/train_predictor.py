"""``seqdesign train-predictor``: learn to predict measured outcomes, with believable errors."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, ClassVar

from seqdesign.commands.session import checked_training
from seqdesign.commands.train.options import TrainOptions, fitting, in_folder
from seqdesign.config import Flag, RunConfig, Written, part
from seqdesign.ensembles.options import LABELS, PredictorOptions
from seqdesign.errors import InputError
from seqdesign.models.predictor.config import AdaptOptions, OutcomeOptions, PredictorFitOptions
from seqdesign.runs.atomic import together
from seqdesign.runs.folder import RunDir
from seqdesign.runs.progress import say
from seqdesign.runs.result import Result
from seqdesign.sequences.options import (
    LetterOptions,
    RecordPolicy,
    SequenceColumns,
    alphabet_with,
    cell_format,
    encode_with,
    file_format,
    layout_of,
)
from seqdesign.tasks.by_name import get_task
from seqdesign.training.config import FitOptions, GivenSplitOptions

if TYPE_CHECKING:
    from seqdesign.models.predictor.adapt import Target
    from seqdesign.models.predictor.choice import Trial
    from seqdesign.models.predictor.fit import PredictorTraining
    from seqdesign.models.predictor.outcomes import Outcomes
    from seqdesign.models.predictor.quality import PredictorQuality
    from seqdesign.sequences.encoders import TokenArray
    from seqdesign.sequences.reader import SequenceSet
    from seqdesign.tasks.values import OutcomeQuality


@dataclass(frozen=True, kw_only=True)
class TrainPredictorConfig(
    TrainOptions, OutcomeOptions, SequenceColumns, RecordPolicy, LetterOptions, PredictorOptions,
    PredictorFitOptions, GivenSplitOptions, AdaptOptions, RunConfig,
):  # fmt: skip
    """Learn to predict outcomes: numbers, yes or no, or labels.

    Outcomes stand in FASTA headers (>id outcome=1.25) or in a table's columns.

    Example: seqdesign train-predictor seqs.csv
    """

    FIRST: ClassVar[tuple[str, ...]] = (
        "sequence", "outcome", "id_", "alphabet", "output", "resume", "overwrite", "on_unknown",
        "on_missing", "architecture", "split", "task",
    )  # fmt: skip

    output: Annotated[Path, Flag("-o"), Written("folder")] = Path("models/predictor")
    """Folder of the model."""

    def inputs(self) -> Sequence[Path]:
        """The sequences to learn from, and those of another assay."""
        return [self.sequences] if self.adapt is None else [self.sequences, self.adapt]

    def problems(self) -> Iterator[str]:
        """One process only; what the rows of another assay cannot have."""
        for name in ("sigma", "weight"):
            if self.adapt is not None and getattr(self, name):
                yield f"--{name}: cannot be combined with --adapt"
        if self.devices * self.num_nodes > 1:
            yield "--devices: a predictor is trained by one process; leave it out"


@dataclass(frozen=True, kw_only=True)
class TrainPredictorResult(Result):
    """What was learned, and how well it predicts held-out sequences."""

    command = "train-predictor"
    KEY: ClassVar[tuple[str, ...]] = (r"^\S.*  (?:R2|AUROC|accuracy) (-?[\d.,]*\d(?:e[-+]?\d+)?%?)",)

    model: Path
    alphabet: str
    task: str
    strands: str
    members: int
    num_train: int
    num_held_out: int
    outcomes: tuple[str, ...]
    measured: tuple[str, ...]
    """What the column of each outcome holds, in words."""
    classes: tuple[str, ...]
    epochs: int
    stop_reason: str
    seconds: float
    kind: str
    trials: tuple[Trial, ...]
    """Kinds of model that were tried, in the order of their simplicity."""
    quality: PredictorQuality
    split: str = ""
    """What the column of the split says; empty for one of our own."""
    batches: str = ""
    """Assays or plates, and whose scale the predictions have; empty without."""
    words: tuple[str, ...] = ()
    """Those whose grammar is read, the surest first; [AT] is one of two letters, . is any."""
    adapt: Path | None = None
    """Sequences of another assay to which networks were adapted."""

    def text(self) -> str:
        """The table at the end of a run."""
        what = self.task if not self.classes else f"{self.task}: {', '.join(self.classes[:8])}"
        where = f"{self.alphabet}, {self.strands} strand{'s' if self.strands == 'both' else ''}"
        rows = [
            (
                "sequences",
                f"{self.num_train:,} to learn from, {self.num_held_out:,} held out ({where})",
            ),
            *([("split", self.split)] if self.split else []),
            ("outcome", f"{'; '.join(self.measured)} ({what})"),
            *([("batches", self.batches)] if self.batches else []),
            ("kind of model", LABELS[self.kind] + self._why()),
            *([("words", ", ".join(self.words))] if self.words else []),
            *self._tried(),
            ("training", f"{self._members()} in {self.seconds:.0f} s ({self.stop_reason})"),
        ]
        for one in self.quality.outcomes:
            rows += _rows(one)
        rows.append(("model", str(self.model)))
        width = max(len(name) for name, _ in rows)
        lines = [f"{name:<{width}}  {value}" for name, value in rows]
        return "\n".join(["Held-out quality", *lines, *(f"warning: {w}" for w in self.quality.warnings)])

    def _members(self) -> str:
        return f"{self.members} members" + (f", {self.epochs} passes" if self.epochs else "")

    def _why(self) -> str:
        if self.adapt is not None:
            return ", the only kind that --adapt works with"
        return ", the simplest that predicts as well as any" if self.trials else ", as asked"

    def _tried(self) -> Iterator[tuple[str, str]]:
        """What each kind reached, and its cost."""
        measure = get_task(self.task).trial
        for one in self.trials:
            parts = [f"{measure} {one.alike:.3f}"]
            parts += [] if one.better is None else [f"better than it knew {one.better:.3f}"]
            parts += [] if one.farther is None else [f"more mutated {one.farther:.3f}"]
            yield f"  {one.label}", f"{', '.join(parts)} ({one.seconds:.1f} s)"


def _rows(one: OutcomeQuality) -> list[tuple[str, str]]:
    figures = {"R2": one.r2, "AUROC": one.auroc, "accuracy": one.accuracy, "Spearman": one.spearman}
    said = ", ".join(f"{name} {value:.3f}" for name, value in figures.items() if value is not None)
    said = ", ".join([*(f"{name} {value:.3f}" for name, value in one.others.items()), *[said] * bool(said)])
    rows = [(one.name, said)]
    if one.straight is not None:
        rows.append(("  without its curve", f"R2 {one.straight:.3f}"))
    if one.baseline_value is not None:
        rows.append(("  beside it", f"{one.baseline}: {one.baseline_value:.3f}"))
    if one.ceiling is not None:
        rows.append(("  noise allows", f"{one.ceiling.ceiling()} ({one.ceiling.text().partition('; ')[0]})"))
    if one.coverage is not None:
        inside = ", ".join(f"{share:.1%}" for share in one.coverage)
        rows.append(("  inside 50, 80, 95% intervals", inside))
    if one.calibration_error is not None:
        rows.append(("  error of the probabilities", f"{one.calibration_error:.3f}"))
    return rows


@checked_training
def train_predictor(config: TrainPredictorConfig) -> TrainPredictorResult:
    """Train on ``config.sequences`` and write a model folder. Raises SeqDesignError."""
    started = time.monotonic()

    def work(run: RunDir | None) -> TrainPredictorResult:
        assert run is not None, "--devices: there is one process"
        return _train(config, run, started)

    return in_folder(config, work)


def _train(config: TrainPredictorConfig, run: RunDir, started: float) -> TrainPredictorResult:
    # What is wrong with the input is said before torch is loaded, which takes seconds.
    records, outcomes = read_labelled(config)
    tokens = encode_with(config, records, alphabet_with(config, records.sequences))
    from seqdesign.training.given_split import read_split, split_column

    outcomes, records = outcomes.take(tokens.kept), records.take(tokens.kept)
    split = None if config.split_column is None else read_split(records, *split_column(config.split_column))

    from seqdesign.models.predictor.fit import plates, train_sequence_predictor
    from seqdesign.models.predictor.sections import HELD_OUT
    from seqdesign.models.predictor.store import REFERENCE
    from seqdesign.pages.model import leave_page
    from seqdesign.training.measured import MEASURED
    from seqdesign.training.store import CHECKPOINT, CONFIG, METRICS, WEIGHTS

    target = _target(config, tokens, outcomes)
    with fitting(config, config, run) as how:
        result = train_sequence_predictor(
            tokens,
            outcomes,
            options=part(config, PredictorOptions),
            fit_options=part(config, FitOptions),
            split=split,
            batch=plates(records, config.batch),
            target=target,
            **how,
        )
        run.start()  # a model in closed form takes no steps
        assert run.manifest is not None
        done = _result(config, result, "" if split is None else split.said, started)
        _write(run, result, tokens, records)
        page = leave_page(run.path, "Outcome predictor", done.to_dict(), run.manifest)
        outputs = [WEIGHTS, CONFIG, REFERENCE, MEASURED, HELD_OUT, page]
        if result.fit.state.history:  # networks only
            outputs += [METRICS, CHECKPOINT]
        run.finish("complete", outputs=outputs, result=done.to_dict())
    return done


def _target(config: TrainPredictorConfig, tokens: TokenArray, outcomes: Outcomes) -> Target | None:
    """The sequences of ``--adapt``. Raises InputError and UsageError."""
    from seqdesign.models.predictor.adapt import make_target
    from seqdesign.sequences.reader import read_sequences

    if config.adapt is None:
        return None
    other = read_sequences(
        config.adapt,
        sequence_column=config.sequence,
        columns=config.outcome or ("outcome",),
        lacking_columns="leave out",
        id_column=config.id_,
        layout=layout_of(config),
        on_duplicate=config.on_duplicate,
        cells=cell_format(config),
        outcomes=False,
    )
    array = encode_with(config, other, tokens.alphabet)
    lacking = [name for name in outcomes.names if not any(other.columns.get(name, ()))]
    if lacking:
        named = ", ".join(map(repr, lacking))
        said = f"no sequence of {config.adapt} has {named}, so it is adapted to without measurements"
        say(f"warning: {said}", quiet=config.quiet)
    return make_target(array, other.take(array.kept), outcomes, config.adapt_weight)


def _write(run: RunDir, result: PredictorTraining, tokens: TokenArray, records: SequenceSet) -> None:
    """The model, what it was trained on, and its held-out predictions, all together or not at all."""
    from seqdesign.models.predictor.held_out import HELD_OUT_COLUMNS, held_out_rows
    from seqdesign.models.predictor.sections import HELD_OUT
    from seqdesign.models.predictor.store import save_predictor
    from seqdesign.sequences.tables import write_table
    from seqdesign.training.measured import Measured, save_measured
    from seqdesign.training.store import write_metrics

    trained, outcomes = result.trained, result.outcomes
    measured = Measured.of(
        tokens, outcomes.values, result.held_out, records.numbering, detail=outcomes.detail
    )
    with together():
        write_metrics(run.path, result.fit.state.history)
        save_predictor(run.path, trained.model, trained.record, result.reference)
        save_measured(run.path, measured)
        write_table(held_out_rows(result, records.ids), run.path / HELD_OUT, columns=HELD_OUT_COLUMNS)


def _result(
    config: TrainPredictorConfig, result: PredictorTraining, split: str, started: float
) -> TrainPredictorResult:
    trained, state = result.trained, result.fit.state
    record = trained.record
    return TrainPredictorResult(
        model=config.output,
        alphabet=record.alphabet.name,
        task=record.task,
        strands=record.strands,
        members=trained.model.num_members,
        num_train=len(result.train),
        num_held_out=len(result.held_out),
        outcomes=record.outcomes,
        measured=result.outcomes.said,
        classes=record.classes,
        epochs=state.epoch,
        stop_reason=result.fit.stop_reason,
        seconds=time.monotonic() - started,
        kind=record.options.architecture,
        trials=result.trials,
        quality=result.quality,
        split=split,
        batches="" if record.batches is None else record.batches.says(),
        words=trained.model.words,
        adapt=config.adapt,
    )


def read_labelled(config: TrainPredictorConfig) -> tuple[SequenceSet, Outcomes]:
    """The records that have an outcome, as the options say. Raises InputError and UsageError."""
    import numpy as np

    from seqdesign.models.predictor.outcomes import read_outcomes
    from seqdesign.sequences.reader import read_sequences
    from seqdesign.training.given_split import split_column

    names = config.outcome or ("outcome",)
    weight = () if config.weight is None else (config.weight,)
    named = [split_column(text)[0] for text in (config.split_column, config.batch) if text is not None]
    layout = layout_of(config)
    made = layout.made_columns() if not config.sigma else ()
    records = read_sequences(
        config.sequences,
        sequence_column=config.sequence,
        columns=tuple(dict.fromkeys((*names, *config.sigma, *weight, *made, *named))),
        id_column=config.id_,
        format=file_format(config),
        layout=layout,
        on_duplicate=config.on_duplicate,
        cells=cell_format(config),
    )
    for name in names:
        if records.origin is not None and records.origin.is_prediction(name):
            raise records.origin.refusal(name, records.source)
    outcomes = read_outcomes(records, names, task=config.task, sigma=config.sigma, weight=config.weight)
    known = ~np.isnan(outcomes.values).all(axis=1)
    if not known.all() and config.on_missing == "error":
        row = int((~known).argmax())
        cell = records.columns[names[0]][row].strip()
        what = f"{cell!r} is no value" if cell else "no value here"
        other = ", or write another word if it is a label" if cell else ""
        raise InputError(
            f"{', '.join(map(repr, names))}: {what}, nor is there one in {int((~known).sum())} of "
            f"{len(records)} records; use --on-missing drop{other}",
            path=records.source,
            line=None if records.lines is None else int(records.lines[row]),
            record=records.ids[row],
        )
    kept = np.flatnonzero(known)
    return records.take(kept), outcomes.take(kept)
