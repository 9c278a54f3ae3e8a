"""Decoding of all positions at once against greedy decoding, letter by letter."""

from __future__ import annotations

from types import SimpleNamespace

import torch

from seqdesign.decoding.at_once import at_once
from seqdesign.decoding.greedy import greedy


def test_enough_passes_are_greedy_decoding(toys: SimpleNamespace) -> None:
    decoder, z = toys.recurrent("ABC", 7), 2 * torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    found, expected = at_once(decoder, z, passes=8), greedy(decoder, z)
    assert torch.equal(found.tokens, expected.tokens)
    assert torch.equal(found.lengths, expected.lengths)
    assert len(expected.lengths.unique()) > 2
    torch.testing.assert_close(found.log_probs, expected.log_probs, atol=1e-6, rtol=1e-5)


def test_the_first_letters_are_right_after_as_many_passes(toys: SimpleNamespace) -> None:
    decoder, z = toys.recurrent("ABC", 7), 2 * torch.randn(40, 3, generator=torch.Generator().manual_seed(0))
    expected = greedy(decoder, z).tokens
    for passes in (1, 2, 3):
        assert torch.equal(at_once(decoder, z, passes=passes).tokens[:, :passes], expected[:, :passes])
    assert not torch.equal(at_once(decoder, z, passes=1).tokens, expected)


def test_no_codes_give_no_strings(toys: SimpleNamespace) -> None:
    assert at_once(toys.recurrent("ABC", 4), torch.zeros(0, 3), passes=2).tokens.shape == (0, 4)
