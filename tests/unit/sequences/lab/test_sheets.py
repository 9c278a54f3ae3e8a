"""Workbooks: any sheet as people keep it, and tables that any spreadsheet program opens."""

from __future__ import annotations

import datetime
import io
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from seqdesign.errors import InputError, OutputError, UsageError
from seqdesign.sequences.lab.sheets import read_sheet
from seqdesign.sequences.numbers import CellFormat
from seqdesign.sequences.reader import read_sequences
from seqdesign.sequences.tables import read_table, write_table


def book(path: Path, **sheets: list[list[Any]]) -> Path:
    made = openpyxl.Workbook()
    made.remove(made.active)
    for name, rows in sheets.items():
        sheet = made.create_sheet(name)
        for row in rows:
            sheet.append(row)
    made.save(path)
    return path


MESSY = [
    ["Promoters, plate 3; March"],
    ["operator", "Jane"],
    [],
    ["name ", "sequence", "outcome", "well", None],
    ["P1 ", "acgt ", 1.5, "A1", None],
    [None, " ", None],
    ["P2", "ACGA", "2,5", "A2"],
]


def test_titles_blanks_and_trailing_cells_do_not_hide_a_table(tmp_path: Path) -> None:
    path = book(tmp_path / "x.xlsx", Notes=[["see Data"]], Data=MESSY)
    found = read_sequences(path, cells=CellFormat.of((), decimal_comma=True))
    assert found.ids == ["P1", "P2"]
    assert found.sequences == ["acgt", "ACGA"]
    assert found.outcomes is not None
    assert found.outcomes.tolist() == [1.5, 2.5]  # a stored number and a decimal comma side by side
    assert found.line_numbers() == [5, 7]
    assert found.dialect == "sheet 'Data' of Notes, Data, 2 lines above the header"
    assert found.unused == ("well",)


def test_a_sheet_is_found_by_its_name_or_the_others_are_listed(tmp_path: Path) -> None:
    path = book(tmp_path / "x.xlsx", A=[["sequence"], ["ACGT"]], B=[["sequence"], ["TTTT"], ["GGGG"]])
    assert [len(batch.lines) for batch in read_table(path, sheet="B")] == [2]
    with pytest.raises(InputError, match="no sheet 'b'; the sheets are A, B"):
        next(read_table(path, sheet="b"))
    (tmp_path / "x.csv").write_text("sequence\nACGT\n")
    with pytest.raises(UsageError, match="has no sheets"):
        next(read_table(tmp_path / "x.csv", sheet="A"))


def test_a_formula_without_a_value_is_named_and_no_workbook_is_said(tmp_path: Path) -> None:
    path = book(tmp_path / "x.xlsx", A=[["sequence", "outcome"], ["ACGT", "=1+1"]])
    with pytest.raises(InputError, match="formula in cell B2"):
        list(read_table(path))
    with pytest.raises(InputError, match="not a workbook"):
        read_sheet(io.BytesIO(b"PK\x03\x04rest"), "x.zip")


def test_what_is_written_is_read_again_and_the_same_bytes(tmp_path: Path) -> None:
    rows = [
        {"id": "=cmd()", "n": 3, "x": 0.1 + 0.2, "none": None, "flag": True, "odd": "a\x01b"},
        {"id": "001", "n": -1, "x": float("nan"), "none": None, "flag": False, "odd": "Ü"},
    ]
    assert write_table(rows, tmp_path / "a.xlsx") == 2
    write_table(rows, tmp_path / "b.xlsx")
    assert (tmp_path / "a.xlsx").read_bytes() == (tmp_path / "b.xlsx").read_bytes()
    (batch,) = read_table(tmp_path / "a.xlsx")
    assert batch.columns["id"] == ["=cmd()", "001"]
    assert float(batch.columns["x"][0]) == pytest.approx(0.1 + 0.2, rel=1e-15)
    assert batch.columns["x"][1] == batch.columns["none"][0] == ""
    assert batch.columns["odd"] == ["a\\x01b", "Ü"]
    with pytest.raises(OutputError, match=r"characters.*\.csv"):
        write_table({"sequence": ["A" * 40_000]}, tmp_path / "c.xlsx")
    assert not (tmp_path / "c.xlsx").exists()


def test_dates_and_whole_numbers_keep_their_looks(tmp_path: Path) -> None:
    path = book(tmp_path / "x.xlsx", A=[["id", "day"], [7.0, datetime.date(2026, 3, 1)]])
    (batch,) = read_table(path)
    assert batch.columns["id"] == ["7"]
    assert batch.columns["day"][0].startswith("2026-03-01")
