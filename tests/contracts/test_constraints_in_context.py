"""Rules on a construct keep the promises of constraints, and see what lies across its junctions."""

from __future__ import annotations

import random
from functools import partial

import pytest
import torch

from seqdesign.constraints.build import build_rules
from seqdesign.constraints.constraint import Constraint
from seqdesign.constraints.context import context_of, in_context
from seqdesign.constraints.options import LetterRules
from seqdesign.constraints.starts import Starts
from seqdesign.errors import UsageError
from seqdesign.registry import Registry
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.testing import check_constraint, constraint_checks

REGISTRY = Registry("constraint", "seqdesign.constraints.builtin", "seqdesign.constraints")
DNA = get_alphabet("dna")
CASES = [
    ("forbid", "RGG", "A", "C", False),
    ("forbid", "ACG", "", "", True),
    ("gc", "0.5-0.5", "GG", "AC", False),
    ("gc-window", "4:0.25-0.5", "AG", "TC", True),
    ("hairpin", "2:0-1", "", "", True),
    ("repeat", "3", "", "", True),
    ("synthesis", "twist", "ACG", "T", True),
    ("tm", "20-40", "ACG", "TG", False),
]


def around(name: str, left: str, right: str, circular: bool, text: str, starts: Starts) -> Constraint:
    context = context_of(left, right, circular, DNA, torch.device("cpu"))
    assert context is not None
    return in_context(REGISTRY.load(name), text, starts, context)


CHECKS = [name for name in constraint_checks() if "walk" in name or "explain" in name]
"""What a construct changes; the other promises follow from these."""


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize(("name", "text", "left", "right", "circular"), CASES)
def test_a_constraint_on_the_construct_keeps_its_promises(
    name: str, text: str, left: str, right: str, circular: bool, check: str
) -> None:
    check_constraint(partial(around, name, left, right, circular), text, name=name, checks=[check])


def sites(construct: str, circular: bool, patterns: list[str]) -> int:
    """Occurrences on either strand, by plain search in the text as it is made."""
    read = construct + (construct[:5] if circular else "")
    both = read + "|" + DNA.reverse_complement(read)
    return sum(both.count(pattern) for pattern in patterns)


@pytest.mark.parametrize("circular", [False, True])
def test_no_site_is_left_across_a_junction(circular: bool) -> None:
    """A few of the 10,000 constructs of benchmarks/rules/junctions.py."""
    rng = random.Random(5)
    patterns = ["GAATTC", "GGTCTC", "GCGG"]
    seen = 0
    for seed in range(100):
        left, right = ("".join(rng.choices("ACGT", k=rng.randint(0, 5))) for _ in range(2))
        options = LetterRules(
            forbid=tuple(patterns), left=left or None, right=right or None, circular=circular
        )
        starts = torch.randint(4, (1, rng.randint(6, 12)), generator=torch.Generator().manual_seed(seed))
        try:
            rules = build_rules(options, DNA, starts)
        except UsageError as error:
            assert "by itself" in str(error)
            continue
        wish = torch.nn.functional.one_hot(starts, 4).float()
        tokens, good = rules.repair(wish, torch.zeros(1, dtype=torch.long))
        text = "".join(DNA.letters[i] for i in tokens[0].tolist())
        assert bool(good)
        assert sites(left + text + right, circular, patterns) == 0
        start = "".join(DNA.letters[i] for i in starts[0].tolist())
        broken = sites(left + start + right, circular, patterns) > 0
        assert broken == bool(rules.explain(starts[0], 0))
        seen += broken
    assert seen >= 3


def test_a_flank_that_breaks_a_rule_and_a_circle_that_is_too_small_are_refused() -> None:
    starts = torch.zeros(1, 6, dtype=torch.long)
    with pytest.raises(UsageError, match=r"--left: breaks --forbid EcoRI by itself.*--without-flanks forbid"):
        build_rules(LetterRules(forbid=("EcoRI",), left="AGAATTCA"), DNA, starts)
    build_rules(LetterRules(forbid=("EcoRI",), left="AGAATTCA", without_flanks=("forbid",)), DNA, starts)
    with pytest.raises(UsageError, match="looks at 8 letters in a row"):
        build_rules(LetterRules(forbid=("GCGGCCGC",), circular=True), DNA, starts)
    with pytest.raises(UsageError, match="position 3 is 'N'"):
        build_rules(LetterRules(right="ACN"), DNA, starts)


def test_places_are_those_of_the_design() -> None:
    starts = torch.tensor([[3, 1, 0, 0, 2, 0, 0, 3]])  # TCAAGAAT
    rules = build_rules(LetterRules(forbid=("GAATTC",), right="TCGG"), DNA, starts)
    assert [v.code for v in rules.explain(starts[0], 0)] == ["forbid:GAATTC@5-8"]
    rules = build_rules(LetterRules(forbid=("GAATTC",), circular=True), DNA, starts)
    (found,) = rules.explain(starts[0], 0)
    assert str(found) == "GAATTC across the ends of the circle at 5-8"
