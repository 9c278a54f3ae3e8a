"""``seqdesign translate``: FASTA, table and page, rules, and what it refuses."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from seqdesign.metrics.edits import apply_edits
from seqdesign.models.translate.config import TranslateOptions
from seqdesign.models.translate.store import TranslateRecord
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.training.store import save_model

Cli = Callable[..., Any]


def save(folder: Path, shortest: int = 8) -> Path:
    """A model that writes G wherever it reads A on the way to b, and changes nothing on the way to a."""
    record = TranslateRecord(
        TranslateOptions(channels=4, kernel=5), get_alphabet("dna"), 8, shortest, ("weak", "strong")
    )
    torch.manual_seed(0)
    model = record.build().eval()
    with torch.no_grad():
        for network in (model.to_a, model.to_b):
            network.letters.weight.zero_()
            network.letters.bias.zero_()
        # activate(first(x)) is one channel that is on where the letter is A
        for parameter in model.to_b.blocks.parameters():
            parameter.zero_()
        model.to_b.first.weight.zero_()
        model.to_b.first.bias.zero_()
        model.to_b.first.weight[0, 0, 0, 2] = 1.0
        model.to_b.letters.weight[2, 0, 0, 1] = 20.0
    folder.mkdir()
    save_model(folder, model, record)
    return folder


@pytest.fixture
def model(tmp_path: Path) -> Path:
    return save(tmp_path / "m")


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    path = tmp_path / "in.fa"
    path.write_text(">one\nACGTACGT\n>two\nCCCCTTTT\n>three\nAAAACCCC\n>four\nTTTAAGCC\n>five\nCATGCATG\n")
    return path


def test_translations_go_to_stdout_a_table_and_a_page(
    cli: Cli, model: Path, fasta: Path, tmp_path: Path
) -> None:
    table, page = tmp_path / "t.csv", tmp_path / "r.html"
    done = cli("translate", model, fasta, "--table", table, "--report", page)
    assert done.code == 0, done.err
    lines = done.out.splitlines()
    assert lines[0] == ">one status=translated to=b edits=2 edit_list=A1G,A5G returned=0.75"
    assert lines[1::2] == ["GCGTGCGT", "CCCCTTTT", "GGGGCCCC", "TTTGGGCC", "CGTGCGTG"]
    assert "status=unchanged" in lines[2]
    assert "weak to strong" in done.err
    rows = list(csv.DictReader(table.read_text().splitlines()))
    for row in rows:
        edits = row["edit_list"].split(",") if row["edit_list"] else []
        assert apply_edits(row["original"], edits) == row["translation"]
    text = page.read_text()
    for words in ("Translated sequences", "Where edits fall", "4 of 5", "given back by the way back"):
        assert words in text, words
    back = cli("translate", model, fasta, "--to", "a")
    assert back.out.splitlines()[1::2] == fasta.read_text().splitlines()[1::2]


def test_rules_are_obeyed_and_speak_of_records(cli: Cli, model: Path, fasta: Path, tmp_path: Path) -> None:
    out = tmp_path / "o.fa"
    done = cli("translate", model, fasta, "--keep", "1-3", "--max-edits", "1", "-o", out, "--json")
    assert done.code == 0, done.err
    assert json.loads(done.out)["changed"] == 4
    originals = fasta.read_text().splitlines()[1::2]
    for before, after in zip(originals, out.read_text().splitlines()[1::2], strict=True):
        assert before[:3] == after[:3]
        assert sum(x != y for x, y in zip(before, after, strict=True)) <= 1
    done = cli("translate", model, fasta, "--keep", "1-8", "--gc", "0.9-1")
    assert done.code != 0
    assert "contradict each other" in done.err
    assert "one" in done.err


@pytest.mark.parametrize(
    ("words", "content", "wanted"),
    [
        ((), ">s\nACG\n", "sequences of 8 letters only, got 3"),
        ((), ">s\nACGTNCGT\n", "'N'"),
        (("--to", "c"), ">s\nACGTACGT\n", "--to"),
        (("--min-distance", "2"), ">s\nACGTACGT\n", "--min-distance"),
    ],
)
def test_wrong_input_is_one_line(
    words: tuple[str, ...], content: str, wanted: str, cli: Cli, model: Path, tmp_path: Path
) -> None:
    path = tmp_path / "bad.fa"
    path.write_text(content)
    done = cli("translate", model, path, *words)
    assert done.code != 0
    assert wanted in done.err, done.err
    assert "Traceback" not in done.err


def test_a_model_of_another_kind_and_no_model_are_refused(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    done = cli("translate", tmp_path / "none", fasta)
    assert "train-translate" in done.err
    assert done.code != 0


def test_lengths_may_differ_where_they_did_in_training(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    folder = save(tmp_path / "v", shortest=4)
    path = tmp_path / "short.fa"
    path.write_text(">s\nACGTA\n>t\nCCCCCCAA\n")
    done = cli("translate", folder, path)
    assert done.out.splitlines()[1::2] == ["GCGTG", "CCCCCCGG"]
    done = cli("translate", folder, path, "--keep", "1")
    assert done.out.splitlines()[1::2] == ["ACGTG", "CCCCCCGG"]
