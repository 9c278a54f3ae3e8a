"""Predictors and functions of tokens as oracles."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
import torch
from torch import Tensor, nn

from seqdesign.errors import InputError
from seqdesign.oracles.construct import ConstructOracle
from seqdesign.oracles.oracle import num_members, only
from seqdesign.oracles.predictor import PredictorOracle
from seqdesign.oracles.tokens import TokenOracle
from seqdesign.sequences.alphabets import get_alphabet

DNA = get_alphabet("dna")
TOKENS = torch.tensor([[0, 1, 2, 3], [3, 3, 3, 3]])
X = nn.functional.one_hot(TOKENS, 4).mT.float()


class Ensemble(nn.Module):
    """Three members, two outcomes: member m says m + letters of each kind."""

    def __init__(self) -> None:
        super().__init__()
        self.shift = nn.Parameter(torch.arange(3.0).view(3, 1, 1))
        self.drop = nn.Dropout(0.5)

    @property
    def num_members(self) -> int:
        return len(self.shift)

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        assert lengths is None
        return self.shift + self.drop(x).sum(2)[:, :2]


def test_a_predictor_is_evaluated_without_dropout_and_left_as_it_was() -> None:
    model = Ensemble()
    oracle = PredictorOracle(model, alphabet=DNA, outcomes=["a", "b"])
    x = X.clone().requires_grad_()
    predictions = oracle(x)
    assert predictions.tolist() == [[[m + 1, m + 1], [m, m]] for m in (0.0, 1.0, 2.0)]
    predictions.sum().backward()
    assert x.grad is not None
    assert x.grad[:, :2].unique().tolist() == [3.0]
    assert model.shift.grad is None
    assert model.training
    assert model.shift.requires_grad
    assert (oracle.outcomes, oracle.differentiable) == (("a", "b"), True)


def test_some_members_can_be_chosen() -> None:
    oracle = PredictorOracle(Ensemble(), alphabet=DNA, outcomes=["a", "b"], members=[2, 0])
    assert oracle(X)[:, 1, 0].tolist() == [2.0, 0.0]
    with pytest.raises(ValueError, match="at least one member"):
        PredictorOracle(Ensemble(), alphabet=DNA, outcomes=["a", "b"], members=[])


class Cheaper(Ensemble):
    """An ensemble that can be divided; the one that is asked must then be the part."""

    def only(self, members: Sequence[int]) -> Ensemble:
        some = Ensemble()
        some.shift = nn.Parameter(self.shift.detach()[list(members)])
        return some

    def forward(self, x: Tensor, lengths: Tensor | None) -> Tensor:
        raise AssertionError("all members were asked")


@pytest.mark.parametrize("made", [Ensemble, Cheaper])
@pytest.mark.parametrize("flanks", [("", ""), ("AC", "G")])
def test_members_that_design_are_asked_alone(made: type[Ensemble], flanks: tuple[str, str]) -> None:
    oracle = PredictorOracle(made(), alphabet=DNA, outcomes=["a", "b"])
    given = ConstructOracle(oracle, *flanks) if any(flanks) else oracle
    some = only(given, [2, 1])
    assert (num_members(some), num_members(given), some.outcomes) == (2, 3, ("a", "b"))
    assert some(X)[:, 1, 0].tolist() == [2.0 + any(flanks), 1.0 + any(flanks)]
    assert only(some, [0])(X)[:, 1, 0].tolist() == [2.0 + any(flanks)]
    assert only(given, [0, 1, 2]) is given
    with pytest.raises(ValueError, match="at least one member"):
        only(given, [])


class Plain:
    """An ensemble of two members, as an oracle of one's own."""

    alphabet, outcomes, differentiable, num_members = DNA, ("y",), False, 2

    def __call__(self, x: Tensor, /) -> Tensor:
        return torch.stack([x.sum((1, 2)), x.sum((1, 2)) + 1]).unsqueeze(2)


def test_of_an_oracle_that_computes_all_members_some_are_heard() -> None:
    assert only(Plain(), [1])(X).flatten().tolist() == [5.0, 5.0]


def test_a_function_of_tokens_sees_letters_and_lengths() -> None:
    oracle = TokenOracle(
        lambda tokens, lengths: (tokens.sum(1) + lengths).double(),
        alphabet=DNA,
        outcome="fitness",
        max_length=4,
    )
    predictions = oracle(X)
    assert predictions.shape == (1, 2, 1)
    assert predictions.dtype == X.dtype
    assert predictions.flatten().tolist() == [10.0, 16.0]
    assert (oracle.outcomes, oracle.differentiable) == (("fitness",), False)
    with pytest.raises(InputError, match="the sequences have 8 letters, the model takes at most 4"):
        oracle(torch.cat([X, X], 2))
