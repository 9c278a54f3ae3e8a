"""Kullback-Leibler divergences against known values, quadrature-free checks and Monte Carlo."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.metrics.normals import kl_normals, kl_standard_normal, normal_log_prob

means = st.floats(-20, 20)
scales = st.floats(1e-3, 1e3)


def tensor(*values: float) -> torch.Tensor:
    return torch.tensor(values, dtype=torch.float64)


@pytest.mark.parametrize(
    ("mean", "scale", "expected"),
    [
        ([0.0], [1.0], 0.0),
        ([1.0], [1.0], 0.5),
        ([0.0], [2.0], 0.8068528194),
        ([0.0], [0.5], 0.3181471806),
        ([1.0, -2.0], [0.5, 2.0], 3.625),
    ],
)
def test_kl_to_the_standard_normal_has_the_known_values(mean, scale, expected):
    """Oracle 1."""
    assert kl_standard_normal(tensor(*mean), tensor(*scale)).item() == pytest.approx(expected, abs=1e-10)


def test_kl_of_two_normals_has_the_known_value():
    """Oracle 1: KL(N(1, .5) || N(-1, 2)) = 1.4175443611."""
    kl = kl_normals(tensor(1.0), tensor(0.5), tensor(-1.0), tensor(2.0))
    assert kl.item() == pytest.approx(1.4175443611, abs=1e-10)


@given(means, scales, means, scales)
def test_kl_is_not_negative(mean, scale, other_mean, other_scale):
    kl = kl_normals(tensor(mean), tensor(scale), tensor(other_mean), tensor(other_scale))
    assert kl.item() >= -1e-12


@given(means, scales)
def test_kl_is_zero_exactly_for_equal_normals(mean, scale):
    m, s = tensor(mean), tensor(scale)
    assert kl_normals(m, s, m, s).item() == 0.0
    assert kl_normals(m, s, m + 0.1 * s, s).item() == pytest.approx(0.005, rel=1e-4)


@given(means, scales)
def test_the_standard_normal_is_a_special_case_of_two_normals(mean, scale):
    general = kl_normals(tensor(mean), tensor(scale), tensor(0.0), tensor(1.0))
    assert kl_standard_normal(tensor(mean), tensor(scale)).item() == pytest.approx(general.item(), abs=1e-9)


def test_kl_agrees_with_a_monte_carlo_estimate_within_four_standard_errors():
    rng = torch.Generator().manual_seed(0)
    mean, scale, other_mean, other_scale = (
        tensor(0.3, -1.0),
        tensor(0.4, 1.5),
        tensor(-0.2, 0.5),
        tensor(1.2, 0.8),
    )
    z = mean + scale * torch.randn(200_000, 2, generator=rng, dtype=torch.float64)
    draws = normal_log_prob(z, mean, scale) - normal_log_prob(z, other_mean, other_scale)
    exact = kl_normals(mean, scale, other_mean, other_scale).item()
    assert abs(draws.mean().item() - exact) < 4 * draws.std().item() / math.sqrt(len(draws))


def test_gradient_is_the_mean_and_the_squared_scale_minus_one():
    """Oracle 1: the gradient is mu with respect to mu and s^2 - 1 with respect to log s."""
    mean = tensor(1.0, -2.0, 0.0).requires_grad_()
    log_scale = tensor(-0.7, 0.3, 0.0).requires_grad_()
    kl_standard_normal(mean, log_scale.exp()).backward()
    torch.testing.assert_close(mean.grad, mean.detach())
    torch.testing.assert_close(log_scale.grad, (2 * log_scale).exp().detach() - 1)


def test_dimensions_are_kept_on_request_and_add_up():
    mean, scale = torch.randn(2, 4, 3, generator=torch.Generator().manual_seed(1)).double()
    parts = kl_standard_normal(mean, scale.exp(), per_dimension=True)
    assert parts.shape == (4, 3)
    torch.testing.assert_close(parts.sum(dim=1), kl_standard_normal(mean, scale.exp()))
    general = kl_normals(mean, scale.exp(), mean + 1, scale.exp(), per_dimension=True)
    torch.testing.assert_close(general.sum(dim=1), kl_normals(mean, scale.exp(), mean + 1, scale.exp()))


def test_a_very_narrow_posterior_stays_finite():
    kl = kl_normals(torch.tensor([0.0]), torch.tensor([1e-30]), torch.tensor([0.0]), torch.tensor([1e10]))
    assert kl.item() == pytest.approx(40 * math.log(10) - 0.5, rel=1e-6)
