"""Adaptive decoding: D_x0(E(x0)) = x0 exactly, whatever the code."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
import torch

from seqdesign.decoding.adaptive import adaptive_bonus
from seqdesign.decoding.beam import beam_search
from seqdesign.decoding.edit_ball import EditBall
from seqdesign.decoding.greedy import greedy


def random_originals(n: int, letters: int, length: int, pad: int) -> tuple[torch.Tensor, torch.Tensor]:
    generator = torch.Generator().manual_seed(9)
    tokens = torch.randint(0, letters, (n, length), generator=generator)
    lengths = torch.randint(1, length + 1, (n,), generator=generator)
    return tokens.masked_fill(torch.arange(length) >= lengths[:, None], pad), lengths


@pytest.mark.parametrize("kind", ["table", "gru", "lstm"])
@pytest.mark.parametrize("width", [1, 2, 10])
def test_the_original_decodes_to_itself(toys: SimpleNamespace, kind: str, width: int) -> None:
    """Random originals that have nothing to do with their codes, so nearly every position needs a bonus."""
    n = 60
    if kind == "table":
        decoder, z = toys.random_table(n, 4, 8, seed=6), toys.table_codes(n)
    else:
        decoder, z = (
            toys.recurrent("ABCD", 8, kind),
            torch.randn(n, 3, generator=torch.Generator().manual_seed(0)),
        )
    tokens, lengths = random_originals(n, 4, 8, decoder.pad)
    assert (greedy(decoder, z).tokens == tokens).all(1).float().mean() < 0.2
    bonus = adaptive_bonus(decoder, z, tokens, lengths, width=width)
    assert bonus.shape == (n, 8, 5)
    found = beam_search(decoder, z, width=width, bonus=bonus)
    assert torch.equal(found.tokens[:, 0], tokens)
    assert torch.equal(found.lengths[:, 0], lengths)


def test_only_the_originals_own_tokens_get_a_bonus_and_only_what_they_need(toys: SimpleNamespace) -> None:
    """Width 1: the gap to the best token along the original plus a margin of 1e-3, or nothing."""
    decoder, z = toys.random_table(30, 4, 6, seed=7), toys.table_codes(30)
    tokens, lengths = random_originals(30, 4, 6, decoder.pad)
    bonus = adaptive_bonus(decoder, z, tokens, lengths)
    expected = torch.zeros(30, 6, 5)
    for i, string in enumerate(toys.strings(tokens, lengths)):
        previous = decoder.start
        for t, token in enumerate((*string, decoder.end)[:6]):
            logits = decoder.table[i, t, previous]
            rival = max(float(logits[v]) for v in range(5) if v != token)
            expected[i, t, token] = max(0.0, rival - float(logits[token]) + 1e-3)
            previous = token
    torch.testing.assert_close(bonus, expected, atol=1e-6, rtol=0)
    assert 0 < (bonus > 0).float().mean() < 0.2


def test_an_original_that_wins_clearly_gets_no_bonus(toys: SimpleNamespace) -> None:
    """By more than the margin at every position, that is: scaling the logits up makes it so."""
    decoder, z = toys.random_table(20, 4, 6, seed=8), toys.table_codes(20)
    decoder.table *= 100
    best = greedy(decoder, z)
    for width in (1, 3):
        assert not adaptive_bonus(decoder, z, best.tokens, best.lengths, width=width).any()


def test_wider_beams_need_larger_margins_and_get_no_more_than_needed(toys: SimpleNamespace) -> None:
    """Width 2 prefers "ba" (.36) to "aa" (.30), see oracle 5.

    "aa": P(a | a) must exceed .6, so e^m / (e^m + 1) > .6 and m > .405: of 1/8, 1/4, 1/2 the last is the
    first that will do. "ba" needs only the first margin, above the gap log 1.5 of its first letter.
    """
    logits = torch.full((2, 2, 6, 3), -torch.inf)
    logits[:, 0, 3, :2] = torch.tensor([0.6, 0.4]).log()
    logits[:, 1, 0, :2] = torch.tensor([0.5, 0.5]).log()
    logits[:, 1, 1, :2] = torch.tensor([0.9, 0.1]).log()
    decoder, z = toys.TableDecoder(logits), toys.table_codes(2)
    tokens, lengths = torch.tensor([[0, 0], [1, 0]]), torch.tensor([2, 2])
    assert beam_search(decoder, z, width=2).tokens[:, 0].tolist() == [[1, 0], [1, 0]]
    bonus = adaptive_bonus(decoder, z, tokens, lengths, width=2)
    assert torch.equal(beam_search(decoder, z, width=2, bonus=bonus).tokens[:, 0], tokens)
    assert bonus[0, :, 0].tolist() == pytest.approx([0.5 - math.log(1.5), 0.5], abs=1e-6)
    assert bonus[1, 0].tolist() == pytest.approx([0, math.log(1.5) + 1e-3, 0], abs=1e-6)
    assert not bonus[1, 1].any()


@pytest.mark.parametrize("width", [1, 4])
def test_known_letters_survive_beside_unknown_ones(toys: SimpleNamespace, width: int) -> None:
    """UNKNOWN stands for the decoder's favourite letter there; every other letter and the length are kept."""
    decoder = toys.recurrent("ABCD", 7)
    z = torch.randn(40, 3, generator=torch.Generator().manual_seed(1))
    tokens, lengths = random_originals(40, 4, 7, decoder.pad)
    masked = tokens.clone()
    masked[:, ::3] = masked[:, ::3].where(masked[:, ::3] == decoder.pad, decoder.unknown)
    bonus = adaptive_bonus(decoder, z, masked, lengths, width=width)
    best = beam_search(decoder, z, width=width, bonus=bonus)
    known = masked < decoder.end
    assert torch.equal(best.lengths[:, 0], lengths)
    assert torch.equal(best.tokens[:, 0][known], tokens[known])
    assert (best.tokens[:, 0][masked == decoder.unknown] < decoder.end).all()


def test_it_holds_inside_an_edit_ball_with_forced_positions(toys: SimpleNamespace) -> None:
    n = 50
    decoder, z = toys.random_table(n, 4, 7, seed=10), toys.table_codes(n)
    tokens, lengths = random_originals(n, 4, 7, decoder.pad)
    ball = EditBall(tokens, lengths, torch.arange(n) % 4)
    forced = torch.full_like(tokens, -1)
    forced[:, 0] = tokens[:, 0]
    bonus = adaptive_bonus(decoder, z, tokens, lengths, width=3, forced=forced, ball=ball)
    found = beam_search(decoder, z, width=3, bonus=bonus, forced=forced, ball=ball)
    assert torch.equal(found.tokens[:, 0], tokens)


def test_an_original_that_the_rules_exclude_ends_the_search_for_a_margin(toys: SimpleNamespace) -> None:
    decoder, z = toys.random_table(2, 3, 4, seed=11), toys.table_codes(2)
    tokens, lengths = toys.padded([(0, 1, 2), (2, 1, 2)], decoder)
    forced = torch.full((2, 4), -1)
    forced[:, 0] = 2
    bonus = adaptive_bonus(decoder, z, tokens, lengths, width=2, forced=forced)
    found = beam_search(decoder, z, width=2, bonus=bonus, forced=forced)
    assert found.tokens[0, 0, 0] == 2
    assert torch.equal(found.tokens[1, 0], tokens[1])


def test_a_certain_decoder_needs_no_bonus(toys: SimpleNamespace) -> None:
    """All other tokens have probability 0: no gap, and nothing that is not a number."""
    table = torch.full((1, 2, 6, 3), -torch.inf)
    table[..., 1] = 0.0
    bonus = adaptive_bonus(
        toys.TableDecoder(table), toys.table_codes(1), torch.tensor([[1, 1]]), torch.tensor([2])
    )
    assert not bonus.any()


@pytest.mark.parametrize(
    ("length", "message"),
    [(0, "original 1 must have 1 to 4 letters, got 0"), (5, "original 1 must have 1 to 4 letters, got 5")],
)
def test_lengths_that_cannot_be_decoded_are_refused(toys: SimpleNamespace, length: int, message: str) -> None:
    tokens = torch.zeros(2, 5).long()
    with pytest.raises(ValueError, match=message):
        adaptive_bonus(toys.random_table(2, 3, 4), toys.table_codes(2), tokens, torch.tensor([1, length]))


def test_an_original_of_probability_zero_is_refused(toys: SimpleNamespace) -> None:
    decoder, z = toys.random_table(2, 3, 4), toys.table_codes(2)
    decoder.table[1, 1, :, 2] = -torch.inf
    with pytest.raises(ValueError, match="gives original 1 no probability"):
        adaptive_bonus(decoder, z, torch.tensor([[0, 2], [0, 2]]), torch.tensor([2, 2]))
