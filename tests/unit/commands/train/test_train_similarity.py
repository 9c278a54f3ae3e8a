"""``seqdesign train-similarity``: what it writes, how it can be taught, and what it refuses."""

from __future__ import annotations

import csv
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdesign.runs.manifest import read_manifest

Cli = Callable[..., Any]
TINY = ("--hidden", "6", "--epochs", "2", "-b", "8")


@pytest.fixture
def table(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """60 strings of DNA of two families."""
    rng = np.random.default_rng(0)
    lines = ["id,sequence,family"]
    for i in range(60):
        text = "".join(rng.choice(list(("ACG", "CGT")[i % 2]), 10))
        lines.append(f"s{i},{text},{('left', 'right')[i % 2]}")
    (tmp_path / "seqs.csv").write_text("\n".join(lines) + "\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path / "seqs.csv"


@pytest.mark.parametrize(
    ("words", "taught", "said"),
    [
        ((), "edits", "rank correlation"),
        (("--measure", "alignment"), "alignment", "edit distance"),
        (("--label", "family"), "label family", "AUROC"),
    ],
)
def test_a_model_is_trained_judged_asked_and_shown(
    words: tuple[str, ...], taught: str, said: str, table: Path, cli: Cli
) -> None:
    done = cli("train-similarity", "seqs.csv", "-o", "m", *TINY, *words)
    assert done.code == 0, done.err
    assert f"taught by            {taught}" in done.err
    assert said in done.err
    assert "words of " in done.err
    manifest = read_manifest(Path("m"))
    assert manifest is not None
    assert manifest.result is not None
    assert manifest.result["quality"]["pairs"] >= 10
    assert "Similarity model" in Path("m/report.html").read_text()
    done = cli("predict", "seqs.csv", "-m", "m")
    assert done.code == 0, done.err
    rows = list(csv.DictReader(done.out.splitlines()))
    assert list(rows[0]) == ["id", "sequence", "nearest", "typical", "measured"]
    assert sum(float(row["nearest"]) > 0.999 for row in rows) >= 50  # those it has learned from
    assert cli("report", "m", "-o", "page.html").code == 0
    assert "How alike" in Path("page.html").read_text() or "how alike" in Path("page.html").read_text()


def test_given_pairs_teach(table: Path, cli: Cli) -> None:
    pairs = [f"s{i},s{j},{0.9 if (i - j) % 2 == 0 else 0.1}" for i in range(60) for j in range(i)]
    Path("pairs.csv").write_text("\n".join(["a,b,similarity", *pairs]) + "\n")
    done = cli("train-similarity", "seqs.csv", "-o", "m", *TINY, "--pairs", "pairs.csv", "--held-out", "0.2")
    assert done.code == 0, done.err
    assert "taught by            pairs" in done.err
    Path("pairs.csv").write_text("a,b,similarity\ns1,s2,0.5\n")
    done = cli("train-similarity", "seqs.csv", "-o", "n", *TINY, "--pairs", "pairs.csv")
    assert done.code != 0
    assert "of 1 pairs are of two training sequences; at least 20 are needed" in done.err


def test_wrong_wishes_are_told_in_one_line(table: Path, cli: Cli) -> None:
    for words, said in (
        (("--label", "family", "--pairs", "p.csv"), "--pairs: cannot be combined with --label"),
        (("--label", "family", "--measure", "alignment"), "--measure: has no effect with --label"),
        (("--split", "quantile"), "--split: quantile needs an outcome"),
        (("--label", "colour"), "colour"),
        (("--pairs", "nothing.csv"), "nothing.csv"),
    ):
        done = cli("train-similarity", "seqs.csv", "-o", "m", *TINY, *words)
        assert done.code != 0
        assert said in done.err
        assert len(done.err.strip().splitlines()) == 1, done.err
    table.write_text(
        "id,sequence,family\n" + "".join(f"s{i},ACG{'ACGT'[i % 4] * (i // 4)},\n" for i in range(40))
    )
    done = cli("train-similarity", "seqs.csv", "-o", "m", *TINY, "--label", "family")
    assert "record 's0': has no label in 'family'" in done.err
