"""Promises of the table reader and writer."""

from __future__ import annotations

import gzip
import io
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.errors import InputError, MissingExtraError, OutputError
from seqdesign.sequences import tables
from seqdesign.sequences.tables import read_table, write_table

CELLS = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0\r"), max_size=6)
TRAPS = [
    "NA",
    "NAN",
    "NULL",
    "001",
    "1e5",
    "TRUE",
    "=cmd()",
    "a,b",
    'say "x"',
    "two\nlines",
    "tab\there",
    " x ",
    "#",
    "é",
]


def read(data: bytes, **options: object) -> dict[str, list[str]]:
    result: dict[str, list[str]] = {}
    for batch in read_table(io.BytesIO(data), **options):  # type: ignore[arg-type]
        for name, cells in batch.columns.items():
            result.setdefault(name, []).extend(cells)
    return result


@pytest.mark.parametrize("suffix", [".csv", ".tsv", ".csv.gz", ".parquet"])
def test_text_stays_text(tmp_path: Path, suffix: str) -> None:
    """Robustness row 12: nothing is turned into a number, a missing value or a formula."""
    pytest.importorskip("pyarrow") if suffix == ".parquet" else None
    path = tmp_path / f"x{suffix}"
    assert write_table({"id": TRAPS, "sequence": TRAPS[::-1]}, path) == len(TRAPS)
    with path.open("rb") as handle:
        assert read(handle.read()) == {"id": TRAPS, "sequence": TRAPS[::-1]}


@given(st.lists(st.tuples(CELLS, CELLS), min_size=1, max_size=6))
def test_any_cells_round_trip_through_csv(
    tmp_path_factory: pytest.TempPathFactory, rows: list[tuple[str, str]]
) -> None:
    path = tmp_path_factory.mktemp("t") / "x.csv"
    write_table([{"a": a, "b": b} for a, b in rows], path)
    assert read(path.read_bytes()) == {"a": [a for a, _ in rows], "b": [b for _, b in rows]}


@given(st.lists(st.floats(allow_nan=False), min_size=1, max_size=6))
def test_floats_read_back_equal(tmp_path_factory: pytest.TempPathFactory, values: list[float]) -> None:
    path = tmp_path_factory.mktemp("t") / "x.tsv"
    write_table({"x": values}, path)
    assert [float(c) for c in read(path.read_bytes())["x"]] == values


@pytest.mark.parametrize("block", [3, 5, 1 << 20])
@pytest.mark.parametrize(
    "change",
    [
        lambda d: d.replace(b"\n", b"\r\n"),
        lambda d: d.replace(b"\n", b"\r"),
        lambda d: b"\xef\xbb\xbf" + d,
        lambda d: d.rstrip(b"\n"),
        lambda d: d.replace(b"\n", b"\n\n") + b"\n",
        lambda d: d.replace(b",", b"\t"),
        lambda d: d.replace(b"GG", b'"GG"'),
        gzip.compress,
    ],
    ids=["CRLF", "CR", "BOM", "no last newline", "blank lines", "TSV", "quoted", "gz"],
)
def test_layout_changes_nothing(change: object, block: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "_BLOCK", block)
    data = b"sequence,outcome\nACGT,1\nGG,2\nT,3\n"
    assert read(change(data), batch_size=2) == read(data)  # type: ignore[operator]


def test_rows_know_their_line_also_after_quoted_line_ends() -> None:
    data = b'a,b\n1,2\n\n"x\ny",3\n4,5\n'
    (batch,) = read_table(io.BytesIO(data))
    assert list(batch.lines) == [2, 4, 6]
    assert batch.columns["a"] == ["1", "x\ny", "4"]


def test_only_the_wanted_columns_are_returned_and_a_missing_one_lists_the_others() -> None:
    assert read(b"a,b,c\n1,2,3\n", columns=["c", "a"]) == {"c": ["3"], "a": ["1"]}
    with pytest.raises(InputError, match="no column 'x'; the columns are a, b"):
        read(b"a,b\n1,2\n", columns=["x"])


def test_a_line_without_end_is_refused_at_the_cap(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "MAX_LINE", 100)
    monkeypatch.setattr(tables, "_BLOCK", 64)
    with pytest.raises(InputError, match="longer than 100"):
        read(b"a,b\n" + b"x" * 10_000)


def test_none_is_an_empty_cell_and_columns_fix_the_order(tmp_path: Path) -> None:
    path = tmp_path / "x.csv"
    write_table([{"b": None, "a": 1}], path, columns=["a", "b"])
    assert path.read_bytes() == b"a,b\n1,\n"
    write_table([], path, columns=["a"])
    assert path.read_bytes() == b"a\n"


def test_a_table_that_cannot_be_written_says_why(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match=r"\.csv, \.tsv, \.xlsx or \.parquet"):
        write_table({"a": [1]}, tmp_path / "x.xls")
    with pytest.raises(ValueError, match="columns"):
        write_table([{"a": 1}, {"b": 1}], tmp_path / "x.csv")
    with pytest.raises(ValueError, match="header"):
        write_table([], tmp_path / "x.csv")
    assert list(tmp_path.iterdir()) == []


def test_parquet_keeps_types_and_names_damage(tmp_path: Path) -> None:
    pyarrow = pytest.importorskip("pyarrow")
    path = tmp_path / "x.parquet"
    write_table({"sequence": ["ACGT", "NA"], "outcome": [1.5, None]}, path)
    table = pyarrow.parquet.read_table(path)
    assert table.to_pydict() == {"sequence": ["ACGT", "NA"], "outcome": [1.5, None]}
    data = path.read_bytes()
    assert read(data) == {"sequence": ["ACGT", "NA"], "outcome": ["1.5", ""]}
    assert read(gzip.compress(data), batch_size=1)["outcome"] == ["1.5", ""]
    for cut in range(4, len(data), 37):
        with pytest.raises(InputError, match="Parquet"):
            read(data[:cut])


def test_parquet_without_its_package_names_the_extra(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(MissingExtraError, match=r"seqdesign\[parquet\]"):
        read(b"PAR1xxxxPAR1")


def test_row_names_need_no_name_and_a_title_may_have_gaps(tmp_path: Path) -> None:
    """As pandas and R write tables, and as people write sheets."""
    path = tmp_path / "x.csv"
    path.write_text("Assay,,,2026-11-02\n,sequence,outcome,note\nA1,ACGT,1,x\nA2,ACGG,2,\n")
    (batch,) = read_table(path)
    assert list(batch.columns) == ["column 1", "sequence", "outcome", "note"]
    assert batch.columns["column 1"] == ["A1", "A2"]
    assert "1 line above the header" in batch.dialect
