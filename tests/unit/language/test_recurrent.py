"""A recurrent reader: what it knows of each letter and of stretches, whatever the padding."""

from __future__ import annotations

import torch

from seqdesign.language.recurrent import RecurrentEncoder, stretch_weights
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary


def test_states_end_and_begin_with_the_features() -> None:
    """The last state ahead stands at the last letter, that of the reader from the end at the first."""
    torch.manual_seed(0)
    vocabulary = Vocabulary(get_alphabet("dna"))
    network = RecurrentEncoder(vocabulary, "lstm", 4, 6, 0.0)
    tokens = torch.tensor([[0, 1, 2, 3], [3, 1, vocabulary.pad, vocabulary.pad]])
    lengths = torch.tensor([4, 2])
    features, states = network(tokens, lengths), network.states(tokens, lengths)
    assert states.shape == (2, 4, 12)
    torch.testing.assert_close(features[:, :6], states[[0, 1], [3, 1], :6])
    torch.testing.assert_close(features[:, 6:], states[:, 0, 6:])
    assert not states[1, 2:].any()
    torch.testing.assert_close(states[1:, :2], network.states(tokens[1:, :2], lengths[1:]))


def test_a_stretch_is_the_mean_of_its_letters_and_shares_those_between() -> None:
    """Six letters in three stretches: middles at 1, 3 and 5 letters; by hand."""
    found = stretch_weights(torch.tensor([6, 3]), 6, 3)
    first = torch.tensor([1.0, 0.75, 0.25, 0, 0, 0]) / 2
    assert torch.allclose(found[0, :, 0], first)
    assert torch.allclose(found[0, :, 1], torch.tensor([0, 0.25, 0.75, 0.75, 0.25, 0]) / 2)
    assert torch.allclose(found[0, :, 2], first.flip(0))
    assert torch.equal(found[1, :3], torch.eye(3))
    assert float(found[1, 3:].abs().max()) == 0
