"""What every reviser promises: a DesignProblem, options and a seed -> a DesignResult.

Promises are kept on a toy model whose answers are known, and on a small untrained sequence VAE, which has
real networks, rounding and float32.
"""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.options import ConstraintOptions
from seqdesign.metrics.edits import levenshtein
from seqdesign.models.vae.config import VAEOptions, adapt
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.objectives.goals.maximize import maximize
from seqdesign.objectives.goals.minimize import minimize
from seqdesign.objectives.goals.target import target
from seqdesign.revisers.problem import DesignProblem, DesignResult, evaluate
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import Vocabulary
from seqdesign.testing.battery import Battery, default_options, name_of
from seqdesign.testing.dice import dice_state
from seqdesign.testing.toy import ConstantOutcome, LinearOutcome
from seqdesign.testing.toy_latent import ToyLatentModel

LENGTH, SHORTEST = 5, 2
STARTS = ["ABC", "CCCC", "AAAAA", "BA", "BCABC", "CC", "CABAB", "ACAC"]
LINEAR = LinearOutcome(torch.tensor([1.0, 0.3, -0.6, 0.45, 0.2]))
EVERY_STRING = ["".join(s) for n in range(SHORTEST, LENGTH + 1) for s in itertools.product("ABC", repeat=n)]

Optimizer = Callable[[DesignProblem, Any, int], DesignResult]


@dataclass(frozen=True)
class Method:
    """An optimizer with its options."""

    optimize: Optimizer
    options: Any

    def __call__(self, problem: DesignProblem, seed: int = 0) -> DesignResult:
        """Run it."""
        return self.optimize(problem, self.options, seed)


CHECKS: Battery[Method] = Battery("reviser")


def check_reviser(
    optimize: Optimizer,
    *,
    options: Any = None,
    name: str | None = None,
    checks: Iterable[str] | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> None:
    """Check that a reviser keeps the promises of `revise`: rules, edits, naturalness, seeds, batches.

    Args:
        optimize: ``optimize(problem, options, seed)`` gives a `DesignResult` for a `DesignProblem`.
        options: its settings; the defaults of the class that the parameter ``options`` is annotated with
            when not given.
        name: what messages call it; the name of the function when not given.
        checks: names of the checks to run, of `reviser_checks()`; all of them when None.
        expected_failures: check -> why it fails; one that passes is an error.

    Raises:
        AssertionError: lists all checks that fail.
        UsageError: a check that does not exist, or no options.

    Example:
        >>> check_reviser(point_mutants, options=ReviseOptions())
    """
    called = name or name_of(optimize)
    own = default_options(optimize) if options is None else options
    CHECKS.run(Method(optimize, own), name=called, checks=checks, expected_failures=expected_failures)


def reviser_checks() -> list[str]:
    """Names of the checks of `check_reviser`."""
    return CHECKS.names()


def toy(outcome: Callable[[Tensor], Tensor] = LINEAR) -> ToyLatentModel:
    """A, B, C with probabilities .5, .3, .2, so that what F likes is not what is natural."""
    share = torch.tensor([0.5, 0.3, 0.2]).log()
    return ToyLatentModel(outcome, max_length=LENGTH, letter_log_prob=share)


def vae() -> SequenceVAE:
    torch.manual_seed(3)
    options = VAEOptions(encoder="gru", latent_dim=3, hidden=8, embedding=5)
    options = adapt(options, max_length=LENGTH, fixed_length=False, num_train=64)
    model = SequenceVAE(options, Vocabulary(get_alphabet("letters:ABC")), LENGTH, outcome_scale=1.0).eval()
    with torch.no_grad():
        for parameter in model.parameters():
            parameter.mul_(3.0)
    return model


MODELS: dict[str, Callable[[], Any]] = {"toy": toy, "vae": vae}


RULES: dict[str, dict[str, Any]] = {
    "none": {},
    "one edit": {"max_edits": 1},
    "natural": {"max_edits": 3, "floor_per_letter": -1.0},
    "as natural": {"max_edits": 2, "min_loglik_change": -0.5},
    "long": {"min_length": 4},
    "lower": {"score": minimize, "max_edits": 2},
    "aim": {"score": target(1.0), "max_edits": 3},
}


def problem(model: Any, starts: list[str] | None = None, **rules: Any) -> DesignProblem:
    tokens, lengths = toy().tokens(STARTS if starts is None else starts)
    return DesignProblem(model, tokens, lengths, **{"score": maximize, "min_length": SHORTEST, **rules})


def first_letter(task: DesignProblem) -> Tensor:
    """``forced`` that keeps position 1."""
    forced = torch.full_like(task.tokens, -1)
    forced[:, 0] = task.tokens[:, 0]
    return forced


def texts(result: DesignResult) -> list[list[str]]:
    """The designs of each start, best first."""
    rows = zip(result.tokens, result.lengths, result.found, strict=True)
    return [toy().strings(tokens[found], lengths[found]) for tokens, lengths, found in rows]


def assert_same(a: DesignResult, b: DesignResult) -> None:
    assert texts(a) == texts(b)
    for name in ("tokens", "lengths", "found", "num_scored"):
        assert torch.equal(getattr(a, name), getattr(b, name)), name
    for name in ("outcome", "log_likelihood", "outcome_at_code"):
        torch.testing.assert_close(getattr(a, name), getattr(b, name), atol=0.0, rtol=0.0, equal_nan=True)


@CHECKS.check(model=MODELS)
def the_same_seed_gives_the_same_result(method: Method, model: Callable[[], Any]) -> None:
    task = problem(model(), max_edits=2, top=3)
    assert_same(method(task, seed=7), method(task, seed=7))


@CHECKS.check(model=MODELS)
def nothing_that_was_handed_over_changes(method: Method, model: Callable[[], Any]) -> None:
    """Neither tensors of the problem, nor the model, nor the global random generators."""
    net = model()
    task = problem(net, max_edits=2, top=2)
    forced = first_letter(task)
    task = replace(task, forced=forced)
    kept = [t.clone() for t in (task.tokens, task.lengths, forced)]
    weights = {k: v.clone() for k, v in net.state_dict().items()} if isinstance(net, SequenceVAE) else {}
    dice = dice_state()
    method(task)
    assert all(torch.equal(a, b) for a, b in zip((task.tokens, task.lengths, forced), kept, strict=True))
    if isinstance(net, SequenceVAE):
        assert all(torch.equal(v, weights[k]) for k, v in net.state_dict().items())
        assert all(p.grad is None and p.requires_grad for p in net.parameters())
        assert not net.training
    assert dice_state() == dice


@CHECKS.check(rules=RULES, keep=(False, True), model=MODELS)
def every_design_obeys_the_rules_and_is_reported_as_it_is(
    method: Method, rules: dict[str, Any], keep: bool, model: Callable[[], Any]
) -> None:
    """Length, edits, fixed letters, naturalness, distinct, better than the start; numbers scored again."""
    net = model()
    task = problem(net, top=4, **rules)
    task = replace(task, forced=first_letter(task)) if keep else task
    result = method(task)
    assert result.found.any()
    for start, designs in zip(STARTS, texts(result), strict=True):
        assert len({*designs, start}) == len(designs) + 1
        for design in designs:
            assert set(design) <= set("ABC")
            assert task.min_length <= len(design) <= LENGTH
            assert task.max_edits is None or levenshtein(start, design) <= task.max_edits
            assert not keep or design[0] == start[0]
    found = result.found
    tokens, lengths = result.tokens[found], result.lengths[found]
    assert bool((tokens[torch.arange(LENGTH) >= lengths[:, None]] == net.decoder.pad).all())
    again, begin = evaluate(net, tokens, lengths), evaluate(net, task.tokens, task.lengths)
    torch.testing.assert_close(result.outcome[found], again.outcome, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(result.log_likelihood[found], again.log_likelihood, atol=1e-5, rtol=1e-5)
    torch.testing.assert_close(result.before.outcome, begin.outcome)
    torch.testing.assert_close(result.before.log_likelihood, begin.log_likelihood)
    owner = found.nonzero()[:, 0]
    assert bool((task.score(again.outcome) > task.score(begin.outcome)[owner]).all())
    if task.min_loglik_change is not None:
        change = again.log_likelihood - begin.log_likelihood[owner]
        assert bool((change >= task.min_loglik_change - 1e-5).all())
    elif task.floor_per_letter is not None:
        own = begin.log_likelihood / (task.lengths + 1)
        floor = own.clamp(max=task.floor_per_letter)[owner]
        assert bool((again.log_likelihood / (lengths + 1) >= floor - 1e-5).all())


@CHECKS.check(model=MODELS)
def every_design_obeys_the_constraints(method: Method, model: Callable[[], Any]) -> None:
    """Also designs of starts that break them, which need not score higher then."""
    alphabet = get_alphabet("letters:ABC")
    options = ConstraintOptions(forbid=("CC", "BA"), max_homopolymer="2")
    task = problem(model(), top=4, max_edits=3)
    rules = build_rules(options, alphabet, task.tokens, lengths=task.lengths, shortest=SHORTEST)
    result = method(replace(task, rules=rules))
    assert result.found.any()
    for designs in texts(result):
        assert not [d for d in designs if re.search("CC|BA|AAA|BBB", d)]
    only = [STARTS.index("ABC"), STARTS.index("ACAC")]
    score = result.outcome[only].where(result.found[only], torch.inf)
    assert bool((score > result.before.outcome[only].unsqueeze(1)).all())


@CHECKS.check(model=MODELS)
def starts_of_one_length_that_break_the_constraints_are_mended(
    method: Method, model: Callable[[], Any]
) -> None:
    starts = ["AAAAA", "BCABC", "CABAB"]
    task = problem(model(), starts, min_length=LENGTH)
    options = ConstraintOptions(max_homopolymer="1", forbid=("BA",))
    rules = build_rules(options, get_alphabet("letters:ABC"), task.tokens)
    result = method(replace(task, rules=rules))
    assert result.found[:, 0].tolist()[::2] == [True, True]
    assert not [d for own in texts(result) for d in own if re.search("AA|BB|CC|BA", d)]


@CHECKS.check(model=MODELS)
def designs_of_one_start_are_as_far_apart_as_asked(method: Method, model: Callable[[], Any]) -> None:
    result = method(problem(model(), top=4, max_edits=3, min_distance=3))
    assert bool((result.found.sum(1) > 1).any())
    for designs in texts(result):
        for a, b in itertools.combinations(designs, 2):
            assert (
                sum(x != y for x, y in zip(a, b, strict=True)) >= 3
                if len(a) == len(b)
                else (levenshtein(a, b) >= 3)
            )


@CHECKS.check(model=MODELS)
def designs_come_best_first_and_without_gaps(method: Method, model: Callable[[], Any]) -> None:
    result = method(problem(model(), top=4, max_edits=2))
    assert bool((result.found[:, :-1] >= result.found[:, 1:]).all())
    assert bool((result.found.sum(1) > 1).any())
    score = result.outcome.where(result.found, -torch.inf)
    assert bool((score[:, :-1] >= score[:, 1:]).all())


@CHECKS.check(model=MODELS)
def the_best_design_is_the_same_however_many_are_asked_for(method: Method, model: Callable[[], Any]) -> None:
    few, many = (method(problem(model(), max_edits=2, top=top)) for top in (1, 4))
    assert [designs[:1] for designs in texts(many)] == texts(few)


@CHECKS.check(model=MODELS)
def eight_starts_give_what_each_gives_alone(method: Method, model: Callable[[], Any]) -> None:
    task = problem(model(), max_edits=2, top=3)
    batch = method(task)
    for i in range(len(STARTS)):
        single = method(replace(task, tokens=task.tokens[i : i + 1], lengths=task.lengths[i : i + 1]))
        assert texts(single) == texts(batch)[i : i + 1]
        for name in ("outcome", "log_likelihood", "outcome_at_code"):
            own, shared = getattr(single, name)[0], getattr(batch, name)[i]
            torch.testing.assert_close(own, shared, atol=1e-5, rtol=1e-5, equal_nan=True)
        assert torch.equal(single.num_scored[0], batch.num_scored[i])


@CHECKS.check()
def a_start_that_cannot_be_improved_has_no_design_and_stays_as_it_is(method: Method) -> None:
    """CCACC has the largest F of all strings; with no edit allowed nothing else does better either."""
    best = max(EVERY_STRING, key=lambda s: float(LINEAR(toy().encode(*toy().tokens([s])).mean)))
    assert best == "CCACC"
    for task in (problem(toy(), [best, "ABC"]), problem(toy(), ["CA", "ABC"], max_edits=0)):
        result = method(task)
        assert not bool(result.found[0].any())
        assert torch.equal(result.tokens[0, 0], task.tokens[0])
        assert torch.equal(result.lengths[:1, 0], task.lengths[:1])
        assert result.outcome[0, 0] == result.before.outcome[0]
        assert bool(result.found[1, 0]) == (task.max_edits is None)


@CHECKS.check()
def nothing_beats_a_start_under_a_constant_outcome(method: Method) -> None:
    result = method(problem(toy(ConstantOutcome(2.0)), max_edits=2, top=2))
    assert not bool(result.found.any())
    assert result.before.outcome.tolist() == [2.0] * len(STARTS)


@CHECKS.check()
def the_best_string_one_edit_away_is_found(method: Method) -> None:
    """By trying all 360 strings of 2 to 5 letters."""
    model = toy()
    result = method(problem(model, max_edits=1))
    values = LINEAR(model.encode(*model.tokens(EVERY_STRING)).mean).tolist()
    for start, design in zip(STARTS, texts(result), strict=True):
        near = [(f, s) for f, s in zip(values, EVERY_STRING, strict=True) if levenshtein(start, s) <= 1]
        best = max(near)[1]
        assert design == ([] if best == start else [best])


@CHECKS.check(model=MODELS)
def no_starts_give_no_designs(method: Method, model: Callable[[], Any]) -> None:
    result = method(problem(model(), [], max_edits=2, top=3))
    assert result.tokens.shape == (0, 3, LENGTH)
    assert result.found.shape == (0, 3)
    assert result.before.outcome.shape == result.num_scored.shape == (0,)


@CHECKS.check(model=MODELS)
def unknown_letters_of_a_start_are_filled_in_and_count_as_edits(
    method: Method, model: Callable[[], Any]
) -> None:
    """Two of them within two edits leave no third; within one edit there is nothing."""
    starts = ["A??A", "AB?", "B?CA?"]
    for budget in (1, 2):
        result = method(problem(model(), starts, max_edits=budget, top=4))
        assert result.found.any()
        for start, designs in zip(starts, texts(result), strict=True):
            assert all("?" not in d and levenshtein(start, d) <= budget for d in designs)
            assert budget >= start.count("?") or designs == []


@CHECKS.check(model=MODELS)
def without_a_budget_a_masked_start_becomes_letters(method: Method, model: Callable[[], Any]) -> None:
    result = method(problem(model(), ["A??A", "AB?", "B?CA?"], top=4))
    assert result.found.any()
    assert all(set(design) <= set("ABC") for designs in texts(result) for design in designs)
