"""Designs are called by their mutations, and their edits have the numbers of the laboratory."""

from __future__ import annotations

from dataclasses import dataclass

from seqdesign.design.numbering import spoken
from seqdesign.sequences.lab.variants import Numbering


@dataclass(frozen=True)
class Made:
    id: str
    sequence: str
    edit_list: str | None
    variant: str | None = None
    first_position: int = 1


def test_edits_are_renumbered_and_names_are_unique() -> None:
    designs = [
        Made("a", "AGD", "C2G"),
        Made("b", "AGD", None),
        Made("c", "ACD", ""),
        Made("d", "AD", "del2C"),
    ]
    found = spoken(designs, Numbering("w", "ACD", 10), lambda one: one.sequence)
    assert [one.id for one in found] == ["C11G", "C11G_2", "c", "del11C"]
    assert [one.edit_list for one in found] == ["C11G", None, "", "del11C"]
    assert [one.variant for one in found] == ["C11G", "C11G", "WT", "del11C"]
    assert {one.first_position for one in found} == {10}


def test_without_a_wild_type_only_numbers_change() -> None:
    (one,) = spoken([Made("a", "AGD", "C2G,D3E")], Numbering(first=-1), lambda one: one.sequence)
    assert (one.id, one.edit_list, one.variant) == ("a", "C0G,D1E", None)
    designs = [Made("a", "AGD", "C2G")]
    assert spoken(designs, Numbering(), lambda one: one.sequence) == designs
