"""What every constraint promises, over the registry, on alphabets small enough to look at every sequence.

A member is a function of the text of its option and ``Starts``. CASES gives each of them texts for designs of
six letters of DNA; protein stands for alphabets without complement.
"""

from __future__ import annotations

import itertools
from functools import lru_cache

import pytest
import torch
from torch import Tensor

from seqdesign.constraints.constraint import Constraint
from seqdesign.constraints.rules import Rules
from seqdesign.constraints.starts import Starts
from seqdesign.registry import Registry
from seqdesign.sequences.alphabets import get_alphabet

REGISTRY = Registry("constraint", "seqdesign.constraints.builtin", "seqdesign.constraints")
DNA = get_alphabet("dna")
LENGTH = 6
STARTS = ["ATGGCA", "CTGTAA", "GGGGGG"]
CASES = {
    "forbid": ["GGN", "ACGT", "WWW", "A", "NNNNNNN", "RAY"],
    "gc": ["0.5-0.5", "0.1-0.4", "0-1"],
    "gc-window": ["2:0.5-1", "4:0.25-0.5", "6:0.5-0.5", "1:0-0"],
    "keep": ["1", "2-3,6"],
    "length": ["6-9", "2-6"],
    "max-edits": ["1", "3"],
    "max-homopolymer": ["1", "2,G:1", "T:3"],
    "template": ["NNNNNN", "ANSWRG"],
    "translate": ["1-6", "4-6", "6-1", "4-2"],
}
PAIRS = [(name, text) for name in REGISTRY.names() for text in CASES.get(name, [])]
MIXES = [
    [("forbid", "GC"), ("gc", "0.5-0.5"), ("max-homopolymer", "1")],
    [("translate", "1-6"), ("gc-window", "3:0.3-0.7"), ("forbid", "TAA")],
    [("keep", "4-6"), ("forbid", "AGG"), ("max-edits", "2"), ("gc", "0.3-0.7")],
    [("template", "NNNGNN"), ("forbid", "NGN"), ("gc-window", "2:0.5-0.5")],
]


def starts(texts: list[str] = STARTS, shortest: int | None = None) -> Starts:
    rows = [[DNA.letters.index(c) for c in text] for text in texts]
    longest = max(map(len, rows))
    tokens = torch.tensor([row + [DNA.size + 3] * (longest - len(row)) for row in rows])
    lengths = torch.tensor([len(row) for row in rows])
    return Starts(DNA, tokens, lengths, longest if shortest is None else shortest)


def make(parts: list[tuple[str, str]], own: Starts | None = None) -> tuple[Rules, list[Constraint]]:
    own = starts() if own is None else own
    found = [REGISTRY.load(name)(text, own) for name, text in parts]
    rules = Rules(found, num_starts=len(own.tokens), length=own.length, num_letters=4, shortest=own.shortest)
    return rules, found


@lru_cache
def every(length: int = LENGTH) -> Tensor:
    """All 4^L sequences."""
    return torch.tensor(list(itertools.product(range(4), repeat=length)))


@lru_cache
def every_up_to(shortest: int, length: int) -> Tensor:
    """All sequences of some lengths, padded."""
    parts = [every(n) for n in range(shortest, length + 1)]
    return torch.cat([torch.nn.functional.pad(x, (0, length - x.shape[1]), value=7) for x in parts])


ALL = [[pair] for pair in PAIRS] + MIXES
IDS = ["+".join(f"{n} {t}" for n, t in parts) for parts in ALL]


@pytest.fixture(params=ALL, ids=IDS)
def parts(request: pytest.FixtureRequest) -> list[tuple[str, str]]:
    return request.param


def test_every_member_of_the_registry_has_a_case() -> None:
    assert set(REGISTRY.names()) == set(CASES)


def test_explain_is_empty_exactly_when_a_sequence_is_feasible(parts: list[tuple[str, str]]) -> None:
    rules, found = make(parts)
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


def test_the_mask_never_excludes_a_feasible_sequence(parts: list[tuple[str, str]]) -> None:
    _, found = make(parts)
    for constraint in found:
        mask = constraint.mask()
        for row in range(len(STARTS) if mask is not None else 0):
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


def test_a_walk_lets_pass_exactly_the_feasible_sequences(parts: list[tuple[str, str]]) -> None:
    """So no prefix of a feasible sequence is ever refused."""
    rules, _ = make(parts)
    for row in range(len(STARTS)):
        good = rules.is_feasible(every(), torch.full((4**LENGTH,), row))
        assert torch.equal(followed(rules, every(), row), good)


FREE = [[pair] for pair in PAIRS if pair[0] in ("forbid", "gc", "max-homopolymer", "keep")] + [
    [("gc", "0.5-0.5"), ("forbid", "GC"), ("length", "3-4")],
    [("gc-window", "2:0.5-1"), ("gc", "0.5-0.6"), ("keep", "2")],
    [("gc-window", "4:0.5-0.5"), ("max-homopolymer", "2")],
    [("length", "4-6")],
]


@pytest.mark.parametrize("parts", FREE, ids=["+".join(f"{n} {t}" for n, t in p) for p in FREE])
@pytest.mark.parametrize("shortest", [1, 4])
def test_with_lengths_that_vary_a_walk_lets_pass_exactly_the_feasible_sequences(
    parts: list[tuple[str, str]], shortest: int
) -> None:
    own = starts(["ATGGCA", "CTGTAA"], shortest)
    rules, _ = make(parts, own)
    sequences = every_up_to(1, 5)
    sequences = torch.nn.functional.pad(sequences, (0, 1), value=7)
    for row in range(2):
        good = rules.is_feasible(sequences, torch.full((len(sequences),), row))
        assert torch.equal(followed(rules, sequences, row), good)
        long_enough = (sequences < 4).sum(1) >= shortest
        some = long_enough.nonzero().flatten()[::50]
        assert [not rules.explain(x, row) for x in sequences[some]] == good[some].tolist()


def test_a_repaired_sequence_is_feasible_whenever_there_is_one(parts: list[tuple[str, str]]) -> None:
    """And where there is none, repair says so."""
    rules, _ = make(parts)
    preference = torch.randn(30, LENGTH, 4, generator=torch.Generator().manual_seed(2))
    rows = torch.arange(30) % len(STARTS)
    kept = preference.clone()
    tokens, good = rules.repair(preference, rows)
    assert torch.equal(preference, kept)
    assert torch.equal(good, rules.is_feasible(tokens, rows))
    exist = torch.stack([rules.is_feasible(every(), torch.full((4**LENGTH,), r)).any() for r in range(3)])
    assert torch.equal(good, exist[rows])


def test_repairing_leaves_the_best_letters_alone_where_they_are_feasible(
    parts: list[tuple[str, str]],
) -> None:
    """So a repaired sequence is repaired to itself; and rows do not depend on each other."""
    rules, _ = make(parts)
    preference = torch.randn(9, LENGTH, 4, generator=torch.Generator().manual_seed(3))
    rows = torch.arange(9) % len(STARTS)
    tokens, good = rules.repair(preference, rows)
    again, _ = rules.repair(torch.nn.functional.one_hot(tokens, 4).float(), rows)
    assert torch.equal(again[good], tokens[good])
    for i in range(9):
        single, _ = rules.repair(preference[i : i + 1], rows[i : i + 1])
        assert torch.equal(single[0], tokens[i])


def test_a_repair_keeps_as_much_preference_as_the_best_feasible_sequence(
    parts: list[tuple[str, str]],
) -> None:
    """By looking at all of them; a beam of 16 is nearly exact for six letters."""
    rules, _ = make(parts)
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
