"""The loss terms of the sequence VAE against their formulas (Mueller, Gifford and Jaakkola 2017, eq. 3-6)."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch
from torch import Tensor, nn
from torch.distributions import Normal

from seqdesign.decoding.greedy import greedy
from seqdesign.metrics.normals import kl_standard_normal
from seqdesign.models.vae.model import SequenceVAE

assert_close = torch.testing.assert_close


def linear_f(model: SequenceVAE, weight: tuple[float, float], bias: float) -> None:
    """Make F(z) = weight . z + bias."""
    net = nn.Linear(2, 1)
    with torch.no_grad():
        net.weight.copy_(torch.tensor([weight]))
        net.bias.fill_(bias)
    model.outcome_net = net  # type: ignore[assignment]


def codes(n: int, seed: int = 0) -> Tensor:
    return torch.randn(n, 2, generator=torch.Generator().manual_seed(seed))


def read_as(monkeypatch: pytest.MonkeyPatch, model: SequenceVAE, mean: Tensor) -> None:
    """Make E see codes of the given mean in whatever it reads."""
    monkeypatch.setattr(model, "encode", lambda tokens, lengths: Normal(mean.expand(len(tokens), 2), 0.1))


def test_a_constant_f_has_no_invariance_loss(small: SimpleNamespace) -> None:
    """Oracle 14."""
    model = small.vae()
    linear_f(model, (0.0, 0.0), 1.5)
    assert model.invariance_loss(codes(50)).item() == 0


def test_codes_that_survive_decoding_and_encoding_cost_nothing(
    small: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle 14: E(D(z)) = z."""
    model, z = small.vae(), codes(50)
    read_as(monkeypatch, model, z)
    assert model.invariance_loss(z).item() == 0


def test_invariance_loss_where_f_sees_what_d_does_not(
    small: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Oracle 14: Var F(z1) + (E F - F(c))^2 for E(D(z)) = c; 2 Var F(z1) for an independent draw."""
    model = small.vae(max_length=1)
    a, b, c, n = 1.7, 0.4, 0.8, 5_000
    linear_f(model, (a, 0.0), b)
    z = codes(n)
    read_as(monkeypatch, model, torch.tensor([c, 5.0]))
    found = model.invariance_loss(z).item()
    sample = a * z[:, 0] + b
    exact = sample.var(correction=0) + (sample.mean() - (a * c + b)) ** 2
    assert_close(found, exact.item(), rtol=1e-5, atol=0)
    # Fourth moment of N(ac, a^2) gives the standard error of the mean square.
    error = 4 * math.sqrt((2 * a**4 + 4 * a**4 * c**2) / n)
    assert abs(found - (a**2 + (a * c) ** 2)) < error
    read_as(monkeypatch, model, codes(n, seed=1))
    assert abs(model.invariance_loss(z).item() - 2 * a**2) < 4 * math.sqrt(2 * (2 * a**2) ** 2 / n)


def test_invariance_loss_sends_no_gradient_into_the_decoder(small: SimpleNamespace) -> None:
    """Oracle 14: strings are discrete."""
    model = small.vae(gain=2.0)
    model.invariance_loss(codes(20)).backward()
    assert all(p.grad is None for p in model.decoder.parameters())
    moved = (
        model.features.forward_net.weight_ih_l0,
        model.posterior_mean.weight,
        model.outcome_net[0].weight,
    )
    assert all(p.grad is not None and p.grad.abs().sum() > 0 for p in moved)


def test_a_fixed_target_is_learned_through_the_second_reading_alone(small: SimpleNamespace) -> None:
    """Oracle: the formula with F(z) as a constant; both forms have the same value, not the same gradient."""
    z = codes(20)
    gradients, values = {}, {}
    for target in ("fixed", "joint"):
        model = small.vae(gain=2.0, invariance_target=target)
        loss = model.invariance_loss(z)
        loss.backward()
        values[target] = loss.item()
        gradients[target] = model.outcome_net[0].weight.grad.clone()
    model = small.vae(gain=2.0)
    decoded = greedy(model.decoder, z)
    after = model.standard_outcome(model.encode(decoded.tokens, decoded.lengths).mean)
    (model.standard_outcome(z).detach() - after).square().mean().backward()
    assert_close(gradients["fixed"], model.outcome_net[0].weight.grad)
    assert values["fixed"] == values["joint"]
    assert not torch.allclose(gradients["fixed"], gradients["joint"])


def prior_cost(model: SequenceVAE, small: SimpleNamespace) -> float:
    """What the prior adds to the loss of a model without outcome, at full weight."""
    terms = model.losses("vae", small.batch(), small.generator(), 1.0)
    return (terms["loss"] - terms["reconstruction"]).item()


def test_kl_is_charged_in_nats_summed_or_averaged_over_dimensions(small: SimpleNamespace) -> None:
    """Oracle: KL(N(m, s^2) || N(0, 1)) = (m^2 + s^2 - 1)/2 - log s per dimension."""
    data = small.batch()
    model = small.vae(scale=0.0, kl_weight=0.7, latent_dim=3)
    posterior = model.encode(data.tokens, data.lengths)
    mean, scale = posterior.mean, posterior.stddev
    kl = (((mean**2 + scale**2 - 1) / 2) - scale.log()).sum(1).mean().item()
    terms = model.losses("vae", data, small.generator(), 1.0)
    assert terms["kl"].item() == pytest.approx(kl, rel=1e-5)
    assert prior_cost(model, small) == pytest.approx(0.7 * kl, rel=1e-4)
    average = small.vae(scale=0.0, kl_weight=0.7, latent_dim=3, kl_reduction="mean")
    assert prior_cost(average, small) == pytest.approx(0.7 * kl / 3, rel=1e-4)


def test_free_bits_cost_the_same_and_pull_nothing(small: SimpleNamespace) -> None:
    """Oracle: sum over dimensions of max(free bits, mean KL of the dimension) (Kingma 2016)."""
    data = small.batch()
    model = small.vae(scale=0.0, kl_weight=1.0, gain=3.0)
    posterior = model.encode(data.tokens, data.lengths)
    per_dimension = kl_standard_normal(posterior.mean, posterior.stddev, per_dimension=True).mean(0).tolist()
    between = sum(per_dimension) / 2
    assert min(per_dimension) < between < max(per_dimension)
    some = small.vae(scale=0.0, kl_weight=1.0, gain=3.0, free_bits=between)
    assert prior_cost(some, small) == pytest.approx(between + max(per_dimension), rel=1e-4)
    all_free = small.vae(scale=0.0, kl_weight=1.0, gain=3.0, free_bits=50.0)
    terms = all_free.losses("vae", data, small.generator(), 1.0)
    assert (terms["loss"] - terms["reconstruction"]).item() == pytest.approx(100.0, rel=1e-5)
    pull = torch.autograd.grad(terms["loss"] - terms["reconstruction"], all_free.posterior_mean.weight)[0]
    assert pull.abs().max() < 1e-6


def test_annealing_weighs_the_prior_and_the_invariance_only(small: SimpleNamespace) -> None:
    model = small.vae(kl_weight=0.3, outcome_weight=5.0, invariance_weight=2.0, anneal_fraction=0.5)
    for progress, factor in ((0.0, 0.0), (0.25, 0.5), (0.5, 1.0), (1.0, 1.0)):
        t = model.losses("vae", small.batch(), small.generator(), progress)
        annealed = factor * (0.3 * t["kl"] + 2.0 * t["invariance"])
        assert_close(t["loss"], t["reconstruction"] + 5.0 * t["outcome"] + annealed)


def test_reconstruction_is_the_mean_log_probability_under_the_sampled_codes(small: SimpleNamespace) -> None:
    model, data = small.vae(gain=2.0), small.batch()
    posterior = model.encode(data.tokens, data.lengths)
    z = posterior.mean + posterior.stddev * torch.randn(posterior.mean.shape, generator=small.generator())
    found = model.losses("vae", data, small.generator(), 1.0)["reconstruction"]
    assert_close(found, -model.decoder.log_prob(z, data.tokens, data.lengths).mean())


@pytest.mark.parametrize("where", ["mean", "sample", "both"])
def test_f_learns_on_the_posterior_mean_on_samples_or_on_both(where: str, small: SimpleNamespace) -> None:
    model, data = small.vae(gain=2.0, outcome_on=where), small.batch()
    posterior = model.encode(data.tokens, data.lengths)
    z = posterior.mean + posterior.stddev * torch.randn(posterior.mean.shape, generator=small.generator())
    used = {"mean": [posterior.mean], "sample": [z], "both": [posterior.mean, z]}[where]
    target = (data.outcomes - 0.5) / 2.0
    expected = sum((model.standard_outcome(c) - target).square().mean() for c in used) / len(used)
    assert_close(model.losses("vae", data, small.generator(), 1.0)["outcome"], expected)


def test_unlabelled_rows_are_never_in_the_outcome_loss(small: SimpleNamespace) -> None:
    """Robustness 10 and 11."""
    model, data = small.vae(gain=2.0, outcome_on="mean"), small.batch()
    some = data.outcomes.clone()
    some[::3] = torch.nan
    labelled = ~some.isnan()
    found = model.losses("vae", data._replace(outcomes=some), small.generator(), 1.0)
    rest = type(data)(data.tokens[labelled], data.lengths[labelled], data.outcomes[labelled])
    assert_close(found["outcome"], model.losses("vae", rest, small.generator(), 1.0)["outcome"])
    found["loss"].backward()
    assert all(p.grad.isfinite().all() for p in model.parameters() if p.grad is not None)
    model.zero_grad()
    nobody = data._replace(outcomes=torch.full_like(some, torch.nan))
    terms = model.losses("vae", nobody, small.generator(), 1.0)
    assert terms["outcome"].item() == 0
    terms["outcome"].backward()
    assert all(p.grad.abs().sum() == 0 for p in model.outcome_net.parameters())


def test_the_unit_of_the_outcome_changes_no_loss(small: SimpleNamespace) -> None:
    """sigma_Y scaling: y -> 1000 y + 7 with its mean and standard deviation."""
    data = small.batch()
    plain, scaled = small.vae(gain=2.0), small.vae(gain=2.0, mean=507.0, scale=2000.0)
    first = plain.losses("vae", data, small.generator(), 1.0)
    second = scaled.losses("vae", data._replace(outcomes=1000 * data.outcomes + 7), small.generator(), 1.0)
    for name in first:
        assert_close(second[name], first[name], rtol=1e-4, atol=1e-5)
    z = codes(5)
    assert_close(scaled.outcome(z), 1000 * plain.outcome(z) + 7, rtol=1e-4, atol=1e-2)


def test_word_dropout_hides_letters_in_training_only(small: SimpleNamespace) -> None:
    """Bowman 2016: with every letter hidden the decoder sees START, UNKNOWN, ... and the code."""
    model, data = small.vae(gain=2.0, word_dropout=1.0), small.batch()
    v = small.vocabulary
    posterior = model.encode(data.tokens, data.lengths)
    z = posterior.mean + posterior.stddev * torch.randn(posterior.mean.shape, generator=small.generator())
    letters = data.tokens < v.end
    hidden = torch.cat([torch.full((len(z), 1), v.start), data.tokens.where(~letters, v.unknown)], dim=1)
    blind = -model.decoder.log_prob(z, data.tokens, data.lengths, hidden).mean()
    seeing = -model.decoder.log_prob(z, data.tokens, data.lengths).mean()
    assert not torch.allclose(blind, seeing)
    assert_close(model.train().losses("vae", data, small.generator(), 1.0)["reconstruction"], blind)
    assert_close(model.eval().losses("vae", data, small.generator(), 1.0)["reconstruction"], seeing)


def test_unknown_letters_cost_nothing(small: SimpleNamespace) -> None:
    """Robustness 3: the other positions cost what they cost with UNKNOWN as context."""
    model = small.vae(gain=2.0)
    v = small.vocabulary
    tokens = torch.tensor([[0, v.unknown, 2, v.pad]])
    lengths, z = torch.tensor([3]), codes(1)
    table = torch.log_softmax(model.decoder(z, torch.tensor([[v.start, 0, v.unknown, 2]])), dim=2)[0]
    expected = table[0, 0] + table[2, 2] + table[3, v.end]
    assert_close(model.decoder.log_prob(z, tokens, lengths)[0], expected)
    everything = torch.full((1, 4), v.unknown)
    only_end = model.decoder.log_prob(z, everything, torch.tensor([4]))
    inputs = torch.tensor([[v.start, *[v.unknown] * 4]])
    assert_close(only_end[0], torch.log_softmax(model.decoder(z, inputs), dim=2)[0, 4, v.end])


def test_codes_for_the_invariance_lie_where_the_options_say(small: SimpleNamespace) -> None:
    posterior = Normal(torch.full((4, 2), 50.0), torch.full((4, 2), 0.5))
    prior = small.vae(invariance_from="prior")._codes(posterior, small.generator())
    assert prior.shape == (16, 2)
    assert prior.abs().max() < 6
    both = small.vae(invariance_from="both")._codes(posterior, small.generator())
    near = both[:8] - 50
    assert near.abs().max() < 3 * 0.5 * 4
    assert both[8:].abs().max() < 6


def test_numbers_do_not_depend_on_the_batch_they_are_computed_in(small: SimpleNamespace) -> None:
    """Oracle 22."""
    for encoder in ("dense", "conv", "gru", "lstm"):
        model, data = small.vae(encoder=encoder, gain=2.0), small.batch(20)
        mean = model.encode(data.tokens, data.lengths).mean
        together = (mean, model.outcome(mean), model.log_likelihood(data.tokens, data.lengths))
        for i in range(0, 20, 5):
            row = data.tokens[i : i + 1, : data.lengths[i]], data.lengths[i : i + 1]
            alone = model.encode(*row).mean
            single = (alone, model.outcome(alone), model.log_likelihood(*row))
            for whole, one in zip(together, single, strict=True):
                assert_close(one[0], whole[i], rtol=1e-5, atol=1e-5)
