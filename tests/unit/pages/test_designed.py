"""Designs read back from files: what they were made from, what they gained, which columns are numbers."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from seqdesign.errors import InputError
from seqdesign.pages.constraints import check
from seqdesign.pages.designed import DesignSet, read_designs, typed
from seqdesign.sequences.alphabets import get_alphabet

DNA = get_alphabet("dna")

FASTA = """\
>a_1 parent=a score=1.5 score_start=0.5 growth=1.4 growth_low=1.2 growth_high=1.6 edits=1 edit_list=T2C
ACGT
>b_1 parent=007 score=2 score_start=2.5 edits=0 reason="is odd; and so on"
GGGG
"""


def test_headers_become_rows_and_edits_lead_back_to_the_parents(tmp_path: Path) -> None:
    (tmp_path / "d.fa").write_text(FASTA)
    designs = read_designs(tmp_path / "d.fa")
    assert designs.originals == ["ATGT", "GGGG"]
    assert designs.rows[1]["parent"] == "007"
    assert designs.rows[1]["reason"] == "is odd; and so on"
    assert designs.before_after == ("score_start", "score")
    assert designs.gain is not None
    assert designs.gain.tolist() == [1.0, -0.5]
    assert designs.outcomes == ("growth",)
    assert np.isnan(designs.numbers("growth")[1])


def test_a_table_of_revisions_is_read_as_the_fasta_is(tmp_path: Path) -> None:
    lines = [
        "id,rank,status,original,revised,outcome_before,outcome",
        "a,1,revised,AAA,AAC,0.5,1",
        "a,2,revised,AAA,AAG,0.5,0.75",
    ]
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    designs = read_designs(tmp_path / "t.csv")
    assert designs.sequences == ["AAC", "AAG"]
    assert designs.originals == ["AAA", "AAA"]
    assert designs.best_of_each().sequences == ["AAC"]


def test_rejected_designs_are_left_out_and_nothing_left_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "t.csv").write_text("id,status,sequence\na,rejected,ACG\nb,ok,ACC\n")
    assert read_designs(tmp_path / "t.csv").sequences == ["ACC"]
    (tmp_path / "t.csv").write_text("id,status,sequence\na,rejected,ACG\n")
    with pytest.raises(InputError, match=r"t\.csv: holds no sequence"):
        read_designs(tmp_path / "t.csv")
    (tmp_path / "t.csv").write_text("id,text\na,ACG\n")
    with pytest.raises(InputError, match="has no column 'sequence'"):
        read_designs(tmp_path / "t.csv")


def test_a_column_is_numbers_only_if_all_its_cells_are() -> None:
    rows = typed([{"x": "1", "y": "1.5", "z": "1"}, {"x": "", "y": "nan", "z": "one"}])
    assert rows[0] == {"x": 1, "y": 1.5, "z": "1"}
    assert rows[1]["x"] is None
    assert rows[1]["z"] == "one"


def test_sequences_that_were_edited_by_hand_have_no_known_parent() -> None:
    assert DesignSet([{"id": "a", "sequence": "ACGT", "edits": 1, "edit_list": "A2T"}]).originals is None


def designs_of(*pairs: tuple[str, str]) -> DesignSet:
    return DesignSet(
        [
            {"id": f"d{i}", "sequence": after, "original": before, "parent": "p", "edits": 0}
            for i, (before, after) in enumerate(pairs)
        ]
    )


def test_every_rule_is_checked_and_violators_are_named() -> None:
    options = {
        "forbid": ["GAATTC"], "gc": "0.4-0.6", "max_homopolymer": "3", "keep": "1-2", "max_edits": 2,
        "min_distance": 2, "seed": 1,
    }  # fmt: skip
    designs = designs_of(
        ("ACGTACGTAC", "ACGTACGTAC"),
        ("ACGTACGTAC", "ACGTACGTAG"),  # one edit from the first
        ("ACGTACGTAC", "GAATTCGTAC"),  # forbidden, not kept, six edits
        ("ACGTACGTAC", "ACAAAACCGG"),  # a run of four
    )
    rows = {row["rule"].split()[0]: row for row in check(designs, options, DNA).rows}
    assert {name: row["violations"] for name, row in rows.items()} == {
        "--max-edits": 2, "--forbid": 1, "--gc": 0, "--keep": 1, "--max-homopolymer": 1, "--min-distance": 2,
    }  # fmt: skip
    assert rows["--forbid"]["first"] == "d2"
    assert rows["--min-distance"]["first"] == "d0, d1"
    assert all(row["checked"] == 4 for row in rows.values())


def test_a_rule_about_unknown_parents_is_not_called_obeyed() -> None:
    designs = DesignSet([{"id": "a", "sequence": "ACGT"}])
    rows = check(designs, {"keep": "1", "max_edits": 1, "gc": "0.4-0.6"}, DNA).rows
    assert {row["rule"]: row["violations"] for row in rows} == {
        "--max-edits 1: parents unknown": None,
        "--gc 0.4-0.6": 0,
        "--keep 1: parents unknown": None,
    }


def test_without_rules_there_is_nothing_to_check() -> None:
    assert check(designs_of(("ACGT", "ACGT")), {"seed": 0, "forbid": []}, DNA).rows == []
