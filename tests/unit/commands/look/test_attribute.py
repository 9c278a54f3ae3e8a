"""``seqdesign attribute`` as a user calls it, on oracles whose contributions are known."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seqdesign.attribution import explainer
from seqdesign.commands.look.attribute import AttributeConfig, attribute

ORACLE = """
import torch

WEIGHT = torch.arange(24.0).view(4, 6).roll(3, 1) / 10


def linear(x):
    return (x * WEIGHT).sum((1, 2))


def pair(x):
    return 4.0 * x[:, 0, 0] * x[:, 0, 1]


def ensemble():
    return [linear, lambda x: 3 * linear(x)]


def two(x):
    return torch.stack([linear(x), -linear(x)], 1)


def black(x):
    return linear(x.detach().round())


def count_a(x):
    return 10 * x[:, 0].sum(1)
"""
WEIGHT = torch.arange(24.0).view(4, 6).roll(3, 1) / 10
CENTRED = WEIGHT - WEIGHT.mean(0)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "attribute_toys.py").write_text(ORACLE)
    (tmp_path / "seqs.fa").write_text(">a\nACGTAC\n>b\nTTTTTT\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def rows(path: Path | str) -> list[dict[str, str]]:
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle))


def words(name: str, *more: str) -> tuple[str, ...]:
    return ("attribute", "seqs.fa", "--oracle", f"attribute_toys:{name}", "-q", "-o", "t.csv", *more)


@pytest.mark.parametrize("method", ["mutagenesis", "gradient", "integrated-gradients"])
def test_the_table_of_a_linear_oracle_holds_its_weights(
    here: Path, cli: Callable[..., Any], method: str
) -> None:
    done = cli(*words("linear", "--method", method))
    assert (done.code, done.out, done.err) == (0, "", "")
    found = rows(here / "t.csv")
    assert [(r["id"], r["position"], r["letter"]) for r in found] == [
        (name, str(i + 1), letter)
        for name, text in (("a", "ACGTAC"), ("b", "TTTTTT"))
        for i, letter in enumerate(text)
    ]
    for row in found:
        column = CENTRED[:, int(row["position"]) - 1].tolist()
        assert [float(row[v]) for v in "ACGT"] == pytest.approx(column, abs=1e-5)
        assert row["contribution"] == row[row["letter"]]
        assert row["sd"] == ""


def test_an_ensemble_gives_the_mean_and_the_spread(here: Path, cli: Callable[..., Any]) -> None:
    assert cli(*words("ensemble")).code == 0
    for row in rows(here / "t.csv"):
        own = CENTRED["ACGT".index(row["letter"]), int(row["position"]) - 1].item()
        assert float(row["contribution"]) == pytest.approx(2 * own, abs=1e-5)
        assert float(row["sd"]) == pytest.approx(abs(own), abs=1e-5)


def test_the_outcome_can_be_chosen(here: Path, cli: Callable[..., Any]) -> None:
    tables = []
    for name in ("score1", "score2"):
        assert cli(*words("two", "--outcome", name)).code == 0
        tables.append([float(r["contribution"]) for r in rows(here / "t.csv")])
    assert tables[0] == pytest.approx([-v for v in tables[1]])


def test_sequences_of_many_lengths_stay_in_order(here: Path, cli: Callable[..., Any]) -> None:
    texts = {"x": "ACGA", "y": "C", "z": "AAGAA", "w": "TTTA"}
    (here / "seqs.fa").write_text("".join(f">{k}\n{v}\n" for k, v in texts.items()))
    assert cli(*words("count_a")).code == 0
    found = rows(here / "t.csv")
    assert [r["id"] for r in found] == [k for k, v in texts.items() for _ in v]
    assert {r["contribution"] for r in found if r["letter"] == "A"} == {"7.5"}
    assert {r["contribution"] for r in found if r["letter"] != "A"} == {"-2.5"}


def test_blocks_of_any_size_give_the_same_table(
    here: Path, cli: Callable[..., Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    (here / "seqs.fa").write_text("".join(f">s{i}\n{'ACGT'[i % 4]}CGTAC\n" for i in range(9)))
    tables = []
    for letters in (1, 13, 1 << 16):
        monkeypatch.setattr(explainer, "_LETTERS", letters)
        assert cli(*words("ensemble")).code == 0
        tables.append((here / "t.csv").read_bytes())
    assert tables[0] == tables[1] == tables[2]


def test_edits_are_ranked_by_what_they_contribute(here: Path, cli: Callable[..., Any]) -> None:
    """Two edits that only work together share the gain; a third does nothing."""
    (here / "seqs.fa").write_text(">a_1 parent=a\nAACTAC\n>b\nTTTTTT\n>c\nACGTAC\n")
    (here / "old.fa").write_text(">a\nCCGTAC\n>b\nTTTTTT\n>other\nACGTAC\n")
    done = cli(*words("pair", "--parents", "old.fa", "--edits", "e.csv", "--report", "r.html"))
    assert done.code == 0, done.err
    found = rows(here / "e.csv")
    assert [(r["id"], r["parent"], r["edit"], r["rank"]) for r in found] == [
        ("a_1", "a", "C1A", "1"),
        ("a_1", "a", "C2A", "2"),
        ("a_1", "a", "G3C", "3"),
    ]
    columns = ("gain", "contribution", "share", "undo", "alone")
    assert [[float(r[c]) for c in columns] for r in found] == [
        [4.0, 2.0, 0.5, 4.0, 0.0],
        [4.0, 2.0, 0.5, 4.0, 0.0],
        [4.0, 0.0, 0.0, 0.0, 0.0],
    ]
    page = (here / "r.html").read_text()
    assert "Shapley" in page
    assert re.findall(r"<th scope=.row.>(C1A|C2A|G3C)</th>", page) == ["C1A", "C2A", "G3C"]
    assert "https://" not in page


def test_edits_of_an_additive_oracle_have_their_own_effects_also_when_there_are_many(here: Path) -> None:
    old, new = "C" * 15 + "ACG", "A" * 15 + "TTA"
    (here / "seqs.fa").write_text(f">a\n{new}\n")
    (here / "old.fa").write_text(f">a\n{old}\n")
    found = attribute(
        AttributeConfig(
            input=Path("seqs.fa"), oracle="attribute_toys:count_a", parents=Path("old.fa"),
            edits=Path("e.csv"), output=Path("t.csv"), orders=4, quiet=True,
        )
    )  # fmt: skip
    values = {r["edit"]: float(r["contribution"]) for r in rows(here / "e.csv")}
    assert len(values) == 18
    assert [values[f"C{i}A"] for i in range(1, 16)] == pytest.approx([10.0] * 15)
    assert (values["A16T"], values["C17T"], values["G18A"]) == pytest.approx((-10.0, 0.0, 10.0))
    assert found.edits is not None
    assert (found.edits.edits, found.edits.sampled, found.edits.mean_gain) == (18, 1, 150.0)
    assert found.edits.harmless == 2


def test_insertions_and_deletions_are_edits_too(here: Path, cli: Callable[..., Any]) -> None:
    (here / "seqs.fa").write_text(">a\nAACGT\n")
    (here / "old.fa").write_text(">a\nACCGTA\n")
    done = cli(*words("count_a", "--parents", "old.fa", "--edits", "e.csv"))
    assert done.code == 0, done.err
    found = {r["edit"]: float(r["contribution"]) for r in rows(here / "e.csv")}
    assert found == {"C2A": 10.0, "del6A": -10.0}


@pytest.mark.parametrize("suffix", ["svg", "png", "pdf"])
def test_logos_are_drawn(here: Path, cli: Callable[..., Any], suffix: str) -> None:
    assert cli(*words("linear", "--logo", f"logo.{suffix}", "--max-logos", "1")).code == 0
    data = (here / f"logo.{suffix}").read_bytes()
    if suffix == "svg":
        text = data.decode()
        assert "a, score" in text
        assert "b, score" not in text
        assert text.count("<use ") == 6
    assert data[:4] in (b"\x89PNG", b"%PDF", b"<svg", b"<?xm")


def test_edited_positions_are_shaded_in_the_logo(here: Path, cli: Callable[..., Any]) -> None:
    (here / "old.fa").write_text(">a\nACGTTT\n")
    shaded = []
    for more in ((), ("--parents", "old.fa")):
        assert cli(*words("linear", "--logo", "l.svg", *more)).code == 0
        shaded.append((here / "l.svg").read_text().count("fill-opacity"))
    assert shaded == [0, 2]


def test_the_summary_says_where_the_score_comes_from(here: Path, cli: Callable[..., Any]) -> None:
    (here / "seqs.fa").write_text(">a\nAAGTAC\n>b\nAAAAAA\n")
    done = cli("attribute", "seqs.fa", "--oracle", "attribute_toys:pair", "-o", "t.csv", "--json")
    shown = json.loads(done.out)
    assert shown["top_positions"][:2] == [1, 2]
    assert shown["top_shares"] == [0.5, 0.5, 0.0, 0.0, 0.0]
    assert (shown["num"], shown["num_members"], shown["mean_score"]) == (2, 1, 4.0)


def test_without_an_output_the_table_is_on_stdout(here: Path, cli: Callable[..., Any]) -> None:
    done = cli("attribute", "seqs.fa", "--oracle", "attribute_toys:linear", "-q")
    assert done.out.splitlines()[0] == "id,position,letter,contribution,sd,A,C,G,T"
    assert len(done.out.splitlines()) == 13


def test_only_a_method_without_gradient_asks_a_black_box(here: Path, cli: Callable[..., Any]) -> None:
    for method in ("gradient", "integrated-gradients"):
        done = cli(*words("black", "--method", method))
        assert done.code == 2
        assert f"--method: {method} needs a gradient" in done.err
        assert "use mutagenesis" in done.err
    assert cli(*words("black")).code == 0
    assert float(rows(here / "t.csv")[0]["A"]) == pytest.approx(CENTRED[0, 0].item(), abs=1e-5)


def test_a_masked_letter_contributes_nothing_and_needs_a_gradient(
    here: Path, cli: Callable[..., Any]
) -> None:
    (here / "seqs.fa").write_text(">a\nACNTAC\n")
    assert cli(*words("linear", "--on-unknown", "mask")).code == 0
    row = rows(here / "t.csv")[2]
    assert (row["letter"], float(row["contribution"])) == ("N", pytest.approx(0.0, abs=1e-6))
    done = cli(*words("black", "--on-unknown", "mask"))
    assert done.code == 2
    assert "--on-unknown skip" in done.err


@pytest.mark.parametrize(
    ("more", "code", "message"),
    [
        (("--method", "shap"), 2, "unknown method 'shap'"),
        (("--outcome", "psi"), 2, "has no outcome 'psi'; it has score1, score2"),
        (("--logo", "x.jpg"), 2, "--logo: must end in .svg, .png, .pdf"),
        (("--edits", "e.csv"), 2, "--edits: has no effect without --parents"),
        (("--orders", "7"), 2, "--orders: has no effect without --parents"),
        (("--parents", "lone.fa"), 1, "no parent was found"),
        (("--parents", "none.fa"), 1, "none.fa"),
    ],
)
def test_wrong_input_is_one_line(
    here: Path, cli: Callable[..., Any], more: tuple[str, ...], code: int, message: str
) -> None:
    (here / "lone.fa").write_text(">nobody\nACGTAC\n")
    done = cli(*words("two", *more))
    assert done.code == code
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_trained_ensemble_is_asked_by_each_member(here: Path, cli: Callable[..., Any]) -> None:
    """The table's letters differ exactly as the predictions of the mutants do."""
    rng = np.random.default_rng(0)
    texts = ["".join("ACGT"[i] for i in rng.integers(0, 4, 6)) for _ in range(80)]
    lines = [f"s{i},{t},{t.count('A')}" for i, t in enumerate(texts)]
    (here / "d.csv").write_text("\n".join(["id,sequence,outcome", *lines]) + "\n")
    assert cli("train-predictor", "d.csv", "--epochs", "2", "--members", "2", "-q").code == 0
    assert cli("attribute", "seqs.fa", "-o", "t.csv", "--report", "why.html", "-q").code == 0
    page = (here / "why.html").read_text()
    assert "models/predictor: &#39;outcome&#39; was judged by 8 sequences only" in page  # as training said
    (here / "mutants.fa").write_text("".join(f">{v}\nAC{v}TAC\n" for v in "ACGT"))
    assert cli("predict", "mutants.fa", "-o", "p.csv", "-q").code == 0
    predicted = np.array([float(r["mean"]) for r in rows(here / "p.csv")])
    row = rows(here / "t.csv")[2]
    shown = np.array([float(row[v]) for v in "ACGT"])
    assert shown == pytest.approx(predicted - predicted.mean(), abs=1e-4)
    assert row["sd"] != ""


def test_the_outcome_network_of_a_vae_is_a_black_box_that_can_be_explained(
    here: Path, cli: Callable[..., Any]
) -> None:
    texts = [f"{a}{b}{c}TAC" for a in "ACGT" for b in "ACGT" for c in "ACGT"]
    lines = [f">s{i} outcome={i % 7}\n{t}" for i, t in enumerate(texts)]
    (here / "d.fa").write_text("\n".join(lines) + "\n")
    done = cli("train-vae", "d.fa", "--epochs", "1", "-q")
    assert done.code == 0, done.err
    assert cli("attribute", "seqs.fa", "-m", "models/vae", "-o", "t.csv", "-q").code == 0
    (here / "mutants.fa").write_text("".join(f">{v}\nAC{v}TAC\n" for v in "ACGT"))
    assert cli("predict", "mutants.fa", "-m", "models/vae", "-o", "p.csv", "-q").code == 0
    predicted = np.array([float(r["predicted_outcome"]) for r in rows(here / "p.csv")])
    shown = np.array([float(rows(here / "t.csv")[2][v]) for v in "ACGT"])
    assert shown == pytest.approx(predicted - predicted.mean(), abs=1e-4)


def test_the_text_counts_the_edits_of_revisions(here: Path, cli: Callable[..., Any]) -> None:
    (here / "parents.fa").write_text(">a\nACGTAA\n>b\nTTTTTT\n")
    done = cli(
        "attribute", "seqs.fa", "--oracle", "attribute_toys:linear", "-o", "t.csv", "--parents", "parents.fa",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert "edits: 1 of 1 sequences, which gain 0.6 on average" in done.err
