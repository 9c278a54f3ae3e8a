"""Scans have every variant once, under its name."""

from __future__ import annotations

import pytest
from Bio.Seq import Seq

from seqdesign.errors import InputError, UsageError
from seqdesign.libraries.scans import chosen, deletions, nnk, single


def test_single_substitutions_are_all_neighbours():
    found = list(single("ACG", "ACGT", chosen(None, 3)))
    assert len({v.sequence for v in found}) == 9
    assert {v.name for v in found if v.position == 1} == {"A1C", "A1G", "A1T"}


def test_deletions_of_equal_letters_appear_once():
    assert [v.name for v in deletions("AAC", 1, [0, 1, 2])] == ["A1del", "C3del"]
    assert [(v.name, v.sequence) for v in deletions("ACGT", 3, range(4))] == [
        ("A1_G3del", "T"),
        ("C2_T4del", "A"),
    ]


def test_nnk_stands_at_one_codon_and_the_others_translate():
    found = list(nnk("MKL", protein=True, usage={"AAA": 1.0}, positions="2-3"))
    assert [v.name for v in found] == ["K2NNK", "L3NNK"]
    assert found[0].sequence[3:6] == "NNK"
    assert str(Seq(found[0].sequence).translate()) == "MXL"
    assert next(nnk("ATGAAA", protein=False, usage={}, positions="2")).sequence == "ATGNNK"
    with pytest.raises(InputError, match="whole codons"):
        list(nnk("ATGA", protein=False, usage={}, positions=None))


def test_positions_outside_are_refused():
    with pytest.raises(UsageError, match="--positions: 2-9 is not within 1-4"):
        chosen("2-9", 4)
