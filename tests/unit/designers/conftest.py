"""Oracles whose best sequence is known, and problems made of them."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pytest
import torch
from torch import Tensor

from seqdesign.constraints._rules import Rules
from seqdesign.designers._problem import SequenceProblem
from seqdesign.oracles._oracle import Oracle
from seqdesign.sequences.alphabets import get_alphabet


class Closed:
    """An oracle that is a formula on one-hot (N, V, L) -> (N,)."""

    alphabet, outcomes = get_alphabet("dna"), ("score",)

    def __init__(self, formula: Callable[[Tensor], Tensor], differentiable: bool = True) -> None:
        self.formula, self.differentiable = formula, differentiable
        self.seen: list[Tensor] = []

    def __call__(self, x: Tensor, /) -> Tensor:
        self.seen.append(x.detach().clone())
        return self.formula(x)[None, :, None]


class Letters:
    """A rule for tests: these letters (N, L, V) may stand, and no sequence may hold a given pair."""

    name = "letters"

    def __init__(self, may: Tensor | None = None, pair: tuple[int, int] | None = None) -> None:
        self.may, self.pair = may, pair

    def mask(self) -> Tensor | None:
        return self.may

    def allowed(self, prefix: Tensor, rows: Tensor) -> Tensor | None:
        if self.pair is None or not prefix.shape[1]:
            return None
        good = torch.ones(len(prefix), 4, dtype=torch.bool)
        good[prefix[:, -1] == self.pair[0], self.pair[1]] = False
        return good

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        if self.pair is None:
            return torch.ones(len(tokens), dtype=torch.bool)
        return ~((tokens[:, :-1] == self.pair[0]) & (tokens[:, 1:] == self.pair[1])).any(1)

    def explain(self, tokens: Tensor, row: int) -> list[object]:
        raise NotImplementedError


@pytest.fixture
def closed() -> type[Closed]:
    return Closed


@pytest.fixture
def letters() -> type[Letters]:
    return Letters


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
        rules: Sequence[object] = (),
        enough: float | None = None,
        keys: Tensor | None = None,
    ) -> SequenceProblem:
        made = Rules(rules, num_starts=len(starts), length=starts.shape[1], num_letters=4)  # type: ignore[arg-type]
        keys = torch.arange(len(starts)) if keys is None else keys
        return SequenceProblem(oracle, lambda y, rows: y[0, :, 0], starts, made, keys, budget, enough)

    return make
