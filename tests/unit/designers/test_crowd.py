"""What black-box designers share: mutants, budgets, memory."""

from __future__ import annotations

from collections.abc import Callable

import torch

from seqdesign.designers.crowd import Crowd
from seqdesign.designers.problem import SequenceProblem

Make = Callable[..., SequenceProblem]
STARTS = torch.tensor([[0, 1, 2, 3, 0, 1], [3, 3, 2, 1, 0, 0]])
EVERYONE = torch.arange(2)


def crowd(make: Make, *rules: tuple[str, str], budget: int = 1000) -> Crowd:
    return Crowd(make(lambda x: x[:, 0].sum(1), STARTS, 4, rules, budget=budget), 0)


def test_mutants_have_as_many_edits_as_asked_for_evenly_spread(make: Make) -> None:
    own = crowd(make)
    parents = STARTS.unsqueeze(1).repeat(1, 3000, 1)
    edits = torch.arange(3000).repeat(2, 1) % 3 + 1
    child, good = own.mutants(parents, EVERYONE, edits)
    changed = child != parents
    assert bool(good.all())
    assert torch.equal(changed.sum(2), edits)
    share = changed.float().mean(1)
    assert float((share - 1 / 3).abs().max()) < 0.03
    new = torch.nn.functional.one_hot(child, 4).float().sum(1)
    others = new.scatter(2, STARTS.unsqueeze(2), torch.nan)
    assert float(others.nan_to_num(1000 / 3).sub(1000 / 3).abs().max()) < 80


def test_weights_choose_positions(make: Make) -> None:
    own = crowd(make)
    parents = STARTS.unsqueeze(1).repeat(1, 2000, 1)
    weight = torch.tensor([0.0, 1.0, 0.0, 3.0, 0.0, 0.0]).expand_as(parents)
    child, _ = own.mutants(parents, EVERYONE, torch.ones(2, 2000, dtype=torch.long), weight)
    share = (child != parents).float().mean(1)
    torch.testing.assert_close(share[:, [1, 3]], torch.tensor([[0.25, 0.75]] * 2), atol=0.04, rtol=0.0)
    assert float(share[:, [0, 2, 4, 5]].abs().max()) == 0.0


def test_a_fixed_composition_is_kept_by_exchanges(make: Make) -> None:
    own = crowd(make, ("gc", "0.33-0.34"), ("keep", "1"))
    rows = torch.tensor([1])
    parents = torch.tensor([[[3, 3, 2, 1, 0, 0]]]).repeat(1, 200, 1)
    child, good = own.mutants(parents, rows, torch.ones(1, 200, dtype=torch.long))
    assert float(good.float().mean()) > 0.95
    gc = ((child == 1) | (child == 2)).sum(2)
    assert gc[good].unique().tolist() == [2]
    assert child[:, :, 0].unique().tolist() == [3]
    assert len(child[0].unique(dim=0)) > 20


def test_nothing_is_scored_twice_or_beyond_the_budget(make: Make) -> None:
    own = crowd(make, budget=4)
    a, b, c, d = (torch.tensor([v, 1, 1, 1, 1, 1]) for v in range(4))
    tokens = torch.stack([torch.stack([a, b, a, STARTS[0], c]), torch.stack([a, b, c, d, d])])
    wanted = torch.ones(2, 5, dtype=torch.bool)
    score = own.score(tokens, EVERYONE, wanted)
    assert (~score.isnan()).tolist() == [[True, True, False, False, True], [True, True, True, False, False]]
    assert own.scorer.used.tolist() == [4, 4]
    assert own.active().tolist() == []
    assert own.designs().stop == ("budget", "budget")


def test_a_sequence_of_one_start_is_new_to_another_and_to_who_forgot_it(make: Make) -> None:
    own = crowd(make)
    tokens = STARTS.flip(0).unsqueeze(1)
    wanted = torch.ones(2, 1, dtype=torch.bool)
    assert not own.score(tokens, EVERYONE, wanted).isnan().any()
    own.forget(torch.tensor([1]))
    assert own.score(tokens, EVERYONE, wanted).isnan().tolist() == [[True], [False]]


def test_not_a_number_counts_as_the_worst(make: Make) -> None:
    problem = make(lambda x: x[:, 0].sum(1).where(x[:, 1, 0] == 0, torch.nan), STARTS, 4)
    own = Crowd(problem, 0)
    tokens = torch.tensor([[[1, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 0]]] * 2)
    score = own.score(tokens, EVERYONE, torch.ones(2, 2, dtype=torch.bool))
    assert score.tolist() == [[-torch.inf, 6.0]] * 2
    assert own.designs().score.tolist() == [6.0, 6.0]
