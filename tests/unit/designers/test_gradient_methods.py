"""What every designer that follows a gradient promises: known optima, rules, budgets, honest numbers."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from itertools import product
from typing import Any

import pytest
import torch

from seqdesign.designers.gradient_options import (
    FastSeqpropOptions,
    LedidiOptions,
    MeanFieldOptions,
    SoftmaxOptions,
    TaylorOptions,
)
from seqdesign.errors import UsageError
from seqdesign.registry import Registry

OPTIONS: dict[str, Any] = {
    "fast-seqprop": FastSeqpropOptions(steps=60),
    "mean-field": MeanFieldOptions(steps=40),
    "taylor": TaylorOptions(),
    "softmax": SoftmaxOptions(steps=60),
    "ledidi": LedidiOptions(steps=40, candidates=16),
}
SEARCHING = ("fast-seqprop", "mean-field", "taylor")
"""Those that spend the whole budget."""


def run(name: str, task: Any, seed: int = 0, **changes: Any) -> Any:
    return Registry("designer", "seqdesign.designers.methods", "seqdesign.designers").load(name)(
        task, replace(OPTIONS[name], **changes), seed
    )


def weights(length: int, seed: int = 3) -> torch.Tensor:
    return torch.randn(4, length, generator=torch.Generator().manual_seed(seed))


@pytest.fixture(params=OPTIONS)
def name(request: pytest.FixtureRequest) -> str:
    return str(request.param)


def rugged(seed: int = 5, length: int = 8) -> Callable[[torch.Tensor], torch.Tensor]:
    """A random network, (N, 4, L) -> (N,)."""
    make = torch.Generator().manual_seed(seed)
    first, last = torch.randn(4 * length, 32, generator=make), torch.randn(32, generator=make)
    return lambda x: torch.tanh(0.5 * x.flatten(1) @ first) @ last


def test_a_linear_function_ends_at_its_consensus(
    name: str, closed: Any, problem: Any, random_starts: Any
) -> None:
    """oracles.md 11, from random starts and from the worst one."""
    w = weights(12)
    starts = torch.cat([random_starts(6, 12), w.argmin(0)[None]])
    made = run(name, problem(closed(lambda x: (x * w).sum((1, 2))), starts, 300))
    assert made.tokens.tolist() == [w.argmax(0).tolist()] * len(starts)
    torch.testing.assert_close(made.score, w.max(0).values.sum().expand(len(starts)))


@pytest.mark.parametrize("method", SEARCHING)
def test_a_planted_pattern_is_found_from_two_hundred_starts(
    method: str, closed: Any, problem: Any, random_starts: Any
) -> None:
    """oracles.md 11: the best window passes all of the gradient; the optimum is sum_i max_v PWM_vi."""
    pwm = weights(6, seed=9)
    scan = closed(lambda x: torch.nn.functional.conv1d(x, pwm[None]).flatten(1).max(1).values)
    made = run(method, problem(scan, random_starts(200, 20), 120))
    torch.testing.assert_close(made.score, pwm.max(0).values.sum().expand(200))


@pytest.mark.parametrize("method", SEARCHING)
def test_short_sequences_end_within_reach_of_the_exhaustive_optimum(
    method: str, closed: Any, problem: Any, random_starts: Any
) -> None:
    """65,536 sequences of 8 letters, 400 queries from each of 20 starts: the optimum from most of them."""
    formula = rugged()
    everything = torch.tensor(list(product(range(4), repeat=8)))
    truth = torch.cat([formula(torch.nn.functional.one_hot(p, 4).mT.float()) for p in everything.split(8192)])
    made = run(method, problem(closed(formula), random_starts(20, 8), 400))
    assert float(made.score.max()) == pytest.approx(float(truth.max()), abs=1e-5)
    share = torch.stack([(truth > s + 1e-5).float().mean() for s in made.score])
    assert float(share.median()) <= 3 / len(truth)
    assert float(share.max()) <= 30 / len(truth)


def test_rules_hold_and_nothing_infeasible_becomes_a_design(name: str, closed: Any, problem: Any) -> None:
    """Fixed positions stay, and a forbidden pair never occurs although the function asks for it."""
    w = weights(12)
    w[:, ::2] = torch.tensor([[5.0], [0.0], [1.0], [0.0]])
    w[:, 1::2] = torch.tensor([[0.0], [5.0], [0.0], [1.0]])
    starts = torch.full((5, 12), 3)
    rules = [("keep", "4-5"), ("forbid", "AC")]
    made = run(name, problem(closed(lambda x: (x * w).sum((1, 2))), starts, 400, rules=rules))
    assert torch.equal(made.tokens[:, 3:5], starts[:, 3:5])
    assert not bool(((made.tokens[:, :-1] == 0) & (made.tokens[:, 1:] == 1)).any())
    assert bool((made.score > made.start_score).all())


@pytest.mark.parametrize("budget", [1, 2, 3, 7, 20, 61])
@pytest.mark.parametrize("enough", [None, 2.0])
def test_the_budget_is_kept_and_numbers_are_those_of_the_design(
    name: str, budget: int, enough: float | None, closed: Any, problem: Any, random_starts: Any
) -> None:
    oracle = closed(rugged())
    starts = random_starts(4, 8)
    made = run(name, problem(oracle, starts, budget, enough=enough))
    assert sum(len(x) for x in oracle.seen) - len(starts) == int(made.num_queries.sum())
    assert int(made.num_queries.max()) <= budget
    again = rugged()(torch.nn.functional.one_hot(made.tokens, 4).mT.float())
    torch.testing.assert_close(made.score, again)
    torch.testing.assert_close(made.predictions[0, :, 0], again)
    assert bool((made.score >= made.start_score).all())


def test_a_batch_gives_what_its_items_give(name: str, closed: Any, problem: Any, random_starts: Any) -> None:
    starts = random_starts(5, 8)
    keys = torch.tensor([3, 1, 4, 11, 5])
    oracle = closed(lambda x: rugged()(x.double().float()))
    made = run(name, problem(oracle, starts, 90, keys=keys), seed=7)
    alone = [run(name, problem(oracle, starts[i, None], 90, keys=keys[i, None]), seed=7) for i in range(5)]
    assert made.tokens.tolist() == [one.tokens[0].tolist() for one in alone]
    assert made.num_queries.tolist() == [int(one.num_queries[0]) for one in alone]


def test_a_goal_is_reached_with_few_edits_and_few_queries(name: str, closed: Any, problem: Any) -> None:
    """Linear: three edits of gain 3 reach 9; nothing needs a fourth."""
    w = torch.zeros(4, 20)
    w[1, :6], w[2] = 3.0, 0.1
    starts = torch.zeros(3, 20, dtype=torch.long)
    made = run(name, problem(closed(lambda x: (x * w).sum((1, 2))), starts, 400, enough=9.0))
    assert (made.tokens != starts).sum(1).tolist() == [3, 3, 3]
    assert made.stop == ("target",) * 3
    assert int(made.num_queries.max()) < 400


def test_an_oracle_without_gradient_is_refused(name: str, closed: Any, problem: Any) -> None:
    task = problem(closed(rugged(), differentiable=False), torch.zeros(1, 8, dtype=torch.long), 10)
    with pytest.raises(UsageError, match=f"--method {name}: needs an oracle with a gradient"):
        run(name, task)


@pytest.mark.parametrize("method", ["fast-seqprop", "mean-field", "softmax"])
def test_the_relaxed_score_stands_beside_that_of_the_design(
    method: str, closed: Any, problem: Any, random_starts: Any
) -> None:
    """For a linear function the relaxed score is a mean over sequences, so at most that of the best."""
    w = weights(12)
    made = run(method, problem(closed(lambda x: (x * w).sum((1, 2))), random_starts(4, 12), 200))
    assert bool(made.soft_score.isfinite().all())
    assert bool((made.soft_score <= made.score + 1e-4).all())
    assert bool((made.soft_score > made.start_score).all())


def test_one_sequence_that_may_not_change_is_returned(name: str, closed: Any, problem: Any) -> None:
    starts = torch.tensor([[0, 1, 2, 3, 0, 1, 2, 3]])
    made = run(name, problem(closed(rugged()), starts, 50, rules=[("keep", "1-8")]))
    assert torch.equal(made.tokens, starts)
    assert made.stop == ("stuck",)
