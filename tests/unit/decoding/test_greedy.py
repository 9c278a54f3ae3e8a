"""Greedy decoding against one step at a time; its equality with beam width 1 is in test_beam.py."""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from seqdesign.decoding.greedy import greedy
from seqdesign.decoding.protocol import LOOK_EVERY


def test_every_token_is_the_most_probable_one(toys: SimpleNamespace) -> None:
    decoder, z = toys.random_table(50, 4, 5), toys.table_codes(50)
    found = greedy(decoder, z)
    for i, string in enumerate(toys.strings(found.tokens, found.lengths)):
        previous = decoder.start
        for t, token in enumerate((*string, decoder.end)[:5]):
            assert token == int(decoder.table[i, t, previous].argmax())
            previous = token
        assert float(found.log_probs[i]) == pytest.approx(toys.log_prob(decoder, z[i], string), abs=1e-5)
        assert (found.tokens[i, len(string) :] == decoder.pad).all()
    assert found.lengths.unique().tolist() == [1, 2, 3, 4, 5]


def test_it_stops_when_all_strings_have_ended(toys: SimpleNamespace) -> None:
    decoder = toys.random_table(3, 4, 30)
    decoder.table[:, 2, :, decoder.end] = 50.0
    steps: list[int] = []
    plain = decoder.step
    decoder.step = lambda state, previous, t: (steps.append(t), plain(state, previous, t))[1]
    found = greedy(decoder, toys.table_codes(3))
    assert max(found.lengths.tolist()) <= 2
    assert steps == list(range(LOOK_EVERY)), "it looks every few letters, for then the host waits"


def test_no_gradient_and_no_codes(toys: SimpleNamespace) -> None:
    decoder = toys.recurrent("ABC", 4)
    assert not greedy(decoder, torch.zeros(2, 3, requires_grad=True)).log_probs.requires_grad
    assert greedy(decoder, torch.zeros(0, 3)).tokens.shape == (0, 4)


def test_more_codes_than_a_chunk_decode_as_they_do_alone(toys: SimpleNamespace) -> None:
    decoder, z = toys.random_table(5, 3, 4), toys.table_codes(5).repeat(500, 1)
    many, few = greedy(decoder, z), greedy(decoder, z[:5])
    assert torch.equal(many.tokens, few.tokens.repeat(500, 1))
    assert torch.equal(many.log_probs, few.log_probs.repeat(500))
