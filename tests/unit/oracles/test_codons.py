"""Codon usage as an outcome: what Biopython says of real genes, soft sequences, and designs that raise it."""

from __future__ import annotations

import pytest
import torch
from Bio.Seq import Seq
from Bio.SeqUtils import CodonAdaptationIndex

import seqdesign as sd
from seqdesign.errors import UsageError
from seqdesign.oracles.codons import CodonScore
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode, one_hot
from seqdesign.sequences.lab.codon_usage import HOSTS, codon_usage

DNA = get_alphabet("dna")
GENES = {
    "EGFP": (
        "ATGGTGAGCAAGGGCGAGGAGCTGTTCACCGGGGTGGTGCCCATCCTGGTCGAGCTGGACGGCGACGTAAACGGCCACAAGTTCAGCGTG"
        "TCCGGCGAGGGCGAGGGCGATGCCACCTACGGCAAGCTGACCCTGAAGTTCATCTGCACCACCGGCAAGCTGCCCGTGCCCTGGCCCACC"
        "CTCGTGACCACCCTGACCTACGGCGTGCAGTGCTTCAGCCGCTACCCCGACCACATGAAGCAGCACGACTTCTTCAAGTCCGCCATGCCC"
        "GAAGGCTACGTCCAGGAGCGCACCATCTTCTTCAAGGACGACGGCAACTACAAGACCCGCGCCGAGGTGAAGTTCGAGGGCGACACCCTG"
        "GTGAACCGCATCGAGCTGAAGGGCATCGACTTCAAGGAGGACGGCAACATCCTGGGGCACAAGCTGGAGTACAACTACAACAGCCACAAC"
        "GTCTATATCATGGCCGACAAGCAGAAGAACGGCATCAAGGTGAACTTCAAGATCCGCCACAACATCGAGGACGGCAGCGTGCAGCTCGCC"
        "GACCACTACCAGCAGAACACCCCCATCGGCGACGGCCCCGTGCTGCTGCCCGACAACCACTACCTGAGCACCCAGTCCGCCCTGAGCAAA"
        "GACCCCAACGAGAAGCGCGATCACATGGTCCTGCTGGAGTTCGTGACCGCCGCCGGGATCACTCTCGGCATGGACGAGCTGTACAAGTAA"
    ),
    "insulin": (
        "ATGGCCCTGTGGATGCGCCTCCTGCCCCTGCTGGCGCTGCTGGCCCTCTGGGGACCTGACCCAGCCGCAGCCTTTGTGAACCAACACCTG"
        "TGCGGCTCACACCTGGTGGAAGCTCTCTACCTAGTGTGCGGGGAACGAGGCTTCTTCTACACACCCAAGACCCGCCGGGAGGCAGAGGAC"
        "CTGCAGGTGGGGCAGGTGGAGCTGGGCGGGGGCCCTGGTGCAGGCAGCCTGCAGCCCTTGGCCCTGGAGGGGTCCCTGCAGAAGCGTGGC"
        "ATTGTGGAACAATGCTGTACCAGCATCTGCTCCCTCTACCAGCTGGAGAACTACTGCAACTAG"
    ),
}


def _x(text: str) -> torch.Tensor:
    return one_hot(torch.from_numpy(encode([text], DNA).tokens.astype("int64")), DNA)


@pytest.mark.parametrize("host", ["ecoli", "human", "yeast"])
@pytest.mark.parametrize("gene", GENES.values(), ids=list(GENES))
def test_the_index_of_real_genes_is_that_of_biopython(host: str, gene: str) -> None:
    usage = codon_usage(host)
    judge = CodonAdaptationIndex.__new__(CodonAdaptationIndex)
    dict.update(judge, {c: w for c, w in usage.weights().items() if c not in ("TAA", "TAG", "TGA")})
    expected = judge.calculate(gene)
    back = str(Seq(gene).reverse_complement())
    forth = CodonScore(host, [(0, len(gene), False)], DNA)
    minus = CodonScore(host, [(2, 2 + len(gene), True)], DNA)
    assert float(forth(_x(gene))) == pytest.approx(expected, rel=1e-5)
    assert float(minus(_x("GG" + back + "A"))) == pytest.approx(expected, rel=1e-5)


def test_soft_sequences_have_a_gradient_towards_better_codons() -> None:
    score = CodonScore("ecoli", [(0, 6, False)], DNA)
    x = (0.7 * _x("CTACGA") + 0.075).requires_grad_()  # rare codons of leucine and arginine
    score(x).sum().backward()  # type: ignore[no-untyped-call]
    assert x.grad is not None
    place = x.grad[0, :, 2]
    assert DNA.letters[int(place.argmax())] == "G"  # CTG is the most frequent one
    assert float(score(_x("ATGTGG"))) == 1.0


def _a_content(x: torch.Tensor) -> torch.Tensor:
    return x[:, 0].mean(1)


@pytest.mark.parametrize("method", ["mean-field", "evolution"])
def test_designs_raise_it_beside_the_outcome_by_synonymous_changes(method: str) -> None:
    gene = GENES["insulin"][:90]
    rules = [sd.rules.translate(1, 90)]

    def best(weight: float) -> sd.Design:
        found = sd.maximize(
            _a_content, start=[gene], rules=rules, method=method, tries=1, budget=300, include_known=True,
            codons="ecoli", objective=["max", f"max:cai*{weight}"], length=90,
        )  # fmt: skip
        return found[0]

    usage, little, much = codon_usage("ecoli"), best(0.001), best(10.0)
    for design in (little, much):
        assert Seq(design.sequence).translate() == Seq(gene).translate()
        assert design.outcomes["cai"] == pytest.approx(2.71828 ** usage.log_cai(design.sequence), rel=1e-4)
    assert much.outcomes["cai"] > 0.75 > little.outcomes["cai"]
    assert little.outcomes["predicted_score"] > much.outcomes["predicted_score"]


def test_what_has_no_codons_is_refused() -> None:
    with pytest.raises(UsageError, match="matter of DNA and RNA"):
        CodonScore("ecoli", [(0, 3, False)], get_alphabet("protein"))
    with pytest.raises(UsageError, match="must be one of bsubtilis"):
        CodonScore("coli", [(0, 3, False)], DNA)
    with pytest.raises(UsageError, match="needs the reading frame"):
        sd.maximize(_a_content, start=["ATGCTG"], codons="ecoli", length=6)
    assert "human" in HOSTS
