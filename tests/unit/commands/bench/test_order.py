"""Promises of ``seqdesign order``."""

from __future__ import annotations

import csv
import hashlib
import json
import re

import pytest

from seqdesign.commands.bench.order import OrderConfig, order
from seqdesign.errors import InputError, OutputError, UsageError


@pytest.fixture
def designs(tmp_path):
    path = tmp_path / "d.fa"
    path.write_text(">a role=design\nACGTTGCATGCAAGCTTGACC\n>b role=parent\nACGTTGGTCTCAAGCTTGACC\n")
    return path


def test_a_folder_to_send(designs, tmp_path):
    folder = tmp_path / "order"
    options = {"left": "AAACCC", "barcode_length": 8, "avoid": ("BsaI",), "primers": True, "tm": 55}
    made = order(OrderConfig(input=designs, output=folder, skip=2, fill="columns", **options))
    assert sorted(path.name for path in folder.iterdir()) == sorted(made.files)
    sheet = list(csv.DictReader((folder / "order.csv").read_text().splitlines()))
    assert [row["Well Position"] for row in sheet] == ["C01", "D01"]
    bench = list(csv.DictReader((folder / "bench.csv").read_text().splitlines()))
    assert [row["role"] for row in bench] == ["design", "parent"]
    assert all(row["sequence"] == f"AAACCC{row['insert']}{row['barcode']}" for row in bench)
    assert "2 barcodes; one sequencing error never turns one into another" in made.text()
    assert made.notes == ("BsaI (GGTCTC) is in 1 constructs, such as b",)
    assert "Mind: BsaI" in (folder / "README.md").read_text()
    sums = json.loads((folder / "manifest.json").read_text())["outputs"]
    assert {name: hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in sums} == sums
    before = {path.name: path.read_bytes() for path in folder.iterdir() if path.name != "manifest.json"}
    with pytest.raises(
        OutputError, match="already holds order.csv; add --overwrite to replace it, or choose"
    ):
        order(OrderConfig(input=designs, output=folder))
    order(OrderConfig(input=designs, output=folder, skip=2, fill="columns", overwrite=True, **options))
    assert {name: (folder / name).read_bytes() for name in before} == before


def test_wrong_options_and_proteins_leave_nothing(designs, tmp_path):
    for options, message in (
        ({"barcode_at": "left"}, "--barcode-at: has no effect without --barcode-length"),
        ({"left": "ACN"}, "--left: may hold A, C, G and T only, got 'N'"),
        ({"tm": 55.0}, "--tm: has no effect without --primers"),
        ({"skip": 96}, "--skip: a plate has 96 wells"),
    ):
        with pytest.raises(UsageError, match=message):
            OrderConfig(input=designs, **options)
    folder = tmp_path / "order"
    with pytest.raises(UsageError, match="--avoid: 'BsaX' is neither"):
        order(OrderConfig(input=designs, output=folder, avoid=("BsaX",)))
    designs.write_text(">p\nMKLV\n")
    with pytest.raises(InputError, match="back-translate turns proteins into genes"):
        order(OrderConfig(input=designs, output=folder))
    designs.write_text(">d\nACGTACNTACGT\n")
    with pytest.raises(InputError, match="got 'N' at position 7; ambiguity codes stand for several bases"):
        order(OrderConfig(input=designs, output=folder))
    designs.write_text(">d\nACG-ACGT\n")
    with pytest.raises(InputError, match="take the gaps of the alignment out"):
        order(OrderConfig(input=designs, output=folder))
    assert not folder.exists()


def test_the_page_of_an_order_shows_its_plates(designs, tmp_path):
    made = order(OrderConfig(input=designs, output=tmp_path / "order", skip=2))
    assert made.text().startswith("2 constructs of 21 to 21 bases on 1 plate, 42 bases in all\nwrote ")
    page = (tmp_path / "order" / "report.html").read_text()
    assert "2 constructs of" in page
    assert re.findall(r"<title>([A-H]\d\d): ", page) == ["A03", "A04"]
    assert "<code>order.csv</code>" in page
