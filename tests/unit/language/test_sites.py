"""Letters at places: what chains do not expect there."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor

from seqdesign.language.chain import Chains
from seqdesign.language.config import LMOptions, adapt
from seqdesign.language.model import SequenceLM
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary

PAD = 4


def rows(num: int = 400, start: int = 0) -> Tensor:
    """Random letters; at places 0 and 20, in the middle of nothing, always the same one."""
    found = torch.randint(0, 4, (num, 30), generator=torch.Generator().manual_seed(start))
    found[:, 0], found[:, 20] = 2, 3
    return found


def counted(texts: Tensor, *, causal: bool = True) -> Chains:
    chains = Chains(4, 8, 30, causal=causal, repeats=False)
    chains.count(texts)
    return chains


@pytest.mark.parametrize("causal", [True, False])
def test_a_letter_that_is_always_there_is_certain_before_training(causal: bool) -> None:
    chains, others = counted(rows(), causal=causal), rows(start=1)
    p = chains(torch.zeros(400, 30, 8), others).softmax(2)
    assert p[:, 0, 2].min() > 0.99
    assert p[:, 20, 3].min() > 0.99
    chains.sites.table.zero_()
    without = chains(torch.zeros(400, 30, 8), others).softmax(2)
    assert without[:, [0, 20], [2, 3]].max() < 0.9
    assert (p - without)[:, [5, 10, 28]].abs().max() < 0.05


def test_letters_are_as_frequent_as_where_they_were_counted() -> None:
    texts = rows()
    texts[:300, 12] = 1
    p = counted(texts)(torch.zeros(400, 30, 8), texts).softmax(2).mean(0)
    shares = torch.nn.functional.one_hot(texts[:, 12], 4).float().mean(0)
    torch.testing.assert_close(p[12], shares, atol=0.02, rtol=0)


def test_a_training_letter_is_left_out_of_its_own_count() -> None:
    texts = rows(60)
    texts[0, 20] = 1  # once among sixty
    chains = counted(texts)
    features = torch.zeros(60, 30, 8)
    said, taught = (chains(features, texts, targets).softmax(2)[0, 20, 1] for targets in (None, texts))
    never = counted(texts[1:])(features[:1], texts[:1]).softmax(2)[0, 20, 1]
    assert taught < said / 2
    torch.testing.assert_close(taught, never, atol=0.005, rtol=0.2)


def test_letter_by_letter_and_some_places_are_the_same_as_at_once() -> None:
    chains, texts, features = counted(rows()), rows(start=1), torch.randn(400, 30, 8)
    whole = chains(features, texts)
    found = [chains.next(features[:, t], texts[:, :t]) for t in range(30)]
    torch.testing.assert_close(torch.stack(found, 1), whole)
    places = torch.tensor([[0, 20]] * 400)
    torch.testing.assert_close(chains(features[:, [0, 20]], texts, places=places), whole[:, [0, 20]])


def test_ends_of_shorter_sequences_are_no_letters() -> None:
    texts = rows()
    texts[1:, 25:] = PAD  # one sequence is longer
    table = counted(texts).sites.table
    assert table.isfinite().all()
    assert table[26].abs().max() < 0.5


def test_a_model_without_counts_at_places_says_what_it_said() -> None:
    options = adapt(LMOptions(architecture="gru", width=8, layers=1, dropout=0.0), num_letters=100)
    learned, before = (SequenceLM(options, Vocabulary(get_alphabet("dna")), 30, 30).eval() for _ in range(2))
    learned.network.count(rows(), torch.full((400,), 30))
    before.load_state_dict({k: v for k, v in learned.state_dict().items() if "sites" not in k})
    texts, lengths = rows(5, start=1), torch.full((5,), 30)
    said = before.log_likelihood(texts, lengths)
    assert (learned.log_likelihood(texts, lengths) - said).abs().min() > 0.1
    learned.network.chains.sites.table.zero_()
    torch.testing.assert_close(said, learned.log_likelihood(texts, lengths))
