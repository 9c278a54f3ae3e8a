"""Every kind of linear model: what its readers read of one-hot sequences and of tokens, and old models."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import Tensor

from seqdesign.ensembles.closed import READERS, LinearNet
from seqdesign.ensembles.grammar import Grammar
from seqdesign.ensembles.reader import Basis
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import one_hot

DNA = get_alphabet("dna")
LONGEST = 14
ANYWHERE = [kind for kind in READERS if kind != "pairs"]


def found(*, positional: bool) -> Basis:
    """What there may be in sequences of 14 letters."""
    words = torch.zeros(6, 12, 4)
    words[0, :3] = torch.eye(4)[[2, 0, 3]]
    return Basis(
        alphabet=DNA, max_length=LONGEST, positional=positional, shapes=((0,), (0, 1), (0, 1, 2)),
        pairs=torch.tensor([[0, 1], [4, 17]]), parent=torch.tensor([0, 1, 2, 3, 0, 1]),
        costs=torch.tensor([[-2.0, 2, 2, 2, 0], [2, -2, 2, 2, 0], [2, 2, -2, 2, 0]]), found=words,
    )  # fmt: skip


def sequences(*, positional: bool) -> tuple[Tensor, Tensor]:
    """Tokens (N, L), padded, and lengths (N,)."""
    rng = torch.Generator().manual_seed(0)
    tokens = torch.randint(4, (30, LONGEST), generator=rng)
    lengths = (
        torch.full((30,), LONGEST) if positional else torch.randint(4, LONGEST + 1, (30,), generator=rng)
    )
    return tokens.masked_fill(torch.arange(LONGEST) >= lengths[:, None], DNA.size + 3), lengths


@pytest.mark.parametrize(
    ("kind", "positional"), [*((kind, True) for kind in READERS), *((kind, False) for kind in ANYWHERE)]
)
def test_predictors_and_judges_read_the_same(kind: str, positional: bool) -> None:
    tokens, lengths = sequences(positional=positional)
    x, inside = one_hot(tokens, DNA).requires_grad_(), torch.arange(LONGEST) < lengths[:, None]
    for reader in READERS[kind](found(positional=positional)):
        reader.learn(tokens, lengths)
        ours, theirs = reader(x, inside), reader.of_tokens(tokens)
        assert sum(group.shape[1] for group in ours) == reader.columns
        for one, other in zip(ours, theirs, strict=True):
            assert other.dtype == torch.float64
            assert torch.allclose(one.double(), other, atol=1e-5)
        (slope,) = torch.autograd.grad(sum(group.sum() for group in ours), x)
        assert bool(slope.isfinite().all())
        assert bool((slope != 0).any())


@pytest.mark.parametrize("kind", READERS)
def test_models_of_before_say_what_they_said(kind: str) -> None:
    """What readers know had no reader's name, and each column of a grammar a gain, a power of two."""
    tokens, lengths = sequences(positional=True)
    x, inside = one_hot(tokens, DNA), torch.arange(LONGEST) < lengths[:, None]
    basis = found(positional=True)
    empty = {name: torch.zeros_like(getattr(basis, name)) for name in ("pairs", "parent", "costs", "found")}
    net, again = (LinearNet(kind, replace(basis, **empty), 3, 2) for _ in range(2))
    net.learn(basis, tokens, lengths)
    columns = net.weight.shape[1]
    gain = torch.ones(columns)
    if kind == "grammar":
        gain[-sum(one.columns for one in net.readers if isinstance(one, Grammar)) :] = 16.0
    weight = torch.randn(3, columns, 2, generator=torch.Generator().manual_seed(1))
    net.set_weights(weight * gain[:, None], torch.ones(3, 2))
    state = {name.split(".", 2)[-1] if "readers" in name else name: t for name, t in net.state_dict().items()}
    state["weight"] = weight
    if kind == "grammar":
        state["gain"] = gain
    again.load_state_dict(state)
    assert torch.equal(again([x], inside), net([x], inside))
