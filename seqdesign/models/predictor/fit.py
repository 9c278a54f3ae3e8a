"""Train an ensemble of outcome predictors from encoded sequences in memory."""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Literal

import numpy as np
import torch
import torch.nn.functional as F
from numpy.typing import NDArray
from torch import Tensor

from seqdesign.errors import InputError
from seqdesign.metrics.novelty_model import fit_novelty
from seqdesign.models.predictor.calibration import CalibrationRows, calibrate
from seqdesign.models.predictor.config import PredictorOptions, adapt
from seqdesign.models.predictor.data import PredictorData
from seqdesign.models.predictor.model import SequencePredictor
from seqdesign.models.predictor.motif import MotifNet
from seqdesign.models.predictor.outcomes import Outcomes
from seqdesign.models.predictor.predictions import Predictions, member_scores
from seqdesign.models.predictor.quality import PredictorQuality, judge
from seqdesign.models.predictor.residual import ResidualNet
from seqdesign.models.predictor.ridge import ridge_start
from seqdesign.models.predictor.store import PredictorRecord, Reference, TrainedPredictor
from seqdesign.models.predictor.strands import same_on_both_strands
from seqdesign.sequences.encoders import TokenArray, one_hot
from seqdesign.training.config import FitOptions
from seqdesign.training.loop import Checkpoint, Fabric, Fit, Hooks, fit
from seqdesign.training.plan import Plan
from seqdesign.training.splitting import MIN_SEQUENCES, Indices, folds, hold_out, together
from seqdesign.training.store import load_checkpoint, run_identity, save_checkpoint, write_metrics

FIXED_LENGTH_SHARE = 0.99
TRIAL_FEWEST, TRIAL_ROWS, TRIAL_STEPS = 500, 12_000, 800
"""Sequences from which on architectures are tried, at most, and steps of each."""
CLEARLY = 0.7
"""R2, AUROC or accuracy on n held-out sequences must be better by this over the root of n to count."""
PATIENCE = 20
RESIDUAL_DECAY = 0.1
JUDGES, LEAST_SHARE = 1500, 0.05
"""Rows by which a member is stopped, at most a fair share of all, and the least share of them."""


@dataclass(frozen=True)
class PredictorTraining:
    """A trained model, how its training went, how good it is; ``train`` and ``held_out`` index the input.

    ``predicted`` are the predictions for the held-out rows.
    """

    trained: TrainedPredictor
    reference: Reference
    fit: Fit
    quality: PredictorQuality
    train: Indices
    held_out: Indices
    predicted: Predictions


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
    on_epoch: Callable[[dict[str, float]], None] = lambda record: None,
    on_step: Callable[[int, int], None] = lambda step, total: None,
) -> PredictorTraining:
    """Learn K outcomes of N encoded sequences; rows of weight 0 take no part.

    With a ``folder``, a checkpoint and the figures of all passes are written there after every pass, and
    ``resume`` continues from it. Raises InputError for too few sequences or outcomes that cannot be learned
    from, TrainingError, and ModelError when there is nothing to resume.
    """
    used = np.flatnonzero((outcomes.weights > 0) & (outcomes.precision() > 0).any(axis=1))
    tokens, outcomes = tokens.take(used), outcomes.take(used)
    train, held_out = hold_out(tokens, outcomes.values[:, 0], fit_options, seed)
    groups = together(tokens.take(train), fit_options)
    known = tokens.take(train), outcomes.take(train)
    options = _decided(*known, groups, options, fit_options, seed, fabric)
    record = _describe(tokens, outcomes, train, options)
    data, fold = _data(*known, record, groups, seed)
    identity = run_identity(_fingerprint(tokens, outcomes), options, fit_options, seed, fabric.world_size)

    def save(checkpoint: Checkpoint, improved: bool) -> None:
        if folder is not None:
            save_checkpoint(folder, checkpoint, record, identity)
            write_metrics(folder, checkpoint.state.history)

    model = _build(record, seed)
    member = torch.arange(data.weights.shape[1])
    judges = (fold[:, None] == member).float()
    learn, stop = data.weighted(1 - judges), data.weighted(judges)
    features = _features(model, data.tokens, data.lengths)
    weights, biases = _linear_start(model, data, features, judges)
    if isinstance(model.net, ResidualNet):
        model.net.start_from(weights, biases, features)
    del features
    fitted = fit(
        model,
        learn,
        stop,
        fit_options,
        plan=_plan(model, fit_options, learn),
        seed=seed,
        fabric=fabric,
        hooks=Hooks(on_epoch=on_epoch, on_step=on_step, save=save),
        resume=load_checkpoint(folder, identity) if resume and folder is not None else None,
    )
    model.eval()
    fresh = tokens.take(held_out), outcomes.take(held_out)
    rows = CalibrationRows.of(model, fresh, known, fold.numpy())
    trained = TrainedPredictor(model, calibrate(model, record, rows))
    if outcomes.task != "regression":  # the temperature changes the scores
        rows = replace(rows, scores=member_scores(model, *_arrays(fresh[0])))
    baseline = _linear_scores(model, fresh[0], weights, biases)
    quality, predicted = judge(trained, rows, baseline, known[1])
    reference = _reference(tokens, record, train, held_out)
    return PredictorTraining(trained, reference, fitted, quality, used[train], used[held_out], predicted)


def _build(record: PredictorRecord, seed: int) -> SequencePredictor:
    with torch.random.fork_rng(devices=[]):
        torch.default_generator.manual_seed(seed)  # torch.manual_seed would reseed the GPUs too
        return record.build()


def _decided(
    tokens: TokenArray,
    outcomes: Outcomes,
    groups: Indices,
    options: PredictorOptions,
    fit_options: FitOptions,
    seed: int,
    fabric: Fabric,
) -> PredictorOptions:
    """The options with strands and architecture as the training rows want them."""
    if options.strands == "both" and tokens.alphabet.complement is None:
        raise InputError(
            f"--strands both: the alphabet {tokens.alphabet.name} has no complements; use --strands one"
        )
    _check(outcomes)
    if options.strands == "auto":
        both = outcomes.task != "classes" and same_on_both_strands(
            tokens, outcomes.values[:, 0], groups, seed
        )
        options = replace(options, strands="both" if both else "one")
    if options.architecture == "auto":
        tried = _one_length(tokens) and options.strands == "one"
        kind = (
            _better_architecture(tokens, outcomes, options, fit_options, seed, fabric) if tried else "motif"
        )
        options = replace(options, architecture=kind)
    return options


def _one_length(tokens: TokenArray) -> bool:
    """Whether as good as all sequences have the same length."""
    return bool(np.bincount(tokens.lengths).max() >= FIXED_LENGTH_SHARE * len(tokens))


def _better_architecture(
    tokens: TokenArray,
    outcomes: Outcomes,
    options: PredictorOptions,
    fit_options: FitOptions,
    seed: int,
    fabric: Fabric,
) -> Literal["residual", "motif"]:
    """residual, or motif where that predicts the first outcome clearly better in a short trial of both."""
    known = np.flatnonzero(~np.isnan(outcomes.values[:, 0]))
    if len(known) < TRIAL_FEWEST:
        return "residual"
    rows = np.random.default_rng([seed, 31]).permutation(known)[:TRIAL_ROWS]
    epochs = max(1, round(TRIAL_STEPS / math.ceil(len(rows) / fit_options.batch_size)))
    if fit_options.epochs != "auto":
        epochs = min(epochs, fit_options.epochs)
    found: list[float] = []
    for kind in ("residual", "motif"):
        tried = train_sequence_predictor(
            tokens.take(rows),
            outcomes.take(rows).first(),
            options=replace(options, architecture=kind, members=2),
            fit_options=replace(fit_options, epochs=epochs, patience="auto", split="random"),
            seed=seed,
            fabric=fabric,
        ).quality.outcomes[0]
        figures = (tried.r2, tried.auroc, tried.accuracy)
        found.append(next(figure for figure in figures if figure is not None))
    return "motif" if found[1] > found[0] + CLEARLY / math.sqrt(tried.rows) else "residual"


def _describe(
    tokens: TokenArray, outcomes: Outcomes, train: Indices, options: PredictorOptions
) -> PredictorRecord:
    """What the networks need to know of the data; strands and architecture are decided."""
    longest = int(tokens.lengths.max())
    values = outcomes.values[train]
    regression = outcomes.task == "regression"
    both = options.strands == "both"
    return PredictorRecord(
        options=adapt(
            options, max_length=longest, num_train=len(train), task=outcomes.task, both_strands=both
        ),
        alphabet=tokens.alphabet,
        max_length=longest,
        min_length=int(tokens.lengths.min()),
        positional=_one_length(tokens) and not both,
        outcomes=outcomes.names,
        classes=outcomes.classes,
        outcome_mean=tuple(np.nanmean(values, axis=0).tolist()) if regression else (),
        outcome_scale=tuple(np.nanstd(values, axis=0).tolist()) if regression else (),
    )


def _check(outcomes: Outcomes) -> None:
    """Raise InputError for a column that teaches nothing."""
    for name, column in zip(outcomes.names, outcomes.values.T, strict=True):
        known = column[~np.isnan(column)]
        if len(known) < MIN_SEQUENCES or known.min() == known.max():
            raise InputError(
                f"'{name}' has {len(known)} values, {len(np.unique(known))} of them different, in the "
                f"training part; at least {MIN_SEQUENCES} that are not all the same are needed"
            )


def _tensors(outcomes: Outcomes) -> tuple[Tensor, Tensor]:
    return torch.from_numpy(outcomes.values).float(), torch.from_numpy(outcomes.precision()).float()


def _data(
    tokens: TokenArray, outcomes: Outcomes, record: PredictorRecord, groups: Indices, seed: int
) -> tuple[PredictorData, Tensor]:
    """The training rows, and which member each of them stops (-1: none)."""
    members = int(record.options.members)
    share = min(1 / members, max(LEAST_SHARE, JUDGES / len(tokens)))
    fold = folds(groups, share, members, np.random.default_rng([seed, 17]))
    weights = torch.from_numpy(outcomes.weights).float()[:, None].expand(-1, members)
    return PredictorData.of(tokens, *_tensors(outcomes), weights.contiguous()), torch.from_numpy(fold)


def _features(model: SequencePredictor, tokens: Tensor, lengths: Tensor) -> Tensor:
    parts = []
    for rows in torch.arange(len(tokens)).split(4096):
        x = one_hot(tokens[rows].long(), model.vocabulary.alphabet)
        parts.append(model.linear_features(x, lengths[rows]))
    return torch.cat(parts)


def _linear_start(
    model: SequencePredictor, data: PredictorData, features: Tensor, judges: Tensor
) -> tuple[Tensor, Tensor]:
    """Ridge regressions of all members: weights (M, I, K), biases (M, K), in standardised units or logits."""
    y = data.outcomes.where(data.precision > 0, torch.nan)
    if model.task == "regression":
        y = (y - model.outcome_mean) / model.outcome_scale
    elif model.task == "classes":
        y = F.one_hot(y[:, 0].long(), model.num_scores).float()
    rows = data.weights * data.precision.mean(1, keepdim=True)
    return ridge_start(features, y, rows * (1 - judges), rows * judges, task=model.task)


def _linear_scores(
    model: SequencePredictor, tokens: TokenArray, weights: Tensor, biases: Tensor
) -> NDArray[np.float64]:
    """Mean (N, K) of the members' ridge regressions, in the same units as ``SequencePredictor.raw``."""
    device = model.outcome_mean.device
    features = _features(
        model, torch.from_numpy(tokens.tokens).to(device), torch.from_numpy(tokens.lengths).to(device)
    ).cpu()
    return (features @ weights.mean(0) + biases.mean(0)).double().numpy()


def _arrays(tokens: TokenArray) -> tuple[NDArray[np.uint8], NDArray[np.int64]]:
    return tokens.tokens, tokens.lengths


def _reference(tokens: TokenArray, record: PredictorRecord, train: Indices, held_out: Indices) -> Reference:
    """The training sequences, and how unlike them the held-out ones are."""
    known, fresh = tokens.take(train), tokens.take(held_out)
    novelty = fit_novelty(known.tokens, known.lengths, record.alphabet.size, positional=record.positional)
    percentiles = np.quantile(novelty.nats(fresh.tokens, fresh.lengths), np.linspace(0, 1, 101))
    return Reference(known.tokens.copy(), known.lengths.copy(), novelty, percentiles)


def _plan(model: SequencePredictor, options: FitOptions, data: PredictorData) -> Plan:
    """Residual networks wait for ``PATIENCE`` passes at most, as ridge has done a part of the work.

    Motif networks run to the end: their held-out loss is best long before they know what is stronger than all
    they have seen.
    """
    motif = isinstance(model.net, MotifNet)
    if not motif and options.weight_decay == "auto":
        options = replace(options, weight_decay=RESIDUAL_DECAY)
    plan = Plan.plain(model.players, options, len(data), data.typical_length)
    if options.patience != "auto":
        return plan
    return replace(plan, last=True) if motif else replace(plan, patience=min(PATIENCE, plan.patience))


def _fingerprint(tokens: TokenArray, outcomes: Outcomes) -> str:
    weights = torch.from_numpy(outcomes.weights)[:, None]
    return PredictorData.of(tokens, *_tensors(outcomes), weights).fingerprint()
