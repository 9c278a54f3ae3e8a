"""How natural a VAE's language model finds the sets that ``evaluate`` compares."""

from __future__ import annotations

import math
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch

from seqdesign.evaluation.measures import Evaluation, judged, on_values
from seqdesign.evaluation.predictions import judgeable
from seqdesign.evaluation.sets import Sample, Sets, require_alphabet
from seqdesign.metrics.resampling import Comparison, FloatArray, compare
from seqdesign.models.vae.store import TrainedVAE, load_vae
from seqdesign.revisers.problem import in_parts
from seqdesign.sequences.encoders import encode
from seqdesign.sequences.scope import Scope


def add_likelihood(
    result: Evaluation,
    folder: Path,
    device: torch.device,
    sets: Sets,
    sample: Sample | None,
    rng: np.random.Generator,
    resamples: int,
) -> None:
    """Wasserstein distance of log p(x) per letter; without real sequences the mean.

    Raises ModelError, and InputError for sequences that the model cannot read.
    """
    trained = load_vae(folder, device)
    require_alphabet(sets, trained.record.alphabet, folder, "--vae")
    texts = sample.texts if sample else sets.generated
    scope = Scope(trained.record.min_length, trained.record.max_length)
    can = judgeable(result, encode(texts, trained.record.alphabet, on_unknown="mask"), scope, sample, "vae")
    values = np.full(len(texts), np.nan)
    values[can] = per_letter(trained, [texts[i] for i in np.flatnonzero(can).tolist()], device)
    if sample is None:
        values = values[can]
        error = float(values.std(ddof=1)) / math.sqrt(len(values))
        mean = float(values.mean())
        result.logliks = {"generated": values}
        found = Comparison(mean, mean - 1.96 * error, mean + 1.96 * error)
        result.add("loglik_mean", "log-likelihood per letter, nats, mean", found, "")
        return
    parts = [places[can[places]] for places in (sample.generated, sample.training, sample.held_out)]
    num = min(map(len, parts[:2]))
    generated, training, held_out = parts[0][:num], parts[1][:num], parts[2]
    names = ("generated", "training", "held out")
    result.logliks = {
        name: values[places] for name, places in zip(names, (generated, training, held_out), strict=True)
    }
    statistic = on_values(np.nan_to_num(values))  # what cannot be judged is in none of the sets
    found = compare(statistic, generated, training, held_out, rng, resamples)
    found = replace(found, low=max(0.0, found.low))
    result.add("loglik", "log-likelihoods per letter, Wasserstein, nats", found, judged(found))


@torch.no_grad()
def per_letter(trained: TrainedVAE, texts: list[str], device: torch.device) -> FloatArray:
    """Log p(x) / (letters + 1) of each text in nats, (N,)."""
    record = trained.record
    array = encode(texts, record.alphabet, on_unknown="mask", max_length=record.max_length)
    tokens = torch.from_numpy(array.tokens.astype(np.int64)).to(device)
    lengths = torch.from_numpy(array.lengths).to(device)
    parts = in_parts(lambda x, n: (trained.model.log_likelihood(x, n) / (n + 1),), tokens, lengths)
    return parts[0].cpu().double().numpy()
