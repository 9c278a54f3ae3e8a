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
def test_counts_are_those_by_hand(causal: bool) -> None:
    found = Repeats(4, 8, WORDS, causal=causal).counts(rows())
    sides = (1,) if causal else (1, -1)
    expected = [
        [[by_hand(row, k, t, side, causal=causal) for t in range(12)] for row in rows().tolist()]
        for side in sides
        for k in range(1, WORDS + 1)
    ]
    torch.testing.assert_close(found, torch.tensor(expected).float())


def test_letter_by_letter_is_the_same_as_at_once() -> None:
    repeats, texts = Repeats(4, 8, WORDS, causal=True), rows()
    found = torch.stack([repeats.counts_behind(texts[:, :t]) for t in range(12)], 2)
    torch.testing.assert_close(found, repeats.counts(texts))


def test_places_are_those_of_all() -> None:
    repeats, features = Repeats(4, 8, WORDS, causal=False), torch.randn(7, 12, 8)
    torch.nn.init.normal_(repeats.weight)
    places = torch.tensor([[3, 11]] * 7)
    some = repeats(features[:, [3, 11]], rows(), places)
    torch.testing.assert_close(some, repeats(features, rows())[:, [3, 11]])


def test_sequences_that_repeat_themselves_are_learned_at_once() -> None:
    """Each sequence is a word of its own, written five times: no words of all sequences, no places."""
    words = torch.randint(0, 4, (64, 5), generator=torch.Generator().manual_seed(1))
    texts = words.repeat(1, 5)
    chains = Chains(4, 8, 25, causal=True, repeats=True)
    assert chains.repeats is not None
    optimizer = torch.optim.Adam([chains.repeats.bias], 0.3)
    for _ in range(30):
        logits = chains(torch.zeros(64, 25, 8), texts)
        loss = torch.nn.functional.cross_entropy(logits[:, 10:].flatten(0, 1), texts[:, 10:].flatten())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert loss < 0.35  # log 4 is 1.39


def test_a_model_with_a_condition_has_none() -> None:
    options = LMOptions(architecture="gru", width=8, dropout=0.0)
    vocabulary = Vocabulary(get_alphabet("dna"))
    plain, asked = (SequenceLM(options, vocabulary, 6, 6, knots) for knots in ((), (0.0, 1.0)))
    assert plain.network.chains.repeats is not None
    assert asked.network.chains.repeats is None
