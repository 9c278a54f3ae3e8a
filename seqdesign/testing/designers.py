"""What every designer promises: a SequenceProblem, options and a seed -> Designs.

The oracles are small, differentiable and have known optima, so that designers which need gradients and
designers which do not are held to the same.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn

from seqdesign.constraints.rules import Rules
from seqdesign.constraints.starts import Starts
from seqdesign.designers.problem import Designs, Language, Latent, SequenceProblem
from seqdesign.errors import UsageError
from seqdesign.registry import Registry
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.testing.battery import Battery, default_options, name_of
from seqdesign.testing.dice import dice_state

STOPS = {"budget", "steps", "target", "converged", "stuck"}
CONSTRAINTS = Registry("constraint", "seqdesign.constraints.builtin", "seqdesign.constraints")
Rule = tuple[str, str]
MIXED = [("max-homopolymer", "2"), ("gc", "0.3-0.5"), ("keep", "1,10"), ("max-edits", "5")]
ALPHABETS = {3: "letters:ABC", 4: "dna", 20: "protein"}


@dataclass(frozen=True)
class Method:
    """A designer with its options."""

    name: str
    design: Callable[[SequenceProblem, Any, int], Designs]
    options: Any

    def __call__(self, problem: SequenceProblem, seed: int = 0) -> Designs:
        """Run it."""
        return self.design(problem, self.options, seed)


CHECKS: Battery[Method] = Battery("designer")


def check_designer(
    design: Callable[[SequenceProblem, Any, int], Designs],
    *,
    options: Any = None,
    name: str | None = None,
    checks: Iterable[str] | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> None:
    """Check that a designer keeps the promises of `maximize`: rules, budgets, seeds, optima, batches.

    Args:
        design: ``design(problem, options, seed)`` gives `Designs` for a `SequenceProblem`.
        options: its settings; the defaults of the class that the parameter ``options`` is annotated with
            when not given.
        name: what messages call it; the name of the function when not given.
        checks: names of the checks to run, of `designer_checks()`; all of them when None.
        expected_failures: check -> why it fails; one that passes is an error.

    Raises:
        AssertionError: lists all checks that fail.
        UsageError: a check that does not exist, or no options.

    Example:
        >>> check_designer(hill_climb, expected_failures={"one_position_is_a_sequence": "needs two letters"})
    """
    called = name or name_of(design)
    own = default_options(design) if options is None else options
    CHECKS.run(Method(called, design, own), name=called, checks=checks, expected_failures=expected_failures)


def designer_checks() -> list[str]:
    """Names of the checks of `check_designer`."""
    return CHECKS.names()


class Additive(nn.Module):
    """The sum of weights (V, L) of the letters, plus a pairwise term of neighbours; counts its inputs."""

    differentiable = True
    outcomes = ("activity",)
    shift: Tensor

    def __init__(self, letters: int, length: int, pairwise: float = 0.0) -> None:
        super().__init__()
        self.alphabet = get_alphabet(ALPHABETS[letters])
        generator = torch.Generator().manual_seed(letters * 100 + length)
        self.weight = nn.Parameter(torch.randn(letters, length, generator=generator))
        self.pair = nn.Parameter(pairwise * torch.randn(letters, letters, generator=generator))
        self.register_buffer("shift", torch.tensor(0.25))
        self.seen = 0

    def value(self, x: Tensor) -> Tensor:
        """Scores (N,) of one-hot (N, V, L)."""
        neighbours = torch.einsum("nvl,vw,nwl->nl", x[:, :, :-1], self.pair, x[:, :, 1:]).sum(1)
        return (self.weight * x).sum((1, 2)) + neighbours + self.shift

    def forward(self, x: Tensor) -> Tensor:
        """Predictions (1, N, 1)."""
        self.seen += len(x)
        return self.value(x)[None, :, None]


class BestWindow(Additive):
    """The best match of a weight matrix of half the length, wherever it is."""

    def value(self, x: Tensor) -> Tensor:
        """Scores (N,) of one-hot (N, V, L)."""
        width = max(1, x.shape[2] // 2)
        windows = x.unfold(2, width, 1)
        return torch.einsum("nvpw,vw->np", windows, self.weight[:, :width]).amax(1)


TOYS = {"additive": Additive, "best window": BestWindow}
TOY_LENGTHS = {3: 4, 4: 4, 20: 3}
"""Letters -> length, small enough to be solved with 600 queries."""


@torch.no_grad()
def best_score(oracle: Additive, letters: int, length: int) -> float:
    """In closed form where there is one, else by trying every sequence."""
    if isinstance(oracle, BestWindow):
        return float(oracle.weight[:, : max(1, length // 2)].amax(0).sum())
    if not oracle.pair.any():
        return float(oracle.weight.amax(0).sum() + oracle.shift)
    every = torch.tensor(list(itertools.product(range(letters), repeat=length)))
    return float(oracle.value(one_hot(every, letters)).max())


def one_hot(tokens: Tensor, letters: int) -> Tensor:
    return nn.functional.one_hot(tokens, letters).movedim(2, 1).float()


def activity(predictions: Tensor, rows: Tensor) -> Tensor:
    assert len(rows) == predictions.shape[1]
    return predictions.mean(0)[:, 0]


def starts_of(count: int, letters: int, length: int, rules: Sequence[Rule] = ()) -> Tensor:
    """Random sequences that obey rules that do not depend on the starts."""
    generator = torch.Generator().manual_seed(count + letters)
    wish = torch.rand(count, length, letters, generator=generator)
    tokens, good = build(wish.argmax(2), letters, rules).repair(wish, torch.arange(count))
    assert bool(good.all())
    return tokens


def build(starts: Tensor, letters: int, rules: Sequence[Rule]) -> Rules:
    count, length = starts.shape
    own = Starts(get_alphabet(ALPHABETS[letters]), starts, torch.full((count,), length), length)
    constraints = [CONSTRAINTS.load(name)(text, own) for name, text in rules]
    return Rules(constraints, num_starts=count, length=length, num_letters=letters)


class EvenWriter:
    """A language model to which all letters are equally likely, everywhere."""

    def __init__(self, letters: int) -> None:
        self.letters = letters

    def log_prob(self, tokens: Tensor) -> Tensor:
        """(B,) of tokens (B, L)."""
        return torch.full((len(tokens),), -tokens.shape[1] * math.log(self.letters), dtype=torch.float64)

    def rewrite(
        self, tokens: Tensor, begin: Tensor, end: Tensor, tilt: Tensor, uniform: Tensor
    ) -> tuple[Tensor, Tensor]:
        """As of `seqdesign.designers.problem.Writer`."""
        chance = tilt.softmax(2).cumsum(2)
        drawn = (chance <= uniform[:, :, None] * chance[:, :, -1:]).sum(2).clamp(max=self.letters - 1)
        places = torch.arange(tokens.shape[1])
        inside = (places >= begin[:, None]) & (places < end[:, None])
        written = torch.where(inside, drawn, tokens)
        return written, self.log_q(written, begin, end, tilt)

    def log_q(self, tokens: Tensor, begin: Tensor, end: Tensor, tilt: Tensor) -> Tensor:
        """As of `seqdesign.designers.problem.Writer`."""
        said = tilt.log_softmax(2).gather(2, tokens[:, :, None])[:, :, 0]
        places = torch.arange(tokens.shape[1])
        return said.masked_fill((places < begin[:, None]) | (places >= end[:, None]), 0.0).sum(1)


def problem(
    oracle: Any, starts: Tensor, letters: int, rules: Sequence[Rule] = (), **more: Any
) -> SequenceProblem:
    length = starts.shape[1]
    given = {
        "oracle": oracle,
        "objective": activity,
        "starts": starts,
        "rules": build(starts, letters, rules),
        "keys": torch.arange(len(starts)) * 7 + 3,
        "budget": 40,
        "language": Language(
            EvenWriter(letters), torch.full((len(starts),), -length * math.log(letters)).double(), 1.0
        ),
        "latent": Latent(lambda z: 2.0 * z.view(-1, letters, length), letters * length),
    }
    return SequenceProblem(**given | more)


def mixed_oracle() -> Additive:
    """For DNA of ten letters, with neighbours that matter."""
    return Additive(4, 10, 0.5)


def mixed(count: int = 8, **more: Any) -> SequenceProblem:
    """DNA of ten letters: ends kept, no runs, three to five G and C, five edits."""
    given = {"oracle": mixed_oracle(), **more}
    return problem(given.pop("oracle"), starts_of(count, 4, 10, MIXED[:2]), 4, MIXED, **given)


def assert_same(a: Designs, b: Designs) -> None:
    for name in ("tokens", "num_queries", "steps"):
        assert torch.equal(getattr(a, name), getattr(b, name)), name
    assert a.stop == b.stop
    for name in ("score", "start_score", "predictions", "soft_score"):
        torch.testing.assert_close(getattr(a, name), getattr(b, name), equal_nan=True)


@CHECKS.check()
def the_same_seed_gives_the_same_result(method: Method) -> None:
    assert_same(method(mixed(), 5), method(mixed(), 5))


@CHECKS.check()
def nothing_that_was_handed_over_changes(method: Method) -> None:
    """Starts, keys, the rules, the oracle's weights, gradients, buffers and mode, the global generators."""
    oracle = mixed_oracle().train()
    task = mixed(oracle=oracle)
    kept = [t.clone() for t in (task.starts, task.keys, task.rules.mask)]
    state = {k: v.clone() for k, v in oracle.state_dict().items()}
    dice = dice_state()
    method(task)
    for now, before in zip((task.starts, task.keys, task.rules.mask), kept, strict=True):
        assert torch.equal(now, before)
        assert not now.requires_grad
    assert all(torch.equal(v, state[k]) for k, v in oracle.state_dict().items())
    assert all(p.grad is None and p.requires_grad for p in oracle.parameters())
    assert oracle.training
    assert dice_state() == dice


@CHECKS.check(budget=(1, 2, 7, 60))
def designs_obey_the_rules_and_are_reported_as_they_are(method: Method, budget: int) -> None:
    """Feasible, kept positions kept, numbers as scored again, not below the start, queries as counted."""
    oracle = mixed_oracle()
    task = mixed(budget=budget, oracle=oracle)
    found = method(task)
    assert oracle.seen == int(found.num_queries.sum()) + len(task.starts)
    rows = torch.arange(len(task.starts))
    assert found.tokens.dtype == torch.int64
    assert bool(task.rules.is_feasible(found.tokens, rows).all())
    assert torch.equal(found.tokens[:, [0, -1]], task.starts[:, [0, -1]])
    assert int((found.tokens != task.starts).sum(1).max()) <= 5
    assert bool((found.num_queries <= budget).all())
    assert bool((found.num_queries >= 1).all())
    with torch.no_grad():
        predictions = task.oracle(one_hot(found.tokens, 4))
        begin = task.oracle(one_hot(task.starts, 4))
    torch.testing.assert_close(found.predictions, predictions)
    torch.testing.assert_close(found.score, activity(predictions, rows))
    torch.testing.assert_close(found.start_score, activity(begin, rows))
    assert bool((found.score >= found.start_score).all())
    assert set(found.stop) <= STOPS
    assert len(found.stop) == len(found.steps) == len(task.starts)


@CHECKS.check()
def a_budget_of_one_returns_the_start(method: Method) -> None:
    task = mixed(budget=1)
    found = method(task)
    assert torch.equal(found.tokens, task.starts)
    assert found.num_queries.tolist() == [1] * 8
    assert found.stop == ("budget",) * 8


@CHECKS.check()
def rules_leave_room_that_is_used(method: Method) -> None:
    found = method(mixed(budget=80))
    assert bool((found.score > found.start_score).float().mean() > 0.7)


@CHECKS.check(kind=TOYS, letters=(3, 4, 20))
def the_optimum_of_a_toy_is_reached(method: Method, kind: type[Additive], letters: int) -> None:
    length = TOY_LENGTHS[letters]
    oracle = kind(letters, length)
    found = method(problem(oracle, starts_of(2, letters, length), letters, budget=600))
    expected = torch.full((2,), best_score(oracle, letters, length))
    torch.testing.assert_close(found.score, expected)


@CHECKS.check()
def eight_starts_give_what_each_gives_alone(method: Method) -> None:
    task = mixed(budget=20)
    batch = method(task, 3)
    for i in range(8):
        starts = task.starts[i : i + 1]
        rules = build(starts, 4, MIXED)
        single = method(replace(task, starts=starts, keys=task.keys[i : i + 1], rules=rules), 3)
        part = {
            name: getattr(batch, name)[i : i + 1]
            for name in ("tokens", "score", "start_score", "soft_score", "num_queries", "steps")
        }
        assert_same(
            single, Designs(predictions=batch.predictions[:, i : i + 1], stop=batch.stop[i : i + 1], **part)
        )


@CHECKS.check()
def a_start_without_a_free_position_comes_back_as_stuck(method: Method) -> None:
    starts = starts_of(3, 4, 6)
    found = method(problem(Additive(4, 6), starts, 4, [("keep", "1-6")]))
    assert torch.equal(found.tokens, starts)
    assert found.stop == ("stuck",) * 3


@CHECKS.check()
def one_position_is_a_sequence(method: Method) -> None:
    oracle = Additive(4, 1)
    found = method(problem(oracle, torch.tensor([[0], [3]]), 4))
    assert found.tokens.flatten().tolist() == [int(oracle.weight.argmax())] * 2


@CHECKS.check()
def no_starts_give_no_designs(method: Method) -> None:
    found = method(mixed(count=0))
    assert found.tokens.shape == (0, 10)
    assert found.score.shape == found.num_queries.shape == found.steps.shape == (0,)
    assert found.predictions.shape == (1, 0, 1)
    assert found.stop == ()


@CHECKS.check()
def a_score_that_is_good_enough_ends_the_search(method: Method) -> None:
    oracle = Additive(4, 8)
    starts = starts_of(4, 4, 8)
    begin = oracle.value(one_hot(starts, 4)).detach()
    half = float(begin.max()) + 0.5 * (best_score(oracle, 4, 8) - float(begin.max()))
    found = method(problem(oracle, starts, 4, budget=300, enough=half))
    assert found.stop == ("target",) * 4
    assert bool((found.score >= half).all())
    assert bool((found.num_queries < 300).all())
    full = method(problem(oracle, starts, 4, budget=300))
    assert bool(((found.tokens != starts).sum(1) <= (full.tokens != starts).sum(1)).all())


@CHECKS.check()
def a_start_that_is_good_enough_is_the_design(method: Method) -> None:
    starts = starts_of(4, 4, 8)
    found = method(problem(Additive(4, 8), starts, 4, enough=-1e3))
    assert torch.equal(found.tokens, starts)
    assert found.stop == ("target",) * 4


@CHECKS.check()
def an_oracle_without_gradients_is_served_or_refused_by_name(method: Method) -> None:
    oracle = mixed_oracle()
    oracle.differentiable = False
    message = ""
    try:
        found = method(mixed(oracle=oracle))
        assert bool((found.score >= found.start_score).all())
    except UsageError as error:
        message = str(error)
    assert not message or ("gradient" in message and method.name in message), message


@CHECKS.check()
def an_oracle_that_refuses_sequences_is_survived(method: Method) -> None:
    """Minus infinity is the worst score there is, and what it marks is never the design."""
    starts = starts_of(4, 4, 8)
    oracle = Additive(4, 8)
    task = problem(oracle, starts, 4)
    worst = oracle.value(one_hot(starts, 4)).detach().max()

    def picky(predictions: Tensor, rows: Tensor) -> Tensor:
        score = activity(predictions, rows)
        refused = (score > worst) & (score - score.floor() < 0.3)
        return torch.where(refused, -torch.inf, score)

    found = method(replace(task, objective=picky))
    assert bool((found.score >= found.start_score).all())
    assert bool(found.score.isfinite().all())
