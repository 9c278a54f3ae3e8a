"""What a predictor expects of the sets that ``evaluate`` compares, and whether it knows such sequences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from seqdesign.errors import InputError
from seqdesign.evaluation.measures import Evaluation, judged
from seqdesign.evaluation.sets import Sample, Sets, require_alphabet
from seqdesign.metrics.resampling import Comparison, FloatArray, share, standard_score
from seqdesign.models.predictor.predictions import predict_outcomes
from seqdesign.models.predictor.store import TrainedPredictor, load_predictor, load_reference
from seqdesign.sequences.encoders import TokenArray, encode
from seqdesign.sequences.scope import Scope

TOP = 95.0
"""Percentile of held-out sequences' predictions that good designs should exceed."""
UNUSUAL = 99.0
"""Percentile of the predictor's own held-out sequences from which a sequence is unlike them."""


def add_predictions(
    result: Evaluation,
    folder: Path,
    device: torch.device,
    sets: Sets,
    sample: Sample | None,
    rng: np.random.Generator,
    resamples: int,
) -> None:
    """Mean of each predicted outcome, the share above most held-out sequences, and the share of unusual ones.

    Predictions are not judged: designs should differ from real sequences there. Raises ModelError, and
    InputError for sequences that the model cannot read.
    """
    trained = load_predictor(folder, device)
    record = trained.record
    require_alphabet(sets, record.alphabet, folder, "--predictor")
    texts = sample.texts if sample else sets.generated
    array = encode(texts, record.alphabet, on_unknown="mask")
    can = judgeable(result, array, Scope(record.min_length, record.max_length), sample, "predictor")
    names = {"generated": sample.generated} if sample else {"generated": np.arange(len(texts))}
    if sample is not None:
        names |= {"training": sample.training, "held out": sample.held_out}
    part = array.take(np.flatnonzero(can))
    width = int(part.lengths.max())
    values = np.full((len(texts), trained.record.num_scores), np.nan)
    values[can] = predict_outcomes(trained, part.tokens[:, :width], part.lengths).mean
    names = {who: places[can[places]] for who, places in names.items()}
    for k, name in enumerate(outcome_names(trained)):
        parts = {who: values[places, k] for who, places in names.items()}
        result.predictions[name] = parts
        _add_outcome(result, name, parts, rng, resamples)
    unusual = ~can
    unusual[can] = load_reference(folder).unusual(part.tokens[:, :width], part.lengths) > UNUSUAL
    _add_unusual(result, unusual, sample)


def outcome_names(trained: TrainedPredictor) -> Sequence[str]:
    """What the predictions are called: outcomes, or probabilities of labels."""
    record = trained.record
    return record.head.predicted_names(record.outcomes, record.classes)


def _add_outcome(
    result: Evaluation, name: str, parts: dict[str, FloatArray], rng: np.random.Generator, resamples: int
) -> None:
    made = parts["generated"]
    value, low, high = mean_interval(made, rng, resamples)
    key = name.replace(" ", "_")
    if "training" not in parts:
        result.add(f"predicted_{key}", f"predicted {name}, mean", Comparison(value, low, high), "")
        return
    real = parts["training"]
    error = float(np.sqrt(made.var(ddof=1) / len(made) + real.var(ddof=1) / len(real)))
    found = Comparison(
        value, low, high, float(real.mean()), standard_score(value - float(real.mean()), error)
    )
    result.add(f"predicted_{key}", f"predicted {name}, mean", found, "")
    cut = float(np.percentile(parts["held out"], TOP))
    above = share(int((made > cut).sum()), len(made), int((real > cut).sum()), len(real))
    result.add(f"above_{key}", f"predicted {name} above {TOP:.0f}% of held-out ones", above, "")


def mean_interval(values: FloatArray, rng: np.random.Generator, resamples: int) -> tuple[float, float, float]:
    """Mean of (N,) values and its 95% interval, the percentiles of means of resampled sets (Efron 1979)."""
    means = [values[rng.integers(len(values), size=len(values))].mean() for _ in range(resamples)]
    low, high = np.percentile(means, [2.5, 97.5])
    return float(values.mean()), float(low), float(high)


def judgeable(
    result: Evaluation, array: TokenArray, scope: Scope, sample: Sample | None, model: str
) -> NDArray[np.bool_]:
    """Which of the sequences (N,) a model can judge; a row says how many it cannot, where it cannot some.

    Raises InputError where it can judge none of a set.
    """
    problems = scope.objections(array)
    can = np.ones(len(array), dtype=bool)
    can[list(problems)] = False
    sets = [np.arange(len(array))] if sample is None else [sample.generated, sample.training, sample.held_out]
    for places in sets:
        if not can[places].any():
            raise InputError(f"--{model}: {problems[int(places[0])]}; leave it out")
    if problems:
        made, *real = (int((~can[places]).sum()) for places in sets)
        beside = (real[0], len(sets[1])) if real else ()
        found = share(made, len(sets[0]), *beside)
        result.add(f"unjudged_{model}", f"that the {model} cannot judge", found, judged(found, 0.1))
    return can


def _add_unusual(result: Evaluation, unusual: NDArray[np.bool_], sample: Sample | None) -> None:
    """Share of sequences that are less like the predictor's training data than 99% of its held-out ones."""
    made = unusual if sample is None else unusual[sample.generated]
    real = None if sample is None else unusual[sample.training]
    found = (
        share(int(made.sum()), len(made))
        if real is None
        else share(int(made.sum()), len(made), int(real.sum()), len(real))
    )
    verdict = judged(found, 0.1)
    result.add("unusual", f"unlike {UNUSUAL:.0f}% of what the predictor has seen", found, verdict)
