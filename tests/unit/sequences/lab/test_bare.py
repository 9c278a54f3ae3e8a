"""Alignments in Stockholm and CLUSTAL format are read by every command."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.reader import read_sequences

STOCKHOLM = """# STOCKHOLM 1.0
#=GF ID   WW
#=GS a/1-5 AC Q1

a/1-5  .mKL-
#=GR a/1-5 SS .HHH-
b      gMRLS
#=GC SS_cons  .HHHH

a/1-5  PGW
b      P-W
//
# STOCKHOLM 1.0
b2     AC
//
"""
CLUSTAL = (
    "CLUSTAL O(1.2.4) multiple sequence alignment\n\n\n"
    "a    MKL-\t3\nb    MRLS\t4\n     *:* \n\na  PG 5\nb  PW 6\n"
)


def written(folder: Path, text: str) -> Path:
    path = folder / "family"
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("text", "names", "rows", "lines"),
    [
        (STOCKHOLM, ["a/1-5", "b", "b2"], [".mKL-PGW", "gMRLSP-W", "AC"], [5, 7, 14]),
        (CLUSTAL, ["a", "b"], ["MKL-PG", "MRLSPW"], [4, 5]),
    ],
)
def test_blocks_are_joined_and_marks_left_out(tmp_path, text, names, rows, lines) -> None:
    found = read_sequences(written(tmp_path, text))
    assert (found.ids, found.sequences) == (names, rows)
    assert found.lines is not None
    assert found.lines.tolist() == lines


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (STOCKHOLM.replace("P-W", "P-"), "record 'b': rows of an alignment are equally long; this one has 7"),
        (STOCKHOLM.replace("gMRLS", ""), ":7: a row of an alignment has a name and letters"),
        ("# STOCKHOLM 1.0\n//\n", "no record"),
    ],
)
def test_what_is_no_alignment_is_refused(tmp_path, text, message) -> None:
    with pytest.raises(InputError, match=message):
        read_sequences(written(tmp_path, text))


def test_an_alignment_has_no_columns(tmp_path) -> None:
    path = written(tmp_path, CLUSTAL)
    with pytest.raises(UsageError, match="is an alignment and has no columns"):
        read_sequences(path, sequence_column="seq")
    with pytest.raises(InputError, match="is an alignment and holds no 'fitness'"):
        read_sequences(path, outcome="fitness")
