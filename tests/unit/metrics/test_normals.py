"""Bounds on the log likelihood against closed forms and Gauss-Hermite quadrature."""

from __future__ import annotations

import math
from itertools import product

import numpy as np
import pytest
import torch

from seqdesign.metrics.normals import iwae_bound, kl_normals, kl_standard_normal, log_weights, normal_log_prob

NODES, WEIGHTS = np.polynomial.hermite_e.hermegauss(64)
PRIOR_WEIGHTS = torch.from_numpy(WEIGHTS / math.sqrt(2 * math.pi))
STRINGS = torch.tensor(list(product(range(3), repeat=3)))


def tensor(value: float) -> torch.Tensor:
    return torch.tensor([value], dtype=torch.float64)


def gaussian_elbo(mean: float, scale: float) -> float:
    """ELBO of x = 1.3 under x|z = N(2z, .5^2): E_q log p(x|z) is exact, as (x - 2z)^2 has a known mean."""
    square = (1.3 - 2 * mean) ** 2 + 4 * scale**2
    expected = torch.tensor(-0.5 * math.log(2 * math.pi * 0.25) - square / (2 * 0.25), dtype=torch.float64)
    return (expected - kl_standard_normal(tensor(mean), tensor(scale))).item()


def test_elbo_of_the_exact_posterior_is_the_log_likelihood():
    """Oracle 2."""
    assert gaussian_elbo(0.6117647058823529, 0.24253562503633297) == pytest.approx(-1.8412215541, abs=1e-9)


def test_elbo_misses_the_log_likelihood_by_the_divergence_from_the_posterior():
    """Oracle 2: q = N(.5, .3) gives -1.9997641570, a gap of .1585426029 = KL(q || posterior)."""
    assert gaussian_elbo(0.5, 0.3) == pytest.approx(-1.9997641570, abs=1e-9)
    gap = kl_normals(tensor(0.5), tensor(0.3), tensor(0.6117647058823529), tensor(0.24253562503633297))
    assert gap.item() == pytest.approx(0.1585426029, abs=1e-9)
    assert -1.8412215541 - gaussian_elbo(0.5, 0.3) == pytest.approx(gap.item(), abs=1e-9)


def test_importance_weights_of_the_exact_posterior_are_constant():
    """Oracle 2: with q equal to the posterior every weight is p(x)."""
    z = torch.randn(100, 1, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    mean, scale = tensor(0.6117647058823529), tensor(0.24253562503633297)
    z = mean + scale * z
    log_likelihood = normal_log_prob(tensor(1.3) - 2 * z, 0.0, 0.5)
    weights = log_weights(z, log_likelihood, mean, scale)
    torch.testing.assert_close(weights, torch.full_like(weights, -1.8412215541), atol=1e-9, rtol=0)


def test_normal_log_prob_matches_torch():
    generator = torch.Generator().manual_seed(1)
    z, mean, log_scale = torch.randn(3, 5, 4, generator=generator, dtype=torch.float64)
    expected = torch.distributions.Normal(mean, log_scale.exp()).log_prob(z).sum(-1)
    torch.testing.assert_close(normal_log_prob(z, mean, log_scale.exp()), expected)


@pytest.mark.parametrize(
    ("slopes", "expected"),
    [([(1.5, -0.3)], 0.4471483982), ([(1.5, -0.3), (-1.0, 0.2)], 0.1865600913)],
)
def test_importance_sampling_reaches_the_bernoulli_likelihoods(slopes, expected):
    """Oracle 3: P(1) and P(11) of a decoder with one latent dimension, by quadrature and by the bound."""

    def log_likelihood(z: torch.Tensor) -> torch.Tensor:
        terms = [torch.nn.functional.logsigmoid(a * z[..., 0] + b) for a, b in slopes]
        return torch.stack(terms).sum(dim=0)

    nodes = torch.from_numpy(NODES)[:, None]
    assert (PRIOR_WEIGHTS @ log_likelihood(nodes).exp()).item() == pytest.approx(expected, abs=1e-9)
    z = 0.2 + 0.9 * torch.randn(200_000, 1, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    weights = log_weights(z, log_likelihood(z), tensor(0.2), tensor(0.9))
    error = weights.exp().std().item() / math.sqrt(len(weights))
    assert abs(math.exp(iwae_bound(weights).item()) - expected) < 4 * error


def tiny_log_likelihood(tokens: torch.Tensor, z: torch.Tensor) -> torch.Tensor:
    """log p(tokens|z) (N, S) of a made-up autoregressive decoder, V = 3, T = 3, z (N, 2), tokens (S, 3)."""
    generator = torch.Generator().manual_seed(7)
    from_z = torch.randn(3, 2, 3, generator=generator, dtype=torch.float64)
    from_previous = torch.randn(4, 3, generator=generator, dtype=torch.float64)
    total = torch.zeros(len(z), len(tokens), dtype=torch.float64)
    previous = torch.full((len(tokens),), 3)
    for position in range(3):
        logits = (z @ from_z[position])[:, None, :] + from_previous[previous]
        chosen = tokens[:, position].expand(len(z), -1)[..., None]
        total += logits.log_softmax(-1).gather(-1, chosen)[..., 0]
        previous = tokens[:, position]
    return total


def test_bounds_of_a_sequence_decoder_rise_with_the_number_of_draws_to_the_quadrature_value():
    """Oracle 3: sum p(x) = 1 and E ELBO <= IWAE_5 <= IWAE_50 <= log p + 3 SE."""
    grid = torch.from_numpy(np.array(list(product(NODES, NODES))))
    weight = (PRIOR_WEIGHTS[:, None] * PRIOR_WEIGHTS).reshape(-1)
    probabilities = weight @ tiny_log_likelihood(STRINGS, grid).exp()
    assert probabilities.sum().item() == pytest.approx(1.0, abs=1e-6)

    string = STRINGS[[11]]
    log_p = probabilities[11].log().item()
    mean = torch.tensor([0.4, -0.3], dtype=torch.float64)
    # Below sqrt(1/2) the weights could have infinite variance, and no standard error would hold.
    scale = torch.tensor([0.9, 0.8], dtype=torch.float64)
    noise = torch.randn(50, 4_000, 2, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    z = mean + scale * noise
    log_likelihood = tiny_log_likelihood(string, z.reshape(-1, 2)).reshape(50, 4_000)
    weights = log_weights(z, log_likelihood, mean, scale)
    closed_kl = (log_likelihood.mean() - kl_standard_normal(mean, scale)).item()
    one, five, fifty = (
        weights.mean().item(),
        iwae_bound(weights.reshape(5, -1)).mean().item(),
        iwae_bound(weights),
    )
    error = fifty.std().item() / math.sqrt(len(fifty))
    assert one == pytest.approx(closed_kl, abs=0.01)
    assert one < five < fifty.mean().item() < log_p + 3 * error
    sampled = weights.exp().mean().item(), weights.exp().std().item() / math.sqrt(weights.numel())
    assert abs(sampled[0] - math.exp(log_p)) < 4 * sampled[1]
    assert iwae_bound(weights.reshape(-1)).item() == pytest.approx(math.log(sampled[0]))


def test_one_draw_is_its_own_weight_and_any_axis_may_hold_the_draws():
    weights = torch.randn(4, 3, generator=torch.Generator().manual_seed(4), dtype=torch.float64)
    torch.testing.assert_close(iwae_bound(weights[:1]), weights[0])
    torch.testing.assert_close(iwae_bound(weights, dim=1), iwae_bound(weights.T))
    torch.testing.assert_close(iwae_bound(weights).exp(), weights.exp().mean(0))
