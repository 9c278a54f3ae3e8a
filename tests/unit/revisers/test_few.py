"""Budgets that leave few strings: all of them are listed, and the best is found, beside trying them all."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from dataclasses import replace
from types import SimpleNamespace
from typing import Any

import pytest
import torch
from torch import Tensor

from seqdesign.objectives.goals.maximize import maximize
from seqdesign.revisers import few
from seqdesign.revisers.methods import revise as method
from seqdesign.revisers.methods.revise import revise
from seqdesign.revisers.problem import DesignProblem, DesignResult
from seqdesign.revisers.revise_options import ReviseOptions
from seqdesign.testing.toy import LinearOutcome
from seqdesign.testing.toy_latent import ToyLatentModel

STARTS = ["ABCA", "CCCC", "AABB", "BAB"]
ALL = ["".join(s) for n in (3, 4) for s in itertools.product("ABC", repeat=n)]
WEIGHTS = LinearOutcome(torch.tensor([0.2, -1.0, 0.7, -0.3]))
NATS = torch.tensor([-1.0, -2.0, -4.0])


def task(*starts: str, **given: Any) -> DesignProblem:
    """Substitutions in strings of A, B and C; ``?`` is an unknown letter."""
    model = ToyLatentModel(WEIGHTS, letter_log_prob=NATS)
    tokens, lengths = model.tokens([start.replace("?", "A") for start in starts])
    for i, start in enumerate(starts):
        tokens[i, [t for t, letter in enumerate(start) if letter == "?"]] = model.decoder.unknown
    return DesignProblem(
        model, tokens, lengths, **{"score": maximize, "indels": False, "max_edits": 2, **given}
    )


def listed(problem: DesignProblem) -> list[set[str]]:
    """The strings of each start; none comes twice."""
    every = torch.arange(len(problem.tokens))
    owner, tokens = few.all_within(problem, every)
    texts = problem.model.strings(tokens, problem.lengths[owner])  # type: ignore[attr-defined]
    found = [[text for text, of in zip(texts, owner.tolist(), strict=True) if of == i] for i in every]
    assert all(len(set(each)) == len(each) for each in found)
    return [set(each) for each in found]


def near(start: str, edits: int, permitted: Callable[[str], bool] = lambda text: True) -> set[str]:
    """By trying all strings."""
    return {
        text for text in ALL
        if len(text) == len(start) and text != start and permitted(text)
        and sum(a != b for a, b in zip(text, start, strict=True)) <= edits
    }  # fmt: skip


@pytest.mark.parametrize("edits", [0, 1, 2, 3, 4, 9])
def test_all_strings_within_the_budget_are_listed_once(edits: int) -> None:
    assert listed(task(*STARTS, max_edits=edits)) == [near(start, edits) for start in STARTS]


def test_kept_letters_stay_and_unknown_ones_are_filled_in() -> None:
    plain = task("ABCA", "A?CA")
    forced = torch.full_like(plain.tokens, -1)
    forced[0, 2] = 2
    kept, filled = listed(replace(plain, forced=forced))
    assert kept == near("ABCA", 2, lambda text: text[2] == "C")
    assert filled == near("A?CA", 2)
    assert len(filled) == 3 + 3 * 3 * 2


def test_only_letters_are_written_that_rules_permit() -> None:
    """No C at the first place of the first start; what the others' starts have may stay, permitted or not."""
    plain = task("ABCA", "CCCC")
    mask = torch.ones(2, 4, 3, dtype=torch.bool)
    mask[:, 0, 2] = False
    found = listed(replace(plain, rules=SimpleNamespace(mask=mask, length=4)))
    assert found[0] == near("ABCA", 2, lambda text: text[0] != "C")
    assert found[1] == near("CCCC", 2)


@pytest.mark.parametrize("most", [1, 5, 9, 20, 33, 50])
def test_few_are_as_many_as_can_be_listed(most: int, monkeypatch: pytest.MonkeyPatch) -> None:
    """ABCA has 33 strings within two edits, itself among them, BAB 19."""
    monkeypatch.setattr(few, "MOST", most)
    problem = task(*STARTS)
    expected = [len(near(start, 2)) + 1 <= most for start in STARTS]
    assert few.has_few(problem, torch.arange(4)).tolist() == expected


def test_there_are_never_few_without_a_budget_of_substitutions() -> None:
    for given in ({"max_edits": None}, {"indels": True}):
        assert not few.has_few(task(*STARTS, **given), torch.arange(4)).any()


def best_of(problem: DesignProblem, start: str, within: Callable[[str], bool]) -> float:
    """The largest outcome of natural strings near a start, by trying all; its own where none is better."""
    model = problem.model

    def outcome(text: str) -> float:
        return float(model.outcome(model.encode(*model.tokens([text])).mean))  # type: ignore[attr-defined]

    def nats(text: str) -> float:
        return float(NATS[["ABC".index(letter) for letter in text]].sum())

    assert problem.min_loglik_change is not None
    floor = nats(start) + problem.min_loglik_change
    return max(map(outcome, {start} | near(start, 2, lambda s: nats(s) >= floor and within(s))))


OPEN = ReviseOptions(alpha=-400.0, alpha_scale="relative", steps=1, restarts=0, rounds=0, width=1)


def test_the_best_string_is_found_however_little_is_searched() -> None:
    problem = task(*STARTS, min_loglik_change=-1.0)
    result = revise(problem, OPEN, 0)
    expected = [best_of(problem, start, lambda text: True) for start in STARTS]
    assert result.outcome.squeeze(1).tolist() == pytest.approx(expected)
    assert result.num_scored.tolist() == [len(near(start, 2)) for start in STARTS]


def texts(problem: DesignProblem, result: DesignResult) -> list[list[str]]:
    rows = zip(result.tokens, result.lengths, result.found, strict=True)
    return [problem.model.strings(t[f], n[f]) for t, n, f in rows]  # type: ignore[attr-defined]


def test_a_batch_gives_what_its_starts_give_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Also several designs of one start, and where starts of many and of few strings stand side by side."""
    monkeypatch.setattr(few, "MOST", 20)
    monkeypatch.setattr(method, "CPU_LETTERS", 1)
    for given in ({"top": 3}, {"top": 3, "min_distance": 2}, {"top": 40}):
        together = texts(problem := task(*STARTS, "AAA", **given), revise(problem, OPEN, 0))
        for start, designs in zip([*STARTS, "AAA"], together, strict=True):
            alone = task(start, **given)
            assert texts(alone, revise(alone, OPEN, 0)) == [designs]
        assert all(together)


def test_what_codes_near_the_start_decode_to_counts_beside_strings_with_codes_near_it() -> None:
    """Of the strings of a small ellipsoid none is better, but codes in it decode to B: the search goes on."""
    options = ReviseOptions(alpha=1.6, alpha_scale="radius", steps=6, rounds=1, survivors=2, width=4)
    problem = task(*STARTS)
    found = revise(problem, options, 0)
    assert bool((found.outcome[:, 0] > found.before.outcome).all())


def test_without_neighbours_only_what_codes_decode_to_is_scored(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*args: Any) -> Tensor:
        raise AssertionError("--neighbours 0 is the published way")

    monkeypatch.setattr(method, "all_within", refuse)
    options = ReviseOptions(alpha=-400.0, alpha_scale="relative", steps=2, neighbours=0, rounds=0)
    assert revise(task(*STARTS), options, 0).found.any()
