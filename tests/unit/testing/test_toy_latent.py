"""The toy latent model does what its module says, so that tests may lean on it."""

from __future__ import annotations

import itertools

import pytest
import torch

from seqdesign.decoding.beam import beam_search
from seqdesign.decoding.greedy import greedy
from seqdesign.testing.toy import LinearOutcome
from seqdesign.testing.toy_latent import ToyLatentModel

WEIGHT = torch.tensor([1.0, -2.0, 0.5])
STRINGS = ["".join(s) for n in (1, 2, 3) for s in itertools.product("ABC", repeat=n)]


def toy(**options: object) -> ToyLatentModel:
    return ToyLatentModel(LinearOutcome(WEIGHT), max_length=3, **options)  # type: ignore[arg-type]


def test_strings_become_tokens_and_strings_again() -> None:
    model = toy()
    tokens, lengths = model.tokens(["AB", "C?A"])
    assert tokens.tolist() == [[0, 1, 6], [2, 5, 0]]
    assert lengths.tolist() == [2, 3]
    assert model.strings(tokens, lengths) == ["AB", "C?A"]


@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
def test_codes_are_the_letters_own_places(dtype: torch.dtype) -> None:
    model = toy(scale=0.25, dtype=dtype)
    q = model.encode(*model.tokens(["AB", "C?A"]))
    assert q.mean.tolist() == [[0, 1, -1], [2, 1, 0]]
    assert q.stddev.unique().tolist() == [0.25]
    assert q.mean.dtype == dtype
    assert model.outcome(q.mean).tolist() == [-2.5, 0.0]


def test_needless_padding_changes_nothing() -> None:
    model = toy()
    tokens, lengths = model.tokens(["AB", "C"])
    assert torch.equal(model.encode(tokens[:, :2], lengths).mean, model.encode(tokens, lengths).mean)
    assert torch.equal(model.log_likelihood(tokens[:, :2], lengths), model.log_likelihood(tokens, lengths))


def test_every_string_decodes_to_itself() -> None:
    model = toy()
    decoded = greedy(model.decoder, model.encode(*model.tokens(STRINGS)).mean)
    assert model.strings(decoded.tokens, decoded.lengths) == STRINGS


def test_a_preference_pulls_every_code_to_its_letter() -> None:
    model = toy(preference=torch.tensor([0.0, 100.0, 0.0, 0.0]))
    decoded = greedy(model.decoder, model.encode(*model.tokens(STRINGS)).mean)
    assert set(model.strings(decoded.tokens, decoded.lengths)) == {"BBB"}


def test_the_probability_of_a_letter_is_the_softmax_of_its_distance() -> None:
    """First letter at z = 0.5 with temperature 1: weights e^-1/8, e^-1/8, e^-9/8 and no END."""
    model = toy(temperature=1.0)
    found = beam_search(model.decoder, torch.tensor([[0.5, -40.0, 0.0]]), width=3)
    weights = torch.tensor([-0.125, -0.125, -1.125], dtype=torch.float64).exp()
    assert model.strings(found.tokens[0], found.lengths[0]) == ["A", "B", "C"]
    torch.testing.assert_close(found.scores[0].exp(), weights / weights.sum(), atol=1e-6, rtol=0)


def test_naturalness_is_the_sum_over_known_letters() -> None:
    model = toy(letter_log_prob=torch.tensor([-1.0, -2.0, -4.0]))
    assert model.log_likelihood(*model.tokens(["A", "ABC", "C?A"])).tolist() == [-1.0, -7.0, -5.0]
    plain = toy()
    expected = torch.tensor([3.0]).log().double() * -2
    torch.testing.assert_close(plain.log_likelihood(*plain.tokens(["CA"])), expected, atol=1e-6, rtol=0)
