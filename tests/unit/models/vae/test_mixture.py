"""The mixture of normals: its density and draws by torch's, and that EM finds what codes were drawn from."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.distributions import Categorical, MixtureSameFamily, MultivariateNormal

from seqdesign.models.vae.mixture import Mixture, fit_mixture


def rng(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


def some() -> Mixture:
    """Two components in three dimensions."""
    mixture = Mixture(2, 3)
    mixture.weights.copy_(torch.tensor([0.25, 0.75]))
    mixture.means.copy_(torch.tensor([[3.0, 0.0, -1.0], [-2.0, 1.0, 0.5]]))
    lower = torch.tensor([[1.0, 0.0, 0.0], [0.5, 0.8, 0.0], [-0.2, 0.3, 0.1]])
    mixture.factors.copy_(torch.stack([lower, 0.4 * torch.eye(3)]))
    return mixture


def draws(mixture: Mixture, num: int, seed: int = 0) -> Tensor:
    noise = torch.randn(num, mixture.means.shape[1], generator=rng(seed))
    return mixture.draw(noise, torch.rand(num, generator=rng(seed + 1)))


def test_the_density_is_that_of_torch() -> None:
    mixture = some()
    normals = MultivariateNormal(mixture.means, scale_tril=mixture.factors)
    expected = MixtureSameFamily(Categorical(mixture.weights), normals)
    z = torch.randn(20, 3, generator=rng()) * 2
    torch.testing.assert_close(mixture.log_prob(z), expected.log_prob(z), rtol=1e-5, atol=1e-4)


def test_draws_have_the_moments_of_the_mixture() -> None:
    mixture, z = some(), draws(some(), 20_000)
    mean = mixture.weights @ mixture.means
    inner = mixture.factors @ mixture.factors.mT
    apart = mixture.means - mean
    covariance = torch.einsum("k,kij->ij", mixture.weights, inner + apart[:, :, None] * apart[:, None])
    torch.testing.assert_close(z.mean(0), mean, rtol=0, atol=0.06)
    torch.testing.assert_close(torch.cov(z.T), covariance, rtol=0, atol=0.12)
    assert abs((z[:, 0] > 1).float().mean().item() - 0.25) < 0.03


def test_em_finds_the_mixture_and_as_few_components_as_do() -> None:
    """Other draws are as likely under the fit as under the truth; one normal would be much less so."""
    truth = some()
    z, others = draws(truth, 3000, seed=2), draws(truth, 2000, seed=5)
    found = fit_mixture(z, others, rng(), most=20)
    assert len(found.weights) in (4, 16)
    exact = truth.log_prob(others).mean()
    assert found.log_prob(others).mean() > exact - 0.05
    assert fit_mixture(z, others, rng(), most=1).log_prob(others).mean() < exact - 0.5


def test_codes_of_one_normal_need_one_component() -> None:
    z = torch.randn(1500, 4, generator=rng(3)) @ torch.diag(torch.tensor([3.0, 1.0, 0.2, 0.05]))
    found = fit_mixture(z[:1000], z[1000:], rng(), most=100)
    assert len(found.weights) == 1
    torch.testing.assert_close(
        found.factors[0] @ found.factors[0].mT, torch.cov(z[:1000].T), rtol=0.02, atol=2e-3
    )


def test_codes_on_a_plane_have_a_density() -> None:
    """A dimension that is not used has no variance."""
    z = torch.randn(400, 3, generator=rng(4))
    z[:, 2] = 0.0
    assert fit_mixture(z[:300], z[300:], rng(), most=4).log_prob(z).isfinite().all()
