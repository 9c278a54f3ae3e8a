"""The joint method: the prior pulls the right way, noise has its law, and designs are the generator's."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign.designers.encode import encode_starts
from seqdesign.designers.gradient_options import LatentOptions
from seqdesign.designers.methods.latent import _Code, latent
from seqdesign.designers.noise import normal
from seqdesign.designers.problem import Latent
from seqdesign.designers.scorer import Scorer
from seqdesign.errors import UsageError


def mixing(length: int, dim: int) -> Tensor:
    return torch.randn(dim, 4 * length, generator=torch.Generator().manual_seed(dim))


def linear(length: int, dim: int, codes: Tensor | None = None) -> Latent:
    """Logits are a linear map of the code."""
    weight = mixing(length, dim)
    return Latent(lambda z: (z @ weight.to(z)).view(-1, 4, length), dim, codes)


def run(closed: Any, problem: Any, formula: Any, codes: Tensor, steps: int = 1, **options: Any) -> Tensor:
    """Codes where the ascent ends, from ``codes``."""
    starts = torch.zeros(len(codes), 6, dtype=torch.long)
    generator = linear(6, codes.shape[1], codes)
    task = replace(problem(closed(formula), starts, steps + 3), latent=generator)
    how = LatentOptions(update="langevin", steps=steps, **options)
    ascent = _Code(Scorer(task), generator, how, 0)
    ascent.run()
    return ascent.z


def flat(x: Tensor) -> Tensor:
    return 0.0 * x.sum((1, 2))


def test_the_prior_pulls_codes_to_the_origin(closed: Any, problem: Any) -> None:
    """Where the score is flat, a step of e1 d log p(z)/dz leaves (1 - e1) z: the sign is the thing."""
    codes = torch.randn(5, 7, generator=torch.Generator().manual_seed(0))
    ended = run(closed, problem, flat, codes, steps=4, learning_rate=0.1, prior=2.0)
    torch.testing.assert_close(ended, codes * (1 - 0.2) ** 4)


def test_noise_and_prior_alone_draw_from_the_prior(closed: Any, problem: Any) -> None:
    """e3^2 = 2 e1 is Langevin dynamics: at a finite step the variance is 1 / (1 - e1 / 2) exactly."""
    ended = run(
        closed, problem, flat, torch.zeros(40, 100), steps=60, learning_rate=0.2, prior=1.0, noise=0.4**0.5
    )
    variance = 1 / (1 - 0.2 / 2)
    assert abs(float(ended.var()) / variance - 1) < 4 * (2 / ended.numel()) ** 0.5
    assert abs(float(ended.mean())) < 4 * (variance / ended.numel()) ** 0.5


def test_a_step_follows_the_slope_through_the_generator(closed: Any, problem: Any) -> None:
    """For a linear score the straight-through slope is that of f(softmax(G(z))); its size is taken out."""
    w = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    codes = torch.randn(3, 7, generator=torch.Generator().manual_seed(2))
    ended = run(closed, problem, lambda x: (w * x).sum((1, 2)), codes, learning_rate=0.5, prior=0.0)
    leaf = codes.clone().requires_grad_(True)
    (w * linear(6, 7).decode(leaf).softmax(1)).sum().backward()
    assert leaf.grad is not None
    expected = 0.5 * leaf.grad / leaf.grad.square().mean(1, keepdim=True).sqrt()
    torch.testing.assert_close(ended - codes, expected)


@pytest.mark.parametrize("update", ["adam", "langevin"])
def test_a_score_that_the_generator_can_reach_is_reached(closed: Any, problem: Any, update: str) -> None:
    """The score counts letters of what one code writes: designs from elsewhere find it, and nothing else."""
    goal = torch.randn(1, 8, generator=torch.Generator().manual_seed(4))
    wanted = torch.nn.functional.one_hot(linear(10, 8).decode(goal).argmax(1)[0], 4).T.float()
    codes = torch.randn(6, 8, generator=torch.Generator().manual_seed(5))
    generator = linear(10, 8, codes)
    starts = generator.decode(codes).argmax(1)
    task = problem(closed(lambda x: (wanted * x).sum((1, 2))), starts, 400)
    made = latent(replace(task, latent=generator), LatentOptions(update=update, prior=0.1), 0)
    assert made.score.tolist() == [10.0] * 6


def test_designs_are_what_the_generator_can_write(closed: Any, problem: Any) -> None:
    """One that writes A or T everywhere, as its only dimension says, makes no C although C scores most."""
    price = torch.tensor([0.0, 9.0, 0.0, 1.0])[:, None]
    sides = torch.tensor([-20.0, -400.0, -400.0, 20.0])[:, None].expand(4, 5)
    codes = torch.tensor([[-0.5], [0.3]])
    generator = Latent(lambda z: z.unsqueeze(2) * sides - 400.0 * (sides < -100), 1, codes)
    task = problem(closed(lambda x: (price * x).sum((1, 2))), torch.tensor([[0] * 5, [3] * 5]), 200)
    made = latent(replace(task, latent=generator), LatentOptions(prior=0.0), 0)
    assert made.tokens.tolist() == [[3] * 5] * 2


def test_what_the_critic_finds_unreal_does_not_count(closed: Any, problem: Any) -> None:
    """The score likes C, the critic counts letters other than C: the best design has as many C as it lets."""
    letters = torch.tensor([0.0, 1.0, 0.0, 0.0])[:, None]
    codes = torch.randn(6, 40, generator=torch.Generator().manual_seed(6))
    generator = replace(
        linear(10, 40, codes),
        critic=lambda x: 10.0 - (letters * x).sum((1, 2)),
        usual=torch.full((6,), 5.5),
    )
    starts = torch.zeros(6, 10, dtype=torch.long)
    task = problem(closed(lambda x: (letters * x).sum((1, 2))), starts, 300)
    found = {}
    for least in (0.5, -100.0):
        how = LatentOptions(prior=0.1, critic=0.0, least_real=least)
        found[least] = latent(replace(task, latent=generator), how, 0).score.tolist()
    assert max(found[0.5]) == 4.0
    assert min(found[0.5]) >= 3.0
    assert min(found[-100.0]) > 6


def test_the_slope_of_the_critic_moves_codes_where_the_score_is_flat(closed: Any, problem: Any) -> None:
    """With weight 1 and rate e, as that of the score would: by e times its slope over its size."""
    w = torch.randn(4, 6, generator=torch.Generator().manual_seed(1))
    codes = torch.randn(3, 7, generator=torch.Generator().manual_seed(2))
    made = []
    for formula, critic in ((lambda x: (w * x).sum((1, 2)), None), (flat, lambda x: (w * x).sum((1, 2)))):
        generator = replace(linear(6, 7, codes), critic=critic, usual=torch.zeros(3))
        task = problem(closed(formula), torch.zeros(3, 6, dtype=torch.long), 4)
        how = LatentOptions(update="langevin", steps=1, prior=0.0, learning_rate=0.5)
        ascent = _Code(Scorer(replace(task, latent=generator)), generator, how, 0)
        ascent.run()
        made.append(ascent.z)
    assert not torch.equal(made[0], codes)
    torch.testing.assert_close(made[0], made[1])


def test_a_start_is_found_in_the_latent_space(random_starts: Any) -> None:
    """A generator with a code for every sequence gives each start back."""
    starts = random_starts(20, 6)
    decode = linear(6, 30).decode
    first = normal(0, torch.arange(20), 0, 30)
    found = encode_starts(decode, starts, first, 300)
    assert torch.equal(decode(found).argmax(1), starts)
    assert torch.equal(encode_starts(decode, starts, first, 0), first)


def test_a_problem_without_a_generator_is_refused(closed: Any, problem: Any, random_starts: Any) -> None:
    with pytest.raises(UsageError, match="--generator"):
        latent(problem(closed(flat), random_starts(2, 5), 10), LatentOptions(), 0)


def test_normal_numbers_belong_to_their_key() -> None:
    keys = torch.arange(500)
    drawn = normal(3, keys, 5, 41)
    assert drawn.shape == (500, 41)
    torch.testing.assert_close(normal(3, keys[7:9], 5, 41), drawn[7:9])
    assert abs(float(drawn.mean())) < 0.03
    assert abs(float(drawn.std()) - 1) < 0.03
    assert float((drawn.double() ** 4).mean()) == pytest.approx(3.0, abs=0.2)
    assert not torch.equal(normal(3, keys, 6, 41), drawn)
