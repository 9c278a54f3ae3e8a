"""Samples of a VAE as they are written: codes, decoded; none that breaks a constraint."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Literal, NamedTuple

import torch
from torch import Tensor

from seqdesign.decoding.greedy import greedy
from seqdesign.decoding.protocol import Decoded
from seqdesign.decoding.sample import sample
from seqdesign.drawing.options import CHOOSE_FROM
from seqdesign.drawing.samples import Batch, Drawing, Source, block_rng, rules_for, sift
from seqdesign.errors import UsageError
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.models.vae.store import TrainedVAE, load_vae
from seqdesign.revisers.problem import evaluate, expected
from seqdesign.sequences.encoders import decode as written
from seqdesign.sequences.fasta import format_fields
from seqdesign.sequences.origin import predicted_key

if TYPE_CHECKING:
    from seqdesign.constraints.rules import Rules

Origin = Literal["data", "prior"]
"""The law of the codes of data, or the prior N(0, I)."""
BLOCK = 512
CALIBRATION = 2048
"""Draws that tell what a share of the draws is like."""
FOR_OTHERS = ("start", "guide")
"""Options that only other families have a use for."""


def sources(folder: Path, drawing: Drawing, device: torch.device) -> Iterator[Source]:
    """The one stream of samples. Raises UsageError and InputError."""
    drawing.refuse("a VAE", FOR_OTHERS)
    trained = load_vae(folder, device)
    record = trained.record
    rules = rules_for(drawing.options, record.alphabet, record.min_length, record.max_length)
    options = drawing.options
    condition = check_condition(trained, options.condition)
    draws = Draws(seed=drawing.seed, temperature=options.temperature, condition=condition,
                  choose_from=options.choose_from or CHOOSE_FROM)  # fmt: skip
    yield source(trained, draws, rules, drawing.apart(record.alphabet))


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


@dataclass(frozen=True, kw_only=True)
class Draws:
    """How sequences come out of a VAE; the fields are options of ``seqdesign sample-vae``."""

    seed: int
    decode: Literal["sample", "greedy"] = "sample"
    temperature: float = 1.0
    codes: Origin = "data"
    condition: float | None = None
    choose_from: int = CHOOSE_FROM
    reject: float = 0.0


class Drawn(NamedTuple):
    """Tokens (n, L), sequences, what stands behind their ids, and log p(x) per letter (n,), END counted."""

    tokens: Tensor
    texts: list[str]
    labels: list[str]
    natural: Tensor


def source(
    trained: TrainedVAE, draws: Draws, rules: Rules | None, is_new: Callable[[str], bool] | None = None
) -> Source:
    """The one stream of samples of a VAE. No sample is shorter or longer than all training sequences."""

    @cache
    def least() -> float:
        others = replace(draws, seed=draws.seed + 1)
        scores = [_block(trained, others, number).natural for number in range(CALIBRATION // BLOCK)]
        return float(torch.quantile(torch.cat(scores), draws.reject))

    def block(number: int) -> Batch:
        drawn = _block(trained, draws, number)
        real = (drawn.natural >= least()).tolist() if draws.reject else None
        return sift(*drawn[:3], rules, real)

    return Source("sample", block, rules is not None, is_new)


def _decoded(trained: TrainedVAE, draws: Draws, n: int, rng: torch.Generator) -> Decoded:
    model, shortest = trained.model, trained.record.min_length
    z = codes(model, n, rng, draws.condition, draws.codes)
    if draws.decode == "greedy":
        return greedy(model.decoder, z, shortest=shortest)
    return sample(model.decoder, z, generator=rng, temperature=draws.temperature, shortest=shortest)


def _nearest(trained: TrainedVAE, draws: Draws, n: int, rng: torch.Generator, wanted: float) -> Decoded:
    """Of ``choose_from`` draws for each of n sequences the one whose F(E(x)) is nearest to ``wanted``.

    p(z|y) gives sequences as they are measured at y, noise and all; F says what is expected of each.
    """
    model, each = trained.model, draws.choose_from
    many = [_decoded(trained, draws, n, rng) for _ in range(each)]
    outcomes = torch.stack([expected(model, one.tokens, one.lengths) for one in many])
    best = (outcomes - wanted).abs().argmin(0)
    rows = torch.arange(n, device=best.device)
    tokens, lengths, log_probs = (
        torch.stack([getattr(one, name) for one in many])[best, rows]
        for name in ("tokens", "lengths", "log_probs")
    )
    return Decoded(tokens, lengths, log_probs)


def _block(trained: TrainedVAE, draws: Draws, number: int) -> Drawn:
    model, n = trained.model, BLOCK
    rng = block_rng(draws.seed, number)
    if draws.condition is not None and draws.choose_from > 1 and model.has_outcome:
        drawn = _nearest(trained, draws, n, rng, draws.condition)
    else:
        drawn = _decoded(trained, draws, n, rng)
    scored = evaluate(model, drawn.tokens, drawn.lengths)
    texts = written(drawn.tokens, trained.record.alphabet)
    fields = {"loglik": scored.log_likelihood.tolist()}
    if model.has_outcome:
        fields[predicted_key(trained.record.outcome or "outcome")] = scored.outcome.tolist()
    rows = zip(*fields.values(), strict=True)
    labels = [format_fields(dict(zip(fields, (f"{x:.6g}" for x in row), strict=True))) for row in rows]
    return Drawn(drawn.tokens, texts, labels, scored.log_likelihood.float() / (drawn.lengths + 1))
