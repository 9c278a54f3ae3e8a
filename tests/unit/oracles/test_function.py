"""Python functions and modules as oracles: shapes, errors, gradients, and models left as they were."""

from __future__ import annotations

import sys
import textwrap
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seqdesign.errors import InputError
from seqdesign.oracles.function import FunctionOracle
from seqdesign.oracles.load import load_oracle
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode, one_hot

DNA = get_alphabet("dna")
L = 6


def hot(*sequences: str) -> Tensor:
    return torch.from_numpy(one_hot(encode(list(sequences), DNA).tokens, DNA))


def count_g(x: Tensor) -> Tensor:
    return x[:, 2].sum(1)


def oracle(function: Callable[[Tensor], Any], **options: Any) -> FunctionOracle:
    return FunctionOracle([function], alphabet=DNA, length=L, name="mine:score", **options)


def test_channels_are_the_letters_in_the_order_of_the_alphabet() -> None:
    assert oracle(count_g)(hot("GGGACG", "AAATTT"))[0, :, 0].tolist() == [4.0, 0.0]


@pytest.mark.parametrize(
    ("function", "outcomes"),
    [
        (count_g, ("score",)),
        (lambda x: count_g(x)[:, None], ("score",)),
        (lambda x: count_g(x)[:, None, None], ("score",)),
        (lambda x: x.sum(2)[:, 1:3], ("score1", "score2")),
        (lambda x: (count_g(x), x.sum(2)[:, :2]), ("score1", "score2", "score3")),
        (lambda x: count_g(x).detach().numpy(), ("score",)),
        (lambda x: count_g(x).tolist(), ("score",)),
        (lambda x: count_g(x).double(), ("score",)),
        (lambda x: count_g(x).long(), ("score",)),
    ],
)
def test_scores_may_come_in_any_usual_form(function: Callable[..., Any], outcomes: tuple[str, ...]) -> None:
    found = oracle(function)
    assert found.outcomes == outcomes
    predictions = found(hot("GGGACG", "AAATTT", "GGGGGG"))
    assert predictions.shape == (1, 3, len(outcomes))
    assert predictions.dtype == torch.float32


@pytest.mark.parametrize(
    ("function", "message"),
    [
        (lambda x: x, r"shape \(1,\) or \(1, K\), or a tuple of these, got shape \(1, 4, 6\)"),
        (lambda x: x.sum(), r"got shape \(\)"),
        (lambda x: x.sum((0, 2)), r"got shape \(4,\)"),
        (lambda x: {"score": count_g(x)}, "got a dict"),
        (lambda x: None, "got a NoneType"),
        (lambda x: count_g(x) / 0 - count_g(x) / 0, r"must return finite scores.*got \[nan\]"),
        (lambda x: count_g(x) + torch.inf, r"must return finite scores.*got \[inf\]"),
        (lambda x: x @ torch.ones(9, 1), r"raised RuntimeError for one-hot of shape \(1, 4, 6\) \(ACGT\): "),
        (lambda x: x.tolist()[9], "raised IndexError .*: list index out of range"),
    ],
)
def test_a_function_that_does_not_fit_is_named_with_what_it_did(
    function: Callable[..., Any], message: str
) -> None:
    with pytest.raises(InputError, match=f"mine:score .*{message}") as raised:
        oracle(function)
    assert "\n" not in str(raised.value)


def test_a_score_that_turns_bad_later_is_found() -> None:
    found = oracle(lambda x: torch.where(count_g(x) > 5, torch.nan, count_g(x)))
    with pytest.raises(InputError, match=r"got \[nan\] for a sequence"):
        found(hot("AAAAAA", "GGGGGG"))
    shy = oracle(lambda x: x.sum(2)[:, : 4 - int(x[0, 2].sum() > 5)])
    with pytest.raises(InputError, match="gave 4 scores at first and now 3"):
        shy(hot("GGGGGG"))


def test_what_is_not_feasible_scores_minus_infinity() -> None:
    found = oracle(lambda x: torch.where(count_g(x) > 5, -torch.inf, count_g(x)))
    assert found(hot("GGGGGG", "AAAAAA"))[0, :, 0].tolist() == [-torch.inf, 0.0]


@pytest.mark.parametrize("function", [lambda x: count_g(x) - count_g(x).mean(), lambda x: torch.rand(len(x))])
def test_scores_that_depend_on_the_batch_or_on_chance_are_refused(function: Callable[..., Any]) -> None:
    with pytest.raises(InputError, match="scores the same sequence .* alone and .* beside another"):
        oracle(function)


def test_a_model_for_one_sequence_at_a_time_is_asked_so() -> None:
    def one(x: Tensor) -> Tensor:
        if len(x) != 1:
            raise ValueError("batch of one only")
        return count_g(x)

    found = oracle(one)
    assert found(hot("GGGACG", "AAATTT"))[0, :, 0].tolist() == [4.0, 0.0]
    assert found.differentiable


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        (count_g, True),
        (lambda x: count_g(x).detach(), False),
        (lambda x: np.asarray(x).sum((1, 2)), False),
        (lambda x: x.argmax(1).float().mean(1), False),
        (lambda x: torch.from_numpy(x.numpy()).sum((1, 2)), False),
    ],
)
def test_whether_there_is_a_gradient_is_found_out(function: Callable[..., Any], expected: bool) -> None:
    found = oracle(function)
    assert found.differentiable == expected
    x = hot("GGGACG").requires_grad_()
    predictions = found(x)
    assert predictions.requires_grad == expected
    if expected:
        (slope,) = torch.autograd.grad(predictions.sum(), x)
        assert slope[0].sum(1).tolist() == [0.0, 0.0, 6.0, 0.0]


class Noisy(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.dense = nn.Linear(4 * L, 2)
        self.drop = nn.Dropout(0.5)
        self.norm = nn.BatchNorm1d(2)

    def forward(self, x: Tensor) -> Tensor:
        return self.norm(self.dense(self.drop(x).flatten(1)))


def model(seed: int = 0) -> Noisy:
    with torch.random.fork_rng():
        torch.manual_seed(seed)
        return Noisy()


def test_a_module_is_evaluated_without_dropout_and_left_as_it_was() -> None:
    network = model()
    network.norm.eval()
    network.dense.bias.requires_grad_(False)
    before = {k: v.clone() for k, v in network.state_dict().items()}
    found = oracle(network)
    x = hot("GGGACG", "AAATTT").requires_grad_()
    assert torch.equal(found(x), found(x))
    found(x).sum().backward()
    assert x.grad is not None
    assert [m.training for m in (network, network.drop, network.norm)] == [True, True, False]
    assert [p.requires_grad for p in network.dense.parameters()] == [True, False]
    assert all(p.grad is None for p in network.parameters())
    assert all(torch.equal(v, before[k]) for k, v in network.state_dict().items())


def test_a_module_is_put_back_when_it_fails() -> None:
    network = model()
    found = oracle(network)
    with pytest.raises(InputError, match="raised RuntimeError"):
        found(torch.zeros(1, 4, L + 1))
    assert network.training
    assert all(p.requires_grad for p in network.parameters())


def test_several_functions_are_members_of_an_ensemble() -> None:
    found = FunctionOracle([count_g, lambda x: x[:, 0].sum(1)], alphabet=DNA, length=L)
    assert found(hot("GGGACG")).flatten().tolist() == [4.0, 1.0]
    assert found(hot("GGGACG")).shape == (2, 1, 1)


def test_names_must_fit_the_scores() -> None:
    with pytest.raises(InputError, match="gives 1 scores, but 2 names"):
        oracle(count_g, outcomes=("a", "b"))


CODE = """
import torch

class Model(torch.nn.Module):
    outcomes = ("liver", "muscle")
    def forward(self, x):
        return x.sum(2)[:, 1:3]

model = Model()
def score(x):
    return x[:, 2].sum(1)
def build():
    return [score, lambda x: 2 * score(x)]
class Scorer:
    def best(self, x):
        return score(x)
    __call__ = best
scorer = Scorer()
number = 3
def broken():
    raise ValueError("no weights here")
"""


@pytest.fixture
def load(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], Any]:
    name = f"user_{tmp_path.name.replace('-', '_')}"
    (tmp_path / f"{name}.py").write_text(textwrap.dedent(CODE))
    (tmp_path / f"{name}_broken.py").write_text("import no_such_package_at_all\n")
    (tmp_path / f"{name}_syntax.py").write_text("def f(:\n")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(sys, "path", list(sys.path))
    return lambda what: load_oracle(f"{name}{what}", alphabet=DNA, length=L)


@pytest.mark.parametrize(
    ("what", "expected"),
    [
        (":score", [4.0]),
        (":model", [1.0, 4.0]),
        (":Model", [1.0, 4.0]),
        (":build", [4.0, 8.0]),
        (":Scorer", [4.0]),
        (":scorer", [4.0]),
        (":scorer.best", [4.0]),
    ],
)
def test_an_object_of_a_file_in_the_current_folder_is_used_as_it_is(
    load: Callable[[str], Any], what: str, expected: list[float]
) -> None:
    assert load(what)(hot("GGGACG")).flatten().tolist() == expected


def test_a_model_may_name_its_outcomes(load: Callable[[str], Any]) -> None:
    assert load(":model").outcomes == load(":Model").outcomes == ("liver", "muscle")


@pytest.mark.parametrize(
    ("what", "message"),
    [
        (":scores", "has no scores; did you mean 'score'"),
        (":number", "must be a function of one-hot sequences, .* got int"),
        (":broken", "raised ValueError when it was called: no weights here"),
        ("_missing:score", "there is no Python module user_.*_missing, neither in the current folder"),
        ("_broken:score", "needs the package no_such_package_at_all, not installed"),
        ("_syntax:score", "importing user_.*_syntax raised SyntaxError"),
    ],
)
def test_an_object_that_cannot_be_used_is_refused(
    load: Callable[[str], Any], what: str, message: str
) -> None:
    with pytest.raises(InputError, match=message) as raised:
        load(what)
    assert "\n" not in str(raised.value)
