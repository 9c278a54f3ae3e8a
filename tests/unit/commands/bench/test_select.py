"""Promises of ``seqdesign select``."""

from __future__ import annotations

import csv
import json

import numpy as np
import pytest

from seqdesign.commands.bench import select as commands
from seqdesign.commands.bench.select import SelectConfig, select
from seqdesign.errors import InputError, UsageError
from seqdesign.ordering.designs import wanted_by


@pytest.fixture
def designs(tmp_path):
    rng = np.random.default_rng(0)
    path = tmp_path / "designs.fa"
    records = [
        f">d{i} parent=p{i % 2} status={'rejected' if i == 3 else 'ok'} score={9 - i} score_low={i}\n"
        f"{''.join(rng.choice(list('ACGT'), 12))}\n"
        for i in range(20)
    ]
    path.write_text("".join(records))
    return path


def rows(path):
    return list(csv.DictReader(path.read_text().splitlines()))


def test_the_lower_bound_ranks_and_rejected_designs_stay_away(designs, tmp_path):
    made = select(
        SelectConfig(input=designs, budget=6, diversity=0, output=tmp_path / "o.fa", table=tmp_path / "o.csv")
    )
    found = rows(tmp_path / "o.csv")
    assert [row["id"] for row in found if row["role"] == "design"] == ["d19", "d18", "d17", "d16"]
    assert (made.designs, made.controls, made.candidates) == (4, 2, 19)
    assert made.ranked_by == "score_low, the largest first"
    assert any("nothing is known to be measured" in note for note in made.notes)
    everything = SelectConfig(input=designs, budget=50, output=tmp_path / "all.fa", shuffled=0)
    assert select(everything).designs == 19
    assert ">d3 " not in (tmp_path / "all.fa").read_text()


def test_known_sequences_parents_and_quotas(designs, tmp_path):
    known = tmp_path / "known.csv"
    top = designs.read_text().splitlines()[-1]
    known.write_text(f"sequence,outcome\n{top},4.5\n")
    wild = tmp_path / "wt.fa"
    wild.write_text(">p0\nAAAAAAAAAAAA\n>p9\nCCCCCCCCCCCC\n")
    made = select(
        SelectConfig(
            input=designs, budget=12, per_parent=3, exclude=(known,), controls=wild, shuffled=1,
            output=tmp_path / "o.fa", table=tmp_path / "o.csv",
        )
    )  # fmt: skip
    assert made.known == {"d19": "outcome=4.5"}
    found = rows(tmp_path / "o.csv")
    assert [row["id"] for row in found if row["role"] == "parent"] == ["p0"]
    parents = [row["parent"] for row in found if row["role"] == "design"]
    assert sorted(parents) == ["p0"] * 3 + ["p1"] * 3
    assert json.loads((tmp_path / "o.fa.manifest.json").read_text())["result"]["known"] == made.known


def test_another_column_and_smaller_is_better(tmp_path):
    source = tmp_path / "t.csv"
    source.write_text("sequence,kd\nACGT,3\nACGA,1\nACCA,2\n")
    options = {"shuffled": 0, "budget": 2, "diversity": 0, "output": tmp_path / "o.fa"}
    select(SelectConfig(input=source, quality="kd", minimize=True, **options))
    texts = (tmp_path / "o.fa").read_text().splitlines()[1::2]
    assert texts == ["ACGA", "ACCA"]
    for name, error, message in (
        (None, InputError, "name one with --quality"),
        ("ki", InputError, "there is no column or header key 'ki'"),
        ("KD", InputError, r"there is no column or header key 'KD'; did you mean 'kd'\?"),
    ):
        with pytest.raises(error, match=message):
            select(SelectConfig(input=source, quality=name, **options))
    source.write_text("sequence,kd\nACGT,3\nACGA,\n")
    with pytest.raises(InputError, match="has no 'kd', by which designs are ranked"):
        select(SelectConfig(input=source, quality="kd", **options))
    with pytest.raises(UsageError, match="--controls: has no effect with --no-parents"):
        SelectConfig(input=source, controls=source, parents=False)


def test_a_run_of_maximize_names_its_model_and_its_parents(tiny_predictor, tmp_path, monkeypatch, cli):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "starts.fa").write_text(">p0\nACGAGACGA\n>p1\nGGGGGGGGG\n")
    run = ("maximize", "-m", str(tiny_predictor), "--start", "starts.fa", "-n", "8", "--letters", "any")
    assert cli(*run, "--budget", "60", "--tries", "1", "-o", "designs.fa", "-q").code == 0
    done = cli("select", "designs.fa", "--budget", "24", "-o", "o.fa", "--table", "o.csv")
    assert done.code == 0, done.err
    assert "flagged by maximize" in done.err
    assert "for a budget of 24" in done.err
    found = rows(tmp_path / "o.csv")
    assert {row["id"] for row in found if row["role"] == "parent"} == {"p0", "p1"}
    best = [row["sequence"] for row in found if row["role"] == "best-measured"]
    lines = (tiny_predictor.parent / "train.fa").read_text().splitlines()
    measured = sorted(
        ((float(a.split("=")[1]), b) for a, b in zip(lines[::2], lines[1::2], strict=True)), reverse=True
    )
    assert best[0] == measured[0][1]
    (tmp_path / "starts.fa").unlink()  # nobody knows the parents any more
    assert cli("select", "designs.fa", "--budget", "9", "-o", "o.fa", "--table", "o.csv", "-q").code == 0
    assert not [row for row in rows(tmp_path / "o.csv") if row["role"] == "parent"]


@pytest.mark.parametrize(
    ("objective", "best"),
    [("max:blue", "AA"), ("min:blue", "CC"), ("min:red*2", "AA"), ("target:red=1", None)],
)
def test_the_best_measured_are_those_of_the_outcome_that_was_asked_for(
    objective, best, tmp_path, monkeypatch
):
    trained = {"AA": {"red": 1.0, "blue": 5.0}, "CC": {"red": 2.0, "blue": 3.0}}
    monkeypatch.setattr(commands, "_trained_on", lambda folder: trained)
    config = SelectConfig(input=tmp_path / "d.fa", best_measured=1)
    _, found = commands._known(config, tmp_path, wanted_by({"objective": [objective]}))
    assert found == ([] if best is None else [("measured1", best)])


def test_the_best_measured_of_a_label_are_those_that_have_it(tmp_path, cli):
    """On comes after off, so that a row that is on has the larger number."""
    ends = [f"{a}AA{b}" for a in "ACGT" for b in "ACGT"]
    rows = [f"{label}{end}" for label in ("off,AA", "on,CC") for end in ends]
    (tmp_path / "train.csv").write_text("\n".join(["outcome,sequence", *rows]))
    options = ("--architecture", "ridge", "--ensemble", "2", "-q")
    done = cli("train-predictor", tmp_path / "train.csv", "-o", tmp_path / "m", *options)
    assert done.code == 0, done.err
    for objective, best in (("max:on", "CC"), ("min:on", "AA"), ("max:off", "AA"), ("max", None)):
        config = SelectConfig(input=tmp_path / "d.fa", best_measured=2)
        known, found = commands._known(config, tmp_path / "m", wanted_by({"objective": [objective]}))
        assert {text[:2] for _, text in found} == ({best} if best else set()), objective
    assert known.said("AACAAA") == "outcome=off"
    (tmp_path / "d.csv").write_text("sequence,score\nCCCC,1\nGGGG,2\n")
    done = cli("select", tmp_path / "d.csv", "-m", tmp_path / "m", "-o", tmp_path / "o.fa", "--shuffled", "0")
    assert "no measured sequence is ordered again, as nothing says which are best" in done.err


def test_what_was_measured_is_taken_again_only_when_it_is_asked_for(tiny_predictor, tmp_path):
    texts = (tiny_predictor.parent / "train.fa").read_text().splitlines()[1::2]
    source = tmp_path / "d.fa"
    records = [
        f">d{i} score={i} status=ok\n{text}\n" for i, text in enumerate([*texts[:7], texts[0], "AAAAAAAAA"])
    ]
    source.write_text("".join(records))
    options = {
        "input": source,
        "model": tiny_predictor,
        "budget": 9,
        "shuffled": 0,
        "output": tmp_path / "o.fa",
    }
    made = select(SelectConfig(**options, parents=False))
    assert (made.designs, len(made.known)) == (1, 8)
    assert "and 3 more" in made.text()
    again = select(SelectConfig(**options, include_known=True, best_measured=0))
    assert (again.designs, again.repeated) == (8, 1)
    assert "1 designs have the sequence of another" in again.text()


def test_a_file_whose_designs_were_all_rejected_is_refused(tmp_path):
    source = tmp_path / "d.fa"
    source.write_text(">a status=rejected score=1\nACGT\n")
    with pytest.raises(InputError, match=r"d\.fa: all designs were rejected"):
        select(SelectConfig(input=source, output=tmp_path / "o.fa"))
