"""Promises of the networks of a GAN: shapes, END, outputs, conditions."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Generator, Tensor

from seqdesign.adversarial.outputs import close, relax
from seqdesign.adversarial.pace import SLOWEST
from seqdesign.errors import UsageError
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.model import SequenceGAN
from seqdesign.models.gan.networks import Choosing
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary, encode
from seqdesign.training.data import Batch

DNA = get_alphabet("dna")


def gan(longest: int = 8, shortest: int = 8, classes: tuple[float, ...] = (), **options: Any) -> SequenceGAN:
    torch.manual_seed(0)
    small = {"latent_dim": 6, "local_dim": 0, "channels": 8, "mapping": 12} | options
    return SequenceGAN(GANOptions(**small), Vocabulary(DNA), longest, shortest, classes)


def batch(*texts: str, outcomes: tuple[float, ...] = ()) -> Batch:
    array = encode(texts, DNA)
    values = torch.tensor(outcomes or [float("nan")] * len(texts))
    return Batch(torch.from_numpy(array.tokens.astype("int64")), torch.from_numpy(array.lengths), values)


def test_the_generator_gives_soft_sequences_with_a_gradient() -> None:
    model = gan()
    z = torch.randn(5, 6, generator=Generator().manual_seed(1), requires_grad=True)
    soft = model.generator(z)
    assert soft.shape == (5, 4, 8)
    torch.testing.assert_close(soft.sum(1), torch.ones(5, 8))
    model.critic(soft).sum().backward()
    assert z.grad is not None
    assert (z.grad.abs().sum(1) > 0).all()


def test_what_a_channel_chooses_adds_up_to_one() -> None:
    """However many positions call, and wherever they stand: twice as many do not get twice as much."""
    torch.manual_seed(0)
    layer = Choosing(6)
    features = torch.randn(4, 6, 1, 9)
    added = (layer(features) - features).sum(3).squeeze(2)
    once = 2 * (layer.second.weight.sum(1) + 9 * layer.second.bias)
    torch.testing.assert_close(added, once.expand(4, 6))
    order = torch.randperm(9)
    torch.testing.assert_close(layer(features[..., order]), layer(features)[..., order])


def test_each_position_depends_on_the_codes_of_all() -> None:
    """The code of position 15 reaches both ends, 15 letters away: further than convolutions do."""
    model = gan(longest=30, shortest=30, local_dim=2)
    assert model.latent_dim == 6 + 2 * 30
    z = torch.randn(1, 66, generator=Generator().manual_seed(0))
    moved = z.clone()
    moved[0, 6 + 2 * 15 : 6 + 2 * 16] += 1.0
    change = (model.generator.logits(moved) - model.generator.logits(z)).abs().sum(1)[0]
    assert (change > 0).all()


def test_the_critic_sees_pairs_of_far_positions() -> None:
    """The second difference over letters at positions 2 and 27, zero for any sum of what is near."""
    critic = gan(longest=30, shortest=30).critic
    rows = torch.zeros(4, 4, 30)
    for row, (a, b) in zip(rows, ((0, 0), (0, 1), (1, 0), (1, 1)), strict=True):
        row[2] = 1.0
        row[:, 2], row[:, 27] = torch.eye(4)[a], torch.eye(4)[b]
    mixing = critic.blocks[0]
    features = mixing(critic.first(rows.unsqueeze(2)))[:, :, 0, 10]
    second = features[0] - features[1] - features[2] + features[3]
    assert float(second.detach().abs().max()) > 1e-4


def test_lengths_are_told_by_an_end_that_cannot_come_too_early() -> None:
    model = gan(longest=8, shortest=3)
    assert model.num_symbols == 5
    soft = model.generator(torch.randn(200, 6, generator=Generator().manual_seed(0))).detach()
    assert float(soft[:, 4, :3].max()) == 0
    assert float(soft[:, 4, 3:].min()) > 0


def test_real_sequences_are_one_hot_with_end_behind_them() -> None:
    fixed, varied = gan().real(batch("ACGTACGT", "TTTTTTTT")), gan(shortest=3).real(batch("ACG", "ACGTA"))
    assert fixed.argmax(1).tolist() == [[0, 1, 2, 3, 0, 1, 2, 3], [3] * 8]
    assert varied.argmax(1).tolist() == [[0, 1, 2, 4, 4, 4, 4, 4], [0, 1, 2, 3, 0, 4, 4, 4]]
    torch.testing.assert_close(varied.sum(1), torch.ones(2, 8))


@pytest.mark.parametrize("outputs", ["softmax", "gumbel", "straight-through"])
def test_outputs_are_what_their_name_says_and_have_a_gradient(outputs: Any) -> None:
    logits = torch.randn(4, 3, 6, generator=Generator().manual_seed(0), requires_grad=True)
    found = relax(logits, outputs, Generator().manual_seed(1), 0.7)
    torch.testing.assert_close(found.sum(1), torch.ones(4, 6))
    hard = bool(((found - found.round()).abs() < 1e-6).all())
    assert hard == (outputs == "straight-through")
    (found * torch.arange(18.0).view(3, 6)).sum().backward()
    assert (logits.grad.abs().sum((1, 2)) > 0).all()


def test_straight_through_draws_have_the_probabilities_of_the_letters() -> None:
    logits = torch.tensor([0.6, 0.3, 0.1]).log().view(1, 3, 1).expand(20_000, 3, 1)
    share = relax(logits, "straight-through", Generator().manual_seed(0), 1.0).mean(0).flatten()
    torch.testing.assert_close(share, torch.tensor([0.6, 0.3, 0.1]), rtol=0, atol=0.012)


def test_straight_through_gradients_are_right_on_average_for_quadratic_scores() -> None:
    """Second order (Liu et al. 2023, theorem 3.1); the expectation over three letters has a closed form."""
    matrix = torch.tensor([[1.0, -2.0, 0.5], [0.3, 2.0, -1.0], [0.0, 1.5, -0.7]])
    logits = torch.tensor([0.9, -0.2, 0.1], requires_grad=True)
    exact = (torch.softmax(logits, 0) * matrix.diagonal()).sum()
    (wanted,) = torch.autograd.grad(exact, logits)
    found = relax(
        logits.view(1, 3, 1).expand(100_000, 3, 1), "straight-through", Generator().manual_seed(0), 1.0
    )
    score = torch.einsum("ni,ij,nj->n", found[:, :, 0], matrix, found[:, :, 0]).mean()
    (slope,) = torch.autograd.grad(score, logits)
    torch.testing.assert_close(slope, wanted, rtol=0, atol=0.02)


def test_what_would_stand_behind_the_end_gets_no_gradient() -> None:
    logits = torch.zeros(1, 3, 4)
    logits[0, 2, 1] = 50.0  # END at the second position
    logits.requires_grad_()
    found = relax(logits, "straight-through", Generator().manual_seed(0), 1.0, end=2)
    assert found.argmax(1)[0, 1:].tolist() == [2, 2, 2]
    (found * torch.randn(1, 3, 4, generator=Generator().manual_seed(1))).sum().backward()
    assert float(logits.grad[0, :, 2:].abs().max()) == 0  # type: ignore[index]
    assert float(logits.grad[0, :, 0].abs().max()) > 0  # type: ignore[index]


def test_after_the_first_end_all_is_end() -> None:
    assert close(torch.tensor([[0, 4, 1, 2], [0, 1, 2, 3]]), 4).tolist() == [[0, 4, 4, 4], [0, 1, 2, 3]]


def test_a_generator_says_different_things_from_the_first_step_on() -> None:
    """Logits differ from code to code, so that chances of a letter do by a factor of about e."""
    model = gan(longest=40, shortest=40, local_dim=4, latent_dim=100, channels=32, mapping=128)
    z = torch.randn(200, model.latent_dim, generator=Generator().manual_seed(0))
    spread = model.generator.logits(z).detach().std(0).mean()
    assert 0.4 < float(spread) < 3


def test_a_conditional_model_tells_classes_apart_in_both_networks() -> None:
    model = gan(classes=(1.0, 2.0, 3.0))
    z = torch.randn(1, 6, generator=Generator().manual_seed(0)).expand(3, 6)
    logits = model.generator.logits(z, torch.arange(3))
    assert not torch.allclose(logits[0], logits[1])
    with torch.no_grad():
        model.critic.classes.weight += torch.arange(3.0)[:, None]
    scores = model.critic(model.real(batch("ACGTACGT")).expand(3, 4, 8), torch.arange(3))
    assert len(set(scores.tolist())) == 3
    found = model.condition(batch("ACGTACGT", "ACGTACGT", "ACGTACGT", outcomes=(1.0, 2.5, 9.0)))
    assert found is not None
    assert found.tolist() == [0, 2, 2]


@pytest.mark.parametrize(
    "objective", ["sobolev", "r3gan", "wgan-gp", "wgan", "minimax", "non-saturating", "mmd"]
)
def test_a_player_moves_only_its_own_network(objective: str) -> None:
    """Oracle 10: after the step of one player the other's weights and gradients are untouched."""
    model = gan(objective=objective)
    rows = batch("ACGTACGT", "TTTTACGT", "ACGGGGGG")
    for player, own, other in (
        ("critic", model.critic, model.generator), ("generator", model.generator, model.critic),
    ):  # fmt: skip
        model.zero_grad()
        model.losses(player, rows, Generator().manual_seed(0), 0.0)["loss"].backward()
        assert all(p.grad is None for p in other.parameters())
        assert sum(float(p.grad.abs().sum()) for p in own.parameters() if p.grad is not None) > 0
        assert all(p.requires_grad for p in model.parameters())


def test_the_penalty_is_on_average_that_of_every_step() -> None:
    """Computed in a random quarter of the steps, with four times the weight."""
    rows = batch("ACGTACGT", "TTTTACGT")

    def mean(every: int, steps: int) -> float:
        model = gan(penalty_every=every, penalty=1.0)
        terms = [
            model.losses("critic", rows, Generator().manual_seed(s), 0.0)["penalty"] for s in range(steps)
        ]
        return torch.stack(terms).mean().item()

    assert mean(4, 400) == pytest.approx(mean(1, 100), rel=0.25)


def test_the_critic_tells_the_generator_how_fast_to_move() -> None:
    """In the loop's order: the critic's terms of this step count already."""
    model = gan(penalty=10.0)
    rows = batch("ACGTACGT", "TTTTACGT")
    terms = model.losses("critic", rows, Generator().manual_seed(0), 0.0)
    assert model.pace("critic", {"gap": torch.tensor(0.1), "penalty": torch.tensor(0.01)} | terms) is None
    share = model.pace("generator", {})
    assert share is not None
    expected = (terms["gap"] / (20 * terms["penalty"])).clamp(SLOWEST, 1)
    torch.testing.assert_close(share, expected)
    assert gan(penalty=0.0).pace("generator", {}) is None


def test_no_batch_norm_stands_in_a_critic() -> None:
    """A penalty per sequence means nothing where sequences depend on each other (oracle 10)."""
    names = [type(module).__name__ for module in gan(blocks=2).critic.modules()]
    assert not [name for name in names if "BatchNorm" in name]


def test_a_critic_judges_every_sequence_by_itself() -> None:
    model = gan()
    rows: Tensor = model.real(batch("ACGTACGT", "TTTTACGT", "ACGGGGGG"))
    single = torch.cat([model.critic(rows[i : i + 1]) for i in range(3)])
    torch.testing.assert_close(model.critic(rows), single)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"kernel": 4}, "--kernel: must be odd"),
        ({"bins": 3}, "--bins: has no effect with --condition none"),
        ({"outputs": "softmax", "output_temperature": 0.5}, "--output-temperature: has no effect"),
    ],
)
def test_options_that_do_nothing_are_refused(options: dict[str, Any], said: str) -> None:
    with pytest.raises(UsageError, match=said):
        GANOptions(**options)
