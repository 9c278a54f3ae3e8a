"""What an objective is made of, and the gradient penalties that they share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Literal, Protocol

import torch
from torch import Generator, Tensor

from seqdesign.devices.randomness import for_rows

Critic = Callable[[Tensor], Tensor]
"""One-hot or soft sequences (N, V, L) to scores (N,); larger is more real."""

_TINY = 1e-12


class CriticLoss(Protocol):
    """``real`` and ``fake`` (N, V, L), no gradient flows to the generator; ``weight`` of the penalty.

    Without penalty (``weight`` 0) no gradient of the critic is asked for, so that it runs under ``no_grad``.
    """

    def __call__(
        self, critic: Critic, real: Tensor, fake: Tensor, rng: Generator, weight: float
    ) -> dict[str, Tensor]:
        """Terms of the loss by name."""
        ...


class GeneratorLoss(Protocol):
    """Gradient flows through ``fake`` (N, V, L); ``real`` (N, V, L) is what it is compared with."""

    def __call__(self, critic: Critic, real: Tensor, fake: Tensor) -> Tensor:
        """The loss, a scalar."""
        ...


@dataclass(frozen=True, kw_only=True)
class Objective:
    """Both losses, and the settings with which they were published (what ``auto`` means)."""

    critic_loss: CriticLoss
    generator_loss: GeneratorLoss
    optimizer: Literal["adam", "rmsprop"] = "adam"
    betas: tuple[float, float] = (0.5, 0.9)
    learning_rate: float = 1e-4
    rate_symbols: int | None = None
    """The learning rate is for so many symbols and falls as one over their number; None: it is for any."""
    schedule: Literal["constant", "linear"] = "linear"
    critic_steps: int = 1
    """Critic steps per generator step."""
    penalty: float = 0.0
    """Weight of the gradient penalty; 0: the objective has none."""
    penalty_every: int = 1
    """The penalty is computed in one of so many critic steps, with so many times the weight."""
    max_weight: float | None = None
    """Bound of the critic's weights."""
    paced: bool = False
    """At the critic's optimum ``gap``, a term of its loss, is twice its weighted penalty. As far as it is
    less, scores are noise, and the generator takes smaller steps."""


def one_centred_penalty(critic: Critic, real: Tensor, fake: Tensor, rng: Generator) -> Tensor:
    """E (||grad D(x)|| - 1)^2 at one random point per pair on its segment (Gulrajani et al. 2017, eq. 3).

    The norm runs over letters and positions; a tiny number inside keeps its gradient finite at 0.
    """
    return (_squared_norm(critic, between(real, fake, rng))[1] + _TINY).sqrt().sub(1).square().mean()


def between(real: Tensor, fake: Tensor, rng: Generator) -> Tensor:
    """One random point (N, V, L) on the segment of each pair."""
    share = for_rows(lambda n: torch.rand(n, 1, 1, generator=rng, device=rng.device), len(real)).to(real)
    return share * real.detach() + (1 - share) * fake.detach()


def zero_centred_penalty(critic: Critic, points: Tensor) -> tuple[Tensor, Tensor]:
    """Scores (N,) and E ||grad D(x)||^2 at ``points`` (R1 on real rows, R2 on generated ones), of one pass.

    R1 is that of Mescheder et al. (ICML 2018), eq. 9.
    """
    scores, squared = _squared_norm(critic, points)
    return scores, squared.mean()


def _squared_norm(critic: Critic, points: Tensor) -> tuple[Tensor, Tensor]:
    points = points.detach().clone().requires_grad_()
    scores = critic(points)
    (gradient,) = torch.autograd.grad(scores.sum(), points, create_graph=True)
    return scores, gradient.float().square().sum((1, 2))
