"""Train a SequenceVAE from encoded sequences in memory: split, fit, judge."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.errors import InputError
from seqdesign.models.vae.calibration import calibrate
from seqdesign.models.vae.codes import fit_codes
from seqdesign.models.vae.config import VAEOptions, adapt, language_options
from seqdesign.models.vae.quality import VAEQuality, judge
from seqdesign.models.vae.store import TrainedVAE, VAERecord
from seqdesign.sequences.encoders import TokenArray
from seqdesign.training.config import FitOptions
from seqdesign.training.data import TokenData
from seqdesign.training.fitting import Run, fit_record
from seqdesign.training.given_split import GivenSplit
from seqdesign.training.loop import Fit
from seqdesign.training.precision import check_precision, range_warnings
from seqdesign.training.splitting import Indices, check_values, hold_out

if TYPE_CHECKING:
    from seqdesign.training.loop import Fabric

FIXED_LENGTH_SHARE = 0.99
FLOOR_QUANTILE = 0.05


@dataclass(frozen=True)
class VAETraining:
    """A trained model, how its training went, how good it is; ``train`` and ``held_out`` index the input."""

    trained: TrainedVAE
    fit: Fit
    quality: VAEQuality
    train: Indices
    held_out: Indices


def train_sequence_vae(
    tokens: TokenArray,
    outcomes: NDArray[np.float64] | None,
    *,
    options: VAEOptions,
    fit_options: FitOptions,
    seed: int,
    fabric: Fabric,
    outcome_name: str = "outcome",
    folder: Path | None = None,
    resume: bool = False,
    split: GivenSplit | None = None,
    on_epoch: Callable[[dict[str, float]], None] = lambda record: None,
    on_step: Callable[[int, int], None] = lambda step, total: None,
) -> VAETraining:
    """Learn from N encoded sequences and their outcomes (N,), NaN = unlabelled, None = none at all.

    With a ``folder``, a checkpoint and the figures of all passes are written there after every pass, and
    ``resume`` continues from it.

    Raises InputError for too few sequences or outcomes that cannot be learned from, TrainingError, and
    ModelError when there is nothing to resume.
    """
    if split is None:
        train, held_out = hold_out(tokens, outcomes, fit_options, seed)
        stopping, warnings = held_out, tuple[str, ...]()
    else:
        warnings = split.check(tokens)
        train, held_out, stopping = split.train, split.held_out, split.calibration
    record = _describe(tokens, outcomes, train, options, outcome_name)
    data, judges, fresh = (
        TokenData.of(tokens.take(part), _take(outcomes, part)) for part in (train, stopping, held_out)
    )
    model, fitted = fit_record(
        record,
        TokenData.of(tokens, outcomes),
        (data, judges),
        options,
        fit_options,
        Run(seed, fabric, folder, resume, on_epoch, on_step),
        mark="" if split is None else split.fingerprint(),
        prepare=lambda networks: networks.language_model.count(data),
    )
    # The best outcomes are no sample of what is measured of a prediction: there the slope would be theirs.
    best_held_out = split is None and fit_options.split == "quantile"
    shrunk = None if best_held_out else calibrate(model, judges.to(fabric.device))
    quality = judge(model, fresh.to(fabric.device), torch.Generator().manual_seed(seed))
    if shrunk is not None:
        quality = replace(quality, outcome_slope=shrunk.slope)
        if np.array_equal(stopping, held_out):
            quality = replace(quality, outcome_r2=shrunk.r2)
    ranged = range_warnings(outcomes, outcome_name)
    quality = replace(quality, warnings=(*warnings, *ranged, *quality.warnings))
    learned = data.to(fabric.device)
    model.code_law = fit_codes(model, learned, torch.Generator().manual_seed(seed))
    record = replace(
        record,
        naturalness_floor=_naturalness_floor(model, learned),
        code_components=len(model.code_law.weights),
    )
    return VAETraining(TrainedVAE(model, record), fitted, quality, train, held_out)


def _take(outcomes: NDArray[np.float64] | None, part: Indices) -> NDArray[np.float64] | None:
    return None if outcomes is None else outcomes[part]


def _describe(
    tokens: TokenArray,
    outcomes: NDArray[np.float64] | None,
    train: Indices,
    options: VAEOptions,
    outcome_name: str,
) -> VAERecord:
    """What the networks need to know of the data."""
    longest = int(tokens.lengths.max())
    common = np.bincount(tokens.lengths).max() / len(tokens)
    mean = scale = low = high = 0.0
    if outcomes is not None:
        check_precision(outcomes, outcome_name)
        known = outcomes[train][~np.isnan(outcomes[train])]
        check_values(outcome_name, known)
        mean, scale = float(known.mean()), float(known.std())
        low, high = float(known.min()), float(known.max())
    elif options.condition is not None:
        raise InputError(
            f"no sequence has an outcome '{options.condition}' to be conditional on; name a column or a "
            "header key with outcomes"
        )
    adapted = adapt(
        options,
        max_length=longest,
        fixed_length=bool(common >= FIXED_LENGTH_SHARE),
        num_train=len(train),
    )
    return VAERecord(
        options=adapted,
        language=language_options(adapted),
        alphabet=tokens.alphabet,
        max_length=longest,
        min_length=int(tokens.lengths.min()),
        outcome=outcome_name if scale > 0 else None,
        outcome_mean=mean,
        outcome_scale=scale,
        outcome_range=(low, high),
    )


@torch.no_grad()
def _naturalness_floor(model: Any, data: TokenData) -> float:
    """What 95% of the training sequences exceed: log p(x) per letter, END counted as one."""
    parts = []
    for index in torch.arange(min(len(data), 20_000), device=data.tokens.device).split(512):
        batch = data.rows(index)
        parts.append(model.log_likelihood(batch.tokens, batch.lengths) / (batch.lengths + 1))
    return float(np.quantile(torch.cat(parts).cpu().numpy(), FLOOR_QUANTILE))
