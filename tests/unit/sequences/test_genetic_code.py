"""What codons mean, against Biopython's translation."""

from __future__ import annotations

import itertools

import pytest
from Bio.Seq import Seq

from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.sequences.genetic_code import are_genes, genetic_code

CODONS = ["".join(bases) for bases in itertools.product("ACGT", repeat=3)]


@pytest.mark.parametrize("number", [1, 2, 4, 11])
def test_every_codon_is_translated_as_by_biopython(number: int) -> None:
    code = genetic_code(number)
    assert sorted(code.acids) == CODONS
    assert "".join(code.acids[codon] for codon in CODONS) == str(Seq("".join(CODONS)).translate(number))
    assert "ATG" in code.starts


def test_a_codon_that_is_both_a_stop_and_an_amino_acid_adds_to_the_protein() -> None:
    assert genetic_code(27).acids["TGA"] == "W"  # a stop of the ciliate Karyorelict code as well


def test_genes_are_read_in_threes_without_a_stop_before_the_last() -> None:
    gene, dna, rna = "ATG" + "GCA" * 18, get_alphabet("dna"), get_alphabet("rna")

    def found(*texts: str) -> bool:
        return are_genes(encode(list(texts), dna))

    assert found(gene + "TAA", gene + "GCAGGC", gene + "TGG")
    assert are_genes(encode([(gene + "UAA").replace("T", "U")], rna))
    assert not are_genes(encode([("UAA" + gene).replace("T", "U")], rna))
    assert not found(gene + "TAA", gene + "TAGGGC")
    assert not found(gene + "GCAG")
    assert not found(gene)  # too short to say so
    assert found(gene.replace("GCA", "GTA") + "AGC")  # TAG out of frame
    assert not are_genes(encode(["MKT" * 30], get_alphabet("protein")))


def test_a_number_that_no_code_has_is_refused_with_those_that_are_known() -> None:
    with pytest.raises(UsageError, match=r"--codon-table: must be one of the genetic codes 1, 2, .*, got 7"):
        genetic_code(7)
