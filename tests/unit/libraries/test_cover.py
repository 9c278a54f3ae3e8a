"""Sublibraries hold their members, stay within the size, and are as good as an exhaustive search."""

from __future__ import annotations

import itertools
import math

import numpy as np
import pytest

from seqdesign.errors import InputError
from seqdesign.libraries.cover import cover
from seqdesign.libraries.degenerate import base_codes, codon_codes, expansions
from seqdesign.sequences.genetic_code import genetic_code


def decoded(one):
    """All products of a sublibrary, by writing out its DNA."""
    table = genetic_code().acids
    parts = [
        {table[codon] for codon in expansions(code)} if len(code) == 3 else set(expansions(code))
        for code in one.codes
        if code != "-"
    ]
    return {"".join(letters) for letters in itertools.product(*parts)}


def targets(num, length, letters, seed):
    rng = np.random.default_rng(seed)
    return ["".join(rng.choice(list(letters), length)) for _ in range(num)]


@pytest.mark.parametrize("stops", [True, False])
def test_every_member_decodes_and_sizes_are_right(stops):
    wanted = targets(30, 6, "ACDEKLS", 0)
    found = cover(wanted, codon_codes(stops), 500, 3, searches=2, steps=1500)
    assert 1 <= len(found) <= 3
    assert sum(one.size for one in found) <= 500
    for one in found:
        products = decoded(one)
        assert {i for i, text in enumerate(wanted) if text in products} == set(one.members)
        assert len(products) == one.num_products <= one.size == math.prod(one.factors)
        assert len(one.dna) == 18
        if not stops:
            assert not any("*" in product for product in products)


def test_one_sublibrary_is_as_good_as_the_best_of_all_subsets():
    wanted = targets(10, 5, "ACGT", 1)
    best = 0
    for picks in itertools.product([False, True], repeat=len(wanted)):
        chosen = [text for text, pick in zip(wanted, picks, strict=True) if pick]
        if chosen and math.prod(len(set(column)) for column in zip(*chosen, strict=True)) <= 40:
            best = max(best, len(chosen))
    found = cover(wanted, base_codes(), 40, 1, searches=4, steps=800)
    assert len(found[0].members) == best


def test_more_sublibraries_hold_more_and_enough_hold_all():
    wanted = targets(12, 8, "ACGT", 2)
    counts = [
        len({i for one in cover(wanted, base_codes(), 16, k, searches=2, steps=800) for i in one.members})
        for k in (1, 4, 12)
    ]
    assert counts[0] < counts[1] <= counts[2] == 12


def test_gaps_are_in_all_members_of_a_sublibrary_or_in_none():
    found = cover(["AC-T", "ACGT", "AG-T", "AGGT"], base_codes(), 4, 2, searches=1, steps=300)
    assert sorted(one.members for one in found) == [(0, 2), (1, 3)]
    assert sorted(one.dna for one in found) == ["ASGT", "AST"]


def test_equal_targets_count_each_and_the_seed_decides():
    assert len(cover(["ACGT"] * 3, base_codes(), 1, 2, searches=1, steps=50)[0].members) == 3
    wanted = targets(20, 6, "ACGT", 3)
    runs = [cover(wanted, base_codes(), 64, 2, searches=2, steps=300, seed=5) for _ in range(2)]
    assert runs[0] == runs[1]


@pytest.mark.parametrize(
    ("wanted", "message"),
    [
        (["ACG", "AC"], "targets have 2 to 3 letters; align"),
        (["ACG", "AXG"], "target 2 has 'X' at position 2"),
    ],
)
def test_what_cannot_be_covered_is_named(wanted, message):
    with pytest.raises(InputError, match=message):
        cover(wanted, base_codes(), 10, 1)
