"""Promises of ``seqdesign library``."""

from __future__ import annotations

import csv
import re

import pytest

from seqdesign.commands.bench.library import LibraryConfig, library
from seqdesign.errors import InputError, UsageError

CLUSTAL = "CLUSTAL O(1.2.4) multiple sequence alignment\n\n\na    MKL-\nb    MRLS\nc    MKLT\n     *:* \n"


def test_an_alignment_becomes_oligos_and_tables(tmp_path):
    source = tmp_path / "t.aln"
    source.write_text(CLUSTAL)
    paths = {name: tmp_path / f"{name}.csv" for name in ("table", "codes")}
    made = library(LibraryConfig(input=source, sublibraries=2, searches=1, output=tmp_path / "o.fa", **paths))
    assert (made.targets, made.covered, made.records) == (3, 3, 2)
    text = (tmp_path / "o.fa").read_text()
    assert re.match(r">library1 size=\d+ products=\d+ targets=2\nATG", text)
    covered = list(csv.DictReader(paths["table"].read_text().splitlines()))
    assert [row["id"] for row in covered if row["covered"] == "True"] == ["a", "b", "c"]
    codes = list(csv.DictReader(paths["codes"].read_text().splitlines()))
    assert {row["wanted"] for row in codes if row["position"] == "2"} == {"K", "KR"}
    assert (tmp_path / "o.fa.manifest.json").exists()


def test_scans_are_written(tmp_path):
    source = tmp_path / "t.fa"
    source.write_text(">w\nATGAAA\n")
    made = library(LibraryConfig(input=source, scan="nnk", output=tmp_path / "o.fa"))
    assert (made.records, made.size) == (2, 64)
    assert ">w_K2NNK parent=w position=2 size=32\nATGNNK\n" in (tmp_path / "o.fa").read_text()


@pytest.mark.parametrize(
    ("options", "text", "error", "message"),
    [
        ({}, ">a\nMKL\n>b\nMK\n", InputError, "t.fa: targets have 2 to 3 letters; align them"),
        (
            {"scan": "single", "max_size": 1e3},
            ">a\nMKL\n",
            UsageError,
            "--max-size: has no effect with --scan",
        ),
        ({"positions": "1"}, ">a\nMKL\n", UsageError, "--positions: has no effect without --scan"),
        ({"codons": "moon"}, ">a\nMKL\n", UsageError, "--codons: must be"),
        ({"scan": "nnk"}, ">a\nACGTA\n", InputError, "whole codons"),
    ],
)
def test_wrong_input_is_named(tmp_path, options, text, error, message):
    source = tmp_path / "t.fa"
    source.write_text(text)
    with pytest.raises(error, match=message):
        library(LibraryConfig(input=source, output=tmp_path / "o.fa", **options))


def test_dna_gets_one_code_a_base_and_every_kind_of_scan_is_said(tmp_path, cli, monkeypatch):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "t.fa").write_text(">a\nACGT\n>b\nACGA\n>c\nTCGA\n")
    done = cli("library", "t.fa", "-o", "o.fa", "--max-size", "4", "--searches", "1")
    assert done.code == 0, done.err
    assert "3 of 3 targets are in 1 sublibraries of 4 DNA sequences and 4 products" in done.err
    assert (tmp_path / "o.fa").read_text().splitlines()[1] == "WCGW"
    scan = ("library", "t.fa", "--alphabet", "dna", "-o", "o.fa", "--positions", "2-3", "--scan")
    done = cli(*scan, "single", "--table", "o.csv")
    assert "single scan of 3 sequences: 18 records" in done.err
    changes = [row["change"] for row in csv.DictReader((tmp_path / "o.csv").read_text().splitlines())]
    assert changes[:6] == ["C2A", "C2G", "C2T", "G3A", "G3C", "G3T"]
    assert "deletion scan of 3 sequences: 6 records" in cli(*scan, "deletion", "--width", "2").err
    done = cli("library", "t.fa", "--alphabet", "protein", "--scan", "nnk", "-o", "o.fa")
    assert "they stand for 384 DNA sequences" in done.err


@pytest.mark.parametrize(
    ("options", "text", "message"),
    [
        ({"scan": "deletion", "width": 9}, ">a\nACGT\n", "the scan has no variant; name other --positions"),
        ({"scan": "single", "alphabet": "dna"}, ">a\nACNT\n", "a scan needs letters of dna, got 'N'"),
        ({}, ">a\nACGU\n", "a library is made of DNA or proteins, this is rna"),
    ],
)
def test_what_cannot_be_a_library_is_named(tmp_path, options, text, message):
    source = tmp_path / "t.fa"
    source.write_text(text)
    with pytest.raises(InputError, match=f"t.fa: {message}"):
        library(LibraryConfig(input=source, output=tmp_path / "o.fa", **options))


def test_a_width_without_a_scan_of_deletions_is_refused(tmp_path):
    with pytest.raises(UsageError, match="--width: has no effect without --scan deletion"):
        LibraryConfig(input=tmp_path / "t.fa", width=3)
