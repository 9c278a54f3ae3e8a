"""Checks, genes, libraries and orders from Python: records that tell, show and write."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

import seqdesign as sd
from seqdesign.sequences.lab.codon_usage import codon_usage


def holds(record: Any, rows: int, folder: Path) -> None:
    """What every record promises."""
    assert record.text()
    assert "--" not in record.text()
    json.dumps(record.to_dict())
    assert len(record) == len(record.to_frame()) == rows
    assert record.write(folder / "rows.csv") == rows
    assert len(pd.read_csv(folder / "rows.csv")) == rows
    assert record.write(folder / "rows.fa") == len(record.sequences)
    assert sd.read(folder / "rows.fa").sequences == record.sequences
    assert "<table" in record._repr_html_()
    page = record.report(folder / "page.html").read_text(encoding="utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert all(text in page for text in record.sequences)
    assert repr(record).startswith(f"<{type(record).__name__}: ")


def test_sequences_are_checked_and_mended(tmp_path: Path) -> None:
    found = sd.check(
        ["ATGAAAAAAAAAGCA", "ATGGCA"], rules=[sd.rules.max_homopolymer(5)], mend=True, coding=True
    )
    holds(found, 2, tmp_path)
    assert [row["ok"] for row in found] == [False, True]
    assert "A" * 6 not in found[0]["sequence"]
    assert found[0]["changes"] == len(found[0]["edits"].split(","))
    assert found[1]["mended"] is None
    with pytest.raises(sd.errors.UsageError, match="max_edits refers to a start"):
        sd.check(["ACGT"], rules=[sd.rules.max_edits(1)])


def test_genes_are_those_of_the_host_and_obey(tmp_path: Path) -> None:
    plain = sd.back_translate(["MKTW", "MRRG"], host="yeast", stop=False)
    holds(plain, 2, tmp_path)
    shares = codon_usage("yeast").shares
    best = {amino: max(own, key=lambda codon: own[codon]) for amino, own in shares.items()}
    assert plain.sequences[0] == "".join(best[amino] for amino in "MKTW")
    held = sd.back_translate(["MKTW", "MK"], host="yeast", rules=[sd.rules.forbid("TGG")])
    assert held[0]["sequence"] is None  # tryptophan has no other codon
    assert held.text().startswith("1 of 2 proteins")


def test_libraries_cover_what_is_wanted(tmp_path: Path) -> None:
    found = sd.library(["MKT", "MKS", "MRT", "MRS"], max_size=16, sublibraries=1, searches=1)
    holds(found, 1, tmp_path)
    assert found[0]["targets"] == 4
    assert found[0]["size"] <= 16
    assert found[0]["ids"] == "seq1 seq2 seq3 seq4"
    with pytest.raises(sd.errors.InputError, match="is made of DNA or proteins"):
        sd.library(["ACGU", "ACGA"])


def test_orders_have_wells_barcodes_and_genbank(tmp_path: Path) -> None:
    chosen = sd.select(["ACGTACGTTA", "TTGCACGGTA", "GGATCCTTAA"], 3, quality=[3.0, 2.0, 1.0], shuffled=1)
    holds(chosen, 3, tmp_path)
    assert chosen.text() == "chose 2 of 3 designs and 1 control"
    for wrong, said in (
        ({"diversity": 2}, "between 0 and 1, got 2"),
        ({"quality": "x"}, "must be 2 numbers"),
    ):
        with pytest.raises(sd.errors.UsageError, match=said):
            sd.select(["ACGTACGTTA", "TTGCACGGTA"], 3, **({"quality": [1.0, 2.0]} | wrong))
    found = sd.order(chosen, left="TTGACA", right="GGTACC", barcode_length=8, fill="columns", skip=1)
    holds(found, 3, tmp_path)
    assert [row["well"] for row in found] == ["B01", "C01", "D01"]
    assert [row["role"] for row in found] == ["design", "design", "shuffled"]
    assert all(row["sequence"].startswith("TTGACA") for row in found)
    assert found.write(tmp_path / "all.gb") == 3
    assert sd.read(tmp_path / "all.gb").sequences == found.sequences
    with pytest.raises(sd.errors.InputError, match="an order is made of A, C, G and T"):
        sd.order(["MKLV"])
