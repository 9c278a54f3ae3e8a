"""What every constraint promises, on alphabets small enough to look at every sequence.

A constraint is made by a function of the text of its option and ``Starts``; the designs here have six letters
of DNA.
"""

from __future__ import annotations

import itertools
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache

import torch
from torch import Tensor

from seqdesign.constraints.constraint import Constraint
from seqdesign.constraints.rules import Rules
from seqdesign.constraints.starts import Starts
from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.testing.battery import Battery, name_of

Make = Callable[[str, Starts], Constraint]
DNA = get_alphabet("dna")
LENGTH = 6
STARTS = ["ATGGCA", "CTGTAA", "GGGGGG"]


@dataclass(frozen=True)
class Parts:
    """Constraints that hold together: functions with their texts."""

    makes: tuple[tuple[Make, str], ...]

    def __call__(self, own: Starts | None = None) -> tuple[Rules, list[Constraint]]:
        """All of them for some starts."""
        own = starts() if own is None else own
        found = [make(text, own) for make, text in self.makes]
        rules = Rules(
            found, num_starts=len(own.tokens), length=own.length, num_letters=4, shortest=own.shortest
        )
        return rules, found


CHECKS: Battery[Parts] = Battery("constraint")


def check_constraint(
    make: Make,
    text: str,
    *,
    beside: Sequence[tuple[Make, str]] = (),
    name: str | None = None,
    checks: Iterable[str] | None = None,
    expected_failures: Mapping[str, str] | None = None,
) -> None:
    """Check that a constraint keeps the promises of the options of ``maximize``, over all short sequences.

    Args:
        make: ``make(text, starts)`` gives a `Constraint`, or refuses starts whose length may vary with a
            UsageError.
        text: as typed on the command line, for designs of six letters of DNA from the starts ATGGCA, CTGTAA
            and GGGGGG. Call the check with several, some of them without any solution.
        beside: further constraints that must hold at the same time.
        name: what messages call it; the name of the function and the text when not given.
        checks: names of the checks to run, of `constraint_checks()`; all of them when None.
        expected_failures: check -> why it fails; one that passes is an error.

    Raises:
        AssertionError: lists all checks that fail.
        UsageError: a check that does not exist.

    Example:
        >>> check_constraint(end_with, "RG")
    """
    called = name or f"{name_of(make)} {text}"
    parts = Parts(((make, text), *beside))
    CHECKS.run(parts, name=called, checks=checks, expected_failures=expected_failures)


def constraint_checks() -> list[str]:
    """Names of the checks of `check_constraint`."""
    return CHECKS.names()


def starts(texts: list[str] = STARTS, shortest: int | None = None) -> Starts:
    """Sequences as the starts of a design problem."""
    rows = [[DNA.letters.index(c) for c in text] for text in texts]
    longest = max(map(len, rows))
    tokens = torch.tensor([row + [DNA.size + 3] * (longest - len(row)) for row in rows])
    lengths = torch.tensor([len(row) for row in rows])
    return Starts(DNA, tokens, lengths, longest if shortest is None else shortest)


@lru_cache
def every(length: int = LENGTH) -> Tensor:
    """All 4^L sequences."""
    return torch.tensor(list(itertools.product(range(4), repeat=length)))


@lru_cache
def every_up_to(shortest: int, length: int) -> Tensor:
    """All sequences of some lengths, padded."""
    parts = [every(n) for n in range(shortest, length + 1)]
    return torch.cat([torch.nn.functional.pad(x, (0, length - x.shape[1]), value=7) for x in parts])


@CHECKS.check()
def explain_is_empty_exactly_when_a_sequence_is_feasible(parts: Parts) -> None:
    rules, found = parts()
    sequences = every()[torch.randperm(4**LENGTH, generator=torch.Generator().manual_seed(1))[:40]]
    for row in range(len(STARTS)):
        rows = torch.full((len(sequences),), row)
        good = rules.is_feasible(sequences, rows).tolist()
        assert good == [not rules.explain(x, row) for x in sequences]
        for constraint in found:
            own = constraint.is_feasible(sequences, rows).tolist()
            assert own == [not constraint.explain(x, row) for x in sequences]
    for violation in rules.explain(sequences[0], 0):
        assert violation.constraint.startswith("--")
        assert violation.first is None or 1 <= violation.first <= (violation.last or 0) <= LENGTH


@CHECKS.check()
def the_mask_never_excludes_a_feasible_sequence(parts: Parts) -> None:
    _, found = parts()
    for constraint in found:
        mask = constraint.mask()
        if mask is None:
            continue
        for row in range(len(STARTS)):
            own = mask[min(row, len(mask) - 1)]
            inside = own[torch.arange(LENGTH), every()].all(1)
            good = constraint.is_feasible(every(), torch.full((4**LENGTH,), row))
            assert not bool((good & ~inside).any())


def followed(rules: Rules, sequences: Tensor, row: int) -> Tensor:
    """Which sequences a walk from left to right lets pass, END included where lengths vary."""
    rows = torch.full((len(sequences),), row)
    state, alive = rules.start(rows), torch.ones(len(sequences), dtype=torch.bool)
    ended = torch.zeros_like(alive)
    for t in range(sequences.shape[1] + 1):
        last = t == sequences.shape[1]
        ends = torch.ones_like(ended) if last else sequences[:, t] >= 4
        now = ends & ~ended
        alive &= ~now | rules.may_end(state, rows, t)
        ended |= ends
        if last:
            break
        letters = sequences[:, t].clamp(max=3)
        may = rules.letters(state, rows, t).gather(1, letters.unsqueeze(1)).squeeze(1)
        alive &= may | ended
        state = rules.advance(state, letters, rows, t)
    return alive


@CHECKS.check()
def a_walk_lets_pass_exactly_the_feasible_sequences(parts: Parts) -> None:
    """So no prefix of a feasible sequence is ever refused."""
    rules, _ = parts()
    for row in range(len(STARTS)):
        good = rules.is_feasible(every(), torch.full((4**LENGTH,), row))
        assert torch.equal(followed(rules, every(), row), good)


@CHECKS.check(shortest=(1, 4))
def with_lengths_that_vary_a_walk_lets_pass_exactly_the_feasible_sequences(
    parts: Parts, shortest: int
) -> None:
    """Unless the constraint refuses such starts."""
    try:
        rules, _ = parts(starts(["ATGGCA", "CTGTAA"], shortest))
    except UsageError:
        return
    sequences = every_up_to(1, 5)
    sequences = torch.nn.functional.pad(sequences, (0, 1), value=7)
    for row in range(2):
        good = rules.is_feasible(sequences, torch.full((len(sequences),), row))
        assert torch.equal(followed(rules, sequences, row), good)
        long_enough = (sequences < 4).sum(1) >= shortest
        some = long_enough.nonzero().flatten()[::50]
        assert [not rules.explain(x, row) for x in sequences[some]] == good[some].tolist()


@CHECKS.check()
def a_repaired_sequence_is_feasible_whenever_there_is_one(parts: Parts) -> None:
    """And where there is none, repair says so."""
    rules, _ = parts()
    preference = torch.randn(30, LENGTH, 4, generator=torch.Generator().manual_seed(2))
    rows = torch.arange(30) % len(STARTS)
    kept = preference.clone()
    tokens, good = rules.repair(preference, rows)
    assert torch.equal(preference, kept)
    assert torch.equal(good, rules.is_feasible(tokens, rows))
    exist = torch.stack([rules.is_feasible(every(), torch.full((4**LENGTH,), r)).any() for r in range(3)])
    assert torch.equal(good, exist[rows])


@CHECKS.check()
def repairing_leaves_the_best_letters_alone_where_they_are_feasible(parts: Parts) -> None:
    """So a repaired sequence is repaired to itself; and rows do not depend on each other."""
    rules, _ = parts()
    preference = torch.randn(9, LENGTH, 4, generator=torch.Generator().manual_seed(3))
    rows = torch.arange(9) % len(STARTS)
    tokens, good = rules.repair(preference, rows)
    again, _ = rules.repair(torch.nn.functional.one_hot(tokens, 4).float(), rows)
    assert torch.equal(again[good], tokens[good])
    for i in range(9):
        single, _ = rules.repair(preference[i : i + 1], rows[i : i + 1])
        assert torch.equal(single[0], tokens[i])


@CHECKS.check()
def a_repair_keeps_as_much_preference_as_the_best_feasible_sequence(parts: Parts) -> None:
    """By looking at all of them; a beam of 16 is nearly exact for six letters."""
    rules, _ = parts()
    preference = torch.randn(12, LENGTH, 4, generator=torch.Generator().manual_seed(4))
    rows = torch.arange(12) % len(STARTS)
    tokens, good = rules.repair(preference, rows)
    total = preference.gather(2, tokens.unsqueeze(2)).sum((1, 2))
    gaps = []
    for i in good.nonzero().flatten().tolist():
        feasible = every()[rules.is_feasible(every(), rows[i].expand(4**LENGTH))]
        best = preference[i].gather(1, feasible.T).sum(0).max()
        assert total[i] <= best + 1e-5
        gaps.append(float(best - total[i]))
    assert not gaps or sum(gap < 1e-5 for gap in gaps) >= 0.7 * len(gaps)
