"""Batteries: every failure by name, expected failures with their reasons, and wrong members."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign import testing
from seqdesign.attribution.methods.mutagenesis import mutagenesis
from seqdesign.constraints.mask import MaskConstraint
from seqdesign.constraints.starts import Starts
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.errors import UsageError
from seqdesign.testing.battery import Battery, default_options

BATTERY: Battery[int] = Battery("number")


@BATTERY.check()
def is_even(value: int) -> None:
    assert value % 2 == 0, f"{value} is odd"


@BATTERY.check(limit={"low": 3, "high": 10})
def is_below(value: int, limit: int) -> None:
    assert value < limit, f"{value} is not below {limit}"


@BATTERY.check()
def divides_twelve(value: int) -> None:
    if 12 % value:
        raise AssertionError


def test_checks_are_named_by_their_functions_and_variants() -> None:
    assert BATTERY.names() == ["is_even", "is_below[limit=low]", "is_below[limit=high]", "divides_twelve"]
    assert BATTERY.run(2, name="two") is None


def test_every_failure_is_listed_with_its_reason_and_its_traceback() -> None:
    with pytest.raises(AssertionError) as caught:
        BATTERY.run(0, name="zero", checks=["is_even", "divides_twelve"])
    assert "number zero fails 1 of 2 checks:" in str(caught.value)
    assert "divides_twelve: ZeroDivisionError:" in str(caught.value)
    with pytest.raises(AssertionError) as caught:
        BATTERY.run(11, name="eleven")
    assert str(caught.value).splitlines()[1:] == [
        "  is_even: 11 is odd",
        "  is_below[limit=low]: 11 is not below 3",
        "  is_below[limit=high]: 11 is not below 10",
        "  divides_twelve: raise AssertionError",
    ]
    assert isinstance(caught.value.__cause__, ExceptionGroup)
    assert len(caught.value.__cause__.exceptions) == 4


def test_an_expected_failure_is_no_failure_until_it_passes() -> None:
    known = {"is_even": "five is odd", "is_below[limit=low]": "five is large", "divides_twelve": "a prime"}
    assert BATTERY.run(5, name="five", expected_failures=known) is None
    with pytest.raises(AssertionError, match="is_below\\[limit=low\\]: passes, but is listed in expected"):
        BATTERY.run(1, name="one", expected_failures={"is_even": "odd", "is_below[limit=low]": "large"})


@pytest.mark.parametrize("argument", ["checks", "expected_failures"])
def test_a_check_that_does_not_exist_is_named_with_the_nearest(argument: str) -> None:
    given: Any = ["is_evn"] if argument == "checks" else {"is_evn": "why"}
    with pytest.raises(UsageError, match=rf"{argument}: there is no check 'is_evn' of a number.*'is_even'"):
        BATTERY.run(2, name="two", **{argument: given})


@dataclass(frozen=True)
class Nothing:
    """No options."""


def careless(problem: SequenceProblem, options: Nothing, seed: int) -> Designs:
    """The best single letter everywhere: obeys no rule, counts no query."""
    letters = problem.starts.new_zeros(problem.starts.shape)
    x = torch.nn.functional.one_hot(letters, problem.rules.mask.shape[2]).mT.float()
    found = problem.oracle(x)
    score = problem.objective(found, torch.arange(len(letters)))
    none = torch.zeros(len(letters), dtype=torch.long)
    return Designs(
        tokens=letters, score=score, start_score=score, predictions=found, soft_score=score,
        num_queries=none, steps=none, stop=("steps",) * len(letters),
    )  # fmt: skip


def test_a_designer_that_breaks_rules_fails_by_name() -> None:
    with pytest.raises(AssertionError) as caught:
        testing.check_designer(careless)
    assert str(caught.value).startswith("designer careless fails ")
    listed = dict(line.strip().split(": ", 1) for line in str(caught.value).splitlines()[1:])
    assert listed["a_budget_of_one_returns_the_start"] == "assert torch.equal(found.tokens, task.starts)"
    assert "designs_obey_the_rules_and_are_reported_as_they_are[budget=7]" in listed
    assert "the_same_seed_gives_the_same_result" not in listed


def test_a_designer_without_a_class_of_options_needs_options() -> None:
    def bare(problem: SequenceProblem, options: object, seed: int) -> Designs:
        raise NotImplementedError

    with pytest.raises(UsageError, match="options: is needed: the parameter 'options' of bare"):
        testing.check_designer(bare)
    assert default_options(careless) == Nothing()


def test_a_constraint_that_explains_nothing_fails_by_name() -> None:
    def quiet(text: str, starts: Starts) -> MaskConstraint:
        starts.need_fixed_length("quiet")
        allowed = torch.ones(1, starts.length, 4, dtype=torch.bool)
        allowed[0, 0] = torch.tensor([letter == text for letter in "ACGT"])
        rule = MaskConstraint(f"quiet {text}", allowed, lambda row, i: text)
        rule.explain = lambda tokens, row: []  # type: ignore[method-assign]
        return rule

    with pytest.raises(AssertionError) as caught:
        testing.check_constraint(quiet, "A")
    assert [line.strip().partition(":")[0] for line in str(caught.value).splitlines()[1:]] == [
        "explain_is_empty_exactly_when_a_sequence_is_feasible"
    ]


def test_a_goal_that_takes_the_mean_of_a_block_fails_by_name() -> None:
    def relative(outcome: Tensor) -> Tensor:
        return outcome - outcome.mean()

    with pytest.raises(AssertionError, match="a_block_scores_like_each_sequence_alone"):
        testing.check_objective(relative, name="relative")


def test_a_method_of_attribution_may_fail_where_it_is_said_why() -> None:
    def doubled(score: Callable[[Tensor], Tensor], x: Tensor) -> Tensor:
        return 2 * mutagenesis(score, x)

    why = "effects are doubled"
    known = {name: why for name in testing.attribution_checks() if name.startswith("a_linear_score")}
    assert testing.check_attribution(doubled, expected_failures=known) is None
    with pytest.raises(AssertionError, match="a_linear_score_is_explained_by_its_centred_weights"):
        testing.check_attribution(doubled)


def test_nothing_imports_pytest(python: Callable[..., Any]) -> None:
    done = python("-c", "from seqdesign.testing import *; import sys; print('pytest' in sys.modules)")
    assert (done.code, done.out) == (0, "False\n"), done.err
