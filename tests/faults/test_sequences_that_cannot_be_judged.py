"""Shorter or longer than all that a model has seen, or unknown: all commands say the same of them."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.sequences.fasta import header_fields, read_fasta
from seqdesign.sequences.scope import Scope

Cli = Callable[..., Any]
WORDS = "the model was trained on sequences of 12 letters only, got {}"


@pytest.fixture
def mixed(zoo: SimpleNamespace, tmp_path: Path) -> Path:
    """Two sequences that can be judged, the first and the last, and three that cannot."""
    one, two = zoo.texts(2, 9)
    path = tmp_path / "mixed.fa"
    path.write_text(f">one\n{one}\n>short\nACGTA\n>long\n{one}A\n>unknown\n{'N' * 12}\n>two\n{two}\n")
    return path


def test_predict_marks_them_and_predicts_the_others(cli: Cli, mixed: Path, zoo: SimpleNamespace) -> None:
    out = mixed.with_name("p.csv")
    done = cli("predict", mixed, "-m", zoo.numbers, "--on-unknown", "mask", "-o", out)
    assert done.code == 0
    with out.open(newline="") as handle:
        rows = {row["id"]: row for row in csv.DictReader(handle)}
    assert list(rows) == ["one", "short", "long", "unknown", "two"]
    for name, why in (
        ("short", WORDS.format(5)),
        ("long", WORDS.format(13)),
        ("unknown", "only 0 of its 12"),
    ):
        assert (rows[name]["mean"], rows[name]["low_95"], rows[name]["ood"]) == ("", "", "100.0")
        assert why in rows[name]["problem"]
    for name in ("one", "two"):
        assert float(rows[name]["mean"]) > 0
        assert rows[name]["problem"] == ""
    assert f"3 of 5 sequences cannot be judged: 'short' ({WORDS.format(5)}) and 2 more" in done.err


def test_revise_returns_them_and_revises_the_others(cli: Cli, mixed: Path, zoo: SimpleNamespace) -> None:
    out, table = mixed.with_name("r.fa"), mixed.with_name("r.csv")
    words = ("--on-unknown", "mask", "--rounds", "0", "-o", out, "--table", table)
    done = cli("revise", mixed, "-m", zoo.vae, *words, "--report", mixed.with_name("r.html"))
    assert done.code == 0, done.err
    found = {record.id: (header_fields(record.description), record.sequence) for record in read_fasta(out)}
    assert list(found) == ["one", "short", "long", "unknown", "two"]
    assert found["short"] == ({"status": "unjudged", "reason": WORDS.format(5)}, "ACGTA")
    assert {found[name][0]["status"] for name in ("one", "two")} <= {"revised", "unchanged", "infeasible"}
    assert "3 of 5 sequences cannot be judged: 'short'" in done.err
    with table.open(newline="") as handle:
        rows = {row["id"]: row for row in csv.DictReader(handle)}
    assert (rows["short"]["predicted_outcome"], rows["short"]["reason"]) == ("", WORDS.format(5))


def test_attribute_leaves_them_out(cli: Cli, mixed: Path, zoo: SimpleNamespace) -> None:
    out = mixed.with_name("a.csv")
    done = cli("attribute", mixed, "-m", zoo.numbers, "--on-unknown", "mask", "-o", out)
    with out.open(newline="") as handle:
        assert {row["id"] for row in csv.DictReader(handle)} == {"one", "two"}
    assert f"cannot be judged: 'short' ({WORDS.format(5)}) and 2 more; they are left out" in done.err


@pytest.mark.parametrize("command", ["attribute", "revise", "maximize", "predict"])
def test_where_nothing_is_left_the_refusal_has_the_same_words(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path, command: str
) -> None:
    path = tmp_path / "short.fa"
    path.write_text(">five\nACGTA\n")
    model = zoo.vae if command == "revise" else zoo.numbers
    given = ("maximize", "--start", path) if command == "maximize" else (command, path)
    done = cli(*given, "-m", model, "-q")
    assert (done.code, done.out) == (1, "")
    assert f"record 'five': {WORDS.format(5)}" in done.err


def test_predict_of_none_leaves_an_earlier_table_alone(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path
) -> None:
    path, out = tmp_path / "short.fa", tmp_path / "p.csv"
    path.write_text(">five\nACGTA\n>six\nACGTAC\n>seven\nACGTACG\n")
    out.write_text("of yesterday\n")
    done = cli("predict", path, "-m", zoo.numbers, "-o", out)
    assert (done.code, out.read_text()) == (1, "of yesterday\n")
    said = f"{path}: record 'five': {WORDS.format(5)}; none of the other 2 can be judged either"
    assert done.err.splitlines()[-1] == f"seqdesign: error: {said}"
    assert sorted(p.name for p in tmp_path.iterdir()) == ["p.csv", "short.fa"]


def test_evaluate_counts_them_and_judges_the_others(cli: Cli, zoo: SimpleNamespace, tmp_path: Path) -> None:
    made = zoo.texts(160, 3)
    path = tmp_path / "made.fa"
    path.write_text("".join(f">g{i}\n{t[:8] if i < 40 else t}\n" for i, t in enumerate(made)))
    words = (
        "-t",
        zoo.table,
        "--predictor",
        zoo.numbers,
        "--vae",
        zoo.vae,
        "--resamples",
        "20",
        "-q",
        "--json",
    )
    found = json.loads(cli("evaluate", path, *words).out)
    rows = {row["name"]: row for row in found["measures"]}
    for model in ("predictor", "vae"):
        assert rows[f"unjudged_{model}"]["value"] > 0.1
        assert rows[f"unjudged_{model}"]["real"] == 0
    assert np.isfinite(rows["predicted_outcome"]["value"])
    assert any("cannot be judged by the predictor" in f["text"] for f in found["findings"])


def test_the_question_is_about_lengths_and_known_letters() -> None:
    scope = Scope(4, 6)
    array = encode(["ACGT", "ACG", "ACGTACG", "ANNN", "ACNN", "NNNN"], get_alphabet("dna"), on_unknown="mask")
    found = scope.objections(array)
    assert sorted(found) == [1, 2, 3, 5]
    assert found[1] == "the model was trained on sequences of 4 to 6 letters, got 3"
    assert found[3] == "only 1 of its 4 letters are known, so nothing can be said of it"
    part, rows = scope.judged(array, found)
    assert rows.tolist() == [0, 4]
    assert part.tokens.shape == (2, 4)


def test_positions_that_never_varied_are_masked_and_never_matter(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path
) -> None:
    """The first three letters are the same in all training sequences: the model knows nothing of them."""
    path, out = tmp_path / "s.fa", tmp_path / "a.csv"
    path.write_text("".join(f">s{i}\n{t}\n" for i, t in enumerate(zoo.texts(20, 4))))
    words = ("-o", out, "--report", tmp_path / "a.html", "--json")
    done = cli("attribute", path, "-m", zoo.numbers, *words)
    assert min(json.loads(done.out)["top_positions"]) > 3
    assert "positions 1-3 had one letter in all training sequences" in done.err
    assert "Positions 1-3 had one letter" in (tmp_path / "a.html").read_text()
    with out.open(newline="") as handle:
        for row in csv.DictReader(handle):
            assert (row["contribution"] == "") == (int(row["position"]) <= 3)
            assert (row["A"] == "") == (int(row["position"]) <= 3)
