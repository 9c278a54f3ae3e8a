"""Mutations in all common notations, and what is said where they do not fit the wild type."""

from __future__ import annotations

import random

import pytest

from seqdesign.errors import InputError
from seqdesign.metrics.edits import edit_list, variant_name
from seqdesign.sequences.bundled import resolve_input
from seqdesign.sequences.lab.variants import Variants, parse_variant, unmutated
from seqdesign.sequences.reader import read_sequences

WT = "MKTAYIAKQR"
CASES = {
    "": WT, "WT": WT, "_wt": WT, "p.=": WT, "p.(=)": WT, "p.Thr3=": WT, "wild type": WT,
    "K2A": "MATAYIAKQR", "k2a": "MATAYIAKQR", "p.Lys2Ala": "MATAYIAKQR", "p.(Lys2Ala)": "MATAYIAKQR",
    "K2A:T3S": "MASAYIAKQR", "K2A,T3S": "MASAYIAKQR", "T3S; K2A": "MASAYIAKQR", "K2A/T3S": "MASAYIAKQR",
    "K2A T3S": "MASAYIAKQR", "K2A_T3S": "MASAYIAKQR", "K2A-T3S": "MASAYIAKQR", "K2A&T3S": "MASAYIAKQR",
    "NP_000537.3:p.Lys2Ala": "MATAYIAKQR", "p.[(Lys2Ala);(Thr3Ser)]": "MASAYIAKQR",
    "p.[Lys2Ala;Thr3Ser]": "MASAYIAKQR", "p.Lys2Ala;p.Thr3Ser": "MASAYIAKQR",
    "p.Lys2del": "MTAYIAKQR", "del2K": "MTAYIAKQR", "K2-": "MTAYIAKQR", "K2del": "MTAYIAKQR",
    "p.Lys2_Ala4del": "MYIAKQR", "2_4del": "MYIAKQR",
    "K2_T3insGG": "MKGGTAYIAKQR", "p.Lys2_Thr3insGlySer": "MKGSTAYIAKQR", "ins3G": "MKGTAYIAKQR",
    "ins11G": WT + "G", "p.Lys2delinsGlySer": "MGSTAYIAKQR", "p.Lys2_Thr3dup": "MKTKTAYIAKQR",
    "p.Lys2Ter": "M*", "K2*:T3S": "M*", "n.2K>A": "MATAYIAKQR",
}  # fmt: skip
WRONG = {
    "K3A": "position 3 is T, not K", "K2A:K2G": "position 2 is changed twice",
    "A99G": "position 99 is outside 1 to 10", "p.Lys2fs": "says no substitution",
    "NA": "says no substitution",
    "K2_A4insG": "says no substitution", "1_10del": "nothing is left",
}  # fmt: skip


@pytest.mark.parametrize("cell", CASES)
def test_a_notation_is_read_and_its_name_reads_the_same(cell: str) -> None:
    variants = Variants("w", WT)
    assert variants.sequences([cell], [2]) == [CASES[cell]]
    assert variants.problems == []
    assert variants.sequences([variants.named(cell)], [2]) == [CASES[cell]]


@pytest.mark.parametrize("cell", WRONG)
def test_what_does_not_fit_is_said(cell: str) -> None:
    variants = Variants("w", WT)
    assert variants.sequences([cell], [7]) == [""]
    with pytest.raises(InputError, match=WRONG[cell]) as caught:
        variants.refuse("x.csv", "mutant")
    assert (caught.value.path, caught.value.line) == ("x.csv", 7)


def test_the_numbering_that_explains_all_cells_is_named() -> None:
    variants = Variants("w", WT)
    variants.sequences(["K3A", "Y6F:R11S", "M1A"], [2, 3, 4])
    with pytest.raises(InputError, match=r"check that 'w' is the wild type"):
        variants.refuse("x.csv", "mutant")  # M1A fits no other numbering
    variants = Variants("w", WT)
    variants.sequences(["K3A", "Y6F:R11S"], [2, 3])
    with pytest.raises(InputError, match=r"2 of 2 cells\); with --first-position 2 all"):
        variants.refuse("x.csv", "mutant")
    assert Variants("w", WT, first=2).sequences(["K3A"], [2]) == ["MATAYIAKQR"]


def test_wild_types_are_known_by_the_letters_that_mutations_replace() -> None:
    cells = ["K2A", "T3S", "p.Lys2Gly:Thr3Ser", "WT", "odd"]
    assert unmutated([WT] * 5, cells)
    assert not unmutated(["MATAYIAKQR", "MKSAYIAKQR", "MGSAYIAKQR", WT, WT], cells)
    assert not unmutated([WT] * 3, ["p.Lys2=", "K2A", "T3S"])  # two rows say little
    assert not unmutated([WT] * 5, ["K3A", "K3C", "K3D", "K2A", "T3S"])


def test_any_edit_list_of_ours_is_read_back() -> None:
    rng = random.Random(0)
    for first in (1, 27, -5):
        variants = Variants("w", WT, first)
        for _ in range(100):
            letters = list(WT)
            for _ in range(rng.randrange(4)):
                at = rng.randrange(len(letters))
                letters[at : at + rng.randrange(2)] = rng.choice(["", "W", "GC"])
            text = "".join(letters)
            name = variant_name(text, WT, first)
            if name:
                assert variants.sequences([name], [1]) == [text], (name, edit_list(WT, text))


def test_measured_proteins_come_back_from_their_mutations() -> None:
    texts = read_sequences(resolve_input("dataset:prot_gb1_stability_nisthal")).sequences[:500]
    variants = Variants("w", texts[0], 40)
    cells = [variant_name(text, texts[0], 40) for text in texts]
    assert variants.sequences(cells, range(len(cells))) == texts
    assert all(parse_variant(cell) is not None for cell in cells)
