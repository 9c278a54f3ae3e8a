"""Small oracles with exact arithmetic for tests of single designers."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from seqdesign.constraints._rules import Rules
from seqdesign.constraints._starts import Starts
from seqdesign.designers._problem import SequenceProblem
from seqdesign.registry import Registry
from seqdesign.sequences.alphabets import get_alphabet

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
        count, length = starts.shape
        oracle = FunctionOracle(function, letters, differentiable)
        own = Starts(oracle.alphabet, starts, torch.full((count,), length), length)
        registry = Registry("constraint", "seqdesign.constraints")
        constraints = [registry.load(name)(text, own) for name, text in rules]
        given = {
            "oracle": oracle,
            "objective": lambda predictions, rows: predictions[0, :, 0],
            "starts": starts,
            "rules": Rules(constraints, num_starts=count, length=length, num_letters=letters),
            "keys": torch.arange(count),
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
