"""The feasible set of REVISE: the five scales of alpha, chi-square values, and steps to the boundary."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st
from scipy.stats import chi2
from torch import Tensor
from torch.distributions import Independent, Normal

from seqdesign.errors import UsageError
from seqdesign.revisers.ellipsoid import Ellipsoid

DIMENSIONS = [1, 2, 16, 128]
SCALES = ["original", "density", "relative", "coverage", "radius"]


def generator(seed: int) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def posterior(num: int, dim: int, seed: int = 0, low: float = 0.01) -> tuple[Tensor, Tensor]:
    """Means, and scales in [low, 1]."""
    rng = generator(seed)
    mean = torch.randn(num, dim, generator=rng, dtype=torch.float64)
    return mean, low + (1 - low) * torch.rand(num, dim, generator=rng, dtype=torch.float64)


def unit(num: int, dim: int) -> tuple[Tensor, Tensor]:
    return torch.zeros(num, dim), torch.ones(num, dim)


def test_minus_one_is_infeasible_as_a_density_and_two_sigma_squared_on_the_original_scale():
    """The scale trap of algorithms 1.2: d = 128, s = 1 has l_max = -117.624; the authors' code kappa2 = 2."""
    density = Ellipsoid.from_alpha(*unit(1, 128), -1.0, "density")
    assert density.log_mode.item() == pytest.approx(-117.624, abs=5e-4)
    assert density.feasible.tolist() == [False]
    original = Ellipsoid.from_alpha(*unit(1, 128), -1.0)
    assert original.kappa2.tolist() == [2.0]
    assert original.feasible.tolist() == [True]


def test_log_alpha_of_minus_ten_thousand_is_a_radius_of_141_sigma():
    """Algorithms 1.2: kappa2(-10000, s = 1) = 20000."""
    far = Ellipsoid.from_alpha(*unit(1, 3), -10000.0, "original")
    assert far.kappa2.tolist() == [20000.0]


@pytest.mark.parametrize("dim", [*DIMENSIONS, 2000])
def test_density_and_original_scales_differ_by_the_constant_of_the_density(dim):
    """Oracle 13: density(la - (d/2) log 2 pi) == original(la)."""
    mean, scale = posterior(4, dim)
    original = Ellipsoid.from_alpha(mean, scale, -30.0, "original").kappa2
    density = Ellipsoid.from_alpha(mean, scale, -30.0 - dim / 2 * math.log(2 * math.pi), "density").kappa2
    torch.testing.assert_close(density, original, rtol=1e-11, atol=1e-9)


@pytest.mark.parametrize(
    ("dim", "mass", "quantile"),
    [(128, 0.05, 102.867), (128, 0.50, 127.334), (128, 0.95, 155.405), (2, 0.95, 5.99146)],
)
def test_coverage_gives_the_known_chi_square_quantiles(dim, mass, quantile):
    """Quantiles of algorithms 1.2."""
    ellipsoid = Ellipsoid.from_alpha(*unit(3, dim), mass, "coverage")
    assert ellipsoid.kappa2.tolist() == pytest.approx([quantile] * 3, rel=5e-6)
    assert ellipsoid.coverage().tolist() == pytest.approx([mass] * 3, rel=1e-8)


@pytest.mark.parametrize("dim", [*DIMENSIONS, 2000])
def test_coverage_is_the_chi_square_distribution_function(dim):
    """Reference: scipy.stats.chi2. 0 where nothing is feasible."""
    kappa2 = dim * torch.tensor([0.2, 0.9, 1.0, 1.1, 3.0, -1.0], dtype=torch.float64)
    ellipsoid = Ellipsoid(*(tensor.double() for tensor in unit(6, dim)), kappa2, torch.zeros(6))
    assert ellipsoid.coverage().tolist() == pytest.approx(chi2.cdf(kappa2.numpy(), dim).tolist(), rel=1e-8)


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_all_scales_can_state_the_same_set(dim):
    """kappa2 = 3 through every scale, by the definitions of algorithms 1.2."""
    mean, scale = posterior(1, dim)
    log_mode = Independent(Normal(mean, scale), 1).log_prob(mean).item()
    bounds = {
        "density": log_mode - 1.5,
        "original": log_mode - 1.5 + dim / 2 * math.log(2 * math.pi),
        "relative": -1.5,
        "coverage": float(chi2.cdf(3.0, dim)),
        "radius": math.sqrt(3.0),
    }
    assert sorted(bounds) == sorted(SCALES)
    for scale_name, bound in bounds.items():
        kappa2 = Ellipsoid.from_alpha(mean, scale, bound, scale_name).kappa2
        assert kappa2.item() == pytest.approx(3.0, rel=1e-8), scale_name


@pytest.mark.parametrize("dim", DIMENSIONS)
def test_points_are_feasible_exactly_when_their_density_reaches_alpha(dim):
    """Definition of the set; densities from torch.distributions."""
    mean, scale = posterior(200, dim)
    normal = Independent(Normal(mean, scale), 1)
    z = mean + scale * torch.randn(mean.shape, generator=generator(1), dtype=torch.float64)
    log_alpha = normal.log_prob(z).median().item() + 1e-6
    ellipsoid = Ellipsoid.from_alpha(mean, scale, log_alpha, "density")
    inside = normal.log_prob(z) >= log_alpha
    assert 0 < inside.sum() < 200
    assert torch.equal(ellipsoid.contains(z), inside)
    torch.testing.assert_close(ellipsoid.log_density(z), normal.log_prob(z))


def test_two_thousand_dimensions_stay_finite():
    """Oracle 13: (2 pi)^(d/2) overflows float64 beyond d = 772."""
    mean, scale = posterior(2, 2000)
    ellipsoid = Ellipsoid.from_alpha(mean, scale, -1.0)
    assert torch.isfinite(ellipsoid.kappa2).all()
    assert torch.isfinite(ellipsoid.log_mode).all()
    assert torch.equal(ellipsoid.kappa2, -2.0 * (-1.0 + scale.log().sum(dim=1)))


def test_over_confident_posteriors_are_widened_to_the_least_scale():
    mean, scale = torch.zeros(1, 2), torch.tensor([[1e-6, 0.5]])
    widened = Ellipsoid.from_alpha(mean, scale, 1.0, "radius")
    assert widened.scale.tolist() == [[0.01, 0.5]]
    kept = Ellipsoid.from_alpha(mean, scale, 1.0, "radius", min_scale=0.0)
    assert kept.scale[0, 0].item() == pytest.approx(1e-6)
    assert scale.tolist() == [[pytest.approx(1e-6), 0.5]]


@pytest.mark.parametrize(
    ("alpha_scale", "bound"),
    [
        ("relative", 0.1),
        ("coverage", 0.0),
        ("coverage", 1.0),
        ("coverage", -1.0),
        ("radius", -0.5),
        *((name, math.nan) for name in SCALES),
        *((name, -math.inf) for name in SCALES),
        ("original", -1.7e308),
        ("radius", 1e200),
    ],
)
def test_a_bound_without_a_meaning_on_its_scale_is_refused(alpha_scale, bound):
    with pytest.raises(UsageError, match="--alpha") as caught:
        Ellipsoid.from_alpha(*unit(1, 2), bound, alpha_scale)
    assert caught.value.option == "--alpha"


def test_an_unknown_scale_is_refused_with_the_known_ones():
    with pytest.raises(UsageError, match=r"original, density.*'log'") as caught:
        Ellipsoid.from_alpha(*unit(1, 2), -1.0, "log")  # type: ignore[arg-type]
    assert caught.value.option == "--alpha-scale"


@pytest.mark.parametrize(("alpha_scale", "bound"), [("relative", 0.0), ("radius", 0.0)])
def test_the_highest_bound_leaves_the_mean_alone(alpha_scale, bound):
    mean, scale = posterior(3, 4)
    point = Ellipsoid.from_alpha(mean, scale, bound, alpha_scale)
    assert point.feasible.all()
    assert point.kappa2.tolist() == [0.0] * 3
    assert torch.equal(point.shrink(mean + 1.0), mean)


@pytest.mark.parametrize(
    ("mean", "scale", "message"),
    [
        (torch.zeros(2, 3), torch.ones(2, 4), r"\(2, 3\) and \(2, 4\)"),
        (torch.zeros(3), torch.ones(3), "shape"),
        (torch.zeros(2, 0), torch.ones(2, 0), "d >= 1"),
        (torch.zeros(1, 2), torch.tensor([[1.0, math.nan]]), "finite"),
        (torch.tensor([[0.0, math.inf]]), torch.ones(1, 2), "finite"),
    ],
)
def test_posteriors_of_a_broken_model_are_refused(mean, scale, message):
    with pytest.raises(ValueError, match=message):
        Ellipsoid.from_alpha(mean, scale, -1.0)


@given(
    seed=st.integers(0, 10_000),
    dim=st.sampled_from(DIMENSIONS),
    log_kappa2=st.floats(-20, 20),
    log_length=st.floats(-250, 250),
    depth=st.floats(0, 1 - 1e-9),
)
def test_the_boundary_step_ends_on_the_boundary(seed, dim, log_kappa2, log_length, depth):
    """m2(z + t p) = kappa2 at the returned t, below it before and above it after, at any length of p."""
    mean, scale = posterior(1, dim, seed)
    ellipsoid = Ellipsoid(
        0 * mean, scale, torch.tensor([10.0**log_kappa2], dtype=torch.float64), torch.zeros(1)
    )
    rng = generator(seed)
    u = torch.randn(1, dim, generator=rng, dtype=torch.float64)
    z = depth * u / u.norm() * ellipsoid.half_axes()
    v = torch.randn(1, dim, generator=rng, dtype=torch.float64)
    direction = v * 10.0**log_length
    step = ellipsoid.boundary_step(z, direction)
    assert torch.isfinite(step).all()
    assert (step > 0).all()

    def share(part: float) -> float:
        return (ellipsoid.mahalanobis2(z + part * step * direction) / ellipsoid.kappa2).item()

    assert share(1.0) == pytest.approx(1.0, abs=1e-10)
    assert share(0.5) < 1.0
    assert share(1.001) > 1.0


def test_the_boundary_step_needs_room_and_a_direction():
    mean, scale = unit(4, 2)
    kappa2 = torch.tensor([4.0, 4.0, 0.0, -1.0], dtype=torch.float64)
    ellipsoid = Ellipsoid(mean.double(), scale.double(), kappa2, torch.zeros(4))
    z = torch.tensor([[0.0, 0.0], [3.0, 0.0], [0.0, 0.0], [0.0, 0.0]])
    direction = torch.tensor([[0.0, 0.0], [-1.0, 0.0], [1.0, 0.0], [1.0, 0.0]])
    assert ellipsoid.boundary_step(z, direction).tolist() == [math.inf, 0.0, 0.0, 0.0]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_shrink_moves_only_what_is_outside_and_on_its_segment(dtype):
    mean, scale = (tensor.to(dtype) for tensor in posterior(100, 16, low=0.1))
    mean = 1e-3 * mean
    ellipsoid = Ellipsoid.from_alpha(mean, scale, 3.0, "radius")
    noise = torch.randn(mean.shape, generator=generator(5)).to(dtype)
    z = mean + scale * noise * torch.linspace(0.1, 3, 100, dtype=dtype)[:, None]
    z[:, 0] = 1e-20  # so that mean + (z - mean) is not z to the last bit
    inside = ellipsoid.contains(z)
    assert 0 < inside.sum() < 100
    moved = ellipsoid.shrink(z)
    assert moved.dtype == dtype
    assert ellipsoid.contains(moved).all()
    early = ellipsoid.mahalanobis2(z) < 0.998**2 * 9
    assert torch.equal(moved[early], z[early])
    assert ellipsoid.mahalanobis2(moved)[~inside].sqrt().tolist() == pytest.approx(
        [3 * 0.999] * int((~inside).sum()), rel=1e-4
    )
    # On the segment from the mean: the same direction.
    cosine = torch.cosine_similarity((moved - mean).double(), (z - mean).double())
    torch.testing.assert_close(cosine, torch.ones(100, dtype=torch.float64), rtol=1e-6, atol=0)


def test_shrink_of_an_empty_set_is_the_mean():
    mean, scale = posterior(3, 4)
    empty = Ellipsoid.from_alpha(mean, scale, 1e6, "density")
    assert not empty.feasible.any()
    assert torch.equal(empty.shrink(mean + 1.0), mean)


def test_sets_nest_as_alpha_falls():
    mean, scale = posterior(5, 16)
    kappa2 = torch.stack([Ellipsoid.from_alpha(mean, scale, bound).kappa2 for bound in (-1.0, -2.0, -50.0)])
    assert (kappa2.diff(dim=0) > 0).all()
