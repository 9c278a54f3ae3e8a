"""REVISE on a toy model whose revisions can be worked out by hand.

Letter v sits at v on the axis of its position, so with standard deviation 1/2 a radius of 2 moves a code by
1, which is one letter.
"""

from __future__ import annotations

import itertools
from dataclasses import replace
from typing import Any

import pytest
import torch
from torch import Tensor
from torch.distributions import Normal

from seqdesign.decoding.beam import beam_search
from seqdesign.errors import UsageError
from seqdesign.metrics.edits import levenshtein
from seqdesign.objectives.goals.maximize import maximize
from seqdesign.objectives.goals.minimize import minimize
from seqdesign.objectives.goals.target import target
from seqdesign.revisers.methods.revise import revise
from seqdesign.revisers.pool import per_item_generator
from seqdesign.revisers.problem import DesignProblem, DesignResult
from seqdesign.revisers.revise_options import ReviseOptions
from seqdesign.testing.toy import ConstantOutcome, LinearOutcome, QuadraticOutcome
from seqdesign.testing.toy_latent import ToyLatentModel

FIRST = LinearOutcome(torch.tensor([1.0, 0.0, 0.0, 0.0]))
MIXED = LinearOutcome(torch.tensor([1.0, 0.3, -0.6, 0.45]), bias=2.0)
END = ReviseOptions(select="end", decode="plain", width=1, alpha_scale="radius", alpha=2.0, steps=60)
PATH = ReviseOptions(
    alpha_scale="radius", alpha=4.0, steps=6, step_length=0.6, rounds=1, survivors=2, width=4, neighbours=0
)


class Watched(ToyLatentModel):
    """Keeps the codes at which the ascent asks for F, call by call, and those that are decoded."""

    def __init__(self, outcome: Any = MIXED, **options: Any) -> None:
        super().__init__(outcome, **options)
        self.climbed: list[Tensor] = []
        self.decoded: list[Tensor] = []
        plain = self.decoder.initial_state

        def initial_state(z: Tensor, /) -> tuple[Tensor, ...]:
            self.decoded.append(z.clone())
            return plain(z)

        self.decoder.initial_state = initial_state  # type: ignore[method-assign]

    def outcome(self, z: Tensor) -> Tensor:
        if torch.is_grad_enabled():
            self.climbed.append(z.detach().clone())
        return super().outcome(z)


class Uneven(ToyLatentModel):
    """Strings of four letters have a wide posterior."""

    def encode(self, tokens: Tensor, lengths: Tensor) -> Normal:
        q = super().encode(tokens, lengths)
        return Normal(q.mean, q.stddev * torch.where(lengths == 4, 3.0, 1.0)[:, None])


def problem(model: ToyLatentModel, *starts: str, **rules: Any) -> DesignProblem:
    tokens, lengths = model.tokens(list(starts))
    return DesignProblem(model, tokens, lengths, **{"score": maximize, **rules})


def designs(model: ToyLatentModel, result: DesignResult) -> list[list[str]]:
    rows = zip(result.tokens, result.lengths, result.found, strict=True)
    return [model.strings(tokens[found], lengths[found]) for tokens, lengths, found in rows]


def ask(start: str, options: ReviseOptions, outcome: Any = FIRST, **rules: Any) -> list[str]:
    model = ToyLatentModel(outcome)
    return designs(model, revise(problem(model, start, **rules), options, 0))[0]


@pytest.mark.parametrize(("radius", "expected"), [(0.8, []), (1.2, ["B"]), (2.8, ["B"]), (3.2, ["C"])])
@pytest.mark.parametrize("dtype", [torch.float32, torch.float64])
@pytest.mark.parametrize("metric", ["euclid", "whitened"])
def test_the_code_moves_by_the_radius_and_takes_the_letter_along(
    radius: float, expected: list[str], dtype: torch.dtype, metric: Any
) -> None:
    """F looks at position 1 alone, so all of the move is there: radius / 2 letters up, rounded.

    In float32 the last steps towards the boundary are lost in rounding, and the budget ends the ascent.
    """
    model = ToyLatentModel(FIRST, dtype=dtype)
    result = revise(problem(model, "AAAA"), replace(END, alpha=radius, metric=metric), 0)
    assert designs(model, result) == [[letter + "AAA" for letter in expected]]
    assert result.latent is not None
    assert result.latent.stop == ("boundary" if dtype == torch.float64 else "budget",)
    if expected:
        assert result.outcome_at_code.item() == pytest.approx(radius / 2, rel=1e-4)
        assert result.outcome.item() == "ABC".index(expected[0])


def test_the_last_code_is_the_closed_form_optimum() -> None:
    """Algorithms 1.4: F(z*) = F(mean) + radius ||S w|| for a linear F."""
    model = ToyLatentModel(MIXED)
    result = revise(problem(model, "ABCA", "BAB", "CCCB"), replace(END, alpha=4.0), 0)
    expected = result.before.outcome + 4.0 * 0.5 * MIXED.weight.norm()
    assert bool(result.found.all())
    torch.testing.assert_close(result.outcome_at_code[:, 0], expected, rtol=1e-5, atol=0)


def test_a_peak_within_reach_is_the_revision() -> None:
    """F has its maximum at the code of CBAC."""
    model = ToyLatentModel(FIRST)
    center = model.encode(*model.tokens(["CBAC"])).mean[0]
    peak = QuadraticOutcome(torch.eye(4), center)
    for options in (replace(END, alpha=20.0), replace(PATH, alpha=20.0, steps=20)):
        assert ask("BCA", options, peak) == ["CBAC"]


@pytest.mark.parametrize("edits", [1, 2, 3])
def test_the_best_string_within_an_edit_budget_is_found(edits: int) -> None:
    """By trying all 120 strings of up to 4 letters."""
    model = ToyLatentModel(MIXED)
    starts = ["ABC", "CCCC", "AAAA", "BA", "BCAB", "C", "CABA", "ACAC"]
    everything = ["".join(s) for n in range(1, 5) for s in itertools.product("ABC", repeat=n)]
    values = MIXED(model.encode(*model.tokens(everything)).mean).tolist()
    options = ReviseOptions(alpha=-40.0, alpha_scale="relative", steps=12, step_length=0.6)
    result = revise(problem(model, *starts, max_edits=edits), options, 0)
    for i, start in enumerate(starts):
        best = max(f for f, s in zip(values, everything, strict=True) if levenshtein(start, s) <= edits)
        assert result.outcome[i].item() == pytest.approx(best)


def test_lower_and_nearer_are_goals_too() -> None:
    assert ask("CBAA", replace(END, alpha=4.0), score=minimize) == ["ABAA"]
    assert ask("CBAA", replace(END, alpha=20.0), score=target(1.0)) == ["BBAA"]
    assert ask("ABAA", replace(END, alpha=20.0), score=target(1.0)) == ["BBAA"]


def test_outcomes_are_reported_in_the_users_units_whatever_the_goal() -> None:
    """A radius of 3 takes position 1 from C at 2 to 0.5, which decodes to B at 1."""
    model = ToyLatentModel(FIRST)
    result = revise(problem(model, "CBAA", score=minimize), replace(END, alpha=3.0), 0)
    assert designs(model, result) == [["BBAA"]]
    assert result.before.outcome.item() == 2.0
    assert result.outcome_at_code.item() == pytest.approx(0.5, rel=1e-3)
    assert result.outcome.item() == 1.0


@pytest.mark.parametrize("options", [END, PATH], ids=["end", "path"])
def test_an_empty_feasible_set_leaves_the_start_and_says_so(options: ReviseOptions) -> None:
    """As a density, alpha = e^100 is above the mode of every posterior here."""
    model = Watched()
    task = problem(model, "ABCA", "BAB", top=2)
    result = revise(task, replace(options, alpha=100.0, alpha_scale="density"), 0)
    assert not bool(result.found.any())
    assert torch.equal(result.tokens, task.tokens.unsqueeze(1).expand(-1, 2, -1))
    assert result.num_scored.tolist() == [0, 0]
    assert result.latent is not None
    assert result.latent.stop == ("infeasible", "infeasible")
    assert result.latent.ellipsoid.feasible.tolist() == [False, False]
    assert model.climbed == []


@pytest.mark.parametrize("options", [END, PATH], ids=["end", "path"])
def test_an_infeasible_start_does_not_disturb_its_neighbours(options: ReviseOptions) -> None:
    """log q(mean) is -1.9 with scale 1/2 and -5.3 with 3/2; the strings of 4 letters are the wide ones."""
    model = Uneven(MIXED)
    options = replace(options, alpha=-4.0, alpha_scale="density", rounds=2)
    batch = revise(problem(model, "ABCA", "BAB", "AAAA", "AB"), options, 0)
    assert batch.latent is not None
    assert batch.latent.ellipsoid.feasible.tolist() == [False, True, False, True]
    assert [reason == "infeasible" for reason in batch.latent.stop] == [True, False, True, False]
    assert batch.found[:, 0].tolist() == [False, True, False, True]
    alone = revise(problem(model, "BAB", "AB"), options, 0)
    assert designs(model, batch)[1::2] == designs(model, alone)
    torch.testing.assert_close(batch.outcome[1::2], alone.outcome)


def test_an_alpha_without_meaning_is_a_usage_error() -> None:
    with pytest.raises(UsageError, match="--alpha: must be above 0 and below 1"):
        ask("AAAA", replace(END, alpha=2.0, alpha_scale="coverage"))


@pytest.mark.parametrize(
    "outcome", [MIXED, QuadraticOutcome(torch.diag(torch.arange(1.0, 5.0)), torch.ones(4) * 3)]
)
def test_a_larger_ellipsoid_never_gives_a_worse_code(outcome: Any) -> None:
    """The sets are nested, so the best F(z) that the ascent meets rises with the radius."""
    best = []
    for radius in (0.0, 0.1, 0.5, 1.0, 2.0, 4.0, 8.0, 16.0):
        model = Watched(outcome)
        revise(problem(model, "ABCA"), replace(END, alpha=radius, steps=100), 0)
        best.append(max(float(outcome(z)) for z in model.climbed))
    assert best == sorted(best)
    assert best[-1] > best[0]


@pytest.mark.parametrize("metric", ["euclid", "whitened"])
@pytest.mark.parametrize("optimizer", ["barrier", "original"])
@pytest.mark.parametrize("select", ["path", "end"])
@pytest.mark.parametrize(
    ("alpha", "scale"), [(-1.0, "original"), (-3.0, "relative"), (0.3, "coverage"), (0.05, "radius")]
)
def test_every_code_that_is_asked_for_or_decoded_lies_strictly_inside(
    metric: Any, optimizer: Any, select: Any, alpha: float, scale: Any
) -> None:
    """Oracle 13. The adaptive bonus decodes the mean itself, which is inside as well."""
    model = Watched()
    options = replace(PATH, metric=metric, optimizer=optimizer, alpha=alpha, alpha_scale=scale, select=select)
    result = revise(problem(model, "ABCA"), options, 0)
    assert result.latent is not None
    codes = torch.cat(model.climbed + model.decoded)
    distance = ((codes - model.encode(*model.tokens(["ABCA"])).mean) / 0.5).square().sum(1)
    assert bool((distance < result.latent.ellipsoid.kappa2).all())
    assert float(distance.max()) > 0.05 * float(result.latent.ellipsoid.kappa2)


def test_all_items_of_a_batch_climb_inside_their_own_ellipsoids_as_they_do_alone() -> None:
    """Oracle 13: batch == loop, code by code; the rows of a call are the starts in their order."""
    starts, options = ("ABCA", "BAB", "CC", "CCCC"), replace(PATH, rounds=0, alpha=2.0)
    batch = Watched()
    revise(problem(batch, *starts), options, 0)
    mean = batch.encode(*batch.tokens(list(starts))).mean
    for z in batch.climbed:
        assert bool((((z - mean) / 0.5).square().sum(1) < 4.0).all())
    for i, start in enumerate(starts):
        single = Watched()
        revise(problem(single, start), options, 0)
        assert len(single.climbed) <= len(batch.climbed)
        alone = torch.unique(torch.cat(single.climbed), dim=0)
        shared = torch.unique(torch.cat([z[i : i + 1] for z in batch.climbed]), dim=0)
        torch.testing.assert_close(shared, alone, atol=1e-12, rtol=0)


@pytest.mark.parametrize("width", [1, 3, 10])
def test_adaptive_decoding_in_a_tiny_ellipsoid_gives_back_the_start(width: int) -> None:
    """A decoder that loves A turns every code into As; the bonus holds against it."""
    model = ToyLatentModel(MIXED, preference=torch.tensor([30.0, 0.0, 0.0, 0.0]))
    task = problem(model, "BCB", "CCCC", "BA")
    options = replace(END, alpha=1e-6, width=width)
    assert revise(task, options, 0).num_scored.tolist() == [1, 1, 1]
    result = revise(task, replace(options, decode="adaptive"), 0)
    assert result.num_scored.tolist() == [0, 0, 0]
    assert not bool(result.found.any())


def test_with_the_end_only_the_best_string_of_the_last_code_counts() -> None:
    model = Watched()
    result = revise(
        problem(model, "ABCA", "CCCB"), replace(END, width=10, alpha=4.0, restarts=3, rounds=3), 0
    )
    assert result.num_scored.tolist() == [1, 1]
    (last,) = model.decoded
    best = beam_search(model.decoder, last, width=10)
    assert designs(model, result) == [[s] for s in model.strings(best.tokens[:, 0], best.lengths[:, 0])]
    torch.testing.assert_close(result.outcome_at_code[:, 0], MIXED(last))


def test_on_the_path_every_beam_of_every_code_counts() -> None:
    """The strings that were scored are those that the decoded codes give, each once."""
    model = Watched()
    result = revise(problem(model, "ABCA"), replace(PATH, decode="plain", rounds=0, restarts=0), 0)
    codes = torch.cat(model.decoded)
    beams = beam_search(model.decoder, codes, width=4)
    strings = set(model.strings(beams.tokens.flatten(0, 1), beams.lengths.flatten()))
    assert result.num_scored.item() == len(strings - {"ABCA"})
    assert len(codes) > 2


def test_restarts_and_rounds_add_candidates_and_never_lose_the_best() -> None:
    model = ToyLatentModel(MIXED)
    task = problem(model, "ABCA", "BAB", "AAAA")
    least = revise(task, replace(PATH, restarts=0, rounds=0), 0)
    for more in ({"restarts": 2}, {"rounds": 2}, {"restarts": 2, "rounds": 2}):
        result = revise(task, replace(PATH, **{"restarts": 0, "rounds": 0, **more}), 0)
        assert bool((result.outcome >= least.outcome).all())
        assert int(result.num_scored.sum()) > int(least.num_scored.sum())


def test_a_restart_begins_at_a_draw_of_the_posterior() -> None:
    """Standard deviation 1/2, and a radius of 20 that no draw of four numbers comes near."""
    model, options = Watched(), replace(PATH, alpha=20.0, rounds=0)
    revise(problem(model, "ABCA"), replace(options, restarts=0), 3)
    calls = len(model.climbed)
    model.climbed.clear()
    task = problem(model, "ABCA")
    revise(task, options, 3)
    noise = torch.from_numpy(per_item_generator(3, task.tokens[0]).standard_normal((1, 4)))
    mean = model.encode(task.tokens, task.lengths).mean
    torch.testing.assert_close(model.climbed[calls], mean + 0.5 * noise)


def test_restarts_draw_from_the_seed() -> None:
    first, again, other = Watched(), Watched(), Watched()
    for model, seed in ((first, 1), (again, 1), (other, 2)):
        revise(problem(model, "ABCA"), replace(PATH, restarts=2, rounds=0), seed)
    assert torch.equal(torch.cat(first.climbed), torch.cat(again.climbed))
    assert not torch.equal(torch.cat(first.climbed), torch.cat(other.climbed))


def test_the_second_round_starts_from_the_best_strings_of_the_first() -> None:
    """Their codes, or where those are outside the point at 0.999 of the radius on the way to them."""
    model = Watched()
    options = replace(PATH, restarts=0, rounds=0, survivors=3)
    best = revise(problem(model, "ABCA", top=3), options, 0)
    assert bool(best.found.all())
    calls = len(model.climbed)
    model.climbed.clear()
    revise(problem(model, "ABCA"), replace(options, rounds=1), 0)
    mean = model.encode(*model.tokens(["ABCA"])).mean
    goal = model.encode(best.tokens[0], best.lengths[0]).mean
    distance = ((goal - mean) / 0.5).norm(dim=1, keepdim=True)
    expected = mean + (goal - mean) * (0.999 * 4.0 / distance).clamp(max=1.0)
    torch.testing.assert_close(model.climbed[calls], expected)


@pytest.mark.parametrize("options", [END, PATH], ids=["end", "path"])
def test_a_constant_outcome_ends_at_once(options: ReviseOptions) -> None:
    model = Watched(ConstantOutcome(1.5))
    result = revise(problem(model, "ABCA", "BB"), replace(options, rounds=0, restarts=0), 0)
    assert result.latent is not None
    assert result.latent.stop == ("zero-gradient", "zero-gradient")
    assert not bool(result.found.any())
    assert len(model.climbed) == 1


@pytest.mark.parametrize(("options", "elsewhere"), [(END, "AABA"), (PATH, "AACA")], ids=["end", "path"])
def test_a_kept_position_sends_the_change_elsewhere(options: ReviseOptions, elsewhere: str) -> None:
    """F wants position 1 first and position 3 next, whose code ends at 2 * 0.6 / |(1, 0.6)| = 1.03."""
    outcome = LinearOutcome(torch.tensor([1.0, 0.0, 0.6, 0.0]))
    options = replace(options, alpha=4.0)
    assert ask("AAAA", options, outcome, max_edits=1) == ["CAAA"]
    forced = torch.tensor([[0, -1, -1, -1]])
    assert ask("AAAA", options, outcome, max_edits=1, forced=forced) == [elsewhere]
    assert all(d[0] == "A" for d in ask("AAAA", options, outcome, forced=forced))


def test_the_letters_beside_an_unknown_one_stay() -> None:
    """Unknown sits at 1; F moves position 1 alone, so the rest is decoded as it was read."""
    assert ask("A?CB", replace(END, decode="adaptive")) == ["BBCB"]
    assert ask("A?CB", replace(END, decode="adaptive"), max_edits=2) == ["BBCB"]


def test_more_unknown_letters_than_edits_leave_nothing() -> None:
    for decode in ("adaptive", "plain"):
        assert ask("A??B", replace(PATH, decode=decode), max_edits=1) == []


@pytest.mark.parametrize("decode", ["adaptive", "plain"])
@pytest.mark.parametrize("select", ["path", "end"])
def test_no_starts_are_no_problem(decode: Any, select: Any) -> None:
    model = ToyLatentModel(MIXED)
    result = revise(problem(model, max_edits=2), replace(PATH, decode=decode, select=select), 0)
    assert result.found.shape == (0, 1)
    assert result.latent is not None
    assert result.latent.stop == ()
    assert result.latent.ellipsoid.kappa2.shape == (0,)


@pytest.mark.parametrize(("metric", "length"), [("euclid", 0.6), ("whitened", 0.3)])
def test_the_path_has_steps_of_the_length_asked_for(metric: Any, length: float) -> None:
    """0.6 in the latent space, or 0.6 standard deviations of 1/2; no boundary is near to shorten it."""
    model = Watched()
    options = replace(PATH, metric=metric, alpha=1000.0, restarts=0, rounds=0)
    revise(problem(model, "ABCA"), options, 0)
    steps = torch.cat(model.climbed).diff(dim=0).norm(dim=1)
    assert len(steps) == options.steps
    assert steps.tolist() == pytest.approx([length] * len(steps), rel=0.01)


def test_the_original_rule_takes_its_own_step_size() -> None:
    """Its first step is learning_rate times the gradient; nothing else sets its length."""
    model = Watched()
    options = replace(PATH, optimizer="original", learning_rate=0.25, restarts=0, rounds=0)
    revise(problem(model, "ABCA"), options, 0)
    start, first = model.climbed[:2]
    torch.testing.assert_close(first - start, 0.25 * MIXED.weight[None], rtol=1e-4, atol=0)


@pytest.mark.parametrize("radius", [1.2, 2.4, 100.0])
@pytest.mark.parametrize("start", ["ABCA", "CCCB", "BBBB"])
def test_with_neighbours_nothing_better_is_left_within_reach(start: str, radius: float) -> None:
    """Brute force over all strings with at most two substitutions and a code in the ellipsoid.

    What a code in it decodes to may have its own code outside, and be better.
    """
    model = ToyLatentModel(MIXED)
    options = replace(PATH, alpha=radius, neighbours=1000, rounds=0, steps=2)
    task = problem(model, start, max_edits=2, indels=False)
    result = revise(task, options, 0)
    every = ["".join(letters) for letters in itertools.product("ABC", repeat=4)]
    codes = model.encode(*model.tokens([*every, start])).mean
    inside = ((codes[:-1] - codes[-1]) / 0.5).square().sum(1) < radius**2
    near = torch.tensor([sum(a != b for a, b in zip(s, start, strict=True)) <= 2 for s in every])
    best = float(MIXED(codes[:-1])[inside & near].max())
    assert result.outcome.item() >= best - 1e-9
    if best > result.before.outcome.item() + 1e-9:
        assert bool(result.found.all())
