"""What every attribution method promises: a score and one-hot input -> effects.

The scores are an ensemble that is linear, with weights as closed form, and one that is not.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from seqdesign.attribution.effects import Method, Score, contributions
from seqdesign.testing.battery import Battery, name_of

CHECKS: Battery[Method] = Battery("attribution method")
V, L = 4, 7
WEIGHTS = torch.randn(2, V, L, generator=torch.Generator().manual_seed(3), dtype=torch.float64)


def check_attribution(
    method: Method,
    *,
    name: str | None = None,
    checks: Iterable[str] | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> None:
    """Check that an attribution method keeps the promises of `seqdesign attribute --method`.

    Args:
        method: ``method(score, x)`` gives effects (M, N, V, L) of a score (N, V, L) -> (M, N) at one-hot x.
        name: what messages call it; the name of the function when not given.
        checks: names of the checks to run, of `attribution_checks()`; all of them when None.
        expected_failures: check -> why it fails; one that passes is an error.

    Raises:
        AssertionError: lists all checks that fail.
        UsageError: a check that does not exist.

    Example:
        >>> check_attribution(occlusion, expected_failures={"a_linear_score_is_explained...": "windows"})
    """
    CHECKS.run(method, name=name or name_of(method), checks=checks, expected_failures=expected_failures)


def attribution_checks() -> list[str]:
    """Names of the checks of `check_attribution`."""
    return CHECKS.names()


def linear(x: Tensor) -> Tensor:
    """(N, V, L) -> (2, N), linear."""
    return torch.einsum("nvl,mvl->mn", x, WEIGHTS.to(x)) + 0.7


def curved(x: Tensor) -> Tensor:
    """(N, V, L) -> (2, N), with saturation and interactions."""
    return torch.stack([(linear(x)[0] * 0.3).tanh(), x[:, 0, 1] * x[:, 2, 3] + x[:, 1].sum(1) ** 2])


SCORES = {"linear": linear, "curved": curved}


def sequences(num: int, seed: int = 0) -> Tensor:
    """Random one-hot sequences (num, V, L)."""
    tokens = torch.randint(V, (num, L), generator=torch.Generator().manual_seed(seed))
    return torch.nn.functional.one_hot(tokens, V).mT.double()


@CHECKS.check()
def a_linear_score_is_explained_by_its_centred_weights(method: Method) -> None:
    x = sequences(5)
    effects = method(linear, x)
    wanted = WEIGHTS - WEIGHTS.mean(1, keepdim=True)
    assert effects.shape == (2, 5, V, L)
    torch.testing.assert_close(effects, wanted[:, None].expand_as(effects))
    own = (wanted[:, None] * x).sum(2)
    torch.testing.assert_close(contributions(effects, x), own)


@CHECKS.check()
def a_linear_score_is_the_sum_of_contributions_and_the_mean_score(method: Method) -> None:
    x = sequences(6, seed=1)
    uniform = linear(torch.full((1, V, L), 1 / V, dtype=torch.float64))
    torch.testing.assert_close(contributions(method(linear, x), x).sum(2) + uniform, linear(x))


@CHECKS.check(score=SCORES)
def effects_are_centred_and_finite(method: Method, score: Score) -> None:
    effects = method(score, sequences(3))
    assert bool(effects.isfinite().all())
    torch.testing.assert_close(effects.sum(2), torch.zeros(2, 3, L, dtype=torch.float64))


@CHECKS.check(score=SCORES)
def a_sequence_is_explained_alike_alone_and_among_others(method: Method, score: Score) -> None:
    x = sequences(9, seed=2)
    together = method(score, x)
    alone = torch.cat([method(score, x[i : i + 1]) for i in range(len(x))], 1)
    torch.testing.assert_close(together, alone)


@CHECKS.check()
def a_position_that_the_score_ignores_has_no_effect(method: Method) -> None:
    def ignoring(x: Tensor) -> Tensor:
        return curved(torch.cat([x[..., :4], torch.zeros_like(x[..., 4:])], 2))

    assert bool((method(ignoring, sequences(4))[..., 4:].abs() < 1e-12).all())


@CHECKS.check()
def a_masked_letter_is_the_average_one_and_contributes_nothing(method: Method) -> None:
    x = sequences(2)
    x[:, :, 3] = 1 / V
    assert contributions(method(linear, x), x)[..., 3].abs().max() < 1e-12


@CHECKS.check()
def arguments_and_gradients_are_left_as_they_were(method: Method) -> None:
    x = sequences(3)
    before = x.clone()
    effects = method(curved, x)
    assert torch.equal(x, before)
    assert x.grad is None
    assert not x.requires_grad
    assert not effects.requires_grad


@CHECKS.check()
def no_sequence_gives_no_effect(method: Method) -> None:
    assert method(linear, sequences(3)[:0]).shape == (2, 0, V, L)
