"""Repeats and hairpins against plain text search."""

from __future__ import annotations

import random

import pytest
import torch

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.options import LetterRules
from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import get_alphabet

DNA = get_alphabet("dna")


def tokens_of(text: str) -> torch.Tensor:
    return torch.tensor([[DNA.letters.index(c) for c in text]])


def repeats(text: str, k: int) -> bool:
    words = [text[i : i + k] for i in range(len(text) - k + 1)]
    return any(
        words[i] == words[j] or words[i] == DNA.reverse_complement(words[j])
        for j in range(len(words))
        for i in range(j)
    )


def hairpins(text: str, stem: int, low: int, high: int) -> bool:
    return any(
        text[i : i + stem] == DNA.reverse_complement(text[i + stem + loop : i + 2 * stem + loop])
        for loop in range(low, high + 1)
        for i in range(len(text) - 2 * stem - loop + 1)
    )


def test_repeats_and_hairpins_are_those_of_plain_search() -> None:
    rng = random.Random(3)
    found = [0, 0]
    for _ in range(150):
        text = "".join(rng.choices("ACGT", k=40))
        for i, (options, truth) in enumerate(
            [
                (LetterRules(repeat=6), repeats(text, 6)),
                (LetterRules(hairpin=("4:3-9",)), hairpins(text, 4, 3, 9)),
            ]
        ):
            rules = build_rules(options, DNA, tokens_of(text))
            assert bool(rules.is_feasible(tokens_of(text), torch.zeros(1, dtype=torch.long))) != truth
            assert bool(rules.explain(tokens_of(text)[0], 0)) == truth
            found[i] += truth
    assert min(found) > 20


def test_a_repeat_is_one_violation_with_both_places() -> None:
    text = "ACGTTGCAGGTA" + "CCCC" + "ACGTTGCAGGTA"
    rules = build_rules(LetterRules(repeat=10), DNA, tokens_of(text))
    (found,) = rules.explain(tokens_of(text)[0], 0)
    assert str(found) == "12 letters repeat those at 1-12 at 17-28"
    assert found.code == "repeat:10@17-28"
    text = "ACGTTGCAGGTA" + "CCCC" + DNA.reverse_complement("ACGTTGCAGGTA")
    rules = build_rules(LetterRules(repeat=10, hairpin=("12:3-5",)), DNA, tokens_of(text))
    messages = [str(v) for v in rules.explain(tokens_of(text)[0], 0)]
    assert "12 letters are the reverse complement of those at 1-12 at 17-28" in messages
    assert "a stem of 12 letters with those at 1-12 at 17-28" in messages


def test_long_sequences_are_mended_with_few_changes() -> None:
    rng = random.Random(1)
    word = "".join(rng.choices("ACGT", k=30))
    text = word + "".join(rng.choices("ACGT", k=150)) + word
    rules = build_rules(LetterRules(repeat=20), DNA, tokens_of(text))
    wish = torch.nn.functional.one_hot(tokens_of(text), 4).float()
    mended, good = rules.repair(wish, torch.zeros(1, dtype=torch.long))
    assert bool(good)
    assert int((mended != tokens_of(text)).sum()) <= 2


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (LetterRules(repeat=30), "no word of 30 letters can occur twice"),
        (LetterRules(hairpin=("12",)), "must be the letters of the stem"),
        (LetterRules(hairpin=("14:3-5",)), "such a hairpin has 31 letters at least"),
        (LetterRules(gc_difference="40:0.5"), "have no two windows of 40"),
        (LetterRules(tm="65-55"), "the lower first"),
        (LetterRules(allow="31:A"), "names position 31, but the designs have 30"),
        (LetterRules(allow="3:A,3:C"), r"leaves no letter for position 3 \(A and C\)"),
        (LetterRules(allow="A3"), "must be positions and their letters"),
    ],
)
def test_rules_that_mean_nothing_are_refused(options: LetterRules, message: str) -> None:
    with pytest.raises(UsageError, match=message):
        build_rules(options, DNA, torch.zeros(1, 30, dtype=torch.long))


def test_letters_by_position_speak_the_numbers_of_the_wild_type() -> None:
    rules = build_rules(LetterRules(allow="-1:A,1-2:-AC"), DNA, torch.zeros(1, 4, dtype=torch.long), first=-1)
    assert rules.mask[0].tolist() == [
        [True, False, False, False],
        [True, True, True, True],
        [False, False, True, True],
        [False, False, True, True],
    ]
    with pytest.raises(UsageError, match="positions count from 5"):
        build_rules(LetterRules(allow="4:A"), DNA, torch.zeros(1, 4, dtype=torch.long), first=5)
