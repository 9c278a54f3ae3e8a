"""A model that has learned nothing, or judges what it has learned by heart, says so whenever it is used."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seqdesign.errors import InputError
from seqdesign.models.predictor.outcomes import read_outcomes
from seqdesign.sequences.reader import SequenceSet

Cli = Callable[..., Any]
SMALL = ("--members", "2", "--hidden", "8", "--channels", "4", "--epochs", "2", "-q")


def test_predict_says_how_many_were_trained_on(cli: Cli, zoo: SimpleNamespace, tmp_path: Path) -> None:
    """Of 160 sequences a tenth was held out: the figures of the others say nothing about new ones."""
    done = cli("predict", zoo.table, "-m", zoo.numbers, "-o", tmp_path / "p.csv", "--json")
    found = json.loads(done.out)["outcomes"][0]
    assert (found["num_measured"], found["num_trained_on"]) == (160, 144)
    assert found["fresh"]["num"] == 16
    text = cli("predict", zoo.table, "-m", zoo.numbers, "-o", tmp_path / "p.csv").err
    assert "144 of them were trained on, so this says little about new sequences; the other 16: R2" in text
    fresh = zoo.write(tmp_path / "fresh.csv", 60, 7)
    text = cli("predict", fresh, "-m", zoo.numbers, "-o", tmp_path / "q.csv").err
    assert "against 60 measured outcomes" in text
    assert "trained on, so" not in text


def test_predict_by_a_vae_says_that_the_file_is_that_of_its_training(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path
) -> None:
    done = cli("predict", zoo.table, "-m", zoo.vae, "-o", tmp_path / "p.csv")
    assert "this is the file that the model was trained on" in done.err
    fresh = zoo.write(tmp_path / "fresh.csv", 60, 7)
    assert "trained on" not in cli("predict", fresh, "-m", zoo.vae, "-o", tmp_path / "q.csv").err


def test_a_network_no_better_than_ridge_says_so_every_time(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path
) -> None:
    """The outcome of the zoo is a sum over letters: there is nothing more to learn."""
    (tmp_path / "s.fa").write_text(f">a\n{zoo.texts(1)[0]}\n")
    for words in (
        ("predict", tmp_path / "s.fa", "-o", tmp_path / "p.csv"),
        ("maximize", "-n", "1", "--budget", "2", "-o", tmp_path / "d.fa"),
        ("attribute", tmp_path / "s.fa", "-o", tmp_path / "a.csv"),
    ):
        assert "no better than by ridge regression (R2" in cli(*words, "-m", zoo.numbers).err, words[0]


def test_a_vae_that_cannot_decode_says_so_every_time(cli: Cli, zoo: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "s.fa").write_text("".join(f">s{i}\n{t}\n" for i, t in enumerate(zoo.texts(2))))
    for words in (
        ("predict", tmp_path / "s.fa", "-o", tmp_path / "p.csv"),
        ("revise", tmp_path / "s.fa", "--rounds", "0", "-o", tmp_path / "r.fa"),
        ("sample-vae", "-n", "2", "-o", tmp_path / "x.fa"),
        ("interpolate", tmp_path / "s.fa", "-o", tmp_path / "i.fa"),
    ):
        said = cli(*words, "-m", zoo.vae).err
        assert "does not give back what it reads" in said or "posterior has collapsed" in said, words[0]


def test_few_sequences_are_not_called_as_real(cli: Cli, zoo: SimpleNamespace, tmp_path: Path) -> None:
    def judge(num: int) -> dict[str, Any]:
        texts = zoo.texts(400, 3)[:num]
        path = tmp_path / f"{num}.fa"
        path.write_text("".join(f">g{i}\n{t}\n" for i, t in enumerate(texts)))
        words = (
            "-t",
            zoo.write(tmp_path / "t.csv", 400, 1),
            "--heldout",
            zoo.write(tmp_path / "h.csv", 400, 2),
        )
        return json.loads(cli("evaluate", path, *words, "--resamples", "20", "-q", "--json").out)

    few, many = judge(20), judge(400)
    assert {row["verdict"] for row in few["measures"] if row["name"] not in ("repeats", "copies")} == {
        "too few"
    }
    assert any("Too few sequences to call them as real" in f["text"] for f in few["findings"])
    assert "too few" not in {row["verdict"] for row in many["measures"]}
    assert not any("Too few" in f["text"] for f in many["findings"])


def test_designs_are_judged_by_what_matters_of_designs(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path
) -> None:
    """Rich in G, and one of them known: no word about spectra or classifiers, one about the copy."""
    texts = [f"{zoo.fixed}GGG{t[6:]}" for t in zoo.texts(120, 3)] + zoo.texts(1)
    (tmp_path / "d.fa").write_text("".join(f">d{i}\n{t}\n" for i, t in enumerate(texts)))
    words = ("-t", zoo.table, "--predictor", zoo.numbers, "--resamples", "20", "-q", "--json")
    found = json.loads(cli("evaluate", tmp_path / "d.fa", *words, "--designs").out)
    names = {row["name"] for row in found["measures"]}
    assert not {name for name in names if name.startswith(("js_", "mmd_", "profile", "auc"))}
    assert {"copies", "repeats", "predicted_outcome", "unusual"} <= names
    flagged = [f["text"] for f in found["findings"] if f["flagged"]]
    assert any("training sequences, so known already" in text for text in flagged)
    assert not any("memorized" in f["text"] or "classifier" in f["text"] for f in found["findings"])


@pytest.mark.parametrize("command", ["train-predictor", "train-vae"])
@pytest.mark.parametrize("cells", [{3: "1e308"}, {3: "1e308", 4: "-1e308"}])
def test_a_huge_outcome_is_refused_by_every_training(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path, command: str, cells: dict[int, str]
) -> None:
    lines = zoo.table.read_text().splitlines()
    for row, cell in cells.items():
        parts = lines[row].split(",")
        lines[row] = ",".join([*parts[:2], cell, *parts[3:]])
    (tmp_path / "t.csv").write_text("\n".join(lines) + "\n")
    done = cli(command, tmp_path / "t.csv", "-o", tmp_path / "m", "-q")
    assert done.code == 1
    assert "for 32-bit numbers; subtract the mean or change the unit" in done.err
    assert not (tmp_path / "m" / "model.safetensors").exists()


@pytest.mark.parametrize("command", ["train-predictor", "train-vae"])
def test_few_distinct_sequences_are_refused_by_every_training(cli: Cli, tmp_path: Path, command: str) -> None:
    rng = np.random.default_rng(0)
    texts = ("ACGTACGT", "ACGTACGA", "ACGTACGC", "ACGTACGG")
    rows = [f"s{i},{texts[i % 4]},{rng.random():.3f}" for i in range(100)]
    (tmp_path / "f.csv").write_text("\n".join(["id,sequence,outcome", *rows]) + "\n")
    done = cli(command, tmp_path / "f.csv", "-o", tmp_path / "m", "-q")
    assert done.code == 1
    assert "the 100 records hold 4 different sequences only; at least 20 are needed" in done.err


def test_a_member_without_sequences_of_its_own_is_refused(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path
) -> None:
    """One sequence makes up nearly all rows, so that no fair share is left for the others to be judged by."""
    texts = zoo.texts(24)
    rows = [f"s{i},{texts[min(i, 23)]},{i % 7}" for i in range(400)]
    (tmp_path / "u.csv").write_text("\n".join(["id,sequence,outcome", *rows]) + "\n")
    done = cli("train-predictor", tmp_path / "u.csv", "-o", tmp_path / "m", *SMALL[2:], "--members", "8")
    assert done.code == 1
    assert "need at least as many groups of records that must stay together" in done.err


def test_huge_weights_and_standard_errors_are_refused() -> None:
    records = SequenceSet(
        ["a", "b"],
        ["ACGT", "ACGA"],
        source="f.csv",
        columns={"y": ["1", "2"], "s": ["1", "1e200"], "w": ["1", "1e99"]},
    )
    with pytest.raises(InputError, match="'s' goes up to 1e"):
        read_outcomes(records, ["y"], sigma=["s"])
    with pytest.raises(InputError, match="'w' goes up to 1e"):
        read_outcomes(records, ["y"], weight="w")
