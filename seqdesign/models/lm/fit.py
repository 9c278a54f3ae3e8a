"""Train a SequenceLM from encoded sequences in memory: split, fit, judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from seqdesign.language.config import LMOptions, adapt
from seqdesign.models.lm.fit_options import LMFitOptions, num_epochs
from seqdesign.models.lm.quality import LMQuality, judge
from seqdesign.models.lm.store import LMRecord, TrainedLM
from seqdesign.sequences.encoders import TokenArray
from seqdesign.training.config import patience
from seqdesign.training.data import TokenData
from seqdesign.training.fitting import Run, fit_record
from seqdesign.training.loop import Fit
from seqdesign.training.plan import Plan, PlayerSettings
from seqdesign.training.splitting import Indices, check_values, hold_out

if TYPE_CHECKING:
    from seqdesign.training.loop import Fabric

KNOTS = 16
"""Outcomes between which a condition is interpolated; as many different values are labels."""
BETAS = (0.9, 0.98)
SPARSE = 0.6
"""Learning rates by which weights of pairs of places go towards zero in a step. The mean of 10 gradients that
are pure chance, over their size, is below that in 99 of 100."""


@dataclass(frozen=True)
class LMTraining:
    """A trained model, how its training went, how good it is; ``train`` and ``held_out`` index the input."""

    trained: TrainedLM
    fit: Fit
    quality: LMQuality
    train: Indices
    held_out: Indices


def train_sequence_lm(
    tokens: TokenArray,
    outcomes: NDArray[np.float64] | None,
    *,
    options: LMOptions,
    fit_options: LMFitOptions,
    seed: int,
    fabric: Fabric,
    folder: Path | None = None,
    resume: bool = False,
    on_epoch: Callable[[dict[str, float]], None] = lambda record: None,
    on_step: Callable[[int, int], None] = lambda step, total: None,
) -> LMTraining:
    """Learn from N encoded sequences; their outcomes (N,), NaN = unlabelled, matter only with a condition.

    With a ``folder``, a checkpoint and the figures of all passes are written there after every pass, and
    ``resume`` continues from it.

    Raises InputError for too few sequences or outcomes that cannot be told apart, TrainingError, and
    ModelError when there is nothing to resume.
    """
    values = None if options.condition is None else outcomes
    split_by = outcomes if fit_options.split == "quantile" else values
    train, held_out = hold_out(tokens, split_by, fit_options, seed)
    record = _describe(tokens, values, train, options)
    whole = TokenData.of(tokens, values)
    data, judges = (
        TokenData.of(tokens.take(part), None if values is None else values[part])
        for part in (train, held_out)
    )
    model, fitted = fit_record(
        record,
        whole,
        (data, judges),
        options,
        fit_options,
        Run(seed, fabric, folder, resume, on_epoch, on_step),
        prepare=lambda networks: networks.count(data),
        plan=make_plan(fit_options, len(train)),
    )
    model.weigh(judges, fabric.device)
    model.measure_dependence(judges, fabric.device, seed)
    quality = judge(model, data, judges, fabric.device)
    return LMTraining(TrainedLM(model, record), fitted, quality, train, held_out)


def make_plan(options: LMFitOptions, num_train: int) -> Plan:
    """AdamW as the options say, judged by the held-out likelihood of the averaged weights."""
    epochs = num_epochs(options, num_train)
    settings = PlayerSettings.of(options)
    return Plan(
        epochs=epochs,
        patience=patience(options, epochs),
        players={
            "lm": PlayerSettings(
                learning_rate=settings.learning_rate,
                betas=BETAS,
                weight_decay=settings.weight_decay,
                clip=settings.clip,
                sparse=SPARSE,
                average=options.average,
            )
        },
    )


def _describe(
    tokens: TokenArray, outcomes: NDArray[np.float64] | None, train: Indices, options: LMOptions
) -> LMRecord:
    """What the networks need to know of the data."""
    knots: tuple[float, ...] = ()
    shares: tuple[float, ...] = ()
    if options.condition is not None:
        known = np.full(0, np.nan) if outcomes is None else outcomes[train][~np.isnan(outcomes[train])]
        knots, shares = _knots(known, options.condition)
    return LMRecord(
        options=adapt(options, num_letters=int(tokens.lengths[train].sum())),
        alphabet=tokens.alphabet,
        max_length=int(tokens.lengths.max()),
        min_length=int(tokens.lengths.min()),
        outcome=options.condition,
        knots=knots,
        shares=shares,
    )


def _knots(known: NDArray[np.float64], name: str) -> tuple[tuple[float, ...], tuple[float, ...]]:
    """Labels with their shares, or quantiles and nothing. Raises InputError."""
    labels, counts = np.unique(known, return_counts=True)
    check_values(name, known)
    if len(labels) <= KNOTS:
        return tuple(labels.tolist()), tuple((counts / counts.sum()).tolist())
    return tuple(np.unique(np.quantile(known, np.linspace(0, 1, KNOTS))).tolist()), ()
