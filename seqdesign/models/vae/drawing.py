"""Samples of a VAE as they are written: codes, decoded; none that breaks a constraint."""

from __future__ import annotations

import math
from collections.abc import Iterator
from pathlib import Path
from typing import Literal

import torch
from torch import Tensor

from seqdesign.decoding.greedy import greedy
from seqdesign.decoding.sample import sample
from seqdesign.drawing.samples import Batch, Drawing, Source, block_rng, rules_for, sift
from seqdesign.errors import UsageError
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.models.vae.store import TrainedVAE, load_vae
from seqdesign.revisers.problem import evaluate
from seqdesign.sequences.encoders import decode as written
from seqdesign.sequences.fasta import format_fields
from seqdesign.sequences.origin import predicted_key

Origin = Literal["data", "prior"]
"""The law of the codes of data, or the prior N(0, I)."""
BLOCK = 512
FOR_OTHERS = ("start", "guide")
"""Options that only other families have a use for."""


def sources(folder: Path, drawing: Drawing, device: torch.device) -> Iterator[Source]:
    """The one stream of samples. Raises UsageError and InputError."""
    drawing.refuse("a VAE", FOR_OTHERS)
    trained = load_vae(folder, device)
    record = trained.record
    rules = rules_for(drawing.options, record.alphabet, record.min_length, record.max_length)
    condition = check_condition(trained, drawing.options.condition)

    def block(number: int) -> Batch:
        temperature = drawing.options.temperature
        drawn = _block(trained, drawing.seed, number, temperature=temperature, condition=condition)
        return sift(*drawn, rules)

    yield Source("sample", block, rules is not None, drawing.apart(record.alphabet))


@torch.no_grad()
def codes(
    model: SequenceVAE, num: int, rng: torch.Generator, condition: float | None, origin: Origin = "data"
) -> Tensor:
    """Codes (num, d): of p(z|y) where an outcome is asked for, else of ``origin``.

    data: the law fitted to the codes of training sequences, which models of earlier versions do not have;
    prior: N(0, I).
    """
    noise = torch.randn(num, model.latent_dim, generator=rng).to(model.posterior_mean.weight.device)
    if condition is not None:
        prior = model.prior(torch.full((num,), condition, device=noise.device))
        return prior.mean + prior.stddev * noise
    if model.code_law is None or origin == "prior":
        return noise
    return model.code_law.draw(noise, torch.rand(num, generator=rng).to(noise.device))


def check_condition(trained: TrainedVAE, condition: float | str | None) -> float | None:
    """The outcome to draw for. Raises UsageError for one that the model cannot be asked for."""
    record = trained.record
    if condition is None:
        return None
    if record.options.condition is None:
        raise UsageError(
            "has no effect on a VAE that was trained without train-vae --condition; leave it out",
            option="--condition",
        )
    value = math.nan if isinstance(condition, str) else float(condition)
    if not math.isfinite(value):
        raise UsageError(f"must be a number, got '{condition}'", option="--condition")
    low, high = record.outcome_range
    if not low <= value <= high:
        raise UsageError(
            f"must lie between {low:.6g} and {high:.6g}, the outcomes of training, got {value:.6g}",
            option="--condition",
        )
    return value


def blocks(
    trained: TrainedVAE,
    seed: int,
    *,
    decode: Literal["sample", "greedy"] = "sample",
    temperature: float = 1.0,
    num: int,
    condition: float | None = None,
    origin: Origin = "data",
) -> Iterator[tuple[Tensor, list[str], list[str]]]:
    """Tokens (n, L), sequences and what stands behind their ids, a block at a time, ``num`` rows in all.

    No sample is shorter or longer than all training sequences.
    """
    for number in range(-(-num // BLOCK)):
        n = min(BLOCK, num - number * BLOCK)
        yield _block(
            trained, seed, number,
            decode=decode, temperature=temperature, n=n, condition=condition, origin=origin,
        )  # fmt: skip


def _block(
    trained: TrainedVAE,
    seed: int,
    number: int,
    *,
    decode: Literal["sample", "greedy"] = "sample",
    temperature: float = 1.0,
    n: int = BLOCK,
    condition: float | None = None,
    origin: Origin = "data",
) -> tuple[Tensor, list[str], list[str]]:
    model, shortest = trained.model, trained.record.min_length
    rng = block_rng(seed, number)
    z = codes(model, n, rng, condition, origin)
    if decode == "greedy":
        drawn = greedy(model.decoder, z, shortest=shortest)
    else:
        drawn = sample(model.decoder, z, generator=rng, temperature=temperature, shortest=shortest)
    scored = evaluate(model, drawn.tokens, drawn.lengths)
    texts = written(drawn.tokens, trained.record.alphabet)
    labels = []
    for i in range(n):
        values = {"loglik": f"{float(scored.log_likelihood[i]):.6g}"}
        if model.has_outcome:
            values[predicted_key(trained.record.outcome or "outcome")] = f"{float(scored.outcome[i]):.6g}"
        labels.append(format_fields(values))
    return drawn.tokens, texts, labels
