"""A number that is not one: what a column holds is decided once, from all its cells, for all commands."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seqdesign.errors import InputError
from seqdesign.sequences.numbers import CellFormat, Tally, to_numbers
from seqdesign.sequences.reader import read_sequences

Cli = Callable[..., Any]
ODD = [
    "ND",
    "<0.1",
    ">100",
    "#N/A",
    "1,25",
    "50%",
    "1 234",
    "1,234",
    "1.5.2",
    "1_000",
    "~3",
    "2.5±0.1",
    "n.d.",
]
TRAIN = ("train-predictor", "train-vae")
LIMITS = ("<0.1", ">100")
"""What train-predictor alone reads, as limits."""


def with_cells(path: Path, source: Path, cells: dict[int, str]) -> Path:
    """The table with other outcomes in some rows (from 0), quoted where needed."""
    with source.open(newline="") as handle:
        rows = list(csv.reader(handle))
    for row, cell in cells.items():
        rows[row + 1][2] = cell
    with path.open("w", newline="") as handle:
        csv.writer(handle).writerows(rows)
    return path


@pytest.mark.parametrize("cell", ODD)
def test_one_odd_cell_is_named_by_inspect_and_refused_by_every_training(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path, cell: str
) -> None:
    path = with_cells(tmp_path / "odd.csv", zoo.table, {7: cell})
    seen = json.loads(cli("inspect", path, "--json").out)["outcome"]
    assert (seen["kind"], seen["count"], seen["num_strange"]) == ("mixed", 159, 1)
    said = "159 numbers, 1 limit (1 " if cell in LIMITS else f"1 cell is no number: line 9 {cell!r}"
    assert said in seen["said"]
    for command in TRAIN[1:] if cell in LIMITS else TRAIN:
        done = cli(command, path, "-o", tmp_path / "m", "-q")
        assert done.code == 1, command
        assert "odd.csv:9: record 'v7': column 'outcome' has 159 numbers, but 1 cell is no number" in done.err
        assert not (tmp_path / "m" / "model.safetensors").exists()


def test_all_odd_cells_are_named_at_once(cli: Cli, zoo: SimpleNamespace, tmp_path: Path) -> None:
    path = with_cells(tmp_path / "odd.csv", zoo.table, {i: f"~{i}" for i in range(3, 16)})
    done = cli("train-predictor", path, "-o", tmp_path / "m", "-q")
    for i in range(3, 13):
        assert f"line {i + 2} '~{i}'" in done.err
    assert "13 cells are no numbers" in done.err
    assert "and 3 more" in done.err


def test_the_remedies_that_are_named_work(cli: Cli, zoo: SimpleNamespace, tmp_path: Path) -> None:
    path = with_cells(tmp_path / "nd.csv", zoo.table, {7: "ND", 9: "nd"})
    words = ("--hidden", "8", "--channels", "4", "--members", "2", "--epochs", "1", "-q", "--json")
    refused = cli("train-predictor", path, "-o", tmp_path / "m", *words)
    assert "--missing ND --on-missing drop" in refused.err
    assert "add --task classes if these are labels" in refused.err
    done = cli(
        "train-predictor", path, "-o", tmp_path / "m", "--missing", "ND", "--on-missing", "drop", *words
    )
    found = json.loads(done.out)
    assert (found["task"], found["num_train"] + found["num_held_out"]) == ("regression", 158)
    assert found["measured"] == ["outcome: 158 numbers, 2 without"]


def test_a_decimal_comma_is_read_when_asked_and_only_then(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path
) -> None:
    plain = read_sequences(zoo.table).outcomes
    assert plain is not None
    cells = {i: f"{value:.3f}".replace(".", ",") for i, value in enumerate(plain.tolist())}
    path = with_cells(tmp_path / "comma.csv", zoo.table, cells)
    refused = cli("train-predictor", path, "-o", tmp_path / "m", "-q")
    assert refused.code == 1
    assert "--decimal-comma" in refused.err
    read = read_sequences(path, cells=CellFormat.of((), decimal_comma=True)).outcomes
    assert np.array_equal(plain, read)


@pytest.mark.parametrize(
    ("cell", "value"), [("1,25", 1.25), ("1.234,5", 1234.5), ("-3", -3.0), ("1,5e-3", 0.0015), ("1.25", None)]
)
def test_what_a_decimal_comma_means(cell: str, value: float | None) -> None:
    assert CellFormat.of((), decimal_comma=True).number(cell) == value


def test_labels_are_labels_only_where_no_cell_is_a_number() -> None:
    def kind(*cells: str) -> str:
        tally = Tally("y")
        tally.add(list(cells), [0] * len(cells), list(cells))
        return tally.kind

    assert kind("binder", "nonbinder", "NA") == "labels"
    assert kind("E1", "E2", "wild type") == "labels"
    assert kind("1", "2", "") == "numbers"
    assert kind("1", "2", "control") == "mixed"
    assert kind("binder", "nonbinder", "ND") == "mixed"
    assert kind("0-10", "10-20") == "mixed"
    assert kind("", "NA") == "nothing"


def test_odd_cells_beyond_the_first_batch_are_seen(tmp_path: Path) -> None:
    """A file is read in batches of 16,384 records; what it holds is decided from all of them."""
    rows = [f"s{i},ACGT,{'x' if i in (5, 30_000) else i}" for i in range(33_000)]
    path = tmp_path / "long.csv"
    path.write_text("\n".join(["id,sequence,outcome", *rows]) + "\n")
    with pytest.raises(
        InputError, match="has 32,998 numbers, but 2 cells are no numbers: line 7 'x', line 30002 'x'"
    ):
        read_sequences(path)


def test_names_are_not_taken_for_classes(cli: Cli, zoo: SimpleNamespace, tmp_path: Path) -> None:
    path = with_cells(
        tmp_path / "names.csv", zoo.table, {i: f"clone {chr(97 + i % 26)}{i}" for i in range(160)}
    )
    done = cli("train-predictor", path, "-o", tmp_path / "m", "-q")
    assert done.code == 1
    assert "160 different labels in 160 records, so most occur once" in done.err


def test_predict_says_which_measured_values_it_cannot_read_and_goes_on(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path
) -> None:
    path = with_cells(tmp_path / "odd.csv", zoo.table, {7: "ND"})
    done = cli("predict", path, "-m", zoo.numbers, "-o", tmp_path / "p.csv")
    assert done.code == 0
    assert (
        "'outcome': 159 numbers; 1 cell is no number: line 9 'ND'; such cells count as not measured"
        in done.err
    )
    assert "against 159 measured outcomes" in done.err


@pytest.mark.parametrize("command", ["revise", "attribute", "evaluate"])
def test_an_outcome_that_nobody_asked_for_is_not_read(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path, command: str
) -> None:
    path = with_cells(tmp_path / "odd.csv", zoo.table, {7: "ND"})
    words = {
        "revise": ("-m", zoo.vae, "-o", tmp_path / "r.fa", "--restarts", "1", "--rounds", "0"),
        "attribute": ("-m", zoo.numbers, "-o", tmp_path / "a.csv"),
        "evaluate": ("-t", zoo.table, "--resamples", "20"),
    }[command]
    done = cli(command, path, *words, "-q")
    assert done.code == 0, done.err


def test_text_labels_condition_a_generator(cli: Cli, zoo: SimpleNamespace, tmp_path: Path) -> None:
    words = (
        "--latent-dim",
        "6",
        "--channels",
        "4",
        "--mapping",
        "8",
        "--steps",
        "4",
        "--judge-every",
        "2",
    )
    options = ("--condition", "label", "--outcome", "class", "-o", tmp_path / "g", "-q", "--json")
    done = cli("train-gan", zoo.table, *options, *words)
    assert done.code == 0, done.err
    assert json.loads(done.out)["classes"] == ["binder", "nonbinder"]
    drawn = cli("sample-gan", "-m", tmp_path / "g", "-n", "3", "--condition", "binder").out
    assert drawn.splitlines()[::2] == [f">sample_{i} condition_class=binder" for i in (1, 2, 3)]
    refused = cli("sample-gan", "-m", tmp_path / "g", "--condition", "Binder")
    assert "--condition: must be one of binder, nonbinder, got Binder" in refused.err


def test_weights_and_standard_errors_name_their_odd_cells_too() -> None:
    with pytest.raises(InputError, match="column 'w' has 1 number"):
        to_numbers(["1", "x"], "w", "f.csv", [2, 3], ["a", "b"])
