"""What seqdesign has written is never taken for measured, and nothing is learned from it by mistake."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seqdesign.sequences.fasta import header_fields, read_fasta
from seqdesign.sequences.origin import origin_of

Cli = Callable[..., Any]
WRITERS = ("maximize", "maximize table", "revise", "revise table", "sample-vae", "predict", "predict vae")


@pytest.fixture(scope="module")
def made(zoo: SimpleNamespace, tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One file of every command that writes sequences with predictions."""
    from seqdesign_cli.main import main

    home = tmp_path_factory.mktemp("made")
    (home / "some.fa").write_text("".join(f">s{i}\n{t}\n" for i, t in enumerate(zoo.texts(30, 5))))
    lines = {
        "maximize": [
            "-m",
            zoo.numbers,
            "-n",
            30,
            "--budget",
            5,
            "-o",
            home / "d.fa",
            "--table",
            home / "d.csv",
        ],
        "revise": [
            home / "some.fa",
            "-m",
            zoo.vae,
            "-o",
            home / "r.fa",
            "--table",
            home / "r.csv",
            "--rounds",
            0,
        ],
        "sample-vae": ["-m", zoo.vae, "-n", 30, "-o", home / "s.fa"],
        "predict": [home / "some.fa", "-m", zoo.numbers, "-o", home / "p.csv"],
    }
    for command, words in lines.items():
        assert main([command, *map(str, words), "-q"]) == 0
    assert main(["predict", str(home / "some.fa"), "-m", str(zoo.vae), "-o", str(home / "q.csv"), "-q"]) == 0
    names = ("d.fa", "d.csv", "r.fa", "r.csv", "s.fa", "p.csv", "q.csv")
    return dict(zip(WRITERS, (home / name for name in names), strict=True))


def keys_of(path: Path) -> set[str]:
    if path.suffix == ".fa":
        return set(header_fields(next(iter(read_fasta(path))).description))
    with path.open(newline="") as handle:
        return set(next(csv.reader(handle)))


@pytest.mark.parametrize("writer", WRITERS)
def test_a_prediction_never_has_the_key_of_a_measurement(made: dict[str, Path], writer: str) -> None:
    keys = keys_of(made[writer])
    assert "outcome" not in keys
    assert not {key for key in keys if key.startswith("outcome")}
    if writer != "predict":  # it has mean, and all outcomes of a model in front of it
        assert any(key.startswith("predicted_outcome") for key in keys)


@pytest.mark.parametrize("writer", WRITERS)
def test_our_own_files_are_recognised(made: dict[str, Path], tmp_path: Path, writer: str) -> None:
    """By their keys alone, so also where the manifest is gone."""
    path = made[writer]
    first = next(iter(read_fasta(path))).id if path.suffix == ".fa" else ""
    origin = origin_of(keys_of(path), None, first)
    assert origin is not None
    assert origin.command == writer.split()[0]
    assert not origin.is_prediction("measured")
    assert origin.is_prediction("predicted_outcome")
    assert origin.is_prediction("measured_before")  # of the parent, not of what was made from it


@pytest.mark.parametrize("writer", ["maximize", "maximize table", "sample-vae"])
def test_predict_compares_with_nothing(
    cli: Cli, made: dict[str, Path], zoo: SimpleNamespace, tmp_path: Path, writer: str
) -> None:
    for model in (zoo.numbers, zoo.vae):
        out = tmp_path / f"{model.name}.csv"
        done = cli("predict", made[writer], "-m", model, "-o", out, "--json")
        assert json.loads(done.out)["num_measured"] == 0
        assert "against" not in done.err
        with out.open(newline="") as handle:
            assert {row["measured"] for row in csv.DictReader(handle)} == {""}


@pytest.mark.parametrize("writer", ["maximize", "maximize table", "revise", "sample-vae"])
def test_train_predictor_refuses_with_a_clear_word(
    cli: Cli, made: dict[str, Path], tmp_path: Path, writer: str
) -> None:
    done = cli("train-predictor", made[writer], "-o", tmp_path / "m", "-q")
    assert done.code == 1
    assert f"written by seqdesign {writer.split()[0]}: its outcomes are predictions" in done.err
    key = "score" if writer.startswith("maximize") else "predicted_outcome"
    asked = cli("train-predictor", made[writer], "-o", tmp_path / "m", "-q", "--outcome", key)
    assert asked.code == 1
    assert "nobody has measured it" in asked.err or "written by seqdesign" in asked.err


def test_train_vae_says_that_it_learns_no_predictions(
    cli: Cli, made: dict[str, Path], tmp_path: Path
) -> None:
    words = (
        "--hidden",
        "4",
        "--latent-dim",
        "2",
        "--embedding",
        "4",
        "--epochs",
        "1",
        "-o",
        tmp_path / "v",
        "--json",
    )
    done = cli("train-vae", made["maximize"], *words)
    assert done.code == 0, done.err
    assert json.loads(done.out)["outcome"] is None
    assert "written by seqdesign maximize: its outcomes are predictions, not measurements" in done.err
    assert cli("inspect", made["maximize"]).out.count("none measured: written by seqdesign maximize") == 1


def test_what_users_measured_of_designs_is_learned(
    cli: Cli, made: dict[str, Path], zoo: SimpleNamespace, tmp_path: Path
) -> None:
    """The way back from the bench: a column of one's own in our table."""
    with made["maximize table"].open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    with (tmp_path / "back.csv").open("w", newline="") as handle:
        writer = csv.DictWriter(handle, [*rows[0], "measured"])
        writer.writeheader()
        writer.writerows({**row, "measured": zoo.score(row["sequence"])} for row in rows)
    done = cli(
        "predict",
        tmp_path / "back.csv",
        "-m",
        zoo.numbers,
        "--outcome",
        "measured",
        "-o",
        tmp_path / "p.csv",
        "--json",
    )
    assert json.loads(done.out)["num_measured"] == len(rows)


OLD = (
    ">design1 status=ok score=9.9 score_start=1 outcome=9.9 outcome_sd=0.1 ood=3\nACGGGGGGGGGG\n"
    ">design2 status=ok score=8.9 score_start=1 outcome=8.9 outcome_sd=0.1 ood=3\nACGAGGGGGGGG\n"
)


def test_files_of_older_versions_are_recognised_too(cli: Cli, zoo: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "old.fa").write_text(OLD)
    done = cli("predict", tmp_path / "old.fa", "-m", zoo.numbers, "-o", tmp_path / "p.csv")
    assert "the input was written by seqdesign maximize: its outcomes are predictions" in done.err
    assert "against" not in done.err
    refused = cli("predict", tmp_path / "old.fa", "-m", zoo.numbers, "--outcome", "outcome", "-q")
    assert refused.code == 1
    assert "'outcome' was written by seqdesign maximize: nobody has measured it" in refused.err
    assert cli("train-predictor", tmp_path / "old.fa", "-o", tmp_path / "m", "-q").code == 1
    assert cli("report", tmp_path / "old.fa", "-o", tmp_path / "r.html").code == 0


def test_a_manifest_alone_tells_and_only_of_the_file_that_was_written(
    cli: Cli, made: dict[str, Path], tmp_path: Path
) -> None:
    from seqdesign.runs.atomic import sha256_file

    path = tmp_path / "g.fa"
    path.write_text(">sample_1 outcome=1\nACGT\n>sample_2 outcome=0\nACGA\n")
    note = {"name": "sample-gan", "outputs": {"g.fa": sha256_file(path)}}
    (tmp_path / "g.fa.manifest.json").write_text(json.dumps(note))
    assert "none measured: written by seqdesign sample-gan" in cli("inspect", path).out
    path.write_text(">mine outcome=1\nACGT\n>other outcome=0\nACGA\n")
    assert "2 numbers" in cli("inspect", path).out


@pytest.mark.parametrize(
    "keys", [{"outcome"}, {"score", "outcome"}, {"status", "score"}, {"loglik", "outcome"}, {"mean", "sd"}]
)
def test_files_of_users_are_theirs(keys: set[str]) -> None:
    assert origin_of(keys) is None


def test_reports_and_evaluations_of_our_files_still_work(
    cli: Cli, made: dict[str, Path], zoo: SimpleNamespace, tmp_path: Path
) -> None:
    for writer in ("maximize", "revise"):
        page = tmp_path / f"{writer}.html"
        assert cli("report", made[writer], "-o", page).code == 0
        assert "predicted_outcome" in page.read_text()
    assert cli("evaluate", made["maximize"], "-t", zoo.table, "--designs", "-q").code == 0
    assert cli("attribute", made["revise"], "-m", zoo.numbers, "-o", tmp_path / "a.csv", "-q").code == 0
