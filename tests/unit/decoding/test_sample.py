"""Ancestral sampling against the exact distribution."""

from __future__ import annotations

import math
from collections import Counter
from types import SimpleNamespace

import numpy as np
import pytest
import torch
from scipy import stats

from seqdesign.decoding.greedy import greedy
from seqdesign.decoding.sample import draw, sample

DRAWS = 20_000


def generator(seed: int = 0) -> torch.Generator:
    return torch.Generator().manual_seed(seed)


@pytest.mark.parametrize(
    ("kind", "temperature"), [("table", 1.0), ("gru", 1.0), ("table", 0.5), ("table", 3.0)]
)
def test_samples_follow_the_exact_distribution(toys: SimpleNamespace, kind: str, temperature: float) -> None:
    """Chi-square against p(x | z) of all strings of V = 3, T = 3; strings expected fewer than 5 times are
    pooled.

    Temperature divides every conditional's logits, so the exact tempered distribution is that of a divided
    table.
    """
    decoder = toys.random_table(1, 3, 3) if kind == "table" else toys.recurrent("ABC", 3)
    code = torch.zeros(1, 1) if kind == "table" else torch.tensor([[0.5, -1.0, 1.0]])
    found = sample(decoder, code.expand(DRAWS, -1), generator=generator(), temperature=temperature)
    exact = toys.TableDecoder(decoder.table / temperature) if kind == "table" else decoder
    everything = toys.all_strings(3, 3)
    expected = DRAWS * np.exp([toys.log_prob(exact, code[0], s) for s in everything])
    seen = Counter(toys.strings(found.tokens, found.lengths))
    counts = np.array([seen[s] for s in everything], dtype=float)
    assert counts.sum() == DRAWS
    rare = expected < 5
    if rare.any():
        counts = np.append(counts[~rare], counts[rare].sum())
        expected = np.append(expected[~rare], expected[rare].sum())
    assert len(expected) > 7
    assert stats.chisquare(counts, expected * DRAWS / expected.sum()).pvalue > 1e-3


@pytest.mark.parametrize("temperature", [1.0, 0.3])
def test_log_probs_are_the_decoders_own(toys: SimpleNamespace, temperature: float) -> None:
    decoder = toys.recurrent("ABCD", 8, "lstm")
    z = torch.randn(40, 3, generator=generator(1))
    found = sample(decoder, z, generator=generator(2), temperature=temperature)
    with torch.no_grad():
        expected = decoder.log_prob(z, found.tokens, found.lengths).double()
    torch.testing.assert_close(found.log_probs, expected, atol=1e-5, rtol=0)
    assert found.lengths.unique().numel() > 2


def test_one_seed_gives_one_result_and_another_seed_another(toys: SimpleNamespace) -> None:
    decoder, z = toys.recurrent("ABC", 8), torch.zeros(30, 3)
    first, again, other = (sample(decoder, z, generator=generator(seed)) for seed in (5, 5, 6))
    assert torch.equal(first.tokens, again.tokens)
    assert torch.equal(first.log_probs, again.log_probs)
    assert not torch.equal(first.tokens, other.tokens)


def test_samples_do_not_depend_on_how_many_are_drawn_at_once(toys: SimpleNamespace) -> None:
    """2,500 codes are three chunks; the first 700 are one."""
    decoder, z = toys.random_table(1, 3, 4), torch.zeros(2500, 1)
    many, few = (sample(decoder, z[:n], generator=generator(7)) for n in (2500, 700))
    assert torch.equal(many.tokens[:700], few.tokens)


def test_low_temperature_is_greedy(toys: SimpleNamespace) -> None:
    decoder, z = toys.random_table(20, 4, 5), toys.table_codes(20)
    cold = sample(decoder, z, generator=generator(), temperature=1e-6)
    assert torch.equal(cold.tokens, greedy(decoder, z).tokens)


def test_draw_splits_the_unit_interval_by_the_probabilities() -> None:
    """Cumulative 0, .2, .2, .7, 1, 1: tokens of probability 0 are never drawn, not even at the ends."""
    logits = torch.tensor([0.0, 0.2, 0.0, 0.5, 0.3, 0.0]).log().expand(6, -1)
    uniform = torch.tensor([0.0, 0.19, 0.21, 0.69, 0.71, 1 - 2.0**-53], dtype=torch.float64)
    assert draw(logits, uniform).tolist() == [1, 1, 3, 3, 4, 4]


def test_the_largest_uniform_number_always_meets_a_possible_token() -> None:
    """1 - 2^-53 times any rounded total stays below that total."""
    logits = torch.randn(20_000, 21, generator=generator(3)) * 4
    logits[:, -1] = -math.inf
    uniform = torch.full((20_000,), 1 - 2.0**-53, dtype=torch.float64)
    assert int(draw(logits, uniform).max()) < 20


@pytest.mark.parametrize("temperature", [0.0, -1.0, math.nan, math.inf])
def test_temperature_must_be_positive(toys: SimpleNamespace, temperature: float) -> None:
    with pytest.raises(ValueError, match="temperature must be a positive number"):
        sample(toys.recurrent("AB", 3), torch.zeros(1, 3), generator=generator(), temperature=temperature)


def test_no_codes_give_no_samples(toys: SimpleNamespace) -> None:
    assert sample(toys.recurrent("AB", 3), torch.zeros(0, 3), generator=generator()).tokens.shape == (0, 3)
