"""``check`` says yes or no, why and where, and mends."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from seqdesign_cli.main import main

GENES = ">a x=1\nATGGAATTCGGTCTCAAATAA\n>b\nATGGCATTTGGTTAA\n"


@pytest.fixture
def genes(tmp_path: Path) -> Path:
    path = tmp_path / "genes.fa"
    path.write_text(GENES)
    return path


def test_each_record_has_an_answer_and_the_exit_code_says_whether_all_obey(
    genes: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["check", str(genes), "--forbid", "EcoRI"]) == 1
    said = capsys.readouterr().err
    assert "no  a: EcoRI site GAATTC at 4-9 (--forbid EcoRI)" in said
    assert "yes b\n" in said
    assert "1 of 2 obey the rules" in said
    assert main(["check", str(genes), "--forbid", "NotI", "--quiet"]) == 0
    assert main(["check", str(genes), "--forbid", "EcoRI", "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert [one["violations"] for one in found["records"]] == ["forbid:EcoRI@4-9", ""]


def test_mended_sequences_are_written_with_what_was_changed(
    genes: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    out, table = tmp_path / "mended.fa", tmp_path / "said.csv"
    words = [
        "check",
        str(genes),
        "--forbid",
        "EcoRI",
        "--coding",
        "--mend",
        "-o",
        str(out),
        "--table",
        str(table),
    ]
    assert main(words) == 0
    said = capsys.readouterr().err
    assert "mended by 1 change: " in said
    assert "1 of 2 obey the rules, 1 more were mended" in said
    assert out.read_text().splitlines()[0].startswith(">a edits=1 edit_list=")
    assert table.read_text().splitlines()[0] == "id,ok,reason,violations,mended,changes,edits,sequence"
    assert main(["check", str(out), "--forbid", "EcoRI", "--coding", "--quiet"]) == 0


@pytest.mark.parametrize(
    ("words", "message"),
    [
        ([], "name at least one rule"),
        (["--forbid", "EcoRI", "--mend"], "--mend: needs a file"),
        (["--coding", "--codon-table", "99"], "--codon-table: must be one of the genetic codes"),
        (["--forbid", "EcoR"], "'EcoR' is neither a pattern"),
        (["--forbid", "BsaII"], "did you mean 'BsaI'?"),
        (["--without-flanks", "gc", "--gc", "0.4-0.6"], "--without-flanks: has no effect"),
        (["--synthesis", "acme"], "--synthesis"),
        (["--gc", "0.4-0.6", "--json", "-o", "-"], "--json: needs a file for the sequences"),
        (["--gc", "0.4-0.6", "--codon-table", "2"], "--codon-table: has no effect without --coding"),
    ],
)
def test_what_makes_no_sense_is_refused(
    genes: Path, capsys: pytest.CaptureFixture[str], words: list[str], message: str
) -> None:
    assert main(["check", str(genes), *words]) == 2
    assert message in capsys.readouterr().err


def test_what_cannot_be_mended_is_said_and_left_out(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, out = tmp_path / "one.fa", tmp_path / "mended.fa"
    path.write_text(">m\nATGATGATG\n")  # methionine has one codon
    words = ("--coding", "--forbid", "ATGATG", "--mend", "-o", str(out))
    assert main(["check", str(path), *words]) == 1
    assert "no sequence near it was found that obeys the rules" in capsys.readouterr().err
    assert out.read_text() == ""


def test_a_long_run_is_one_place_and_of_many_places_three_are_told(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    path, table = tmp_path / "x.fa", tmp_path / "x.csv"
    path.write_text(f">a\n{'A' * 30}\n>b\n{'GAATTC' * 5}\n")
    rules = ["--max-homopolymer", "9", "--forbid", "EcoRI"]
    assert main(["check", str(path), *rules, "--table", str(table)]) == 1
    said = capsys.readouterr().err
    assert "no  a: more than 9 A in a row at 1-30 (--max-homopolymer 9)\n" in said
    assert said.count("EcoRI site GAATTC at") == 3
    assert "at 13-18 and 2 more (--forbid EcoRI)\n" in said
    assert "forbid:EcoRI@25-30" in table.read_text()
