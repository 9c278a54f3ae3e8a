"""Words that a sequence repeats, counted by hand, and what they are good for."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqdesign.language.chain import Chains
from seqdesign.language.config import LMOptions
from seqdesign.language.model import SequenceLM
from seqdesign.language.repeats import Repeats
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary

WORDS = 3


def rows() -> Tensor:
    """Sequences of two letters of four, one with a letter nobody can read."""
    found = torch.randint(0, 2, (7, 12), generator=torch.Generator().manual_seed(0))
    found[0, 3] = 4
    return found


def by_hand(row: list[int], k: int, t: int, side: int, *, causal: bool) -> list[int]:
    """How often each letter stands at a place that has the same k letters beside it as ``t``."""
    counts = [0] * 4
    for j, letter in enumerate(row):
        around = [(t - side * i, j - side * i) for i in range(1, k + 1)]
        inside = all(0 <= place < len(row) for pair in around for place in pair)
        seen = j < t if causal else j != t
        if seen and inside and letter < 4 and all(row[a] == row[b] < 4 for a, b in around):
            counts[letter] += 1
    return counts


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("backwards", [True, False])
def test_counts_are_those_by_hand(causal: bool, backwards: bool) -> None:
    found = Repeats(4, 8, WORDS, causal=causal, backwards=backwards).counts(rows())
    side = -1 if backwards else 1
    expected = [
        [[by_hand(row, k, t, side, causal=causal) for t in range(12)] for row in rows().tolist()]
        for k in range(1, WORDS + 1)
    ]
    torch.testing.assert_close(found, torch.tensor(expected).float())


@pytest.mark.parametrize("causal", [True, False])
@pytest.mark.parametrize("backwards", [True, False])
def test_shares_of_letters_count_as_whole_letters_do(causal: bool, backwards: bool) -> None:
    repeats, texts = Repeats(4, 8, WORDS, causal=causal, backwards=backwards), rows().repeat(1, 5)
    shares = torch.nn.functional.one_hot(texts, 5)[:, :, :4].float()
    assert torch.equal(repeats.counts(texts), repeats.counts(shares))


def believing(causal: bool = True) -> Repeats:
    """Words count, and features decide how much."""
    repeats = Repeats(4, 8, WORDS, causal=causal)
    repeats.strengths.fill_(0.5)
    torch.nn.init.normal_(repeats.change)
    return repeats


def test_letter_by_letter_is_the_same_as_at_once() -> None:
    repeats, texts, chain = believing(), rows(), torch.randn(7, 12, 4)
    features = torch.randn(7, 12, 8)
    found = [repeats.next(features[:, t], texts[:, :t], chain[:, t]) for t in range(12)]
    torch.testing.assert_close(torch.stack(found, 1), repeats(features, texts, chain))


def test_places_are_those_of_all() -> None:
    repeats, features, chain = believing(causal=False), torch.randn(7, 12, 8), torch.randn(7, 12, 4)
    places = torch.tensor([[3, 11]] * 7)
    some = repeats(features[:, [3, 11]], rows(), chain[:, [3, 11]], places)
    torch.testing.assert_close(some, repeats(features, rows(), chain)[:, [3, 11]])


def texts_of(words: Tensor) -> Tensor:
    """Each sequence is a word of its own, written five times: no words of all sequences, no places."""
    return words.repeat(1, 5)


def test_sequences_that_repeat_themselves_are_known_at_once() -> None:
    texts = texts_of(torch.randint(0, 4, (128, 5), generator=torch.Generator().manual_seed(1)))
    chains = Chains(4, 8, 25, causal=True, repeats=True)
    chains.count(texts[:64])
    logits = chains(torch.zeros(64, 25, 8), texts[64:])
    loss = torch.nn.functional.cross_entropy(logits[:, 10:].flatten(0, 1), texts[64:, 10:].flatten())
    assert loss < 0.35  # log 4 is 1.39


def test_random_sequences_are_not_believed_to_repeat_themselves() -> None:
    texts = torch.randint(0, 4, (256, 30), generator=torch.Generator().manual_seed(2))
    chains = Chains(4, 8, 30, causal=True, repeats=True)
    chains.count(texts)
    features = torch.zeros(256, 30, 8)
    added = chains.repeats[0](features, texts, chains.each[0](texts, texts))
    assert added.abs().mean() < 0.03


def test_each_word_is_an_urn_that_begins_with_what_the_chain_says() -> None:
    repeats = Repeats(3, 8, 2, causal=True)
    repeats.strengths.copy_(torch.tensor([4.0, 0.5]).log())
    q = torch.tensor([[0.6, 0.3, 0.1]])
    written = torch.tensor([[0, 1, 2, 1, 0, 1]])  # after 1 stood 2 and 0, after 0 1 stood 2
    first = (torch.tensor([[1.0, 0.0, 1.0]]) + 4 * q) / 6
    second = (torch.tensor([[0.0, 0.0, 1.0]]) + 0.5 * first) / 1.5
    found = q.log() + repeats.next(torch.zeros(1, 8), written, q.log())
    torch.testing.assert_close(found.exp(), second)


def test_a_model_with_a_condition_has_none() -> None:
    options = LMOptions(architecture="gru", width=8, dropout=0.0)
    vocabulary = Vocabulary(get_alphabet("dna"))
    plain, asked = (SequenceLM(options, vocabulary, 6, 6, knots) for knots in ((), (0.0, 1.0)))
    assert len(plain.network.chains.repeats) == 1
    assert len(asked.network.chains.repeats) == 0
