"""What is measured of a trained SequenceVAE on held-out sequences."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Generator, Tensor
from torch.distributions import Normal

from seqdesign.decoding.greedy import greedy
from seqdesign.metrics.latent import latent_summary
from seqdesign.metrics.normals import iwae_bound, log_weights
from seqdesign.metrics.reconstruction import exact_accuracy, token_accuracy
from seqdesign.metrics.regression import auroc, r2, spearman
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.runs.manifest import UNPREDICTABLE
from seqdesign.runs.progress import phase
from seqdesign.training.data import TokenData

MAX_ROWS = 2000
IWAE_SAMPLES = 16
_CHUNK = 128
BELIEVABLE_R2, BELIEVABLE_INVARIANCE = 0.2, 0.5
DECODED = 0.8
"""Share of letters to be given back; below it revisions are the decoder's doing."""


@dataclass(frozen=True, kw_only=True)
class VAEQuality:
    """Held-out figures; those of the outcome are None without one. Nats are per sequence, END included."""

    sequences: int
    """Held-out sequences that were judged."""
    token_accuracy: float
    """Share of letters that greedy decoding of the posterior mean gets back."""
    exact_accuracy: float
    """Share of whole sequences that it gets back."""
    nll_bound: float
    """Upper bound on -log p(x) of the VAE, importance-weighted with 16 samples (Burda 2016), nats."""
    language_nll: float
    """-log p(x) of the language model that judges naturalness, nats."""
    kl: float
    """KL(q(z|x) || N(0, I)), nats."""
    active_units: int
    """Latent dimensions whose posterior mean varies by more than 0.01 (Burda 2016)."""
    latent_dim: int
    mutual_information: float
    """Nats that a code tells of its sequence."""
    outcome_r2: float | None
    """R2 of F(E(x)) against the measured outcome."""
    outcome_spearman: float | None
    outcome_auroc: float | None
    """Only for outcomes of two values."""
    invariance: float | None
    """E (F(z) - F(E(D(z))))^2 / Var(y) over prior draws z."""
    outcome_slope: float | None = None
    """What F was multiplied by after training, from the mean of training (calibration.py)."""
    warnings: tuple[str, ...]


@torch.no_grad()
@phase("judging")
def judge(model: SequenceVAE, held_out: TokenData, rng: Generator) -> VAEQuality:
    """Measure ``model`` (in eval mode) on up to 2,000 held-out sequences, the first ones."""
    device = held_out.tokens.device
    n = min(len(held_out), MAX_ROWS)
    parts = [_chunk(model, held_out, index, rng) for index in torch.arange(n, device=device).split(_CHUNK)]
    posterior = Normal(torch.cat([p.mean for p in parts]), torch.cat([p.scale for p in parts]))
    latent = latent_summary(posterior.mean[:500].cpu(), posterior.stddev[:500].cpu(), rng)
    measured = held_out.outcomes[:n].cpu().double().numpy()
    predicted = torch.cat([p.outcome for p in parts]).cpu().double().numpy()
    outcome = _outcome_figures(model, measured, predicted, rng)
    letters = sum(p.token_accuracy * len(p.mean) for p in parts) / n
    return VAEQuality(
        sequences=n,
        token_accuracy=letters,
        exact_accuracy=sum(p.exact_accuracy * len(p.mean) for p in parts) / n,
        nll_bound=-torch.cat([p.bound for p in parts]).mean().item(),
        language_nll=-torch.cat([p.log_likelihood for p in parts]).mean().item(),
        kl=latent.kl,
        active_units=latent.active_units,
        latent_dim=model.latent_dim,
        mutual_information=latent.mutual_information,
        warnings=_warnings(collapsed=latent.collapsed, letters=letters, **outcome),
        **outcome,
    )


@dataclass(frozen=True)
class _Chunk:
    mean: Tensor
    scale: Tensor
    bound: Tensor
    log_likelihood: Tensor
    outcome: Tensor
    token_accuracy: float
    exact_accuracy: float


def _chunk(model: SequenceVAE, held_out: TokenData, index: Tensor, rng: Generator) -> _Chunk:
    batch = held_out.rows(index)
    posterior = model.encode(batch.tokens, batch.lengths)
    mean, scale = posterior.mean, posterior.stddev
    rows = []
    for _ in range(IWAE_SAMPLES):
        z = mean + scale * torch.randn(mean.shape, generator=rng).to(mean.device)
        log_p = model.decoder.log_prob(z, batch.tokens, batch.lengths)
        rows.append(log_weights(z, log_p, mean, scale))
    decoded = greedy(model.decoder, mean).tokens
    width = max(decoded.shape[1], batch.tokens.shape[1])
    pad = model.vocabulary.pad
    decoded, target = (
        torch.nn.functional.pad(t, (0, width - t.shape[1]), value=pad) for t in (decoded, batch.tokens)
    )
    return _Chunk(
        mean,
        scale,
        iwae_bound(torch.stack(rows)),
        model.log_likelihood(batch.tokens, batch.lengths),
        model.outcome(mean),
        token_accuracy(decoded, target, pad=pad),
        exact_accuracy(decoded, target),
    )


def _outcome_figures(
    model: SequenceVAE, measured: np.ndarray, predicted: np.ndarray, rng: Generator
) -> dict[str, float | None]:
    names = ("outcome_r2", "outcome_spearman", "outcome_auroc", "invariance")
    labelled = ~np.isnan(measured)
    if not model.has_outcome or labelled.sum() < 2:
        return dict.fromkeys(names)
    y, f = measured[labelled], predicted[labelled]
    levels = np.unique(y)
    z = torch.randn(1000, model.latent_dim, generator=rng).to(model.posterior_mean.weight.device)
    return {
        "outcome_r2": r2(y, f),
        "outcome_spearman": spearman(y, f),
        "outcome_auroc": auroc(y == levels[1], f) if len(levels) == 2 else None,
        "invariance": model.invariance_loss(z).item(),
    }


def _warnings(
    *,
    collapsed: bool,
    letters: float,
    outcome_r2: float | None,
    outcome_spearman: float | None,
    outcome_auroc: float | None,
    invariance: float | None,
) -> tuple[str, ...]:
    found = []
    if collapsed:
        found.append(
            "the posterior has collapsed: codes tell nothing of their sequences and revise would return the "
            "same string for every input; lower --kl-weight or raise --free-bits"
        )
    elif letters < DECODED:
        found.append(
            f"it does not give back what it reads ({letters:.0%} of held-out letters), so revise would "
            "change letters for no reason; train longer, use --batch-size 32 (more steps in as many passes), "
            "raise --latent-dim or lower --kl-weight"
        )
    if outcome_r2 is not None and not outcome_r2 >= BELIEVABLE_R2 and not (outcome_auroc or 0) > 0.75:
        found.append(
            f"do not trust the outcome network: what was measured {UNPREDICTABLE}, {_share(outcome_r2)} of "
            "the held-out variance is explained; more data, fewer noisy rows or a higher --outcome-weight "
            "may help"
        )
    if invariance is not None and invariance > BELIEVABLE_INVARIANCE:
        found.append(
            f"F disagrees with itself away from encoded sequences (invariance {invariance:.2f} of Var(y)); "
            "raise --invariance-weight or --kl-weight"
        )
    return tuple(found)


def _share(value: float) -> str:
    return "nothing" if not value > 0 or math.isnan(value) else f"{value:.0%}"
