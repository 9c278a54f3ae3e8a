"""Promises of training a sequence VAE from Python, on data good and bad."""

from __future__ import annotations

import copy
from types import SimpleNamespace

import numpy as np
import pytest
import torch

from seqdesign.errors import InputError, UsageError
from seqdesign.training.data import TokenData


@pytest.fixture
def data(tiny: SimpleNamespace) -> tuple[list[str], np.ndarray]:
    texts = tiny.strings()
    return texts, tiny.outcomes(texts)


def weights(training: object) -> dict[str, bytes]:
    model = training.trained.model  # type: ignore[attr-defined]
    return {name: value.numpy().tobytes() for name, value in model.state_dict().items()}


def test_training_learns_letters_and_outcome(tiny: SimpleNamespace) -> None:
    texts = tiny.strings(128)
    options = {"epochs": 25, "hidden": 16, "latent_dim": 4, "learning_rate": 0.02, "patience": 25}
    result = tiny.train(texts, tiny.outcomes(texts), **options)
    first, last = result.fit.state.history[0], result.fit.state.history[-1]
    assert last["train_reconstruction"] < 0.8 * first["train_reconstruction"]
    assert last["train_language_nll"] < first["train_language_nll"]
    assert last["train_outcome"] < 0.3
    assert result.quality.outcome_r2 is not None
    assert result.quality.outcome_r2 > 0.5
    assert set(result.train) | set(result.held_out) == set(range(128))
    assert not set(result.train) & set(result.held_out)


def test_the_same_seed_gives_the_same_bytes(tiny: SimpleNamespace, data: tuple) -> None:
    """Robustness 28; outcomes and tokens are not touched."""
    before = copy.deepcopy(data)
    state = torch.random.get_rng_state()
    first = tiny.train(*data, seed=1)
    assert torch.equal(torch.random.get_rng_state(), state)
    torch.manual_seed(99)
    second, other = tiny.train(*data, seed=1), tiny.train(*data, seed=2)
    assert weights(first) == weights(second)
    assert first.quality == second.quality
    assert weights(first) != weights(other)
    assert data[0] == before[0]
    assert np.array_equal(data[1], before[1])


@pytest.mark.parametrize("encoder", ["dense", "conv", "gru", "lstm"])
def test_every_encoder_trains_with_every_decoder(tiny: SimpleNamespace, data: tuple, encoder: str) -> None:
    decoder = "lstm" if encoder == "lstm" else "gru"
    result = tiny.train(*data, encoder=encoder, decoder=decoder, epochs=1)
    assert result.trained.record.options.encoder == encoder
    assert np.isfinite(result.quality.nll_bound)


def test_bf16_trains(tiny: SimpleNamespace, data: tuple) -> None:
    from seqdesign.models.vae.fit import train_sequence_vae
    from seqdesign.training.config import FitOptions
    from seqdesign.training.loop import make_fabric

    reference = tiny.train(*data)
    half = train_sequence_vae(
        tiny.dna(data[0]),
        data[1],
        options=reference.trained.record.options,
        fit_options=FitOptions(epochs=2, batch_size=16, precision="bf16"),
        seed=0,
        fabric=make_fabric(FitOptions(precision="bf16"), torch.device("cpu")),
    )
    assert weights(half) != weights(reference)
    for name, value in reference.fit.state.history[-1].items():
        assert half.fit.state.history[-1][name] == pytest.approx(value, rel=0.1, abs=0.05)


def test_unlabelled_sequences_train_without_an_outcome(tiny: SimpleNamespace, data: tuple) -> None:
    result = tiny.train(data[0], None)
    assert result.trained.record.outcome is None
    assert not result.trained.model.has_outcome
    assert result.quality.outcome_r2 is None
    assert "train_outcome" not in result.fit.state.history[0]


def test_rows_without_outcome_are_learned_from_as_sequences(tiny: SimpleNamespace, data: tuple) -> None:
    """Robustness 10: the scale is that of the labelled training rows."""
    some = data[1].copy()
    some[::3] = np.nan
    result = tiny.train(data[0], some)
    known = some[result.train][~np.isnan(some[result.train])]
    assert result.trained.record.outcome_mean == pytest.approx(known.mean())
    assert result.trained.record.outcome_scale == pytest.approx(known.std())
    assert all(np.isfinite(v) for v in result.fit.state.history[-1].values())


def test_too_few_sequences_are_refused_by_number(tiny: SimpleNamespace) -> None:
    texts = tiny.strings(19)
    with pytest.raises(InputError, match="19 sequences are too few to learn from; at least 20 are needed"):
        tiny.train(texts, tiny.outcomes(texts))


def test_twenty_four_sequences_and_a_large_batch_are_enough(tiny: SimpleNamespace) -> None:
    texts = tiny.strings(24)
    result = tiny.train(texts, tiny.outcomes(texts), batch_size=1000)
    assert result.fit.state.step == 2


def test_outcomes_that_are_all_the_same_are_refused(tiny: SimpleNamespace, data: tuple) -> None:
    with pytest.raises(InputError, match="'outcome' is .* in all 58 rows"):
        tiny.train(data[0], np.full(64, 3.0))


def test_too_few_outcomes_are_refused(tiny: SimpleNamespace, data: tuple) -> None:
    few = np.full(64, np.nan)
    few[:5] = range(5)
    with pytest.raises(InputError, match="has 3 values in the training part; at least 20 are needed"):
        tiny.train(data[0], few)
    with pytest.raises(InputError, match="'outcome' has 0 values"):
        tiny.train(data[0], np.full(64, np.nan))


@pytest.mark.parametrize("scale", [1e308, 1e-60, "offset"])
def test_outcomes_beyond_32_bits_are_refused(tiny: SimpleNamespace, data: tuple, scale: float | str) -> None:
    """Robustness 10: never an infinity or a rounding error in the loss; a single such row is enough."""
    y = data[1].copy()
    if scale == "offset":
        y += 1e10
    elif scale == 1e308:
        y[3] = 1e308
    else:
        y *= 1e-60
    with pytest.raises(InputError, match="for 32-bit numbers; subtract the mean or change the unit"):
        tiny.train(data[0], y)


def test_large_outcomes_within_32_bits_change_only_the_unit(tiny: SimpleNamespace, data: tuple) -> None:
    plain, large = tiny.train(*data), tiny.train(data[0], 1e12 * data[1])
    assert large.quality.outcome_r2 == pytest.approx(plain.quality.outcome_r2, abs=1e-3)
    assert large.trained.record.outcome_scale == pytest.approx(1e12 * plain.trained.record.outcome_scale)


def test_too_few_different_sequences_are_refused(tiny: SimpleNamespace) -> None:
    texts = list("ACGT" * 10)
    with pytest.raises(InputError, match="40 records hold 2 different sequences only; .*both strands"):
        tiny.train(texts, tiny.outcomes(texts))


def test_one_long_sequence_among_short_ones_trains(tiny: SimpleNamespace) -> None:
    texts = [*tiny.strings(39), "ACGT" * 50]
    result = tiny.train(texts, tiny.outcomes(texts), epochs=1)
    assert result.trained.record.max_length == 200
    assert result.trained.record.options.encoder == "gru"


def test_aligned_sequences_get_the_dense_encoder(tiny: SimpleNamespace) -> None:
    texts = tiny.strings(40, low=5, high=5)
    assert tiny.train(texts, None, epochs=1).trained.record.options.encoder == "dense"


def test_equal_sequences_are_never_on_both_sides(tiny: SimpleNamespace) -> None:
    texts = tiny.strings(30) * 2
    result = tiny.train(texts, None, epochs=1)
    assert {texts[i] for i in result.train}.isdisjoint(texts[i] for i in result.held_out)


def test_the_best_outcomes_can_be_held_out(tiny: SimpleNamespace) -> None:
    texts = tiny.strings()
    y = np.arange(64.0)
    result = tiny.train(texts, y, split="quantile", held_out=0.25, epochs=1)
    assert result.held_out.tolist() == list(range(48, 64))
    y[0] = np.nan
    with pytest.raises(InputError, match="--split quantile needs an outcome for every sequence"):
        tiny.train(texts, y, split="quantile")


def test_similar_sequences_are_held_out_together(tiny: SimpleNamespace) -> None:
    bases = ["ACGTACGTAC", "TTTTTGGGGG", "CCCCCCATAT", "GATTACAGAT"]
    texts = [base[:i] + letter + base[i + 1 :] for base in bases for i in range(10) for letter in "ACGT"]
    result = tiny.train(texts, None, split="cluster", held_out=0.25, epochs=1)
    families = [{i // 40 for i in part} for part in (result.train, result.held_out)]
    assert families[0].isdisjoint(families[1])


def test_a_patience_beyond_the_last_pass_is_refused(tiny: SimpleNamespace, data: tuple) -> None:
    with pytest.raises(UsageError, match="--patience"):
        tiny.train(*data, epochs=2, patience=3)


def test_a_collapsed_posterior_is_said(tiny: SimpleNamespace, data: tuple) -> None:
    """Robustness 24."""
    options = {"kl_weight": 100.0, "kl_anneal": "none", "epochs": 20, "learning_rate": 0.01}
    collapsed = tiny.train(data[0], None, **options)
    assert any("the posterior has collapsed" in w for w in collapsed.quality.warnings)
    healthy = tiny.train(data[0], None, kl_weight=0.0, epochs=20, learning_rate=0.01)
    assert not any("collapsed" in w for w in healthy.quality.warnings)


def test_an_outcome_that_is_noise_is_not_to_be_believed(tiny: SimpleNamespace, data: tuple) -> None:
    noise = np.random.default_rng(5).normal(size=64)
    result = tiny.train(data[0], noise, epochs=20, held_out=0.3)
    assert any(w.startswith("do not trust the outcome network") for w in result.quality.warnings)


def test_outcomes_of_two_values_are_judged_by_auroc(tiny: SimpleNamespace, data: tuple) -> None:
    yes = (data[1] > np.median(data[1])).astype(float)
    quality = tiny.train(data[0], yes, held_out=0.5).quality
    assert quality.outcome_auroc is not None
    assert 0 <= quality.outcome_auroc <= 1
    assert tiny.train(*data).quality.outcome_auroc is None


def test_a_fingerprint_tells_data_apart(tiny: SimpleNamespace, data: tuple) -> None:
    def mark(texts: list[str], y: np.ndarray) -> str:
        return TokenData.of(tiny.dna(texts), y).fingerprint()

    other = data[1].copy()
    other[0] += 1
    marks = [mark(*data), mark(data[0][::-1], data[1]), mark(data[0], other)]
    assert len({*marks, mark(data[0][:-1], data[1][:-1])}) == 4
    assert mark(*data) == mark(list(data[0]), data[1].copy())


def test_a_batch_is_as_wide_as_its_longest_row(tiny: SimpleNamespace) -> None:
    rows = TokenData.of(tiny.dna(["AC", "ACGTA", "A"]), None)
    batch = rows.rows(torch.tensor([2, 0]))
    assert (batch.tokens.shape, batch.tokens.dtype) == ((2, 2), torch.int64)
    assert batch.outcomes.isnan().all()


def test_outcomes_over_powers_of_ten_are_warned_of(tiny: SimpleNamespace) -> None:
    texts = tiny.strings(64)
    values = np.exp(2.0 * np.random.default_rng(0).normal(size=64))
    said = tiny.train(texts, values, epochs=1).quality.warnings
    assert any("spans powers of ten" in one for one in said)
    plain = tiny.train(texts, np.log(values), epochs=1).quality.warnings
    assert not any("spans powers of ten" in one for one in plain)
