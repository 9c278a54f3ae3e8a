"""Promises of ``seqdesign train-predictor`` and of ``seqdesign predict`` with its models."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdesign.runs.atomic import sha256_file
from seqdesign.runs.manifest import read_manifest

TINY = (
    "--members", "2", "--hidden", "8", "--channels", "4", "--batch-size", "32", "--epochs", "2",
    "--threads", "1", "--architecture", "residual",
)  # fmt: skip
Cli = Callable[..., Any]


@pytest.fixture
def table(tmp_path: Path) -> Path:
    """120 strings of 6 letters; the number of A and of C, and a label."""
    rng, path = np.random.default_rng(0), tmp_path / "seqs.csv"
    rows = ["id,sequence,outcome,other,label"]
    for i in range(120):
        text = "".join(rng.choice(list("ACGT"), size=6))
        other = "" if i % 3 == 0 else str(text.count("C"))
        rows.append(f"s{i},{text},{text.count('A') + 0.5},{other},{'high' if text.count('A') > 1 else 'low'}")
    path.write_text("\n".join(rows) + "\n")
    return path


def read(path: Path) -> list[dict[str, str]]:
    with path.open(newline="") as handle:
        return list(csv.DictReader(handle))


def test_a_run_writes_a_whole_folder_and_predict_uses_it(cli: Cli, table: Path, tmp_path: Path) -> None:
    folder, out = tmp_path / "m", tmp_path / "p.csv"
    done = cli("train-predictor", table, "-o", folder, *TINY)
    assert (done.code, done.out) == (0, "")
    for part in ("R2", "Spearman", "ridge regression", "inside 50, 80, 95% intervals"):
        assert part in done.err
    manifest = read_manifest(folder)
    assert manifest.status == "complete"
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert files == {*manifest.outputs, "manifest.json"}
    assert all(sha256_file(folder / name) == known for name, known in manifest.outputs.items())
    assert "<svg" in (folder / "report.html").read_text()
    said = cli("predict", table, "-m", folder, "-o", out, "--json")
    assert json.loads(said.out)["r2"] > 0.9
    rows = read(out)
    assert list(rows[0]) == [
        "id", "sequence", "mean", "sd", "low_50", "high_50", "low_80", "high_80", "low_95", "high_95",
        "measured", "ood", "problem",
    ]  # fmt: skip
    assert all(float(r["low_95"]) <= float(r["mean"]) <= float(r["high_95"]) for r in rows)
    again = cli("train-predictor", table, "-o", folder, *TINY)
    assert "already holds a model; add --overwrite" in again.err


def test_two_columns_of_sequences_are_refused(cli: Cli, table: Path) -> None:
    done = cli("train-predictor", table, "--sequence", "VH", "--sequence", "VL")
    said = "seqdesign: error: --sequence: names one column, but is there twice; join both in one"
    assert (done.code, done.err.strip()) == (2, said)


def test_several_outcomes_have_columns_of_their_own(cli: Cli, table: Path, tmp_path: Path) -> None:
    words = ("--outcome", "outcome", "--outcome", "other")
    assert cli("train-predictor", table, "-o", tmp_path / "m", *words, *TINY).code == 0
    assert cli("predict", table, "-m", tmp_path / "m", "-o", tmp_path / "p.csv").code == 0
    rows = read(tmp_path / "p.csv")
    assert rows[0]["other_measured"] == ""
    assert float(rows[1]["other_measured"]) == rows[1]["sequence"].count("C")
    assert {"outcome_mean", "other_low_95"} <= set(rows[0])


def test_labels_have_probabilities(cli: Cli, table: Path, tmp_path: Path) -> None:
    words = ("--outcome", "label", "--task", "classes")
    done = cli("train-predictor", table, "-o", tmp_path / "m", *words, *TINY, "--json")
    found = json.loads(done.out)
    assert (found["task"], found["classes"]) == ("classes", ["high", "low"])
    assert cli("predict", table, "-m", tmp_path / "m", "-o", tmp_path / "p.csv").code == 0
    for row in read(tmp_path / "p.csv"):
        assert float(row["p_high"]) + float(row["p_low"]) == pytest.approx(1)
        assert row["measured"] in ("high", "low")


def test_a_missing_outcome_is_an_error_until_told_what_to_do(cli: Cli, table: Path, tmp_path: Path) -> None:
    words = ("train-predictor", table, "--outcome", "other", *TINY)
    refused = cli(*words, "-o", tmp_path / "m")
    assert refused.code == 1
    assert "seqs.csv:2: record 's0'" in refused.err
    assert "--on-missing drop" in refused.err
    done = cli(*words, "-o", tmp_path / "m2", "--on-missing", "drop", "--json")
    found = json.loads(done.out)
    assert found["num_train"] + found["num_held_out"] == 80


def test_a_resumed_run_ends_with_the_same_model(cli: Cli, table: Path, tmp_path: Path) -> None:
    words = ("train-predictor", table, *TINY)
    assert cli(*words, "-o", tmp_path / "m").code == 0
    whole = (tmp_path / "m/model.safetensors").read_bytes()
    (tmp_path / "m/model.safetensors").unlink()
    assert "unfinished" in cli("predict", table, "-m", tmp_path / "m").err
    assert cli(*words, "-o", tmp_path / "m", "--resume").code == 0
    assert (tmp_path / "m/model.safetensors").read_bytes() == whole
    other = cli(*words, "-o", tmp_path / "m", "--resume", "--seed", "1")
    assert other.code == 1
    assert "other --seed" in other.err


def test_fasta_headers_carry_outcomes(cli: Cli, tmp_path: Path) -> None:
    rng, path = np.random.default_rng(0), tmp_path / "s.fa"
    texts = ["".join(rng.choice(list("ACGT"), size=rng.integers(4, 9))) for _ in range(60)]
    path.write_text("".join(f">s{i} y={t.count('A')}\n{t}\n" for i, t in enumerate(texts)))
    assert cli("train-predictor", path, "-o", tmp_path / "m", "--outcome", "y", *TINY).code == 0
    done = cli("predict", path, "-m", tmp_path / "m")
    assert done.code == 0
    assert len(done.out.splitlines()) == 61


def test_what_training_warned_of_is_said_again_whenever_the_model_is_used(cli: Cli, tmp_path: Path) -> None:
    rng, path = np.random.default_rng(0), tmp_path / "noise.csv"
    texts = ["".join(rng.choice(list("ACGT"), size=6)) for _ in range(120)]
    path.write_text("sequence,outcome\n" + "".join(f"{t},{rng.normal():.3f}\n" for t in texts))
    folder = tmp_path / "m"
    trained = cli("train-predictor", path, "-o", folder, *TINY)
    assert "can hardly be predicted" in trained.err
    for words in (["predict", path], ["maximize", "-n", "2", "--tries", "1"]):
        done = cli(*words, "-m", folder, "-o", tmp_path / f"{words[0]}.csv")
        assert done.code == 0
        assert f"warning: {folder}: 'outcome' can hardly be predicted" in done.err
