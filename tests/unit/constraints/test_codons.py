"""Genes mean their proteins, obey, and lose as little of their score as can be."""

from __future__ import annotations

import itertools
import random

import numpy as np
import pytest
from Bio.Seq import Seq

from seqdesign.constraints.codons import back_translate
from seqdesign.constraints.options import LetterRules
from seqdesign.constraints.verdicts import judge
from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.lab.codon_usage import codon_usage

DNA = get_alphabet("dna")
ECOLI = codon_usage("ecoli")


def test_genes_of_hard_proteins_obey_and_mean_them() -> None:
    """Runs of arginine, the same stretch twice, and lengths that differ."""
    rng = random.Random(0)
    stretch = "".join(rng.choices("ACDEFGHIKLMNPQRSTVWY", k=30))
    proteins = ["M" + stretch + "G" + stretch, "M" + "R" * 17 + stretch, "MKKLLPT"]
    options = LetterRules(forbid=("BsaI", "EcoRI"), synthesis="twist", left="GGTCT", hairpin=("12:3-20",))
    genes = back_translate(proteins, ECOLI, options)
    texts = [gene.sequence or "" for gene in genes]
    assert [str(Seq(text).translate()) for text in texts] == [protein + "*" for protein in proteins]
    assert all(verdict.ok for verdict in judge(texts, options, DNA))
    assert max(gene.lost for gene in genes) < 0.1
    assert [gene.cai for gene in genes] == pytest.approx([np.exp(ECOLI.log_cai(text)) for text in texts])


def test_a_gene_is_the_best_of_all_that_obey() -> None:
    """By listing all 4,608 genes of a short protein."""
    protein, options = "MLRSKE", LetterRules(forbid=("CTG", "CGT", "GAA"), gc="0.4-0.6")
    (gene,) = back_translate([protein], ECOLI, options, stop=False)
    every = ["".join(codons) for codons in itertools.product(*(ECOLI.shares[amino] for amino in protein))]
    obeying = [text for text, v in zip(every, judge(every, options, DNA), strict=True) if v.ok]
    assert obeying
    assert gene.sequence in obeying
    assert ECOLI.log_cai(gene.sequence or "") == pytest.approx(max(map(ECOLI.log_cai, obeying)))


def test_without_rules_the_best_codons_are_taken_or_those_of_the_host_in_their_proportions() -> None:
    (best,) = back_translate(["M" + "L" * 100], ECOLI, LetterRules())
    assert best.sequence == "ATG" + "CTG" * 100 + "TAA"
    assert (best.cai, best.lost) == (1.0, 0.0)
    (match,) = back_translate(["M" + "L" * 100], ECOLI, LetterRules(), usage="match")
    assert match.sequence is not None
    codons = [match.sequence[i : i + 3] for i in range(3, 303, 3)]
    total = sum(ECOLI.shares["L"].values())
    for codon, share in ECOLI.shares["L"].items():
        assert codons.count(codon) == pytest.approx(100 * share / total, abs=1)


def test_what_has_no_gene_is_none_and_what_has_no_codon_is_refused() -> None:
    (gene,) = back_translate(["MW"], ECOLI, LetterRules(forbid=("TGG",)))
    assert gene.sequence is None
    with pytest.raises(InputError, match=r"record 'p': position 2 is 'X', for which there is no codon"):
        back_translate(["MXW"], ECOLI, LetterRules(), ids=["p"])
    with pytest.raises(InputError, match="position 2 is a stop inside the protein"):
        back_translate(["M*W"], ECOLI, LetterRules())
    with pytest.raises(UsageError, match="must be one of bsubtilis"):
        codon_usage("axolotl")
