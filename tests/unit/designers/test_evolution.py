"""The genetic algorithm and what it learns."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign.designers.black_box_options import AdaBeamOptions, AdaleadOptions, EvolutionOptions
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.edit_sizes import EditSizes
from seqdesign.designers.methods.ada_beam import ada_beam
from seqdesign.designers.methods.adalead import adalead
from seqdesign.designers.methods.evolution import evolution
from seqdesign.designers.neighbours import Neighbours
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


@pytest.mark.parametrize("seed", [0, 1])
def test_it_solves_an_ehrlich_function(make: Make, seed: int) -> None:
    found = evolution(make(ehrlich, START, LETTERS, budget=8000), EvolutionOptions(), seed)
    assert found.score.tolist() == [1.0]


@pytest.mark.parametrize(("design", "options"), [(adalead, AdaleadOptions()), (ada_beam, AdaBeamOptions())])
def test_other_populations_climb_it_too(make: Make, design: Callable[..., Designs], options: Any) -> None:
    """To at least three of four letters of both motifs, from one of each or two."""
    found = design(make(ehrlich, START.repeat(3, 1), LETTERS, budget=1000), options, 0)
    assert float(found.start_score.max()) <= 0.25
    assert bool((found.score >= 0.5).all())


def test_neighbours_that_were_refused_are_avoided_and_others_are_not() -> None:
    own = Neighbours(2, 4, torch.device("cpu"))
    rows = torch.tensor([0])
    own.learn(torch.tensor([[[0, 1, 2], [0, 1, 3]]]), rows, torch.tensor([[0.5, -torch.inf]]))
    tokens, courage = torch.tensor([[0, 1, 2]]), torch.tensor([0.5])
    weight = own.weight(tokens, torch.tensor([2]), rows, courage)
    expected = [0.5, 0.5, 1.0, 0.5 * torch.e**-2]
    torch.testing.assert_close(weight, torch.tensor([expected]), atol=1e-6, rtol=0.0)
    other = own.weight(tokens, torch.tensor([2]), torch.tensor([1]), courage)
    assert other.tolist() == [[1.0] * 4]


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
