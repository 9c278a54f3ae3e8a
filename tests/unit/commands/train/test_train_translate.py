"""``seqdesign train-translate``: what it writes and says, how it is continued, what it refuses."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdesign.commands.train.train_translate import names_of
from seqdesign.runs.manifest import read_manifest

TINY = ("--steps", "2", "--channels", "4", "--batch-size", "8")
Cli = Callable[..., Any]


@pytest.fixture
def sets(tmp_path: Path) -> tuple[Path, Path]:
    """60 strings of 8 letters with A or C in the middle, and 60 with G or T there."""
    rng = np.random.default_rng(0)
    paths = []
    for name, middle in (("weak", "AC"), ("strong", "GT")):
        texts = ["".join([*rng.choice(list("ACGT"), 7)]) for _ in range(60)]
        path = tmp_path / f"{name}.fa"
        rows = (f">s{i}\n{t[:4]}{rng.choice(list(middle))}{t[4:]}\n" for i, t in enumerate(texts))
        path.write_text("".join(rows))
        paths.append(path)
    return paths[0], paths[1]


def test_a_model_is_written_with_its_page_and_both_directions(
    cli: Cli, sets: tuple[Path, Path], tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    done = cli("train-translate", *sets, "-o", folder, *TINY)
    assert done.code == 0, done.err
    assert "weak to strong" in done.err
    assert "warning: weak to strong:" in done.err  # two steps teach nothing
    manifest = read_manifest(folder)
    assert {str(path) for path in sets} <= set(manifest.inputs)
    page = (folder / "report.html").read_text()
    assert "letters given back" in page
    assert "weak to strong" in page
    again = cli("train-translate", *sets, "-o", folder, *TINY)
    assert again.code != 0
    assert "already holds a model" in again.err
    done = cli("train-translate", *sets, "-o", folder, *TINY, "--overwrite", "--json")
    said = json.loads(done.out)
    assert [one["source"] for one in said["directions"]] == ["weak", "strong"]
    assert said["num_train"] == [42, 42]
    assert said["num_teach"] == [12, 12]
    assert said["num_test"] == [6, 6]


@pytest.mark.parametrize(
    ("change", "words", "wanted"),
    [
        ("same", (), "B: is the same file as A"),
        ("shared", (), "both in weak and in strong"),
        ("few", (), "2 sequences are too few"),
        ("letters", (), "strong.fa"),
        ("none", ("--kernel", "4"), "--kernel: must be odd"),
        ("none", ("--cycle", "0"), "--noise: has no effect with --cycle 0"),
        ("missing", (), "cannot be opened"),
    ],
)
def test_what_cannot_work_is_refused_before_anything_is_written(
    change: str, words: tuple[str, ...], wanted: str, cli: Cli, sets: tuple[Path, Path], tmp_path: Path
) -> None:
    a, b = sets
    if change == "shared":
        b.write_text(a.read_text())
    if change == "few":
        b.write_text(">x\nACGTACGT\n>y\nACGGACGT\n")
    if change == "letters":
        b.write_text(b.read_text() + ">bad\nACGT!CGT\n")
    if change == "missing":
        b = tmp_path / "no.fa"
    done = cli("train-translate", a, a if change == "same" else b, "-o", tmp_path / "m", *TINY, *words)
    assert done.code != 0
    assert wanted in done.err, done.err
    assert "Traceback" not in done.err
    assert not (tmp_path / "m" / "model.safetensors").exists()


def test_sets_are_called_by_their_files() -> None:
    assert names_of(Path("x/weak.fa.gz"), Path("strong.csv")) == ("weak", "strong")
    assert names_of(Path("x/all.fa"), Path("y/all.fa")) == ("a", "b")
    assert names_of(Path("-"), Path("y.fa")) == ("a", "b")
