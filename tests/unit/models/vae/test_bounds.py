"""Likelihoods of a tiny sequence VAE against numerical integration over its whole latent space."""

from __future__ import annotations

import itertools
import math
from types import SimpleNamespace

import numpy as np
import torch
from torch import Tensor

from seqdesign.metrics.normals import iwae_bound, log_weights
from seqdesign.models.vae.model import SequenceVAE

STRINGS = [s for n in (1, 2, 3) for s in itertools.product(range(3), repeat=n)]


def padded(string: tuple[int, ...], rows: int, pad: int) -> tuple[Tensor, Tensor]:
    row = torch.tensor([*string, *[pad] * (3 - len(string))])
    return row.repeat(rows, 1), torch.full((rows,), len(string))


def tiny(small: SimpleNamespace) -> SequenceVAE:
    """One latent dimension, a decoder that listens, and a posterior about as wide as the prior."""
    model = small.vae(max_length=3, latent_dim=1).double()
    for name, parameter in model.named_parameters():
        if "decoder" in name or "language_model" in name:
            parameter *= 1.5
    model.posterior_scale.bias.fill_(3.0)
    return model


def log_p(model: SequenceVAE, string: tuple[int, ...], nodes: int = 64) -> float:
    """log p(x) in nats by 64-point Gauss-Hermite quadrature."""
    x, weights = np.polynomial.hermite_e.hermegauss(nodes)
    log_w = torch.tensor(np.log(weights) - 0.5 * math.log(2 * math.pi))
    tokens, lengths = padded(string, nodes, model.vocabulary.pad)
    log_likelihood = model.decoder.log_prob(torch.tensor(x)[:, None], tokens, lengths)
    return float(torch.logsumexp(log_likelihood + log_w, dim=0))


@torch.no_grad()
def test_the_probabilities_of_all_strings_sum_to_one(small: SimpleNamespace) -> None:
    """Oracle 3: V = 3, T = 3, d = 1; so does the language model (oracle 4)."""
    model = tiny(small)
    by_string = [log_p(model, s) for s in STRINGS]
    assert abs(log_p(model, STRINGS[20], 48) - by_string[20]) < 1e-4  # 64 nodes are enough
    assert abs(sum(map(math.exp, by_string)) - 1) < 1e-6
    rows = [padded(s, 1, model.vocabulary.pad) for s in STRINGS]
    tokens, lengths = (torch.cat(parts) for parts in zip(*rows, strict=True))
    model.language_model.count_lengths(torch.tensor([1, 3, 3]))
    assert abs(model.log_likelihood(tokens, lengths).double().exp().sum() - 1) < 1e-6


@torch.no_grad()
def test_bounds_rise_with_the_number_of_draws_towards_the_likelihood(small: SimpleNamespace) -> None:
    """Oracle 3: E ELBO <= IWAE_5 <= IWAE_50 <= log p + 3 SE, and importance sampling gives log p."""
    model = tiny(small)
    repeats, draws = 100, 50
    for string in STRINGS[::13]:
        tokens, lengths = padded(string, repeats * draws, model.vocabulary.pad)
        posterior = model.encode(tokens[:1], lengths[:1])
        mean, scale = posterior.mean.double(), posterior.stddev.double()
        noise = torch.randn(repeats * draws, 1, dtype=torch.float64, generator=small.generator(1))
        z = mean + scale * noise
        weights = log_weights(z, model.decoder.log_prob(z, tokens, lengths), mean, scale)
        by_draws = [iwae_bound(weights.reshape(-1, k), dim=1) for k in (1, 5, 50)]
        elbo, five, fifty = (float(b.mean()) for b in by_draws)
        exact, error = log_p(model, string), float(by_draws[2].std()) / math.sqrt(repeats)
        assert elbo < five < fifty <= exact + 3 * error
        ratio = (weights - exact).exp()
        assert abs(float(ratio.mean()) - 1) < 4 * float(ratio.std()) / math.sqrt(len(ratio))
