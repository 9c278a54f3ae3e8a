"""What a predictor expects of the sets that ``evaluate`` compares, and whether it knows such sequences."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from seqdesign.evaluation.measures import Evaluation, judged
from seqdesign.evaluation.sets import Sample, Sets, require_alphabet
from seqdesign.metrics.resampling import Comparison, FloatArray, share, standard_score
from seqdesign.models.predictor.predictions import predict_outcomes
from seqdesign.models.predictor.store import TrainedPredictor, load_predictor, load_reference
from seqdesign.sequences.encoders import TokenArray, encode

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
    array = encode(texts, record.alphabet, on_unknown="mask", max_length=record.max_length)
    names = {"generated": sample.generated} if sample else {"generated": np.arange(len(texts))}
    if sample is not None:
        names |= {"training": sample.training, "held out": sample.held_out}
    values = predict_outcomes(trained, array.tokens, array.lengths).mean
    for k, name in enumerate(outcome_names(trained)):
        parts = {who: values[places, k] for who, places in names.items()}
        result.predictions[name] = parts
        _add_outcome(result, name, parts, rng, resamples)
    _add_unusual(result, folder, array, sample)


def outcome_names(trained: TrainedPredictor) -> Sequence[str]:
    """What the predictions are called: outcomes, or probabilities of labels."""
    record = trained.record
    if record.task == "regression":
        return record.outcomes
    return [f"probability of {n}" for n in (record.classes if record.task == "classes" else record.outcomes)]


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


def _add_unusual(result: Evaluation, folder: Path, array: TokenArray, sample: Sample | None) -> None:
    """Share of sequences that are less like the predictor's training data than 99% of its held-out ones."""
    unusual = load_reference(folder).unusual(array.tokens, array.lengths) > UNUSUAL
    made = unusual if sample is None else unusual[sample.generated]
    real = None if sample is None else unusual[sample.training]
    found = (
        share(int(made.sum()), len(made))
        if real is None
        else share(int(made.sum()), len(made), int(real.sum()), len(real))
    )
    verdict = judged(found, 0.1)
    result.add("unusual", f"unlike {UNUSUAL:.0f}% of what the predictor has seen", found, verdict)
