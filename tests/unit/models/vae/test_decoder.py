"""The Transformer decoder: steps against all positions at once, in every kind of decoding."""

from __future__ import annotations

import itertools

import pytest
import torch

from seqdesign.decoding.beam import beam_search
from seqdesign.decoding.greedy import greedy
from seqdesign.decoding.sample import sample
from seqdesign.models.vae.decoder import TransformerDecoder
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary

LENGTH = 4


@pytest.fixture
def decoder() -> TransformerDecoder:
    torch.manual_seed(0)
    vocabulary = Vocabulary(get_alphabet("letters:ABC"))
    decoder = TransformerDecoder(vocabulary, 3, 8, LENGTH, layers=2, heads=2, window=3).eval()
    decoder.requires_grad_(False)
    for parameter in decoder.parameters():
        parameter *= 2.0
    return decoder


def codes(n: int) -> torch.Tensor:
    return 2 * torch.randn(n, 3, generator=torch.Generator().manual_seed(1))


def test_steps_and_teacher_forcing_agree(decoder: TransformerDecoder) -> None:
    z = codes(50)
    for found in (
        greedy(decoder, z),
        sample(decoder, z, generator=torch.Generator().manual_seed(0)),
    ):
        scored = decoder.log_prob(z, found.tokens, found.lengths)
        torch.testing.assert_close(scored.double(), found.log_probs, atol=1e-4, rtol=1e-4)


def test_all_strings_have_probability_one_and_a_wide_beam_finds_the_best(decoder: TransformerDecoder) -> None:
    strings = [s for n in range(1, LENGTH + 1) for s in itertools.product(range(3), repeat=n)]
    rows = torch.tensor([[*s, *[decoder.pad] * (LENGTH - len(s))] for s in strings])
    lengths = torch.tensor([len(s) for s in strings])
    for z in codes(4):
        scores = decoder.log_prob(z.expand(len(rows), 3), rows, lengths)
        assert float(scores.exp().sum()) == pytest.approx(1, abs=1e-4)
        best = beam_search(decoder, z[None], width=len(strings))
        assert torch.equal(best.tokens[0, 0], rows[scores.argmax()])
        torch.testing.assert_close(best.scores[0, :20].float(), scores.topk(20).values, atol=1e-4, rtol=1e-4)


def test_two_ways_on_from_one_state_do_not_touch_each_other(decoder: TransformerDecoder) -> None:
    z, first = codes(1), torch.tensor([decoder.start])
    _, state = decoder.step(decoder.initial_state(z), first, 0)
    one, two = torch.tensor([0]), torch.tensor([1])
    _, after_one = decoder.step(state, one, 1)
    expected, _ = decoder.step(after_one, one, 2)
    decoder.step(state, two, 1)
    assert torch.equal(decoder.step(after_one, one, 2)[0], expected)


def test_the_code_matters_at_every_place_but_no_later_letter_does(decoder: TransformerDecoder) -> None:
    z = codes(2)
    tokens = torch.zeros(2, LENGTH, dtype=torch.long)
    logits = decoder(z, decoder.inputs(tokens))[:, :LENGTH, :3]
    assert ((logits[0] - logits[1]).abs().amax(1) > 1e-3).all()
    changed = tokens.clone()
    changed[:, 2] = 1
    after = decoder(z, decoder.inputs(changed))[:, :LENGTH, :3]
    assert torch.equal(after[:, :3], logits[:, :3])
    assert not torch.equal(after[:, 3], logits[:, 3])
