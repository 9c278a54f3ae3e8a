"""Options of the sequence VAE: what auto becomes, and how weights rise."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from seqdesign.errors import UsageError
from seqdesign.models.vae.config import VAEOptions, adapt, anneal_factor
from seqdesign.models.vae.encoders import ConvEncoder, DenseEncoder, RecurrentEncoder


def test_auto_follows_the_data_and_leaves_choices_alone() -> None:
    aligned = adapt(VAEOptions(), max_length=9, fixed_length=True, num_train=50_000)
    assert (aligned.encoder, aligned.latent_dim, aligned.dropout) == ("dense", 32, 0.0)
    mixed = adapt(VAEOptions(), max_length=300, fixed_length=False, num_train=500)
    assert (mixed.encoder, mixed.latent_dim, mixed.dropout) == ("gru", 128, 0.1)
    chosen = VAEOptions(encoder="conv", latent_dim=7, dropout=0.2)
    assert adapt(chosen, max_length=50, fixed_length=False, num_train=500) == chosen


@pytest.mark.parametrize(
    ("name", "kind"),
    [("dense", DenseEncoder), ("conv", ConvEncoder), ("gru", RecurrentEncoder), ("lstm", RecurrentEncoder)],
)
def test_the_encoder_is_the_one_named(name: str, kind: type, small: SimpleNamespace) -> None:
    assert type(small.vae(encoder=name).features) is kind


def test_the_decoder_cell_is_the_one_named(small: SimpleNamespace) -> None:
    for cell in ("gru", "lstm"):
        assert type(small.vae(decoder=cell).decoder.net).__name__.lower() == cell


@pytest.mark.parametrize(
    ("kind", "points"),
    [
        ("linear", {0.0: 0.0, 0.15: 0.5, 0.3: 1.0, 0.9: 1.0}),
        ("cyclical", {0.0: 0.0, 0.0375: 0.5, 0.075: 1.0, 0.2: 1.0, 0.25: 0.0, 0.7875: 0.5, 1.0: 1.0}),
        ("none", {0.0: 1.0, 0.5: 1.0}),
    ],
)
def test_weights_rise_as_the_schedule_says(kind: str, points: dict[float, float]) -> None:
    """Oracle: a ramp over 0.3 of the training, or of each of four cycles (Fu et al. 2019)."""
    options = VAEOptions(kl_anneal=kind)  # type: ignore[arg-type]
    assert {t: pytest.approx(anneal_factor(options, t)) for t in points} == points


def test_no_annealing_at_all_is_a_fraction_of_zero() -> None:
    assert anneal_factor(VAEOptions(anneal_fraction=0.0), 0.0) == 1.0


def test_an_option_without_effect_is_refused() -> None:
    with pytest.raises(UsageError, match="--anneal-fraction: has no effect"):
        VAEOptions(kl_anneal="none", anneal_fraction=0.5)
