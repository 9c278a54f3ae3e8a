"""What every attribution method promises, over the registry: a score and one-hot input -> effects.

The scores are an ensemble that is linear, with weights as closed form, and one that is not.
"""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqdesign.attribution.effects import Method, contributions
from seqdesign.registry import Registry

REGISTRY = Registry("method", "seqdesign.attribution.methods", "seqdesign.attribution")
V, L = 4, 7
WEIGHTS = torch.randn(2, V, L, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def linear(x: Tensor) -> Tensor:
    return torch.einsum("nvl,mvl->mn", x, WEIGHTS.to(x)) + 0.7


def curved(x: Tensor) -> Tensor:
    return torch.stack([(linear(x)[0] * 0.3).tanh(), x[:, 0, 1] * x[:, 2, 3] + x[:, 1].sum(1) ** 2])


@pytest.fixture(params=REGISTRY.names())
def name(request: pytest.FixtureRequest) -> str:
    return request.param


@pytest.fixture
def method(name: str) -> Method:
    return REGISTRY.load(name)


def sequences(num: int, seed: int = 0) -> Tensor:
    tokens = torch.randint(V, (num, L), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.one_hot(tokens, V).mT.double()


def test_a_linear_score_is_explained_by_its_centred_weights(method: Method) -> None:
    x = sequences(5)
    effects = method(linear, x)
    wanted = WEIGHTS - WEIGHTS.mean(1, keepdim=True)
    assert effects.shape == (2, 5, V, L)
    torch.testing.assert_close(effects, wanted[:, None].expand_as(effects))
    own = (wanted[:, None] * x).sum(2)
    torch.testing.assert_close(contributions(effects, x), own)


def test_a_linear_score_is_the_sum_of_contributions_and_the_mean_score(method: Method) -> None:
    x = sequences(6, seed=1)
    uniform = linear(torch.full((1, V, L), 1 / V, dtype=torch.float64))
    torch.testing.assert_close(contributions(method(linear, x), x).sum(2) + uniform, linear(x))


@pytest.mark.parametrize("score", [linear, curved])
def test_effects_are_centred_and_finite(method: Method, score: Method) -> None:
    effects = method(score, sequences(3))
    assert bool(effects.isfinite().all())
    torch.testing.assert_close(effects.sum(2), torch.zeros(2, 3, L, dtype=torch.float64))


@pytest.mark.parametrize("score", [linear, curved])
def test_a_sequence_is_explained_alike_alone_and_among_others(method: Method, score: Method) -> None:
    x = sequences(9, seed=2)
    together = method(score, x)
    alone = torch.cat([method(score, x[i : i + 1]) for i in range(len(x))], 1)
    torch.testing.assert_close(together, alone)


def test_a_position_that_the_score_ignores_has_no_effect(method: Method) -> None:
    def ignoring(x: Tensor) -> Tensor:
        return curved(torch.cat([x[..., :4], torch.zeros_like(x[..., 4:])], 2))

    assert bool((method(ignoring, sequences(4))[..., 4:].abs() < 1e-12).all())


def test_a_masked_letter_is_the_average_one_and_contributes_nothing(method: Method) -> None:
    x = sequences(2)
    x[:, :, 3] = 1 / V
    assert contributions(method(linear, x), x)[..., 3].abs().max() < 1e-12


def test_arguments_and_gradients_are_left_as_they_were(method: Method) -> None:
    x = sequences(3)
    before = x.clone()
    effects = method(curved, x)
    assert torch.equal(x, before)
    assert x.grad is None
    assert not x.requires_grad
    assert not effects.requires_grad


def test_no_sequence_gives_no_effect(method: Method) -> None:
    assert method(linear, sequences(3)[:0]).shape == (2, 0, V, L)
