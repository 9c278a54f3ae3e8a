"""Sequences of several columns, read as one."""

from __future__ import annotations

from pathlib import Path

import pytest

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.lab.chains import LINKER, Joined
from seqdesign.sequences.lab.variants import Numbering
from seqdesign.sequences.options import FileOptions, layout_of
from seqdesign.sequences.reader import SequenceSet, read_sequences


def read(path: Path, columns: str | None, linker: str | None = None, **known: Numbering) -> SequenceSet:
    options = FileOptions(sequence=columns, linker=linker)
    return read_sequences(path, sequence_column=columns, layout=layout_of(options, **known), outcomes=False)


def table(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_columns_are_joined_and_remembered(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "id,light,heavy,kd\na,DIQ,EV QL,1\nb,DIM,EVKLL,2\n")
    found = read(path, "heavy, light")
    assert found.sequences == [f"EVQL{LINKER}DIQ", f"EVKLL{LINKER}DIM"]
    assert found.unused == ("kd",)
    assert f"heavy and light joined by {LINKER}" in found.dialect
    assert found.numbering == Numbering(joined=Joined(("heavy", "light"), LINKER, (0, 3)))
    more = table(tmp_path / "more.csv", "light,heavy\nDIQ,EVQLLL\n")
    assert read(more, None, known=Numbering(joined=Joined(("heavy", "light"), "GS", (0, 3)))).sequences == [
        "EVQLLLGSDIQ"
    ]
    whole = table(tmp_path / "whole.csv", "sequence,heavy,light\nEVGSDI,EV,DI\n")
    assert read(whole, None, known=found.numbering or Numbering()).sequences == ["EVGSDI"]


def test_nothing_stands_between_dna_unless_it_is_named(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "p,r\nACGT,aa\nACG,TT\n")
    assert read(path, "p,r").sequences == ["ACGTaa", "ACGTT"]
    assert read(path, "p,r", "GG").sequences == ["ACGTGGaa", "ACGGGTT"]


def test_a_column_may_have_a_comma_in_its_name(tmp_path: Path) -> None:
    path = table(tmp_path / "x.tsv", "p,r\tp\tr\nACGT\tA\tC\n")
    assert read(path, "p,r").sequences == ["ACGT"]


def test_what_cannot_be_joined_is_named(tmp_path: Path) -> None:
    path = table(tmp_path / "x.csv", "heavy,light\nEVQL,DIQ\nEVQL,\n")
    with pytest.raises(InputError, match="column 'light' is empty here") as caught:
        read(path, "heavy,light")
    assert caught.value.line == 3
    with pytest.raises(InputError, match="no column 'lite'.*did you mean 'light'"):
        read(path, "heavy,lite")
    with pytest.raises(UsageError, match="--sequence: names a column twice"):
        read(path, "heavy,heavy")
    with pytest.raises(UsageError, match="--linker: has no effect"):
        from seqdesign.config import resolve

        resolve(FileOptions, {"sequence": "heavy", "linker": "GS"})


@pytest.mark.parametrize(
    ("joined", "text", "parts"),
    [
        (Joined(("a", "b"), "GG", (0, 0)), "ACGGTT", ("AC", "TT")),
        (Joined(("a", "b"), "GG", (0, 0)), "ACGGTGGT", None),  # nobody knows which one
        (Joined(("a", "b"), "GG", (2, 0)), "ACGGTGGT", ("AC", "TGGT")),
        (Joined(("a", "b", "c"), "", (2, 0, 1)), "ACGTT", ("AC", "GT", "T")),
        (Joined(("a", "b"), "", (2, 3)), "ACGTT", ("AC", "GTT")),
        (Joined(("a", "b"), "", (2, 3)), "ACGT", None),
        (Joined(("a", "b"), "", (2, 0)), "AC", None),
        (Joined(("a", "b"), "", (0, 0)), "ACGT", None),
    ],
)
def test_a_design_is_cut_where_that_is_known(
    joined: Joined, text: str, parts: tuple[str, ...] | None
) -> None:
    assert joined.cut(text) == parts
