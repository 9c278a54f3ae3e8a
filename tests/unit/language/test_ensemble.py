"""Promises of two networks that write together."""

from __future__ import annotations

import pytest
import torch

from seqdesign.language.config import LMOptions
from seqdesign.language.ensemble import Ensemble
from seqdesign.language.model import SequenceLM
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.training.data import Batch, TokenData


def ensemble() -> tuple[SequenceLM, Ensemble]:
    torch.manual_seed(0)
    options = LMOptions(architecture="ensemble", width=8, heads=2, window=3, dropout=0.0)
    model = SequenceLM(options, Vocabulary(get_alphabet("dna")), 12, 12)
    assert isinstance(model.network, Ensemble)
    return model, model.network


TOKENS = torch.randint(4, (30, 12), generator=torch.Generator().manual_seed(1))
LENGTHS = torch.full((30,), 12)


@torch.no_grad()
def test_it_says_the_mean_of_what_its_networks_say() -> None:
    _, network = ensemble()
    parts = [member(TOKENS, LENGTHS, None).log_softmax(2) for member in network.members]
    assert float((parts[0] - parts[1]).abs().max()) > 0.1
    mean = (parts[0] + parts[1]) / 2
    torch.testing.assert_close(network(TOKENS, LENGTHS, None).log_softmax(2), mean.log_softmax(2))


def test_each_network_learns_as_if_it_were_alone() -> None:
    model, network = ensemble()
    batch = Batch(TOKENS, LENGTHS, torch.full((30,), torch.nan, dtype=torch.float64))
    model.train().losses("lm", batch, torch.Generator(), None)["loss"].backward()  # type: ignore[no-untyped-call]
    for member in network.members:
        together = member.output.weight.grad.clone()  # type: ignore[union-attr, operator]
        member.zero_grad()
        own = member(TOKENS, LENGTHS, None, TOKENS)
        torch.nn.functional.cross_entropy(own.transpose(1, 2), TOKENS, reduction="sum").div(30).backward()  # type: ignore[no-untyped-call]
        torch.testing.assert_close(together, member.output.weight.grad / 2)  # type: ignore[union-attr, operator]


def test_words_are_counted_once_for_both() -> None:
    model, network = ensemble()
    nothing = torch.full((30,), torch.nan, dtype=torch.float64)
    model.count(TokenData(TOKENS.to(torch.uint8), LENGTHS, nothing))
    first, second = (dict(member.chains.each[0].named_buffers()) for member in network.members)  # type: ignore[union-attr, index]
    assert first.keys() == second.keys()
    assert float(first["table"].std()) > 0
    for name, values in first.items():
        assert torch.equal(values, second[name])
    assert model.state_dict().keys() == ensemble()[0].state_dict().keys()
    assert torch.equal(
        network.members[0].chains(torch.zeros(30, 12, 8), TOKENS),
        network.members[1].chains(torch.zeros(30, 12, 16), TOKENS),
    )  # type: ignore[operator]


def test_a_network_has_to_be_chosen_before_it_is_built() -> None:
    with pytest.raises(AssertionError, match="adapt"):
        SequenceLM(LMOptions(width=8, dropout=0.0), Vocabulary(get_alphabet("dna")), 12, 12)
