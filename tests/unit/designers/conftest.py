"""Oracles whose best sequence is known, and problems made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from seqdesign.constraints.rules import Rules
from seqdesign.constraints.starts import Starts
from seqdesign.designers.problem import SequenceProblem
from seqdesign.oracles.oracle import Oracle
from seqdesign.registry import Registry
from seqdesign.sequences.alphabets import get_alphabet


def rules_of(rules: Sequence[tuple[str, str]], starts: Tensor, alphabet: str) -> Rules:
    """Constraints named by (option, text) for designs of ``starts`` (N, L)."""
    letters, (count, length) = get_alphabet(alphabet), starts.shape
    own = Starts(letters, starts, torch.full((count,), length), length)
    registry = Registry("constraint", "seqdesign.constraints.builtin", "seqdesign.constraints")
    made = [registry.load(name)(text, own) for name, text in rules]
    return Rules(made, num_starts=count, length=length, num_letters=letters.size)


class Closed:
    """An oracle that is a formula on one-hot (N, V, L) -> (N,)."""

    alphabet, outcomes = get_alphabet("dna"), ("score",)

    def __init__(self, formula: Callable[[Tensor], Tensor], differentiable: bool = True) -> None:
        self.formula, self.differentiable = formula, differentiable
        self.seen: list[Tensor] = []

    def __call__(self, x: Tensor, /) -> Tensor:
        self.seen.append(x.detach().clone())
        return self.formula(x)[None, :, None]


@pytest.fixture
def closed() -> type[Closed]:
    return Closed


@pytest.fixture
def random_starts() -> Callable[..., Tensor]:
    def make(count: int, length: int, seed: int = 0) -> Tensor:
        return torch.randint(4, (count, length), generator=torch.Generator().manual_seed(seed))

    return make


@pytest.fixture
def problem() -> Callable[..., SequenceProblem]:
    def make(
        oracle: Oracle,
        starts: Tensor,
        budget: int,
        *,
        rules: Sequence[tuple[str, str]] = (),
        enough: float | None = None,
        keys: Tensor | None = None,
    ) -> SequenceProblem:
        made = rules_of(rules, starts, "dna")
        keys = torch.arange(len(starts)) if keys is None else keys
        return SequenceProblem(oracle, lambda y, rows: y[0, :, 0], starts, made, keys, budget, enough=enough)

    return make


ALPHABETS = {3: "letters:ABC", 4: "dna", 20: "protein", 32: "letters:ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"}


class FunctionOracle:
    """Any function of one-hot sequences (N, V, L) -> (N,) as an oracle."""

    outcomes = ("score",)

    def __init__(self, function: Callable[[Tensor], Tensor], letters: int, differentiable: bool) -> None:
        self.function, self.differentiable = function, differentiable
        self.alphabet = get_alphabet(ALPHABETS[letters])
        self.asked: list[Tensor] = []

    def __call__(self, x: Tensor, /) -> Tensor:
        self.asked.append(x.detach().argmax(1))
        return self.function(x)[None, :, None]


@pytest.fixture
def make() -> Callable[..., SequenceProblem]:
    """(function, starts, letters, rules as (option, text), fields) -> problem."""

    def build(
        function: Callable[[Tensor], Tensor],
        starts: Tensor,
        letters: int,
        rules: Sequence[tuple[str, str]] = (),
        differentiable: bool = False,
        **more: object,
    ) -> SequenceProblem:
        oracle = FunctionOracle(function, letters, differentiable)
        given = {
            "oracle": oracle,
            "objective": lambda predictions, rows: predictions[0, :, 0],
            "starts": starts,
            "rules": rules_of(rules, starts, ALPHABETS[letters]),
            "keys": torch.arange(len(starts)),
            "budget": 1000,
        }
        return SequenceProblem(**given | more)

    return build


class Pairwise:
    """A sum of letters (V, L) and of pairs of positions (L, L, V, V), in double precision."""

    def __init__(self, letters: int, length: int, seed: int = 0, strength: float = 1.0) -> None:
        generator = torch.Generator().manual_seed(seed)
        kind = {"generator": generator, "dtype": torch.double}
        self.single = torch.randn(letters, length, **kind)
        pair = torch.randn(length, length, letters, letters, **kind) * strength
        self.pair = pair * torch.ones(length, length).triu(1)[:, :, None, None]

    def __call__(self, x: Tensor) -> Tensor:
        x = x.double()
        return (self.single * x).sum((1, 2)) + torch.einsum("nvi,ijvw,nwj->n", x, self.pair, x)


@pytest.fixture
def pairwise() -> type[Pairwise]:
    return Pairwise
