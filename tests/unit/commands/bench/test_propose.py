"""``seqdesign propose`` and ``sd.propose``: files in, a table and a summary out, and what is refused."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqdesign as sd
from seqdesign.errors import UsageError

RNG = np.random.default_rng(5)
TEXTS = list(dict.fromkeys("".join(RNG.choice(list("ACGT"), 6)) for _ in range(60)))
Cli = Callable[..., Any]


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    for name, part in (("r1", TEXTS[:25]), ("r2", TEXTS[25:50])):
        lines = [f"{text},{text.count('G')}" for text in part]
        (tmp_path / f"{name}.csv").write_text("\n".join(["sequence,outcome", *lines]) + "\n")
    (tmp_path / "library.fa").write_text("".join(f">c{i}\n{text}\n" for i, text in enumerate(TEXTS)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_batch_of_the_candidates_that_are_left(here: Path, cli: Cli) -> None:
    words = ("propose", "r1.csv", "r2.csv", "--candidates", "library.fa", "-n", "4", "-q")
    done = cli(*words, "-o", "r3.csv", "--report", "r3.html", "--json")
    assert done.code == 0, done.err
    told = json.loads(done.out)
    with open("r3.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {row["sequence"] for row in rows} <= set(TEXTS[50:])
    assert told["summary"]["rounds"] == [25, 25]
    assert told["summary"]["last"]["num"] == 25
    assert [one["sequence"] for one in told["sequences"]] == [row["sequence"] for row in rows]
    last = told["summary"]["last"]
    assert sorted(one["sequence"] for one in last["points"]) == sorted(TEXTS[25:50])
    inside = [one["low"] <= one["measured"] <= one["high"] for one in last["points"]]
    assert sum(inside) / 25 == pytest.approx(last["coverage"])
    page = Path("r3.html").read_text()
    assert "How the last round came true" in page
    assert f"<dd>{last['coverage']:.0%}</dd>" in page
    assert all(one["sequence"] in page for one in told["sequences"])
    out = cli(*words).out
    assert out == Path("r3.csv").read_text()
    assert cli("rerun", "r3.csv", "-q").code == 0
    batch = sd.propose(["r1.csv", "r2.csv"], candidates="library.fa", batch=4)
    assert batch.sequences == [row["sequence"] for row in rows]
    assert batch.write("again.csv") == 4
    assert Path("again.csv").read_text() == out
    assert len(batch.to_frame()) == len(batch.to_dict()["records"]) == len(batch[:]) == 4
    assert "Proposal: 4" in repr(batch)
    assert "<table" in batch._repr_html_()


def test_rules_hold_from_python_too(here: Path) -> None:
    batch = sd.propose(["r1.csv"], batch=6, rules=[sd.rules.max_homopolymer(1)])
    assert all(a != b for text in batch.sequences for a, b in pairwise(text))
    with pytest.raises(UsageError, match="refers to a start"):
        sd.propose(["r1.csv"], rules=[sd.rules.max_edits(2)])


def test_what_is_wrong_is_said_in_a_line(here: Path, cli: Cli) -> None:
    Path("few.csv").write_text("sequence,outcome\nACGT,1\nACGG,2\n")
    Path("bare.csv").write_text("sequence\nACGT\nACGG\n")
    for words, said in (
        (("few.csv",), "too few to learn from"),
        (("bare.csv",), "outcome"),
        (("r1.csv", "--outcome", "y"), "y"),
        (("r1.csv", "--forbid", "N"), "no candidate is new and obeys"),
        (("absent.csv",), "cannot be opened"),
    ):
        done = cli("propose", *words)
        assert done.code in (1, 2)
        assert said in done.err.splitlines()[-1]
