"""The genetic algorithm and what it learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign.constraints.rules import Rules
from seqdesign.designers.black_box_options import AdaBeamOptions, AdaleadOptions, EvolutionOptions
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.edit_sizes import EditSizes
from seqdesign.designers.methods.ada_beam import ada_beam
from seqdesign.designers.methods.adalead import adalead
from seqdesign.designers.methods.evolution import evolution
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.designers.survivors import Survivors

Make = Callable[..., SequenceProblem]
LENGTH, LETTERS = 32, 20
MOTIFS = ((3, 7, 1, 12), (15, 2, 9, 4))
SPACINGS = ((0, 2, 3, 7), (0, 1, 5, 6))


def ehrlich(x: Tensor) -> Tensor:
    """After Stanton et al. (2024): the product over motifs of their best match; pairs v, v+5 are refused."""
    tokens = x.argmax(1)
    value = torch.ones(len(x))
    for motif, spacing in zip(MOTIFS, SPACINGS, strict=True):
        width = LENGTH - spacing[-1]
        hits = sum(
            (tokens[:, place : place + width] == letter).float()
            for letter, place in zip(motif, spacing, strict=True)
        )
        value = value * (hits / 4).amax(1)
    refused = (tokens[:, 1:] == (tokens[:, :-1] + 5) % LETTERS).any(1)
    return torch.where(refused, -torch.inf, value)


START = torch.tensor([[(7 * i + i // 3) % LETTERS for i in range(LENGTH)]])


class Plain:
    """An oracle that is a function of one-hot (N, V, L)."""

    outcomes, differentiable = ("score",), False

    def __init__(self, score: Callable[[Tensor], Tensor]) -> None:
        self.score = score

    def __call__(self, x: Tensor, /) -> Tensor:
        return self.score(x)[None, :, None]


@pytest.mark.parametrize("seed", [0, 1])
def test_it_solves_an_ehrlich_function(make: Make, seed: int) -> None:
    found = evolution(make(ehrlich, START, LETTERS, budget=2500), EvolutionOptions(), seed)
    assert found.score.tolist() == [1.0]


@pytest.mark.parametrize(("design", "options"), [(adalead, AdaleadOptions()), (ada_beam, AdaBeamOptions())])
def test_other_populations_climb_it_too(make: Make, design: Callable[..., Designs], options: Any) -> None:
    """To at least three of four letters of both motifs, from one of each or two."""
    found = design(make(ehrlich, START.repeat(3, 1), LETTERS, budget=1000), options, 0)
    assert float(found.start_score.max()) <= 0.25
    assert bool((found.score >= 0.5).all())


def test_a_part_steps_out_of_the_way_of_another() -> None:
    """What the first motif lacks would stand where the second has a letter, and nothing may stand alone."""
    first, second = ((0, 3), (1, 7), (3, 1), (5, 12)), ((0, 15), (1, 2), (3, 9))

    def score(x: Tensor) -> Tensor:
        tokens = x.argmax(1)
        value = torch.ones(len(x))
        for motif in (first, second):
            width = 24 - motif[-1][0]
            hits = sum((tokens[:, place : place + width] == letter).float() for place, letter in motif)
            value = value * (hits / len(motif)).amax(1)
        return value

    start = torch.zeros(1, 24, dtype=torch.long)
    for place, letter in first[:3]:
        start[0, 8 + place] = letter
    for place, letter in second:
        start[0, 13 + place] = letter  # the second begins where the first would end
    oracle = Plain(score)
    rules = Rules([], num_starts=3, length=24, num_letters=20)
    starts, keys = start.repeat(3, 1), torch.arange(3)
    problem = SequenceProblem(oracle, lambda y, _: y[0, :, 0], starts, rules, keys, budget=600)
    assert evolution(problem, EvolutionOptions(), 0).score.tolist() == [1.0] * 3


def test_edit_sizes_grow_where_edits_do_no_harm_and_shrink_where_they_do(make: Make) -> None:
    starts = torch.zeros(2, 16, dtype=torch.long)
    sizes = EditSizes(Crowd(make(lambda x: x[:, 0].sum(1), starts, 4), 0))
    rows = torch.tensor([0, 1])
    for _ in range(20):
        number = sizes.draw(rows, 40)
        fine = torch.stack([torch.ones(40, dtype=torch.bool), number[1] <= 1])
        sizes.learn(rows, number, fine, torch.ones(2, 40, dtype=torch.bool))
    drawn = sizes.draw(rows, 2000).float()
    assert float(drawn[0].mean()) > 6.0
    assert float((drawn[1] == 1).float().mean()) > 0.6


def test_survivors_are_sorted_the_youngest_of_equals_first_and_refused_ones_stay_out(make: Make) -> None:
    starts = torch.zeros(1, 2, dtype=torch.long)
    crowd = Crowd(make(lambda x: x[:, 0].sum(1), starts, 4), 0)
    pool, rows = Survivors(crowd, 3), torch.tensor([0])
    pool.merge(rows, torch.tensor([[[1, 0], [0, 1]]]), torch.tensor([[1.0, -torch.inf]]))
    assert pool.score[0, :2].tolist() == [2.0, 1.0]
    assert pool.count(rows).tolist() == [2]
    pool.merge(rows, torch.tensor([[[2, 0], [3, 3]]]), torch.tensor([[2.0, 5.0]]))
    assert pool.tokens[0].tolist() == [[3, 3], [2, 0], [0, 0]]
    pool.restart(rows)
    assert (pool.count(rows).tolist(), pool.tokens[0, 0].tolist()) == ([1], [0, 0])
