"""Labels have names everywhere, so that nobody raises the wrong one: objective, columns, headers, figures."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from seqdesign.metrics.agreement import BinaryAgreement
from seqdesign.metrics.regression import auroc
from seqdesign.sequences.fasta import header_fields, read_fasta

Cli = Callable[..., Any]


def test_maximize_asks_which_label_to_raise(cli: Cli, zoo: SimpleNamespace) -> None:
    done = cli("maximize", "-m", zoo.labels, "-n", "2", "--budget", "20")
    assert (done.code, done.out) == (2, "")
    assert "--objective: is needed" in done.err
    assert "max:binder" in done.err
    assert "binder, nonbinder" in done.err


@pytest.mark.parametrize(
    ("objective", "more"), [("max:binder", "G"), ("min:nonbinder", "G"), ("max:nonbinder", "not G")]
)
def test_the_label_that_is_named_is_raised(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path, objective: str, more: str
) -> None:
    words = ("--objective", objective, "-n", "4", "--budget", "60", "-o", tmp_path / "d.fa", "-q")
    assert cli("maximize", "-m", zoo.labels, *words).code == 0
    for record in read_fasta(tmp_path / "d.fa"):
        count = record.sequence[len(zoo.fixed) :].count("G")
        assert (count >= 3) == (more == "G"), record
        fields = header_fields(record.description)
        binder, other = float(fields["predicted_binder"]), float(fields["predicted_nonbinder"])
        assert binder + other == pytest.approx(1, abs=1e-4)
        assert (binder > other) == (more == "G")
        assert not {"class", "binder", "nonbinder"} & set(fields)


def test_predict_names_the_labels_and_agrees_in_figures_of_labels(
    cli: Cli, zoo: SimpleNamespace, tmp_path: Path
) -> None:
    done = cli("predict", zoo.table, "-m", zoo.labels, "-o", tmp_path / "p.csv", "--json")
    with (tmp_path / "p.csv").open(newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert {"predicted_class", "p_binder", "p_nonbinder", "sd"} <= set(rows[0])
    assert not {"probability", "class"} & set(rows[0])
    for row in rows:
        assert float(row["p_binder"]) + float(row["p_nonbinder"]) == pytest.approx(1)
        assert row["predicted_class"] == ("binder" if float(row["p_binder"]) > 0.5 else "nonbinder")
    found = json.loads(done.out)["outcomes"][0]
    right = np.mean([row["predicted_class"] == row["measured"] for row in rows])
    assert found["accuracy"] == pytest.approx(right)
    area = auroc([float(r["measured"] == "nonbinder") for r in rows], [float(r["p_nonbinder"]) for r in rows])
    assert found["auroc"] == pytest.approx(area, abs=0.01)
    assert (found["r2"], found["pearson"]) == (None, None)
    text = cli("predict", zoo.table, "-m", zoo.labels, "-o", tmp_path / "p.csv").err
    assert f"against 160 measured outcomes: AUROC {found['auroc']:.3f}, accuracy {right:.3f}" in text


def test_a_label_that_the_model_does_not_know_is_said(cli: Cli, zoo: SimpleNamespace, tmp_path: Path) -> None:
    text = zoo.table.read_text().replace(",binder", ",Binder", 1)
    (tmp_path / "odd.csv").write_text(text)
    done = cli("predict", tmp_path / "odd.csv", "-m", zoo.labels, "-o", tmp_path / "p.csv")
    assert "1 cells are not labels of the model (binder, nonbinder), such as 'Binder'" in done.err


def test_two_values_keep_their_names(cli: Cli, zoo: SimpleNamespace, tmp_path: Path) -> None:
    """--task binary of 1 and 2: what is measured is compared as what it is."""
    rows = [f"{t},{2 if zoo.label(t) == 'binder' else 1}" for t in zoo.texts(160)]
    (tmp_path / "two.csv").write_text("\n".join(["sequence,outcome", *rows]) + "\n")
    words = (
        "--task",
        "binary",
        "--hidden",
        "8",
        "--members",
        "2",
        "--epochs",
        "3",
        "--architecture",
        "residual",
    )
    assert cli("train-predictor", tmp_path / "two.csv", "-o", tmp_path / "m", *words, "-q").code == 0
    done = cli("predict", tmp_path / "two.csv", "-m", tmp_path / "m", "-o", tmp_path / "p.csv", "--json")
    found = json.loads(done.out)["outcomes"][0]
    assert (found["num_measured"], found["accuracy"] > 0.7) == (160, True)
    with (tmp_path / "p.csv").open(newline="") as handle:
        first = next(csv.DictReader(handle))
    assert {"p_1", "p_2"} <= set(first)
    assert first["measured"] in ("1", "2")


def test_attribute_and_evaluate_say_of_which_label(cli: Cli, zoo: SimpleNamespace, tmp_path: Path) -> None:
    (tmp_path / "s.fa").write_text(f">a\n{zoo.texts(1)[0]}\n")
    tables = {}
    for label in ("binder", "nonbinder"):
        out = tmp_path / f"{label}.csv"
        done = cli("attribute", tmp_path / "s.fa", "-m", zoo.labels, "--outcome", label, "-o", out)
        assert f"explained {label} (log-odds)" in done.err
        with out.open(newline="") as handle:
            tables[label] = [float(r["contribution"] or "nan") for r in csv.DictReader(handle)]
    assert np.allclose(tables["binder"], -np.array(tables["nonbinder"]), equal_nan=True, atol=1e-6)
    done = cli("evaluate", zoo.table, "-t", zoo.table, "--predictor", zoo.labels, "--resamples", "20", "-q")
    assert "predicted probability of nonbinder, mean" in done.out


def test_running_figures_are_those_of_the_whole() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 2, 500).astype(float)
    scores = 1 / (1 + np.exp(-(labels + rng.normal(size=500))))
    one = BinaryAgreement()
    for label, score in zip(labels.tolist(), scores.tolist(), strict=True):
        one.add(label, score)
    found = one.figures()
    assert found.auroc == pytest.approx(auroc(labels, scores), abs=2e-3)
    assert found.accuracy == pytest.approx(((scores > 0.5) == labels).mean())
    assert BinaryAgreement().figures().auroc is None
