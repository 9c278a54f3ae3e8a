"""``back-translate`` writes genes with their index, and names proteins that have none."""

from __future__ import annotations

from pathlib import Path

import pytest
from Bio.Seq import Seq

from seqdesign.sequences.reader import read_sequences
from seqdesign_cli.main import main


def test_genes_are_written_and_obey(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proteins, genes, table = tmp_path / "p.fa", tmp_path / "g.fa", tmp_path / "g.csv"
    proteins.write_text(">one\nMEFGLKRRSE\n>two\nMKTAYIAKQR\n")
    words = ["back-translate", str(proteins), "--codons", "yeast", "--forbid", "EcoRI", "-o", str(genes)]
    assert main([*words, "--table", str(table)]) == 0
    found = read_sequences(genes)
    assert found.ids == ["one", "two"]
    assert [str(Seq(text).translate()) for text in found.sequences] == ["MEFGLKRRSE*", "MKTAYIAKQR*"]
    assert genes.read_text().startswith(">one cai=")
    assert table.read_text().splitlines()[0] == "id,protein,sequence,cai,best_cai,lost"
    assert "2 of 2 proteins have a gene" in capsys.readouterr().err
    assert main(["check", str(genes), "--forbid", "EcoRI", "--coding", "--quiet"]) == 0


def test_a_protein_without_a_gene_is_named(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    proteins, genes = tmp_path / "p.fa", tmp_path / "g.fa"
    proteins.write_text(">one\nMW\n>two\nMK\n")
    assert main(["back-translate", str(proteins), "--forbid", "TGG", "-o", str(genes)]) == 1
    assert "record 'one': no gene was found that obeys the rules" in capsys.readouterr().err
    assert read_sequences(genes).ids == ["two"]
    proteins.write_text(">one\nMXW\n")
    assert main(["back-translate", str(proteins), "-o", str(genes)]) == 1
    assert "position 2 is 'X', for which there is no codon" in capsys.readouterr().err


def test_dna_instead_of_proteins_is_refused(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    dna = tmp_path / "dna.fa"
    dna.write_text(">one\nATGGCA\n")
    assert main(["back-translate", str(dna), "-o", str(tmp_path / "g.fa")]) == 1
    assert "holds DNA or RNA, and back-translate makes genes from proteins" in capsys.readouterr().err
    assert not (tmp_path / "g.fa").exists()
