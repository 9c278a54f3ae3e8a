"""Closed-form optima on ellipsoids: optimality conditions, and no feasible point that is better."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqdesign.testing.toy import ConstantOutcome, LinearOutcome, QuadraticOutcome

DIMENSIONS = [1, 2, 16, 128]
N = 5


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def problem(dim: int, seed: int = 0) -> tuple[Tensor, Tensor, Tensor]:
    """Posterior means, scales in [.01, 1] and kappa2 of N items."""
    rng = generator(seed)
    mean = torch.randn(N, dim, generator=rng, dtype=torch.float64)
    scale = 0.01 + 0.99 * torch.rand(N, dim, generator=rng, dtype=torch.float64)
    return mean, scale, torch.tensor([0.01, 1.0, 2.0, 64.0, 1e4], dtype=torch.float64)


def quadratic(dim: int, seed: int = 1) -> QuadraticOutcome:
    rng = generator(seed)
    root = torch.randn(dim, dim, generator=rng, dtype=torch.float64)
    hessian = root @ root.T / dim + 0.1 * torch.eye(dim, dtype=torch.float64)
    return QuadraticOutcome(hessian, 2 * torch.randn(dim, generator=rng, dtype=torch.float64))


def linear(dim: int, seed: int = 2) -> LinearOutcome:
    return LinearOutcome(torch.randn(dim, generator=generator(seed), dtype=torch.float64), bias=0.3)


def distance2(z: Tensor, mean: Tensor, scale: Tensor) -> Tensor:
    return ((z - mean) / scale).square().sum(dim=1)


def feasible_points(mean: Tensor, scale: Tensor, kappa2: Tensor, seed: int = 3) -> Tensor:
    """Points of each ellipsoid (500, N, d): random directions, a third of them on the boundary."""
    rng = generator(seed)
    u = torch.randn(500, *mean.shape, generator=rng, dtype=torch.float64)
    radius = (3 * torch.rand(500, N, 1, generator=rng, dtype=torch.float64) / 2).clamp(max=1)
    return mean + radius * kappa2.sqrt()[:, None] * scale * u / u.norm(dim=2, keepdim=True)


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_linear_optimum_has_the_closed_form_gain_on_the_boundary(dim):
    """Oracle 13: gain = sqrt(kappa2) ||S w||, and m2(z*) = kappa2, which is log q(z*) = log alpha."""
    mean, scale, kappa2 = problem(dim)
    outcome = linear(dim)
    best = outcome.optimum(mean, scale, kappa2)
    gain = kappa2.sqrt() * (scale * outcome.weight).norm(dim=1)
    torch.testing.assert_close(outcome(best) - outcome(mean), gain, rtol=1e-10, atol=1e-12)
    torch.testing.assert_close(distance2(best, mean, scale), kappa2)
    others = feasible_points(mean, scale, kappa2)
    assert (outcome(others) <= outcome(best) + 1e-9).all()


def test_linear_optimum_by_hand():
    """w = (3, 4), unit scales, kappa2 = 4: mean + 2 (.6, .8), a gain of 10."""
    outcome = LinearOutcome(torch.tensor([3.0, 4.0]))
    best = outcome.optimum(torch.tensor([[1.0, 1.0]]), torch.ones(1, 2), 4.0)
    torch.testing.assert_close(best, torch.tensor([[2.2, 2.6]], dtype=torch.float64))
    assert outcome(best).item() == pytest.approx(17.0)


@pytest.mark.parametrize("dim", DIMENSIONS)
@pytest.mark.parametrize("barrier", [1e-6, 0.1, 10.0])
def test_barrier_optimum_is_stationary_inside_and_at_most_the_barrier_below(dim, barrier):
    """Oracle 13: grad F = 2 mu_b S^-2 (z - mean) / (kappa2 - m2), and an F-gap of at most mu_b."""
    mean, scale, kappa2 = problem(dim)
    outcome = linear(dim)
    best = outcome.barrier_optimum(mean, scale, kappa2, barrier)
    slack = kappa2 - distance2(best, mean, scale)
    assert (slack > 0).all()
    gap = outcome(outcome.optimum(mean, scale, kappa2)) - outcome(best)
    assert (gap >= -1e-12).all()
    assert (gap <= barrier * (1 + 1e-9) + 1e-12).all()
    # Multiplied by slack / kappa2: next to the boundary the slack itself has few correct digits.
    slack_share = (slack / kappa2)[:, None]
    whitened = scale * outcome.weight
    force = 2 * barrier * (best - mean) / scale / kappa2[:, None]
    error = (whitened * slack_share - force).norm(dim=1) / whitened.norm(dim=1)
    assert (error < 1e-9).all()


def test_without_a_slope_the_mean_is_optimal():
    mean, scale, kappa2 = problem(3)
    flat = LinearOutcome(torch.zeros(3))
    torch.testing.assert_close(flat.optimum(mean, scale, kappa2), mean, rtol=0, atol=0)
    torch.testing.assert_close(flat.barrier_optimum(mean, scale, kappa2, 0.1), mean, rtol=0, atol=0)
    constant = ConstantOutcome(2.5)
    torch.testing.assert_close(constant.optimum(mean, scale, kappa2), mean, rtol=0, atol=0)
    z = mean.clone().requires_grad_()
    constant(z).sum().backward()
    assert constant(mean).tolist() == [2.5] * N
    assert z.grad is not None
    assert (z.grad == 0).all()


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_quadratic_optimum_meets_the_conditions_of_optimality(dim):
    """Oracle 13: H (c - z) = 2 lam S^-2 (z - mean), lam >= 0, m2 <= kappa2, lam (m2 - kappa2) = 0."""
    mean, scale, kappa2 = problem(dim)
    outcome = quadratic(dim)
    best = outcome.optimum(mean, scale, kappa2)
    m2 = distance2(best, mean, scale)
    assert (m2 <= kappa2 * (1 + 1e-9)).all()
    force = scale * ((outcome.center - best) @ outcome.hessian)
    u = (best - mean) / scale
    multiplier = (force * u).sum(dim=1) / (2 * m2)
    inside = m2 < kappa2 * (1 - 1e-9)
    assert (multiplier >= -1e-12).all()
    assert (best[inside] == outcome.center).all()
    size = (scale * ((outcome.center - mean) @ outcome.hessian)).norm(dim=1)
    residual = (force - 2 * multiplier[:, None] * u).norm(dim=1) / size
    assert (residual < 1e-10).all()
    others = feasible_points(mean, scale, kappa2)
    assert (outcome(others) <= outcome(best) + 1e-9).all()


def test_quadratic_cases_cover_both_an_active_and_an_inactive_constraint():
    mean, scale, kappa2 = problem(1)
    inside = distance2(quadratic(1).optimum(mean, scale, kappa2), mean, scale) < kappa2 * (1 - 1e-9)
    assert inside.any()
    assert not inside.all()


def test_quadratic_optimum_by_hand():
    """F = -1/2 |z - (3, 4)|^2 on the ball of radius 2 about 0: the point (1.2, 1.6)."""
    outcome = QuadraticOutcome(torch.eye(2), torch.tensor([3.0, 4.0]))
    best = outcome.optimum(torch.zeros(1, 2), torch.ones(1, 2), 4.0)
    torch.testing.assert_close(best, torch.tensor([[1.2, 1.6]], dtype=torch.float64))
    assert outcome(best).item() == pytest.approx(-4.5)
    assert outcome(outcome.center[None]).item() == 0.0


@pytest.mark.parametrize("make", [linear, quadratic])
def test_the_optimum_shrinks_to_the_mean_and_grows_with_the_set(make):
    """Oracle 13: kappa2 -> 0 gives the mean; nested sets give a monotone optimum."""
    mean, scale, _ = problem(16)
    outcome = make(16)
    torch.testing.assert_close(outcome.optimum(mean, scale, 0.0), mean, rtol=0, atol=0)
    radii = [0.0, 1e-12, 0.1, 1.0, 10.0, 1e3, 1e6]
    values = torch.stack([outcome(outcome.optimum(mean, scale, k)) for k in radii])
    assert (values.diff(dim=0) >= -1e-9).all()
    assert (values[1] - values[0]).abs().max() < 1e-4


@pytest.mark.parametrize("make", [linear, quadratic])
def test_a_batch_gives_what_single_items_give(make):
    mean, scale, kappa2 = problem(16)
    outcome = make(16)
    whole = outcome.optimum(mean, scale, kappa2)
    for i in range(N):
        single = outcome.optimum(mean[[i]], scale[[i]], float(kappa2[i]))
        torch.testing.assert_close(single[0], whole[i], rtol=1e-10, atol=1e-12)


def test_rescaling_the_coordinates_does_not_move_the_whitened_optimum():
    """Oracle 13, whitening invariance: z -> D z with mean, scale and F changed together."""
    mean, scale, kappa2 = problem(16)
    stretch = 0.1 + torch.rand(16, generator=generator(9), dtype=torch.float64)
    line, bowl = linear(16), quadratic(16)
    pairs = [
        (line, LinearOutcome(line.weight / stretch)),
        (bowl, QuadraticOutcome(bowl.hessian / stretch[:, None] / stretch, bowl.center * stretch)),
    ]
    for outcome, stretched in pairs:
        u = (outcome.optimum(mean, scale, kappa2) - mean) / scale
        best = stretched.optimum(mean * stretch, scale * stretch, kappa2)
        torch.testing.assert_close((best - mean * stretch) / (scale * stretch), u, rtol=1e-8, atol=1e-9)


@pytest.mark.parametrize("make", [linear, quadratic])
def test_outcomes_are_float64_with_the_analytic_gradient(make):
    outcome = make(4)
    z = torch.randn(3, 4, generator=generator(4))
    assert outcome(z).shape == (3,)
    assert outcome(z).dtype == torch.float64
    assert torch.autograd.gradcheck(outcome, z.double().requires_grad_())


def test_a_problem_without_a_known_optimum_is_refused():
    mean, scale, _ = problem(2)
    outcome = linear(2)
    with pytest.raises(ValueError, match=r"kappa2 must be at least 0 .* got -1"):
        outcome.optimum(mean, scale, -1.0)
    with pytest.raises(ValueError, match="scale must be positive, got 0"):
        outcome.optimum(mean, scale * 0, 1.0)
    with pytest.raises(ValueError, match="barrier must be positive, got 0"):
        outcome.barrier_optimum(mean, scale, 1.0, 0.0)
    with pytest.raises(ValueError, match=r"got shape \(1, 2\)"):
        LinearOutcome(torch.ones(1, 2))
    with pytest.raises(ValueError, match="symmetric"):
        QuadraticOutcome(torch.tensor([[1.0, 1.0], [0.0, 1.0]]), torch.zeros(2))
    with pytest.raises(ValueError, match="smallest eigenvalue -1"):
        QuadraticOutcome(-torch.eye(2), torch.zeros(2))
    with pytest.raises(ValueError, match=r"must be \(2, 2\) like center, got \(3, 3\)"):
        QuadraticOutcome(torch.eye(3), torch.zeros(2))
