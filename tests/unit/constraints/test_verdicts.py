"""Yes or no with the reason, and the smallest remedy."""

from __future__ import annotations

from Bio.Seq import Seq

from seqdesign.constraints.options import LetterRules
from seqdesign.constraints.verdicts import judge
from seqdesign.sequences.alphabets import get_alphabet

DNA = get_alphabet("dna")


def test_sequences_of_several_lengths_are_judged_and_mended_with_as_few_changes_as_it_takes() -> None:
    texts = ["ATGGAATTCGGTCTCAAATAA", "ATGGCATTTGGTTAA", "GAATTC"]
    options = LetterRules(forbid=("EcoRI", "BsaI"), repeat=12)
    found = judge(texts, options, DNA, mend=True)
    assert [v.ok for v in found] == [False, True, False]
    assert [v.code for v in found[0].violations] == ["forbid:EcoRI@4-9", "forbid:BsaI@10-15"]
    assert [v.changes for v in found] == [2, 0, 1]
    mended = [v.mended or text for v, text in zip(found, texts, strict=True)]
    assert all(v.ok for v in judge(mended, options, DNA))


def test_a_reading_frame_keeps_its_protein_and_a_broken_one_is_said() -> None:
    texts = ["ATGGAATTCGGTCTCAAATAA", "ATGGAATTCGG", "ATGTAAGAATTC", "ATGTGGTGA"]
    options = LetterRules(forbid=("EcoRI", "BsaI", "TGGTGA"))
    found = judge(texts, options, DNA, mend=True, coding=True)
    assert found[0].mended is not None
    assert str(Seq(found[0].mended).translate()) == str(Seq(texts[0]).translate())
    assert found[0].changes == 2
    assert next(str(v) for v in found[1].violations) == "11 letters are not a multiple of 3"
    assert found[2].violations[0].code == "--coding@4-6" or "TAA inside" in str(found[2].violations[0])
    assert [v.mended for v in found[1:3]] == [None, None]
    assert found[3].mended in ("ATGTGGTAA", "ATGTGGTAG")  # tryptophan has one codon, a stop has three


def test_what_cannot_be_mended_says_so() -> None:
    (found,) = judge(["ATGTGG"], LetterRules(forbid=("TGG",)), DNA, mend=True, coding=True)
    assert not found.ok
    assert found.mended is None
