"""SEARCH: what its mutants are, by counting them, and that the best one is chosen."""

from __future__ import annotations

import math
from collections import Counter
from typing import Any

import pytest
import torch

from seqdesign.metrics.edits import levenshtein_pairs
from seqdesign.objectives.goals.maximize import maximize
from seqdesign.revisers.methods import search as module
from seqdesign.revisers.methods.search import _Mutants, search
from seqdesign.revisers.problem import DesignProblem
from seqdesign.revisers.revise_options import SearchOptions
from seqdesign.testing.toy import LinearOutcome
from seqdesign.testing.toy_latent import ToyLatentModel

LENGTH = 8
MODEL = ToyLatentModel(LinearOutcome(torch.linspace(1.0, 0.3, LENGTH)), letters=26, max_length=LENGTH)


def problem(*starts: str, keep: str = "", **rules: Any) -> DesignProblem:
    """``keep``: x where a position of every start is fixed."""
    tokens, lengths = MODEL.tokens(list(starts))
    if keep:
        forced = torch.full_like(tokens, -1)
        for position in (p for p, mark in enumerate(keep) if mark == "x"):
            forced[:, position] = tokens[:, position]
        rules["forced"] = forced
    return DesignProblem(MODEL, tokens, lengths, maximize, **rules)


def mutants(
    task: DesignProblem, candidates: int, mutations: int | None = None, seed: int = 0
) -> list[list[str]]:
    """All mutants of each start, repetitions included."""
    made = _Mutants(task, SearchOptions(candidates=candidates, operations=mutations), seed)
    found: list[list[str]] = [[] for _ in range(len(task.tokens))]
    for rows in made.blocks():
        owners, tokens, lengths = made.draw(rows)
        texts = MODEL.strings(torch.from_numpy(tokens), torch.from_numpy(lengths))
        for owner, text in zip(owners.tolist(), texts, strict=True):
            found[owner].append(text)
    return found


def check_share(count: int, total: int, expected: float) -> None:
    """A share of a random count, to four standard errors."""
    assert abs(count / total - expected) <= 4 * math.sqrt(expected * (1 - expected) / total)


@pytest.mark.parametrize(
    "rules", [{}, {"min_length": 5}, {"min_length": 6, "keep": "x..x"}, {"keep": "......"}], ids=str
)
@pytest.mark.parametrize("mutations", [1, 3, 6])
def test_mutants_are_within_that_many_edits_and_obey_the_bounds(
    rules: dict[str, Any], mutations: int
) -> None:
    starts = ["ABCDEF", "ZZZZZZ", "QWERTYUI", "ABABAB"]
    task = problem(*starts, **rules)
    for start, made in zip(starts, mutants(task, 300, mutations), strict=True):
        edits = levenshtein_pairs([start] * 300, made)
        assert edits.max() == mutations or mutations > 3
        assert edits.max() <= mutations
        assert all(task.min_length <= len(text) <= LENGTH for text in made)
        if rules.get("keep") == "x..x":
            assert {text[0] + text[3] for text in made} == {start[0] + start[3]}
            assert len({text[1] for text in made}) > 1


@pytest.mark.parametrize(
    ("start", "min_length", "operations"),
    [("ABCDEF", 1, "nsdi"), ("ABCDEF", 6, "nsi"), ("ABCDEFGH", 1, "nsd"), ("ABCDEFGH", 8, "ns")],
)
def test_operations_that_apply_are_equally_frequent(start: str, min_length: int, operations: str) -> None:
    """One operation: nothing, substitute, delete, insert. 1 of 26 substitutions changes nothing."""
    total = 20_000
    (made,) = mutants(problem(start, min_length=min_length), total, 1)
    each = 1 / len(operations)
    change = Counter(len(text) - len(start) for text in made)
    check_share(change[-1], total, each if "d" in operations else 0.0)
    check_share(change[1], total, each if "i" in operations else 0.0)
    check_share(sum(text == start for text in made), total, each + each / 26)
    assert set(change) <= {-1, 0, 1}


def test_places_and_letters_are_uniform() -> None:
    """All letters of the start differ, so a substitution, a deletion and an inserted Z show their place."""
    total, start = 60_000, "ABCDEF"
    (made,) = mutants(problem(start), total, 1)
    deleted = Counter("".join(set(start) - set(text)) for text in made if len(text) == 5)
    inserted = Counter(text.index("Z") for text in made if len(text) == 7 and "Z" in text)
    changed = [
        (place, letter)
        for text in made
        if len(text) == 6 and text != start
        for place, letter in enumerate(text)
        if letter != start[place]
    ]
    assert set(deleted) == set(start)
    assert set(inserted) == set(range(7))
    for count in deleted.values():
        check_share(count, sum(deleted.values()), 1 / 6)
    for count in inserted.values():
        check_share(count, sum(inserted.values()), 1 / 7)
    for count in Counter(place for place, _ in changed).values():
        check_share(count, len(changed), 1 / 6)
    letters = Counter(letter for _, letter in changed)
    for letter in "GZ":
        check_share(letters[letter], len(changed), 1 / 25)


def test_what_applies_is_decided_anew_for_each_operation() -> None:
    """From the shortest length 1 in 3 grow; from the longest 1 in 3 shrink: 2/9 + 2/9 are long after two."""
    total = 20_000
    (made,) = mutants(problem("ABCDEFG", min_length=7), total, 2)
    check_share(sum(len(text) == 8 for text in made), total, 4 / 9)
    assert {len(text) for text in made} == {7, 8}


def test_fixed_positions_are_never_drawn_and_nothing_before_them_moves() -> None:
    """Positions 1 and 3 are fixed: 2, 4, 5 can be substituted, 4, 5 deleted, letters inserted from 4 on."""
    total = 20_000
    (made,) = mutants(problem("ABCDE", keep="x.x"), total, 1)
    assert all(text[0] == "A" and text[2] == "C" for text in made)
    assert {text[1] == "B" for text in made if len(text) != 5} == {True}
    assert {text for text in made if len(text) == 4} == {"ABCE", "ABCD"}
    assert {text.index("Z") for text in made if len(text) == 6 and "Z" in text} == {3, 4, 5}
    substituted = [text for text in made if len(text) == 5 and text != "ABCDE"]
    check_share(sum(text[1] != "B" for text in substituted), len(substituted), 1 / 3)


@pytest.mark.parametrize(("start", "kinds"), [("ABC", {0, 1}), ("ABCDEFGH", {0})])
def test_when_everything_is_fixed_a_string_can_only_grow_at_its_end(start: str, kinds: set[int]) -> None:
    (made,) = mutants(problem(start, keep="x" * len(start)), 500, 2)
    assert {min(1, len(text) - len(start)) for text in made} == kinds
    assert all(text.startswith(start) for text in made)


@pytest.mark.parametrize(
    ("mutations", "max_edits", "most"),
    [(None, None, 3), (None, 2, 2), (5, None, 5), (5, 2, 2), (1, 4, 1), (None, 0, 0)],
)
def test_the_number_of_operations(mutations: int | None, max_edits: int | None, most: int) -> None:
    """As asked, else the edit budget, else 3; never more than the budget."""
    start = "ABCDEF"
    (made,) = mutants(problem(start, max_edits=max_edits), 3000, mutations)
    assert levenshtein_pairs([start] * 3000, made).max() == most


def test_unknown_letters_are_filled_in_first_and_take_their_share_of_the_budget() -> None:
    total = 10_000
    none, one, two = mutants(problem("A????F", "AB??EF", "AB?DEF", max_edits=3), total)
    assert none == []
    assert all("?" not in text for text in one + two)
    kept = [text for text in one if len(text) == 6 and text[:2] + text[4:] == "ABEF"]
    check_share(sum(text[2] == "Q" for text in kept), len(kept), 1 / 26)
    assert max(Counter(len(text) for text in one)) == 7
    assert max(Counter(len(text) for text in two)) == 8


def test_every_start_gets_all_its_candidates_however_they_are_divided(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    starts = ["ABCDEF", "A?C", "ZZ", "A????F", "QWERTYUI"]
    whole = mutants(problem(*starts, max_edits=2), 40)
    assert [len(made) for made in whole] == [40, 40, 40, 0, 40]
    monkeypatch.setattr(module, "_DRAWS", 1)
    assert mutants(problem(*starts, max_edits=2), 40) == whole


def test_the_mutants_that_count_are_the_ones_scored_and_the_best_of_them_wins() -> None:
    starts = ["ABCDEF", "ZZ", "MMMM"]
    task = problem(*starts, max_edits=2, top=3)
    result = search(task, SearchOptions(candidates=50), 4)
    for i, (start, made) in enumerate(zip(starts, mutants(task, 50, seed=4), strict=True)):
        different = sorted(set(made) - {start})
        outcome = MODEL.outcome(MODEL.encode(*MODEL.tokens(different)).mean)
        assert int(result.num_scored[i]) == len(different)
        best = outcome.sort(descending=True).values[:3].where(result.found[i], result.before.outcome[i])
        torch.testing.assert_close(result.outcome[i], best)
    assert bool(result.outcome_at_code.isnan().all())
    assert result.latent is None


def test_another_seed_and_another_start_give_other_mutants() -> None:
    first, second = mutants(problem("ABCDEF", "ABCDEG"), 50)
    (other,) = mutants(problem("ABCDEF"), 50, seed=1)
    assert first != other
    assert first != [text.replace("G", "F") for text in second]
