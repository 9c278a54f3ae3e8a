"""Names of the user's columns and records in headers: any name fits, none collides, all read back."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from seqdesign.errors import InputError
from seqdesign.sequences.fasta import (
    Record,
    check_header_ids,
    format_fields,
    header_fields,
    header_key,
    read_fasta,
    write_fasta,
)
from seqdesign.sequences.reader import read_sequences

NAMES = ["IC50 (nM)", "a=b", 'say "x"', "two\nlines", " ", "tab\there"]


@given(st.dictionaries(st.text(min_size=1), st.text(), min_size=1))
def test_any_fields_can_be_written_and_read_back(fields: dict[str, str]) -> None:
    text = format_fields(fields)
    assert "\n" not in text
    assert "\r" not in text
    assert len(header_fields(text)) == len(fields)


@pytest.mark.parametrize("name", NAMES)
def test_a_key_that_is_none_is_made_one(name: str) -> None:
    assert header_fields(format_fields({name: "1.5"})) == {header_key(name): "1.5"}


def test_names_that_become_the_same_stay_apart() -> None:
    assert header_fields(format_fields({"a b": 1, "a_b": 2})) == {"a_b": "1", "a_b_2": "2"}


def test_an_outcome_is_found_under_its_own_name(tmp_path: Path) -> None:
    path = tmp_path / "x.fa"
    path.write_text(f">a {format_fields({'IC50 (nM)': 1.5})}\nACGT\n")
    found = read_sequences(path, columns=["IC50 (nM)"])
    assert found.columns["IC50 (nM)"] == ["1.5"]


def test_ids_with_spaces_are_written_with_underscores() -> None:
    handle = io.BytesIO()
    write_fasta([Record("sample 1", "", "ACGT")], handle)
    assert [r.id for r in read_fasta(io.BytesIO(handle.getvalue()))] == ["sample_1"]


def test_ids_that_would_become_one_are_refused_before_work() -> None:
    check_header_ids(["sample 1", "sample 2"], "x.csv")
    with pytest.raises(InputError, match="'sample 1' and 'sample_1' would be one"):
        check_header_ids(["sample 1", "sample_1"], "x.csv")


def test_records_of_a_table_with_spaces_are_revised(
    tmp_path: Path, vae_folder: Callable[[Path], Path], cli: Callable[..., Any]
) -> None:
    (tmp_path / "names.csv").write_text("name,sequence\nsample 1,ACGT\nsample 2,CCGT\n")
    folder = vae_folder(tmp_path / "m")
    done = cli("revise", tmp_path / "names.csv", "-m", folder, "-o", tmp_path / "r.fa", "-q")
    assert done.code == 0, done.err
    assert [r.id for r in read_fasta(tmp_path / "r.fa")] == ["sample_1", "sample_2"]
