"""``seqdesign revise`` as a user calls it, on a small VAE of strings whose outcome counts G."""

from __future__ import annotations

import csv
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqdesign as sd
from seqdesign.commands.train.train_predictor import TrainPredictorConfig, train_predictor
from seqdesign.commands.train.train_vae import TrainVAEConfig, train_vae
from seqdesign.sequences.fasta import header_fields, read_fasta
from seqdesign.sequences.reader import read_sequences
from seqdesign.verbs.similarity import Similarity

Cli = Callable[..., Any]
LENGTH = 8


@pytest.fixture(scope="module")
def vae(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Strings of DNA without T at position 3."""
    folder = tmp_path_factory.mktemp("revise")
    rng = np.random.default_rng(0)
    lines = []
    for i in range(300):
        letters = rng.choice(list("ACGT"), LENGTH)
        letters[2] = rng.choice(list("ACG"))
        text = "".join(letters)
        lines.append(f">s{i} outcome={text.count('G') + 0.1 * rng.standard_normal():.4f}\n{text}\n")
    (folder / "train.fa").write_text("".join(lines))
    train_vae(
        TrainVAEConfig(
            sequences=folder / "train.fa",
            output=folder / "vae",
            epochs=30,
            hidden=48,
            latent_dim=8,
            quiet=True,
        )
    )
    return folder / "vae"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "in.fa").write_text(">a\nACCATACA\n>b\nCAATCATC\n>c\nTTATTATT\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def revise(cli: Cli, vae: Path, *words: str, source: str = "in.fa") -> list[tuple[str, str, dict[str, str]]]:
    done = cli("revise", source, "-m", str(vae), "-o", "o.fa", "--min-loglik-change", "-1000", *words)
    assert done.code == 0, done.err
    return [(r.id, r.sequence, header_fields(r.description)) for r in read_fasta("o.fa")]


def rows(path: str) -> list[dict[str, str]]:
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle))


def test_revisions_raise_the_outcome_within_their_edits(here: Path, cli: Cli, vae: Path) -> None:
    found = revise(cli, vae, "--max-edits", "2", "--table", "t.csv", "-q")
    table = rows("t.csv")
    assert [name for name, _, _ in found] == ["a", "b", "c"] == [row["id"] for row in table]
    originals = {r.id: r.sequence for r in read_fasta("in.fa")}
    changed = 0
    for (name, text, fields), row in zip(found, table, strict=True):
        assert row["revised"] == text
        assert row["original"] == originals[name]
        different = sum(a != b for a, b in zip(text, originals[name], strict=True))
        assert different == int(fields["edits"]) <= 2
        assert float(fields["delta"]) >= 0
        changed += fields["status"] == "revised"
    assert changed >= 2
    assert sum(text.count("G") for _, text, _ in found) > sum(t.count("G") for t in originals.values())


def test_the_outcome_is_lowered_or_brought_to_a_value(here: Path, cli: Cli, vae: Path) -> None:
    (here / "rich.fa").write_text(">g\nGGAGCGGG\n>h\nGGGGATGG\n")
    lowered = revise(cli, vae, "--minimize", "--max-edits", "3", "-q", source="rich.fa")
    assert all(float(fields["delta"]) < 0 for _, _, fields in lowered if fields["status"] == "revised")
    assert any(fields["status"] == "revised" for _, _, fields in lowered)
    for name, _, fields in revise(cli, vae, "--target", "2", "--max-edits", "3", "-q"):
        before, after = float(fields["predicted_outcome_before"]), float(fields["predicted_outcome"])
        assert abs(after - 2) <= abs(before - 2) + 1e-6, name


def test_what_was_measured_of_inputs_stands_beside_their_predictions(here: Path, cli: Cli, vae: Path) -> None:
    """By the file of the input, else by the training data; a value that a prediction would miss by far."""
    trained = read_sequences(vae.parent / "train.fa")
    (here / "known.fa").write_text(
        f">file outcome=7.5\n{trained.sequences[0]}\n>training\n{trained.sequences[0]}\n>new\nACCATACA\n"
    )
    words = ("--max-edits", "2", "--table", "t.csv", "--report", "r.html")
    done = cli("revise", "known.fa", "-m", str(vae), "-o", "o.fa", "--min-loglik-change", "-1000", *words)
    assert done.code == 0, done.err
    assert trained.outcomes is not None
    measured = [7.5, float(trained.outcomes[0]), None]
    fields = [header_fields(record.description) for record in read_fasta("o.fa")]
    found = [float(f["measured_before"]) if "measured_before" in f else None for f in fields]
    assert found == pytest.approx(measured)
    assert [float(row["measured_before"] or "nan") for row in rows("t.csv")] == pytest.approx(
        [7.5, measured[1], np.nan], nan_ok=True
    )
    mean = (7.5 + trained.outcomes[0]) / 2
    assert f"measured of 2 of the inputs: {mean:.4g} on average, where" in done.err
    # By no model of these strings has anything within two edits 7.5.
    assert "; 1 of their revisions are predicted no better than that" in done.err
    assert "measured before" in (here / "r.html").read_text()


def test_several_revisions_of_an_input_have_ids_of_their_own_everywhere(
    here: Path, cli: Cli, vae: Path
) -> None:
    words = ("--top", "2", "--max-edits", "3", "--table", "t.csv", "--report", "r.html", "-q")
    found = revise(cli, vae, *words)
    names = [name for name, _, _ in found]
    assert len(set(names)) == len(names) > 3
    table = rows("t.csv")
    assert [row["id"] for row in table] == names
    assert {row["parent"] for row in table} <= {"a", "b", "c"}
    for name, _, fields in found:
        assert name.startswith(f"{fields['parent']}_")
    page = (here / "r.html").read_text()
    assert all(name in page for name in names)
    again = cli("revise", "o.fa", "-m", str(vae), "-o", "again.fa", "-q")
    assert again.code == 0, again.err


def test_only_letters_that_training_has_seen_are_written_and_edits_carry_their_evidence(
    here: Path, cli: Cli, vae: Path
) -> None:
    found = revise(cli, vae, "--top", "3", "--max-edits", "4", "-q", "--table", "t.csv")
    assert all(text[2] != "T" for _, text, _ in found)
    for row in rows("t.csv"):
        if int(row["edits"]):
            counts = [int(n) for n in row["evidence"].split(",")]
            assert len(counts) == int(row["edits"])
            assert min(counts) == int(row["least_evidence"]) > 0


def test_an_input_that_breaks_a_rule_and_cannot_be_mended_says_which(here: Path, cli: Cli, vae: Path) -> None:
    (here / "bad.fa").write_text(">bad\nTTTTTTTT\n")
    words = (
        "--forbid",
        "TT",
        "--max-edits",
        "4",
        "--alpha",
        "-0.001",
        "--alpha-scale",
        "relative",
        "--width",
        "1",
    )
    done = cli("revise", "bad.fa", "-m", str(vae), "-o", "o.fa", *words, "--min-loglik-change", "1000")
    assert done.code == 0, done.err
    ((_, text, fields),) = [(r.id, r.sequence, header_fields(r.description)) for r in read_fasta("o.fa")]
    assert fields["status"] == "violating"
    assert text == "TTTTTTTT"
    assert "forbid:TT@1-8" in fields["violations"]
    assert "1 inputs break the constraints" in done.err


def test_an_alpha_that_admits_no_code_gives_the_input_back(here: Path, cli: Cli, vae: Path) -> None:
    done = cli(
        "revise",
        "in.fa",
        "-m",
        str(vae),
        "-o",
        "o.fa",
        "--alpha",
        "1000000",
        "--alpha-scale",
        "density",
        "--json",
    )
    assert done.code == 0, done.err
    assert json.loads(done.out)["summary"]["infeasible"] == 3
    assert [header_fields(r.description)["status"] for r in read_fasta("o.fa")] == ["infeasible"] * 3
    assert [r.sequence for r in read_fasta("o.fa")] == ["ACCATACA", "CAATCATC", "TTATTATT"]


def test_the_page_has_the_outcomes_and_the_table(here: Path, cli: Cli, vae: Path) -> None:
    revise(cli, vae, "--max-edits", "2", "--report", "r.html", "-q")
    page = (here / "r.html").read_text()
    assert page.index("Revised sequences") < page.index(">Designs</h2>") < page.index(">Outcomes</h2>")
    assert "3 designs, the largest change first." in page
    assert re.search(r'<th scope="row"[^>]*>[abc]</th>', page)


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("--minimize", "--target", "1"), "cannot be combined"),
        (("--min-distance", "2"), "has no effect with --top 1"),
        (("--method", "nothing"), "must be one of revise, search"),
        (("--method", "search", "--alpha", "-2"), "has no effect with --method search"),
        (("--select", "end", "--neighbours", "5"), "--neighbours: has no effect with --select end"),
        (
            ("--rounds", "0", "--neighbours", "0", "--survivors", "3"),
            "has no effect with --rounds 0 --neighbours 0",
        ),
    ],
)
def test_wrong_wishes_are_told_in_one_line(
    here: Path, cli: Cli, vae: Path, words: tuple[str, ...], message: str
) -> None:
    done = cli("revise", "in.fa", "-m", str(vae), *words)
    assert done.code == 2
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_a_predictor_judges_and_ranks_revisions(
    here: Path, cli: Cli, vae: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """The predictor learned that G counts half and C at position 1 counts three."""
    folder = tmp_path_factory.mktemp("judge")
    rng = np.random.default_rng(1)
    lines = []
    for i in range(200):
        text = "".join(rng.choice(list("ACGT"), LENGTH))
        value = 0.5 * text.count("G") + 3 * (text[0] == "C") + 0.05 * rng.standard_normal()
        lines.append(f">s{i} outcome={value:.4f}\n{text}\n")
    (folder / "train.fa").write_text("".join(lines))
    train_predictor(
        TrainPredictorConfig(
            sequences=folder / "train.fa", output=folder / "p", epochs=3, quiet=True, architecture="residual"
        )
    )
    words = ("--max-edits", "3", "--judge", str(folder / "p"), "--top", "2", "--table", "t.csv", "-q")
    found = revise(cli, vae, *words)
    assert [name for name, _, _ in found] == [row["id"] for row in rows("t.csv")]
    assert all(float(f["judged_low"]) < float(f["judged"]) < float(f["judged_high"]) for _, _, f in found)
    (kept,) = [text for name, text, _ in found if name == "b_1"]  # CAATCATC has the C already
    assert kept[0] == "C"
    (judged,) = [float(f["judged"]) for name, _, f in found if name == "b_1"]
    assert judged > 3


@pytest.fixture(scope="module")
def similarity(vae: Path) -> Path:
    """A model of edit distances between the same strings."""
    sequences = [record.sequence for record in read_fasta(vae.parent / "train.fa")]
    model = sd.train_similarity(sequences, epochs=4, hidden=8, batch_size=16)
    return Path(str(model.save(vae.parent / "alike")))


def test_revisions_stay_alike_to_their_inputs_and_say_how_much(
    here: Path, cli: Cli, vae: Path, similarity: Path
) -> None:
    free = revise(cli, vae, "--similarity", str(similarity), "--alpha", "-1000")
    held = revise(cli, vae, "--similarity", str(similarity), "--min-similarity", "0.7", "--alpha", "-1000")
    model = sd.load(similarity, device="cpu")
    assert isinstance(model, Similarity)
    for found in (free, held):
        own = model.between(["ACCATACA", "CAATCATC", "TTATTATT"], [text for _, text, _ in found])
        assert [float(h["similarity"]) for _, _, h in found] == pytest.approx(own.tolist(), abs=1e-4)
    assert min(float(h["similarity"]) for _, _, h in held) >= 0.7
    assert min(float(h["similarity"]) for _, _, h in free) < 0.7
    assert sum(float(h["delta"]) for _, _, h in held) < sum(float(h["delta"]) for _, _, h in free)


def test_a_bound_on_similarity_needs_its_model(here: Path, cli: Cli, vae: Path) -> None:
    done = cli("revise", "in.fa", "-m", str(vae), "--min-similarity", "0.5")
    assert done.code == 2
    assert "--min-similarity: needs --similarity MODEL" in done.err
    done = cli("revise", "in.fa", "-m", str(vae), "--similarity", str(vae))
    assert done.code != 0
    assert "is of kind 'vae', a similarity model is needed" in done.err
