"""Closed forms of the GAN objectives (oracles 6 to 9) and a mixture of Gaussians that each of them learns."""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable

import pytest
import torch
from torch import Generator, Tensor, nn

from seqdesign.adversarial.members import OBJECTIVES
from seqdesign.adversarial.objective import Objective, one_centred_penalty, zero_centred_penalty
from seqdesign.adversarial.objectives.mmd import kernel_distance
from seqdesign.models.gan.config import GANOptions

LOG2 = math.log(2)
RNG = torch.Generator


def objective(name: str) -> Objective:
    found: Objective = OBJECTIVES.load(name)
    return found


def points(*rows: tuple[float, ...]) -> Tensor:
    """(N, V, 1)."""
    return torch.tensor(rows, dtype=torch.float64)[:, :, None]


def linear(weight: Tensor) -> Callable[[Tensor], Tensor]:
    return lambda x: (x * weight).sum((1, 2))


def constant(value: float) -> Callable[[Tensor], Tensor]:
    return lambda x: x.sum((1, 2)) * 0 + value


def test_all_published_objectives_are_there() -> None:
    assert {"wgan", "wgan-gp", "sobolev", "minimax", "non-saturating", "r3gan", "mmd"} <= set(
        OBJECTIVES.names()
    )


def test_the_published_settings() -> None:
    """Arjovsky et al. 2017, algorithm 1; Gulrajani et al. 2017, algorithm 1."""
    wgan, gp = objective("wgan"), objective("wgan-gp")
    assert (wgan.optimizer, wgan.learning_rate, wgan.max_weight, wgan.critic_steps) == (
        "rmsprop",
        5e-5,
        0.01,
        5,
    )
    assert (wgan.schedule, wgan.penalty) == ("constant", 0.0)
    assert (gp.optimizer, gp.learning_rate, gp.betas, gp.penalty, gp.critic_steps) == (
        "adam", 1e-4, (0.5, 0.9), 10.0, 5,
    )  # fmt: skip
    assert gp.penalty_every == 1


def test_the_best_discriminator_of_two_coins() -> None:
    """Oracle 6: p = (.7, .3), q = (.2, .8): D* = (7/9, 3/11), V(D*) = -1.1212834593 = -log 4 + 2 JS."""
    p, q = torch.tensor([0.7, 0.3]), torch.tensor([0.2, 0.8])
    real = torch.eye(2)[:, :, None][torch.tensor([0] * 7 + [1] * 3)].double()
    fake = torch.eye(2)[:, :, None][torch.tensor([0] * 2 + [1] * 8)].double()
    logits = torch.zeros(2, 1, dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([logits], max_iter=100, tolerance_grad=1e-12, tolerance_change=1e-14)

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = objective("minimax").critic_loss(linear(logits), real, fake, RNG(), 0.0)["loss"]
        value.backward()
        return value

    optimizer.step(loss)
    found = torch.sigmoid(logits.detach()).flatten().float()
    torch.testing.assert_close(found, p / (p + q), rtol=0, atol=1e-5)
    assert loss().item() == pytest.approx(1.1212834593, abs=1e-8)
    same = objective("minimax").critic_loss(constant(0.0), real, real, RNG(), 0.0)["loss"]
    assert float(same) == pytest.approx(1.3862943611, abs=1e-9)


@pytest.mark.parametrize(("name", "slope"), [("minimax", 4.5397868702e-05), ("non-saturating", 0.9999546021)])
def test_the_gradient_of_the_generator_saturates_or_not(name: str, slope: float) -> None:
    """Oracle 6, at a logit of -10."""
    logit = torch.tensor(-10.0, dtype=torch.float64, requires_grad=True)
    x = points((1.0,))
    objective(name).generator_loss(lambda x: x.sum((1, 2)) * logit, x, x).backward()
    assert abs(float(logit.grad)) == pytest.approx(slope, rel=1e-8)


def test_minimax_is_a_game_of_zero_sum() -> None:
    """Oracle 6: the gradients of both losses with respect to the generated points are opposite."""
    weight = torch.randn(3, 1, generator=RNG().manual_seed(0), dtype=torch.float64)
    real, gradients = points((1.0, 0.0, 0.0)), []
    for loss in (
        lambda x: objective("minimax").critic_loss(linear(weight), real, x, RNG(), 0.0)["loss"],
        lambda x: objective("minimax").generator_loss(linear(weight), real, x),
    ):
        x = points((0.2, 0.3, 0.5)).requires_grad_()
        loss(x).backward()
        gradients.append(x.grad)
    torch.testing.assert_close(gradients[0], -gradients[1])


@pytest.mark.parametrize(("weight", "norm", "gap"), [(10.0, 1.25, 6.25), (1.0, 3.5, 17.5)])
def test_the_best_linear_critic_under_the_penalty(weight: float, norm: float, gap: float) -> None:
    """Oracle 8: ||w|| = 1 + D/(2 lambda), gap D + D^2/(2 lambda) for point masses 5 apart; not W1 itself."""
    real, fake = points((3.0, 4.0)), points((0.0, 0.0))
    w = torch.tensor([[0.1], [0.1]], dtype=torch.float64, requires_grad=True)
    optimizer = torch.optim.LBFGS([w], max_iter=200, tolerance_grad=1e-12, tolerance_change=1e-15)

    def loss() -> Tensor:
        optimizer.zero_grad()
        value = objective("wgan-gp").critic_loss(linear(w), real, fake, RNG().manual_seed(0), weight)["loss"]
        value.backward()
        return value

    optimizer.step(loss)
    assert float(w.detach().norm()) == pytest.approx(norm, abs=1e-6)
    found = linear(w.detach())(real) - linear(w.detach())(fake)
    assert float(found) == pytest.approx(gap, abs=1e-5)
    assert loss().item() == pytest.approx(-(5 + 25 / (4 * weight)), abs=1e-6)


def test_the_penalty_of_a_linear_critic_does_not_depend_on_the_point() -> None:
    """Oracle 9: (||w|| - 1)^2, R1 = ||w||^2, whatever the random share."""
    w = torch.tensor([[3.0], [4.0]], dtype=torch.float64)
    real, fake = torch.rand(6, 2, 1, dtype=torch.float64), torch.rand(6, 2, 1, dtype=torch.float64)
    for seed in (0, 1):
        value = one_centred_penalty(linear(w), real, fake, RNG().manual_seed(seed))
        assert float(value) == pytest.approx(16.0, abs=1e-9)
    assert float(zero_centred_penalty(linear(w), real)[1]) == pytest.approx(25.0)


def test_the_penalty_of_a_quadratic_critic_is_that_at_the_drawn_points() -> None:
    """Oracle 9: f = a ||x||^2 / 2 has gradient a x."""
    real, fake = torch.rand(5, 2, 3, dtype=torch.float64), torch.rand(5, 2, 3, dtype=torch.float64)
    share = torch.rand(5, 1, 1, generator=RNG().manual_seed(3)).double()
    between = share * real + (1 - share) * fake
    wanted = (2.5 * between.flatten(1).norm(dim=1) - 1).square().mean()
    found = one_centred_penalty(lambda x: 1.25 * x.square().sum((1, 2)), real, fake, RNG().manual_seed(3))
    assert found.item() == pytest.approx(wanted.item(), rel=1e-5)


def test_the_penalty_is_of_pairs() -> None:
    """Oracle 9: pairs may change places together, but not their members alone; equal shares for all here."""
    real, fake = torch.rand(4, 2, 1, dtype=torch.float64), torch.rand(4, 2, 1, dtype=torch.float64)
    order = torch.tensor([2, 0, 3, 1])

    def penalty(a: Tensor, b: Tensor) -> float:
        """With the same share for every pair: one pair a call."""
        rows = [
            one_centred_penalty(
                lambda x: x.square().sum((1, 2)), a[i : i + 1], b[i : i + 1], RNG().manual_seed(5)
            )
            for i in range(4)
        ]
        return torch.stack(rows).mean().item()

    assert penalty(real[order], fake[order]) == pytest.approx(penalty(real, fake))
    assert penalty(real, fake[order]) != pytest.approx(penalty(real, fake), rel=1e-3)


def test_the_penalty_has_a_finite_second_derivative_where_the_gradient_is_zero() -> None:
    """The NaN trap of algorithms 1.7."""
    w = torch.zeros(2, 1, dtype=torch.float64, requires_grad=True)
    one_centred_penalty(linear(w), points((1.0, 0.0)), points((0.0, 1.0)), RNG()).backward()
    assert torch.isfinite(w.grad).all()


def test_both_players_of_r3gan_pay_log_2_at_equal_scores() -> None:
    """Oracle 9."""
    x = points((1.0, 0.0), (0.0, 1.0))
    critic = objective("r3gan").critic_loss(constant(0.7), x, x, RNG(), 0.0)["loss"]
    generator = objective("r3gan").generator_loss(constant(0.7), x, x)
    assert float(critic) == pytest.approx(LOG2)
    assert float(generator) == pytest.approx(LOG2)


def test_the_best_linear_critic_of_the_sobolev_game() -> None:
    """Two point masses Delta apart: f = u x, gap u Delta, penalty weight u^2; u = Delta / (2 weight), value
    Delta^2 / (4 weight). For Delta 5 and weight 2: 1.25 and 3.125; the generator falls by u for each unit."""
    real, fake = points((5.0,)), points((0.0,)).requires_grad_()
    u = torch.tensor([[1.25]], dtype=torch.float64, requires_grad=True)
    loss = objective("sobolev").critic_loss(linear(u), real, fake.detach(), RNG(), 2.0)["loss"]
    loss.backward()
    assert loss.item() == pytest.approx(-3.125)
    assert float(u.grad) == pytest.approx(0.0, abs=1e-12)
    objective("sobolev").generator_loss(linear(u.detach()), real, fake).backward()
    assert float(fake.grad) == pytest.approx(-1.25)


def test_a_critic_that_is_steep_only_between_sequences_pays_for_it() -> None:
    """Its gradients at whole letters, 0 and 1, are next to nothing."""
    real, fake = torch.ones(64, 1, 1, dtype=torch.float64), torch.zeros(64, 1, 1, dtype=torch.float64)

    def steep(x: Tensor) -> Tensor:
        return (40 * (x - 0.5)).sigmoid().sum((1, 2))

    assert zero_centred_penalty(steep, torch.cat([real, fake]))[1].item() < 1e-12
    fair = objective("sobolev").critic_loss(lambda x: x.sum((1, 2)), real, fake, RNG(), 1.0)
    paid = objective("sobolev").critic_loss(steep, real, fake, RNG(), 1.0)
    assert fair["penalty"].item() == pytest.approx(1.0)
    assert paid["penalty"].item() > 3


def test_the_kernel_distance_is_that_of_counted_words() -> None:
    """Words of 1 to 4 letters, anywhere and in place, counted with strings, all pairs summed one by one."""
    texts = ["ACGTAC", "AACCGG", "TTACGA"], ["ACGTTT", "CCCCCC", "GATTAC"]

    def hot(rows: list[str]) -> Tensor:
        return torch.stack([torch.tensor([[float(c == a) for c in t] for a in "ACGT"]) for t in rows])

    def same(s: str, t: str, k: int, placed: bool) -> int:
        windows = range(len(s) - k + 1)
        return sum(s[i : i + k] == t[j : j + k] for i in windows for j in windows if i == j or not placed)

    wanted = 0.0
    for k in range(1, 5):
        for placed in (True, False):

            def mean(a: list[str], b: list[str], own: bool, k: int = k, placed: bool = placed) -> float:
                pairs = [(i, j) for i in range(3) for j in range(3) if i != j or not own]
                return sum(same(a[i], b[j], k, placed) for i, j in pairs) / len(pairs)

            scale = sum(same(t, t, k, placed) for t in texts[0]) / 3
            real, fake = texts
            wanted += (mean(real, real, True) + mean(fake, fake, True) - 2 * mean(real, fake, False)) / scale
    found = kernel_distance(hot(texts[0]), hot(texts[1]))
    assert float(found) == pytest.approx(wanted, rel=1e-5)


def test_matching_kernel_means_needs_no_critic() -> None:
    real, fake = torch.rand(4, 4, 8), torch.rand(4, 4, 8, requires_grad=True)
    loss = objective("mmd").generator_loss(constant(float("nan")), real, fake)
    loss.backward()
    assert torch.isfinite(loss)
    assert float(fake.grad.abs().sum()) > 0


def circle() -> Tensor:
    """Eight places on a circle of radius 2, (8, 2)."""
    angle = torch.arange(8) * (math.pi / 4)
    return 2 * torch.stack([angle.cos(), angle.sin()], dim=1)


def grid() -> Tensor:
    """Twenty-five places, half a unit apart, (25, 2)."""
    return 0.5 * torch.cartesian_prod(torch.arange(-2.0, 3.0), torch.arange(-2.0, 3.0))


def mixture(centres: Tensor, num: int, rng: Generator) -> Tensor:
    """Points around places drawn evenly, standard deviation 0.05, (N, 2, 1)."""
    chosen = centres[torch.randint(len(centres), (num,), generator=rng)]
    return (chosen + 0.05 * torch.randn(num, 2, generator=rng))[:, :, None]


def judge(x: Tensor, centres: Tensor, radius: float, share: float) -> tuple[int, float]:
    """(places that have ``share`` of the points within ``radius``, mean distance to the nearest place)."""
    distance, nearest = torch.cdist(x[:, :, 0], centres).min(dim=1)
    counts = torch.bincount(nearest[distance < radius], minlength=len(centres))
    return int((counts > share * len(x)).sum()), float(distance.mean())


def network(inputs: int, outputs: int, width: int, hidden: int) -> nn.Sequential:
    """``hidden`` layers of ``width`` units."""
    sizes = [inputs, *[width] * hidden]
    layers = [layer for a, b in itertools.pairwise(sizes) for layer in (nn.Linear(a, b), nn.LeakyReLU(0.2))]
    return nn.Sequential(*layers, nn.Linear(width, outputs))


def play(
    name: str,
    centres: Tensor,
    *,
    steps: int,
    rate: float,
    penalty: float,
    width: int = 64,
    hidden: int = 2,
    betas: tuple[float, float],
    settle: bool = False,
) -> Tensor:
    """2,000 points (N, 2, 1) after a small game with the objective's own losses.

    ``settle``: as in the training loop, the rate falls and the running average of the generator is kept.
    """
    torch.manual_seed(0)
    rng, game = RNG().manual_seed(1), objective(name)
    generator, critic = network(4, 2, width, hidden), network(2, 1, width, hidden)
    score = lambda x: critic(x[:, :, 0]).squeeze(1)  # noqa: E731
    fake = lambda n: generator(torch.randn(n, 4, generator=rng))[:, :, None]  # noqa: E731
    ours, theirs = (
        torch.optim.RMSprop(player.parameters(), lr=rate)
        if game.optimizer == "rmsprop"
        else torch.optim.Adam(player.parameters(), lr=rate, betas=betas)
        for player in (generator, critic)
    )
    kept = [p.detach().clone() for p in generator.parameters()]
    for step in range(steps):
        for optimizer in (ours, theirs) if settle else ():
            optimizer.param_groups[0]["lr"] = rate * (1 - step / steps)
        for _ in range(game.critic_steps):
            theirs.zero_grad()
            game.critic_loss(score, mixture(centres, 128, rng), fake(128).detach(), rng, penalty)[
                "loss"
            ].backward()
            theirs.step()
            if game.max_weight is not None:
                for p in critic.parameters():
                    p.data.clamp_(-0.1, 0.1)
        ours.zero_grad()
        game.generator_loss(score, mixture(centres, 128, rng), fake(128)).backward()
        ours.step()
        torch._foreach_lerp_(kept, list(generator.parameters()), 0.005 if settle else 1.0)
    with torch.no_grad():
        for average, p in zip(kept, generator.parameters(), strict=True):
            p.copy_(average)
        return fake(2000)


MOMENTUM = (0.9, 0.999)
SETTINGS = [
    ("sobolev", 80, 2e-3, 1.0, (0.0, 0.9)),
    ("r3gan", 120, 2e-3, 0.1, MOMENTUM),
    ("wgan-gp", 50, 2e-3, 0.1, MOMENTUM),
    ("non-saturating", 120, 2e-3, 0.1, MOMENTUM),
    ("minimax", 120, 2e-3, 0.1, MOMENTUM),
    ("wgan", 80, 1e-3, 0.0, MOMENTUM),
]


@pytest.mark.parametrize(("name", "steps", "rate", "penalty", "betas"), SETTINGS)
def test_every_objective_moves_towards_eight_gaussians(
    name: str, steps: int, rate: float, penalty: float, betas: tuple[float, float]
) -> None:
    """At the start the generator's points lie around the origin, 2 away from every place."""
    before, after = (
        judge(play(name, circle(), steps=s, rate=rate, penalty=penalty, betas=betas), circle(), 0.6, 0.02)[1]
        for s in (0, steps)
    )
    assert before > 1.7
    assert after < 1.3


@pytest.mark.slow
@pytest.mark.parametrize(("name", "steps", "rate", "penalty", "betas"), SETTINGS)
def test_every_objective_covers_eight_gaussians(
    name: str, steps: int, rate: float, penalty: float, betas: tuple[float, float]
) -> None:
    points = play(name, circle(), steps=12 * steps, rate=rate, penalty=penalty, betas=betas)
    places, distance = judge(points, circle(), 0.6, 0.02)
    assert places >= 7
    assert distance < 0.6


@pytest.mark.slow
def test_the_default_objective_covers_twenty_five_gaussians() -> None:
    """The grid of algorithms 2.6, spread 0.05: a place counts from a quarter of its share on.

    Points drawn evenly would be 0.19 away from the nearest place on average, real ones are 0.063.
    """
    name = GANOptions().objective
    points = play(
        name, grid(), steps=4000, rate=1e-3, penalty=0.001, width=128, hidden=3, betas=(0.0, 0.99),
        settle=True,
    )  # fmt: skip
    assert judge(points, grid(), 0.15, 0.01)[0] >= 22  # one more with gradients looked at on points alone
    assert judge(points, grid(), 0.3, 0.01) == (25, pytest.approx(0.12, abs=0.03))
