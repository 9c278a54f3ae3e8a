"""A split that a table gives is kept as it is, and what is odd about it is said."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdesign.errors import InputError, UsageError
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.encoders import encode
from seqdesign.sequences.reader import SequenceSet
from seqdesign.training.given_split import read_split, split_column

Cli = Callable[..., Any]


def records(cells: list[str]) -> SequenceSet:
    return SequenceSet([f"r{i}" for i in range(len(cells))], ["ACGT"] * len(cells), columns={"set": cells})


def test_parts_and_folds_are_read() -> None:
    split = read_split(records(["Train", "TEST", "val", "training"]), "set")
    assert (split.train.tolist(), split.held_out.tolist(), split.calibration.tolist()) == ([0, 3], [1], [2])
    assert split.has_validation
    assert split.said == "column 'set': 2 train, 1 validation, 1 test"
    two = read_split(records(["train", "valid"]), "set")
    assert (two.held_out.tolist(), two.calibration.tolist(), two.has_validation) == ([1], [1], False)
    folds = read_split(records(["2", "10", "1", "10"]), "set")
    assert (folds.held_out.tolist(), folds.train.tolist()) == ([1, 3], [0, 2])
    assert read_split(records(["2", "10", "1", "10"]), "set", "1").held_out.tolist() == [2]
    assert split_column("fold=2") == ("fold", "2")
    assert split_column("a=b", ["a=b"]) == ("a=b", None)


@pytest.mark.parametrize(
    ("cells", "fold", "error", "match"),
    [
        (["train", ""], None, InputError, "says nothing here"),
        (["train", "tset"], None, InputError, "has 'tset' among"),
        (["train", "test"], "2", UsageError, "holds parts, not folds"),
        (["1", "2"], "3", UsageError, "has no fold '3'; there are 1, 2"),
        (["1", "1"], None, UsageError, "1 different values"),
    ],
)
def test_what_is_no_split_is_refused(
    cells: list[str], fold: str | None, error: type[Exception], match: str
) -> None:
    with pytest.raises(error, match=match):
        read_split(records(cells), "set", fold)


def test_a_sequence_on_both_sides_is_counted_and_small_parts_are_refused() -> None:
    texts = ["".join("ACGT"[i // 4**p % 4] for p in range(4)) for i in range(30)]
    tokens = encode([*texts, texts[0]], get_alphabet("protein"))
    split = read_split(records(["train"] * 29 + ["test"] * 2), "set")
    assert split.check(tokens)[0].startswith("1 of the 2 held-out rows hold a sequence")
    with pytest.raises(InputError, match="10 rows to learn from and 21 held out"):
        read_split(records(["train"] * 10 + ["test"] * 21), "set").check(tokens)


def test_predictor_and_vae_learn_from_the_rows_that_the_table_says(cli: Cli, tmp_path: Path) -> None:
    rng, rows = np.random.default_rng(0), ["id,sequence,outcome,set,fold"]
    for i in range(100):
        text = "".join(rng.choice(list("ACGT"), size=6))
        part = "test" if i >= 85 else "validation" if i >= 70 else "train"
        rows.append(f"s{i},{text},{text.count('A') + rng.normal(0, 0.1):.3f},{part},{i % 4}")
    table = tmp_path / "t.csv"
    table.write_text("\n".join(rows) + "\n")
    words = ("--architecture", "ridge", "--json")
    done = cli("train-predictor", table, "-o", tmp_path / "m", "--split-column", "set", *words)
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert (said["num_train"], said["num_held_out"]) == (70, 15)
    assert said["split"] == "column 'set': 70 train, 15 validation, 15 test"
    held_out = (tmp_path / "m" / "held_out.csv").read_text().splitlines()[1:]
    assert [line.split(",")[0] for line in held_out] == [f"s{i}" for i in range(85, 100)]
    done = cli("train-predictor", table, "-o", tmp_path / "f", "--split-column", "fold=1", *words)
    said = json.loads(done.out)
    assert (said["num_train"], said["num_held_out"], said["members"]) == (75, 25, 3)
    done = cli(
        "train-vae", table, "-o", tmp_path / "v", "--split-column", "set", "--epochs", "1",
        "--latent-dim", "2", "--json",
    )  # fmt: skip
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert (said["num_train"], said["num_held_out"]) == (70, 15)
    done = cli("train-vae", table, "-o", tmp_path / "w", "--split-column", "nope")
    assert "there is no column 'nope'" in done.err
