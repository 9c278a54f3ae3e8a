"""Promises of ``seqdesign evaluate``: real sequences pass, and each bad generator fails where it should."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seqdesign.commands.look.evaluate import EvaluateConfig, EvaluateResult, evaluate
from seqdesign.commands.train.train_predictor import TrainPredictorConfig, train_predictor
from seqdesign.errors import InputError, UsageError
from seqdesign.evaluation.predictions import mean_interval
from seqdesign.models.predictor.predictions import predict_outcomes
from seqdesign.models.predictor.store import load_predictor
from seqdesign.sequences.encoders import encode

LENGTH = 20


def real(num: int, seed: int) -> list[str]:
    """Sequences with a preferred letter at each position, and every second letter like the one before it."""
    rng = np.random.default_rng(seed)
    made = []
    for _ in range(num):
        text = ""
        for i in range(LENGTH):
            if i % 2 and rng.random() < 0.6:
                text += text[-1]
            else:
                text += "ACGT"[i % 4] if rng.random() < 0.4 else "ACGT"[rng.integers(4)]
        made.append(text)
    return made


def write(path: Path, texts: list[str]) -> Path:
    path.write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(texts)))
    return path


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("sets")
    sets = {"train": real(300, 1), "held": real(300, 2), "gen": real(300, 3)}
    return {name: write(folder / f"{name}.fa", texts) for name, texts in sets.items()}


def judge(files: dict[str, Path], generated: list[str] | Path, **options: Any) -> EvaluateResult:
    if isinstance(generated, list):
        generated = write(files["gen"].with_name("other.fa"), generated)
    given = {"train": files["train"], "heldout": files["held"], "resamples": 50, "quiet": True, **options}
    return evaluate(EvaluateConfig(input=generated, **given))


def flagged(result: EvaluateResult) -> set[str]:
    return {row.name for row in result.measures if row.verdict == "flagged"}


def texts(path: Path) -> list[str]:
    return path.read_text().split("\n")[1::2]


def test_new_real_sequences_pass_everything(files: dict[str, Path]) -> None:
    result = judge(files, files["gen"])
    assert flagged(result) == set()
    assert result.num_flagged == 0
    assert {row.verdict for row in result.measures} == {"as real"}
    assert "as close to held-out sequences as the training set is" in result.text()


def test_training_sequences_with_one_change_are_memorized(files: dict[str, Path]) -> None:
    changed = [("C" if t[0] == "A" else "A") + t[1:] for t in texts(files["train"])]
    result = judge(files, changed)
    assert {"too_close", "prefers_training"} <= flagged(result)
    assert result.findings[0].flagged
    assert "memorized" in "".join(f.text for f in result.findings if f.flagged)


def test_copies_are_counted_exactly_and_flagged(files: dict[str, Path]) -> None:
    result = judge(files, texts(files["train"])[:60] + texts(files["gen"])[:240])
    (copies,) = [row for row in result.measures if row.name == "copies"]
    known = set(texts(files["train"]))
    assert copies.value == (60 + sum(t in known for t in texts(files["gen"])[:240])) / 300
    assert copies.verdict == "flagged"
    assert "copies of training sequences" in result.text()


def test_independent_positions_are_told_by_words_and_not_by_profiles(files: dict[str, Path]) -> None:
    columns = np.array([list(t) for t in texts(files["train"])])
    rng = np.random.default_rng(0)
    result = judge(files, ["".join(row) for row in np.stack([rng.permutation(c) for c in columns.T], axis=1)])
    assert {"js_2", "js_3", "auc"} <= flagged(result)
    assert not {"js_1", "profile_js", "profile_frobenius"} & flagged(result)


def test_wrong_positions_are_told_by_profiles_and_not_by_letters(files: dict[str, Path]) -> None:
    result = judge(files, [t[2:] + t[:2] for t in texts(files["gen"])])
    assert {"profile_js", "profile_frobenius"} <= flagged(result)
    assert "js_1" not in flagged(result)


def test_a_collapsed_generator_repeats_and_has_few_clusters(files: dict[str, Path]) -> None:
    assert {"repeats", "clusters", "pairwise"} <= flagged(judge(files, real(5, 9) * 60))


def test_without_held_out_sequences_the_training_set_is_halved(files: dict[str, Path]) -> None:
    result = judge(files, files["gen"], heldout=None)
    assert flagged(result) == set()
    assert (result.num_held_out, result.num_compared) == (0, 150)
    assert "prefers_training" not in {row.name for row in result.measures}


def test_without_real_sequences_only_diversity_is_measured(files: dict[str, Path]) -> None:
    result = judge(files, files["gen"], train=None, heldout=None)
    assert [row.name for row in result.measures] == ["repeats", "pairwise", "clusters"]
    assert {row.verdict for row in result.measures} == {""}
    assert "All sequences are different" in result.text()


def test_any_alphabet_and_any_lengths(tmp_path: Path) -> None:
    rng = np.random.default_rng(4)
    sets = [
        ["".join("WXYZ"[c] for c in rng.integers(0, 4, n)) for n in rng.integers(8, 14, 120)] for _ in "abc"
    ]
    paths = [write(tmp_path / f"{i}.fa", s) for i, s in enumerate(sets)]
    result = evaluate(
        EvaluateConfig(
            input=paths[0], train=paths[1], heldout=paths[2], alphabet="letters:WXYZ", resamples=50
        )
    )
    names = {row.name for row in result.measures}
    assert {"length", "profile_js", "within_repeat"} <= names
    assert not {"gc", "within_stem"} & names
    assert flagged(result) == set()


def test_the_same_seed_gives_the_same_numbers(files: dict[str, Path]) -> None:
    first, again = (judge(files, files["gen"], seed=5).measures for _ in range(2))
    assert first == again
    assert first != judge(files, files["gen"], seed=6).measures


def test_table_page_and_json(files: dict[str, Path], tmp_path: Path, cli: Callable[..., Any]) -> None:
    table, page = tmp_path / "m.csv", tmp_path / "m.html"
    words = [
        "evaluate",
        files["gen"],
        "--train",
        files["train"],
        "--heldout",
        files["held"],
        "--resamples",
        50,
    ]
    done = cli(*words, "--table", table, "--report", page, "--json", "-q")
    assert (done.code, done.err) == (0, "")
    shown = json.loads(done.out)
    assert shown["num_flagged"] == 0
    with open(table, newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["name"] for row in rows] == [m["name"] for m in shown["measures"]]
    assert [float(row["value"]) for row in rows] == [m["value"] for m in shown["measures"]]
    html = page.read_text()
    for part in (
        "What was found",
        "Word spectra",
        "Distance to the nearest training sequence",
        "GC contents",
        "Held out (",
        "Difference (",
    ):
        assert part.lower() in html.lower()
    assert html.count("<script>") == 1
    assert "http" not in html.partition("<body>")[2].replace("http://www.w3.org/2000/svg", "")


def test_designs_have_a_page_too(files: dict[str, Path], tmp_path: Path) -> None:
    page = tmp_path / "m.html"
    judge(files, texts(files["gen"])[:30], designs=True, report=page, resamples=20)
    html = page.read_text()
    assert "those above the line are in designs more often" in html
    assert "Word spectra" not in html


@pytest.fixture(scope="module")
def predictor(files: dict[str, Path]) -> Path:
    """Trained a little on the share of A in the training set."""
    table, folder = files["train"].with_name("t.csv"), files["train"].with_name("predictor")
    rows = [f"{t},{t.count('A') / len(t)}" for t in texts(files["train"])]
    table.write_text("\n".join(["sequence,outcome", *rows]) + "\n")
    train_predictor(TrainPredictorConfig(sequences=table, output=folder, epochs=4, members=2, quiet=True))
    return folder


def test_predicted_outcomes_stand_beside_real_ones_and_are_not_judged(
    files: dict[str, Path], predictor: Path
) -> None:
    rich = ["A" * 8 + t[8:] for t in texts(files["gen"])]
    result = judge(files, rich, predictor=predictor, report=files["gen"].with_name("p.html"))
    rows = {row.name: row for row in result.measures}
    mean, above = rows["predicted_outcome"], rows["above_outcome"]
    assert mean.low < mean.value < mean.high
    assert mean.value > mean.real + 0.1
    assert mean.high - mean.low < 0.05
    assert above.value > 0.5 > 0.2 > above.real
    assert {mean.verdict, above.verdict} == {""}
    trained = load_predictor(predictor, torch.device("cpu"))
    array = encode(rich, trained.record.alphabet)
    assert mean.value == pytest.approx(predict_outcomes(trained, array.tokens, array.lengths).mean.mean())
    assert "Predicted outcome" in result.text()
    assert "Predicted outcome" in files["gen"].with_name("p.html").read_text()


def test_real_sequences_are_usual_to_the_predictor_and_random_ones_are_not(
    files: dict[str, Path], predictor: Path
) -> None:
    assert flagged(judge(files, files["gen"], predictor=predictor)) == set()
    rng = np.random.default_rng(0)
    random = ["".join("ACGT"[i] for i in rng.integers(0, 4, LENGTH)) for _ in range(300)]
    result = judge(files, random, predictor=predictor)
    assert "unusual" in flagged(result)
    assert "unlike what the predictor has seen" in result.text()


def test_without_real_sequences_the_predictions_stand_alone(files: dict[str, Path], predictor: Path) -> None:
    result = judge(files, files["gen"], train=None, heldout=None, predictor=predictor)
    rows = {row.name: row for row in result.measures}
    assert np.isnan(rows["predicted_outcome"].real)
    assert "above_outcome" not in rows


@pytest.mark.parametrize(
    ("labels", "names"),
    [
        (("low", "high"), ["probability_of_low"]),
        (("a", "b", "c"), [f"probability_of_{c}" for c in "abc"]),
    ],
)
def test_labels_are_predicted_by_their_probabilities(
    files: dict[str, Path], labels: tuple[str, ...], names: list[str]
) -> None:
    table, folder = files["train"].with_name("labels.csv"), files["train"].with_name(f"labels{len(labels)}")
    rows = [f"{t},{labels[min(t.count('A') // 4, len(labels) - 1)]}" for t in texts(files["train"])]
    table.write_text("\n".join(["sequence,outcome", *rows]) + "\n")
    train_predictor(TrainPredictorConfig(sequences=table, output=folder, epochs=2, members=2, quiet=True))
    rows_by_name = {row.name: row for row in judge(files, files["gen"], predictor=folder).measures}
    values = [rows_by_name[f"predicted_{name}"].value for name in names]
    assert all(0 <= value <= 1 for value in values)
    if len(labels) > 2:
        assert sum(values) == pytest.approx(1)


def test_the_interval_of_a_mean_covers_it_as_often_as_it_says() -> None:
    rng = np.random.default_rng(1)
    inside = 0
    for _ in range(200):
        _, low, high = mean_interval(rng.exponential(size=60), rng, 200)
        inside += low <= 1.0 <= high
    assert 0.88 <= inside / 200 <= 0.99


@pytest.mark.parametrize(
    ("content", "words", "code", "message"),
    [
        (">a\nACGT\n", [], 1, "at least 10 sequences in each file, got 1"),
        ("".join(f">a{i}\nACGTX\n" for i in range(12)), [], 1, "letter 'X' at position 5"),
        ("nothing\n", [], 1, "neither FASTA"),
        (None, [], 1, "missing.fa"),
        (">a\nACGT\n", ["--train", "-", "--heldout", "-"], 2, "only one of them can be -"),
        (">a\nACGT\n", ["--max-nearest", "5"], 2, "--max-nearest"),
    ],
)
def test_wrong_input_is_one_line(
    files: dict[str, Path], tmp_path: Path, cli: Callable[..., Any],
    content: str | None, words: list[str], code: int, message: str,
) -> None:  # fmt: skip
    path = tmp_path / ("x.txt" if content == "nothing\n" else "missing.fa")
    if content is not None:
        path.write_text(content)
    done = cli("evaluate", path, *(words or ["--train", files["train"]]), "-q")
    assert (done.code, done.out) == (code, "")
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1


def test_errors_are_those_of_the_library_too(files: dict[str, Path]) -> None:
    with pytest.raises(UsageError, match="alphabet"):
        judge(files, files["gen"], alphabet="dan")
    with pytest.raises(InputError, match="at least 10"):
        judge(files, ["ACGT"])
