"""Train an ensemble of outcome predictors from encoded sequences in memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from seqdesign.ensembles.grammar import SHORTEST
from seqdesign.ensembles.model import SequencePredictor
from seqdesign.ensembles.options import PredictorOptions
from seqdesign.errors import InputError
from seqdesign.metrics.novelty_model import fit_novelty
from seqdesign.models.predictor.adapt import Target, on_its_scale
from seqdesign.models.predictor.batches import align
from seqdesign.models.predictor.calibration import calibrate, scored_rows
from seqdesign.models.predictor.choice import Trial, choose
from seqdesign.models.predictor.curves import straight_r2, with_curves
from seqdesign.models.predictor.data import PredictorData
from seqdesign.models.predictor.known import Known, tensors_of
from seqdesign.models.predictor.learn import Learned, detail_of, learn
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import member_scores, unseen_letters
from seqdesign.models.predictor.quality import PredictorQuality, judge
from seqdesign.models.predictor.scales import Batches
from seqdesign.models.predictor.store import PredictorRecord, Reference, TrainedPredictor
from seqdesign.models.predictor.strands import same_on_both_strands
from seqdesign.runs.progress import phase
from seqdesign.sequences.encoders import TokenArray, one_hot
from seqdesign.sequences.reader import SequenceSet
from seqdesign.sequences.splits import lone_mutants, mutated
from seqdesign.tasks.values import Predictions
from seqdesign.training.config import FitOptions
from seqdesign.training.given_split import GivenSplit, split_column
from seqdesign.training.loop import Fit, Hooks
from seqdesign.training.precision import range_warnings
from seqdesign.training.splitting import Indices, check_values, hold_out, together
from seqdesign.training.store import Checkpoint, load_checkpoint, run_identity, save_checkpoint, write_metrics

if TYPE_CHECKING:
    from seqdesign.training.loop import Fabric

NO_PARENT = (
    "rows are single mutants of a parent that is none of them, so nothing says what two changes do together: "
    "add the parent with its value (of log ratios to it 0), and double mutants if there are any"
)

ROWS = 1024
FAMILY = (
    "the sequences are members of a family, and held-out ones have relatives among those learned from; how "
    "good predictions of other members are, --split cluster says"
)
ADAPTED = (
    "figures and intervals are those of held-out sequences with an outcome, most of them not of the assay of "
    "--adapt; measure some of its own before you rely on them"
)


@dataclass(frozen=True)
class PredictorTraining:
    """A trained model, how its training went, how good it is; ``train`` and ``held_out`` index the input.

    ``predicted`` are the predictions for the held-out rows; ``trials`` the kinds of model that were tried.
    """

    trained: TrainedPredictor
    reference: Reference
    fit: Fit
    quality: PredictorQuality
    train: Indices
    held_out: Indices
    predicted: Predictions
    trials: tuple[Trial, ...]
    outcomes: Outcomes
    """Of all rows of the input, on one scale where there are batches."""


def train_sequence_predictor(
    tokens: TokenArray,
    outcomes: Outcomes,
    *,
    options: PredictorOptions,
    fit_options: FitOptions,
    seed: int,
    fabric: Fabric,
    folder: Path | None = None,
    resume: bool = False,
    split: GivenSplit | None = None,
    batch: Plates | None = None,
    target: Target | None = None,
    on_epoch: Callable[[dict[str, float]], None] = lambda record: None,
    on_step: Callable[[int, int], None] = lambda step, total: None,
    on_trial: Callable[[int, int, str], None] = lambda done, total, label: None,
) -> PredictorTraining:
    """Learn K outcomes of N encoded sequences; rows of weight 0 take no part.

    With a ``folder``, a checkpoint and the figures of all passes of networks are written there after every
    pass, and ``resume`` continues from it. With a ``target`` residual networks are adapted to its sequences.
    ``on_trial`` hears which kind of model is tried, and of how many.
    Raises InputError for too few sequences or outcomes that cannot be learned from, TrainingError, and
    ModelError when there is nothing to resume.
    """
    used = np.flatnonzero((outcomes.weights > 0) & (outcomes.precision() > 0).any(axis=1))
    everything, tokens, outcomes = outcomes, tokens.take(used), outcomes.take(used)
    parts = _parts(tokens, outcomes, split.take(used) if split else None, fit_options, seed)
    train, held_out = parts.train, parts.held_out
    outcomes, batches = _on_one_scale(tokens, outcomes, batch, (used, train), seed)
    groups = together(tokens.take(train), fit_options)
    known = Known(tokens, outcomes).take(train)
    _check(known.outcomes)
    given, options = options, replace(options, strands=_strands(known, groups, options, seed))
    options, trials = _decided(options, known, groups, fit_options, seed, fabric, target, on_trial)
    data = _fingerprint(tokens, outcomes, split, target)
    identity = run_identity(data, given, fit_options, seed, fabric.world_size)
    described: list[PredictorRecord] = []

    def save(checkpoint: Checkpoint, improved: bool) -> None:
        if folder is not None:
            save_checkpoint(folder, checkpoint, described[0], identity)
            write_metrics(folder, checkpoint.state.history)

    options = parts.with_members(options)
    learned = learn(
        known,
        parts.apart(groups),
        options,
        fit_options,
        seed=seed,
        fabric=fabric,
        hooks=Hooks(on_epoch=on_epoch, on_step=on_step, save=save),
        resume=load_checkpoint(folder, identity) if resume and folder is not None else None,
        on_record=described.append,
        target=target,
    )
    _check_words(options, learned, len(train))
    learned, outcomes, batches = _on_the_scale_of(target, learned, outcomes, batches)
    known = Known(known.tokens, outcomes.take(train))
    learned = replace(learned, record=replace(learned.record, batches=batches))
    learned = with_curves(learned, known, parts.apart(groups), seed) if target is None else learned
    trained, quality, predicted = _by_parts(learned, known, Known(tokens, outcomes), parts, target)
    reference = _reference(tokens, trained.record, train, held_out)
    return PredictorTraining(
        trained, reference, learned.fit, quality, used[train], used[held_out], predicted, tuple(trials),
        _spread(everything, outcomes, used),
    )  # fmt: skip


def _check_words(options: PredictorOptions, learned: Learned, count: int) -> None:
    """Raise InputError for a grammar without a word."""
    if options.architecture == "grammar" and not learned.model.words:
        raise InputError(
            f"--architecture grammar: no word surely changes the outcome in {count:,} sequences (words are "
            f"not sought below {SHORTEST} letters, nor in variants of one parent); give more of them, or use "
            "another --architecture, or auto"
        )


def _on_the_scale_of(
    target: Target | None, learned: Learned, outcomes: Outcomes, batches: Batches | None
) -> tuple[Learned, Outcomes, Batches | None]:
    """A model whose predictions are on the scale of a target with values, and the outcomes there too."""
    if target is None or target.values is None:
        return learned, outcomes, batches
    offset, scale = on_its_scale(learned.model, target)
    names = ("source", "target")
    ones = (1.0,) * len(scale)
    there = Batches(
        "assay", "target", names, (tuple((-offset / scale).tolist()), (0.0,) * len(scale)),
        (tuple((1 / scale).tolist()), ones),
    )  # fmt: skip
    mean, unit = (np.array(part) for part in (learned.record.outcome_mean, learned.record.outcome_scale))
    record = replace(
        learned.record,
        outcome_mean=tuple((offset + scale * mean).tolist()),
        outcome_scale=tuple((scale * unit).tolist()),
    )
    model = learned.model
    model.outcome_mean.copy_(torch.tensor(record.outcome_mean))
    model.outcome_scale.copy_(torch.tensor(record.outcome_scale))
    moved = there.apply(outcomes, np.zeros(len(outcomes.values), dtype=np.int64))
    return replace(learned, record=record), moved, there


def _decided(
    options: PredictorOptions,
    known: Known,
    groups: Indices,
    fit_options: FitOptions,
    seed: int,
    fabric: Fabric,
    target: Target | None,
    on_trial: Callable[[int, int, str], None],
) -> tuple[PredictorOptions, list[Trial]]:
    """The options with a kind of model, and the trials that have decided it."""
    if target is not None:
        target.check(known.tokens)
        return replace(options, architecture="residual"), []
    if options.architecture != "auto":
        return options, []
    trials = choose(known, groups, options, fit_options, seed=seed, fabric=fabric, on_trial=on_trial)
    return _chosen(options, trials), trials


def _chosen(options: PredictorOptions, trials: Sequence[Trial]) -> PredictorOptions:
    kind = next(trial.kind for trial in trials if trial.chosen)
    return replace(options, architecture=kind)  # type: ignore[arg-type]


def _on_one_scale(
    tokens: TokenArray, outcomes: Outcomes, batch: Plates | None, places: tuple[Indices, Indices], seed: int
) -> tuple[Outcomes, Batches | None]:
    """Outcomes of assays or plates; ``places`` are those of the rows in the input, and of training rows."""
    if batch is None:
        return outcomes, None
    used, train = places
    cells = [batch.cells[i] for i in used.tolist()]
    return align(tokens, outcomes, cells, train, batch.column, reference=batch.reference, seed=seed)


def _spread(everything: Outcomes, outcomes: Outcomes, used: Indices) -> Outcomes:
    """All rows, with those that were ``used`` as they were learned."""
    values = everything.values.copy()
    values[used] = outcomes.values
    return replace(everything, values=values)


@dataclass(frozen=True, eq=False)
class Plates:
    """Assays or plates of N rows; ``reference`` is the one whose scale predictions have, None the largest."""

    column: str
    cells: Sequence[str]
    reference: str | None = None


def plates(records: SequenceSet, text: str | None) -> Plates | None:
    """Those of ``--batch COLUMN`` or ``COLUMN=VALUE``; None where nothing is asked for."""
    if text is None:
        return None
    column, reference = split_column(text, tuple(records.columns))
    return Plates(column, records.columns[column], reference)


@dataclass(frozen=True, eq=False)
class _Parts:
    """Places of rows: learned from, judging, calibrating; folds (N_train,) where the table gives some."""

    train: Indices
    held_out: Indices
    calibration: Indices
    validated: bool = False
    folds: Indices | None = None
    warnings: tuple[str, ...] = ()
    at_random: bool = False

    def apart(self, groups: Indices) -> Indices:
        """(N_train,) rows that are left out together: the folds of the table, or these groups."""
        return groups if self.folds is None else self.folds

    def with_members(self, options: PredictorOptions) -> PredictorOptions:
        """As many members as folds that judge one, unless the options say how many."""
        if self.folds is None or options.members != "auto":
            return options
        return replace(options, members=len(np.unique(self.folds)))


def _parts(
    tokens: TokenArray, outcomes: Outcomes, split: GivenSplit | None, fit_options: FitOptions, seed: int
) -> _Parts:
    """As the table says, or else as ``--split`` does."""
    as_they_are = [] if outcomes.classes else zip(outcomes.names, outcomes.values.T, strict=True)
    ranges = [text for name, values in as_they_are for text in range_warnings(values, name)]
    if lone_mutants(tokens.tokens, tokens.lengths) and mutated(tokens.tokens).any(axis=1).all():
        ranges.append(NO_PARENT)
    if split is None:
        train, held_out = hold_out(tokens, outcomes.values[:, 0], fit_options, seed)
        at_random = fit_options.split == "random"
        return _Parts(train, held_out, held_out, warnings=tuple(ranges), at_random=at_random)
    warnings = (*ranges, *split.check(tokens))
    folds = None if split.folds is None else split.folds[split.train]
    return _Parts(split.train, split.held_out, split.calibration, split.has_validation, folds, warnings)


def _by_parts(
    learned: Learned, known: Known, every: Known, parts: _Parts, target: Target | None
) -> tuple[TrainedPredictor, PredictorQuality, Predictions]:
    """``_judged`` by the parts of all rows, with what should be known of the split."""
    fresh, own = every.take(parts.held_out), every.take(parts.calibration)
    trained, quality, predicted = _judged(learned, known, fresh, own if parts.validated else None)
    more = () if target is None else (ADAPTED,)
    if parts.at_random and learned.record.options.architecture == "family":
        more = (*more, FAMILY)
    return trained, replace(quality, warnings=(*parts.warnings, *quality.warnings, *more)), predicted


@phase("calibrating and judging")
def _judged(
    learned: Learned, known: Known, fresh: Known, validation: Known | None = None
) -> tuple[TrainedPredictor, PredictorQuality, Predictions]:
    """Calibrate by held-out rows, or those of ``validation``, and say how good the model is on them."""
    model, record = learned.model, learned.record
    own = None
    if learned.own is not None:
        own = (model.outcome_mean.cpu() + model.outcome_scale.cpu() * learned.own).double().numpy()
    judging = fresh if validation is None else validation
    rows = scored_rows(model, judging, known, learned.fold.numpy(), own)
    unseen = unseen_letters(model, judging.tokens.tokens, judging.tokens.lengths)
    trained = TrainedPredictor(model, _with_unseen(calibrate(model, record, rows), learned, unseen))
    if validation is not None:
        rows = scored_rows(model, fresh, known, learned.fold.numpy(), own)
        unseen = unseen_letters(model, fresh.tokens.tokens, fresh.tokens.lengths)
    if record.head.log_odds:  # the temperature changes the scores
        rows = replace(rows, scores=member_scores(model, fresh.tokens.tokens, fresh.tokens.lengths))
    baseline = _linear_scores(model, fresh.tokens, *learned.ridge)
    quality, predicted = judge(
        trained, rows, baseline, known.outcomes, unseen,
        apart=validation is not None, straight=straight_r2(learned, fresh),
    )  # fmt: skip
    return trained, quality, predicted


def _with_unseen(record: PredictorRecord, learned: Learned, unseen: NDArray[np.float64]) -> PredictorRecord:
    """The record, with what letters without evidence may do beyond those, ``unseen``, of held-out rows.

    As much as the letters that were seen do, by ridge regression: the root mean square of the effects that
    substitutions of the most common letter of a position have.
    """
    if not record.calibration or not record.positional:
        return record
    weight = learned.ridge[0].mean(0)
    evidence = learned.model.evidence.cpu().T
    letters, length = evidence.shape
    effects = weight.view(letters, length, -1)
    common = evidence.argmax(0)
    steps = effects - effects[common, torch.arange(length)]
    tried = evidence > 0
    tried[common, torch.arange(length)] = False
    if not tried.any():
        return record
    usual = float(np.median(unseen)) if len(unseen) else 0.0
    size = steps[tried].square().mean(0).sqrt().double().tolist()
    calibration = tuple(
        replace(one, unseen=one.unit * value, usual=usual)
        for one, value in zip(record.calibration, size, strict=True)
    )
    return replace(record, calibration=calibration)


def _strands(known: Known, groups: Indices, options: PredictorOptions, seed: int) -> Literal["both", "one"]:
    """Which strands are read, as the options or the training rows want it."""
    tokens, outcomes = known.tokens, known.outcomes
    if options.strands == "both" and not tokens.alphabet.complement:
        raise InputError(
            f"--strands both: the alphabet {tokens.alphabet.name} has no complements; use --strands one"
        )
    if options.strands != "auto":
        return options.strands
    both = outcomes.kind.ordered and same_on_both_strands(tokens, outcomes.values[:, 0], groups, seed)
    return "both" if both else "one"


def _check(outcomes: Outcomes) -> None:
    """Raise InputError for a column that teaches nothing."""
    for name, column in zip(outcomes.names, outcomes.values.T, strict=True):
        check_values(name, column[~np.isnan(column)])


def _linear_scores(
    model: SequencePredictor, tokens: TokenArray, weights: Tensor, biases: Tensor
) -> NDArray[np.float64]:
    """Mean (N, K) of the members' ridge regressions, in the same units as ``SequencePredictor.raw``."""
    device = model.outcome_mean.device
    parts = []
    for rows in torch.arange(len(tokens)).split(ROWS):
        some = tokens.take(rows.numpy())
        x = one_hot(torch.from_numpy(some.tokens.astype(np.int64)).to(device), tokens.alphabet)
        features = model.linear_features(x, torch.from_numpy(some.lengths).to(device)).cpu()
        parts.append(features @ weights.mean(0) + biases.mean(0))
    return torch.cat(parts).double().numpy()


def _reference(tokens: TokenArray, record: PredictorRecord, train: Indices, held_out: Indices) -> Reference:
    """The training sequences, and how unlike them the held-out ones are."""
    known, fresh = tokens.take(train), tokens.take(held_out)
    novelty = fit_novelty(known.tokens, known.lengths, record.alphabet.size, positional=record.positional)
    percentiles = np.quantile(novelty.nats(fresh.tokens, fresh.lengths), np.linspace(0, 1, 101))
    return Reference(known.tokens.copy(), known.lengths.copy(), novelty, percentiles)


def _fingerprint(
    tokens: TokenArray, outcomes: Outcomes, split: GivenSplit | None, target: Target | None
) -> str:
    weights = torch.from_numpy(outcomes.weights)[:, None]
    data = PredictorData.of(tokens, *tensors_of(outcomes), weights, detail=detail_of(outcomes))
    more = [part.fingerprint() for part in (split, target) if part is not None]
    return data.fingerprint() + "".join(more)
