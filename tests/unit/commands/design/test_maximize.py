"""``seqdesign maximize`` as a user calls it, on oracles whose best sequences are known."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqdesign.metrics.edits import hamming_matrix, letter_codes
from seqdesign.sequences.fasta import header_fields, read_fasta

ORACLE = """
import torch

WEIGHT = torch.linspace(-1, 1, 4 * 12).view(4, 12).roll(5, 1)


def linear(x):
    return (x * WEIGHT[:, : x.shape[2]]).sum((1, 2))


def two(x):
    return torch.stack([x[:, 1].mean(1), -x[:, 1].mean(1) + x[:, 2].mean(1)], 1)


def ensemble():
    return [linear, lambda x: linear(x) + x[:, 0].sum(1), lambda x: -linear(x)]


def likes_c(x):
    return x[:, 1].mean(1)


def likes_g(x):
    return x[:, 2].mean(1)


pair = [likes_c, likes_g]
five = [likes_c, likes_g, likes_c, likes_g, likes_c]
"""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "maximize_toys.py").write_text(ORACLE)
    (tmp_path / "starts.fa").write_text(">a\\nACGTACGTACGT\\n>b\\nGAATTCGGGGGG\\n".replace("\\n", "\n"))
    monkeypatch.chdir(tmp_path)
    return tmp_path


def designs(path: Path) -> list[tuple[str, dict[str, str]]]:
    return [(record.sequence, header_fields(record.description)) for record in read_fasta(path)]


QUICK = ("--budget", "60", "--tries", "1", "-q")
LINEAR = ("maximize", "--oracle", "maximize_toys:linear")


def of(model: Path) -> tuple[str, ...]:
    return "maximize", "-m", str(model)


@pytest.mark.parametrize("words", [("maximize",), ("predict",), ("predict", "in.fa")])
def test_a_model_where_sequences_belong_is_told_its_option(
    here: Path, cli: Callable[..., Any], words: tuple[str, ...]
) -> None:
    done = cli(*words, here, *([] if "in.fa" in words or words[0] == "maximize" else ["in.fa"]))
    assert (done.code, done.err.strip().splitlines()) == (
        2, [f"seqdesign: error: '{here}' is a folder; if it is a model, write --model {here}"],
    )  # fmt: skip


def test_designs_from_noise_are_distinct_and_the_best_one_is_the_optimum(
    here: Path, cli: Callable[..., Any]
) -> None:
    done = cli(*LINEAR, "--length", "12", "-n", "6", "-o", "out.fa", "--budget", "120", "-q")
    assert done.code == 0, done.err
    found = designs(here / "out.fa")
    assert len({sequence for sequence, _ in found}) == 6
    scores = [float(fields["score"]) for _, fields in found]
    assert scores == sorted(scores, reverse=True)
    best = {"ACGT"[i] for i in (3,)}  # the last letter has the largest weight at every position
    assert set(found[0][0]) == best


def test_every_design_obeys_the_constraints_and_differs_as_asked(here: Path, cli: Callable[..., Any]) -> None:
    rules = ("--forbid", "TTT", "--gc", "0.4-0.6", "--template", "NNNGNNNNNNNN", "--min-distance", "4")
    done = cli(*LINEAR, "-n", "5", *rules, "-o", "out.fa", "--budget", "120", "-q")
    assert done.code == 0, done.err
    sequences = [sequence for sequence, _ in designs(here / "out.fa")]
    assert len(sequences) == 5
    for text in sequences:
        assert "TTT" not in text
        assert "AAA" not in text
        assert text[3] == "G"
        assert 0.4 <= (text.count("G") + text.count("C")) / 12 <= 0.6
    distances = hamming_matrix(letter_codes(sequences), letter_codes(sequences))
    assert min(distances[i, j] for i in range(5) for j in range(i)) >= 4


def test_starts_are_improved_within_their_edits_even_when_they_break_a_rule(
    here: Path, cli: Callable[..., Any]
) -> None:
    rules = ("--forbid", "EcoRI", "--max-edits", "3", "--keep", "12")
    done = cli(*LINEAR, "--start", "starts.fa", *rules, "-o", "out.fa", "--table", "t.csv", *QUICK)
    assert done.code == 0, done.err
    found = designs(here / "out.fa")
    assert [fields["parent"] for _, fields in found] == ["a", "b"]
    for (text, fields), start in zip(found, ("ACGTACGTACGT", "GAATTCGGGGGG"), strict=True):
        assert "GAATTC" not in text
        assert text[-1] == start[-1]
        assert int(fields["edits"]) == sum(a != b for a, b in zip(text, start, strict=True)) <= 3
    with open(here / "t.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert [row["sequence"] for row in rows] == [text for text, _ in found]
    assert float(rows[0]["score"]) > float(rows[0]["score_start"])


def test_a_front_spreads_over_two_objectives(here: Path, cli: Callable[..., Any]) -> None:
    goals = ("--objective", "max:score1", "--objective", "max:score2", "--pareto")
    done = cli(
        "maximize", "--oracle", "maximize_toys:two", "--length", "12", "-n", "7", *goals, "-o", "o.fa",
        "--json", "--budget", "120", "-q",
    )  # fmt: skip
    assert done.code == 0, done.err
    assert json.loads(done.out)["summary"]["hypervolume"] > 0
    found = designs(here / "o.fa")
    values = {
        (float(f["predicted_score1"]), float(f["predicted_score2"])) for _, f in found if f["front"] == "true"
    }
    assert len(values) >= 3
    assert not [(a, b) for a in values for b in values if a != b and a[0] >= b[0] and a[1] >= b[1]]


def test_the_same_seed_gives_the_same_file(here: Path, cli: Callable[..., Any]) -> None:
    files = []
    for name in ("1.fa", "2.fa"):
        assert cli(*LINEAR, "--length", "9", "-n", "3", "-o", name, *QUICK).code == 0
        files.append((here / name).read_bytes())
    assert files[0] == files[1]


def test_the_page_is_written_with_warnings_first(here: Path, cli: Callable[..., Any]) -> None:
    done = cli(*LINEAR, "--start", "starts.fa", "-n", "4", "-o", "o.fa", "--report", "r.html", *QUICK)
    assert done.code == 0, done.err
    page = (here / "r.html").read_text()
    assert page.index("No judges: the oracle") < page.index(">Designs</h2>") < page.index(">Outcomes</h2>")


@pytest.mark.parametrize(
    ("words", "code", "message"),
    [
        (("--length", "8", "--method", "fast-seqpro"), 2, "did you mean 'fast-seqprop'?"),
        (("--length", "8", "--method", "fast-seqprop", "--set", "lr=1"), 2, "learning_rate=0.1"),
        (("--length", "8", "--set", "steps"), 2, "must be NAME=VALUE"),
        (("--length", "8", "--keep", "3"), 2, "needs --start"),
        (("--length", "8", "--objective", "max:nothing"), 2, "there is no outcome 'nothing'"),
        (("--length", "8", "--pareto"), 2, "needs at least two --objective"),
        (("--length", "8", "--start", "starts.fa"), 2, "--length: has no effect with --start"),
        (("--template", "NNGAATTCNN", "--forbid", "EcoRI"), 1, "contradict"),
        (("--length", "8", "--template", "NNN"), 2, "the template has 3 letters"),
        ((), 2, "--length"),
    ],
)
def test_wrong_wishes_are_told_in_one_line(
    here: Path, cli: Callable[..., Any], words: tuple[str, ...], code: int, message: str
) -> None:
    done = cli(*LINEAR, *words)
    assert done.code == code
    assert message in done.err
    assert len(done.err.strip().splitlines()) == 1
    assert done.out == ""


def test_without_a_model_the_message_says_what_to_do(here: Path, cli: Callable[..., Any]) -> None:
    done = cli("maximize", "-n", "3")
    assert done.code == 1
    assert "models/predictor" in done.err
    assert "train" in done.err


def test_a_length_that_the_model_cannot_take_is_refused_by_name(here: Path) -> None:
    from seqdesign.design.generator import check_length
    from seqdesign.errors import UsageError

    def error(message: str) -> UsageError:
        return UsageError(message, option="--length")

    with pytest.raises(
        UsageError, match="--length: the model was trained on sequences of 9 letters only, got 8"
    ):
        check_length(8, (9, 9, 9), error)
    with pytest.raises(UsageError, match="the model was trained on sequences of 9 to 20 letters, got 21"):
        check_length(21, (9, 12, 20), error)
    for length, lengths in ((9, (9, 9, 9)), (9, (9, 12, 20)), (20, (9, 12, 20)), (500, None)):
        check_length(length, lengths, error)


def test_designs_come_nearer_to_each_other_rather_than_too_few_unless_a_distance_is_asked_for(
    here: Path, cli: Callable[..., Any]
) -> None:
    """All starts climb to one optimum, and 24 free positions ask for a distance of 2."""
    (here / "long_toy.py").write_text("def count(x):\n    return x[:, 3].sum(1)\n")
    wanted = ("maximize", "--oracle", "long_toy:count", "--length", "24", "-n", "6", "-o", "o.fa")
    for words, number in (((), 6), (("--min-distance", "24"), 1)):
        done = cli(*wanted, *words, "--budget", "200", "-q")
        assert done.code == 0, done.err
        assert len(designs(here / "o.fa")) >= number
    assert len(designs(here / "o.fa")) < 6


@pytest.mark.parametrize(("risk", "best"), [("mean", 0.5), ("quantile:0", 0.5), ("quantile:1", 1.0)])
def test_all_members_of_an_own_ensemble_design(
    here: Path, cli: Callable[..., Any], risk: str, best: float
) -> None:
    """One member likes C, one G: the worst of both is best at half of each, the best of both at one alone."""
    words = (
        "maximize", "--oracle", "maximize_toys:pair", "--length", "8", "-n", "2", "--risk", risk,
        "--method", "evolution",
    )  # fmt: skip
    done = cli(*words, "-o", "o.fa", "--json", "--budget", "400", "-q")
    assert done.code == 0, done.err
    found = designs(here / "o.fa")
    scores = [float(fields["score"]) for _, fields in found]
    assert scores[0] == pytest.approx(best)
    assert json.loads(done.out)["summary"]["mean_score"] == pytest.approx(sum(scores) / 2)
    for text, fields in found:
        shares = [text.count(letter) / 8 for letter in "CG"]
        worst = {"mean": sum(shares) / 2, "quantile:0": min(shares), "quantile:1": max(shares)}[risk]
        assert float(fields["score"]) == pytest.approx(worst)


def test_two_fifths_of_an_own_ensemble_judge(here: Path, cli: Callable[..., Any]) -> None:
    words = ("maximize", "--oracle", "maximize_toys:five", "--length", "8", "-n", "2")
    done = cli(*words, "-o", "o.fa", "--json", "--budget", "400", "-q")
    assert done.code == 0, done.err
    for text, fields in designs(here / "o.fa"):
        c, g = (text.count(letter) / 8 for letter in "CG")
        assert float(fields["score_design"]) == pytest.approx((2 * c + g) / 3)
        assert float(fields["score"]) == pytest.approx((c + g) / 2)


def test_the_members_of_a_model_folder_judge_as_with_model(
    here: Path, cli: Callable[..., Any], tiny_predictor: Path
) -> None:
    files = []
    for words in (("-m", str(tiny_predictor)), ("--oracle", str(tiny_predictor), "--alphabet", "rna")):
        done = cli("maximize", *words, "--length", "9", "-n", "2", "-o", "o.fa", *QUICK)
        assert done.code == 0, done.err
        files.append((here / "o.fa").read_bytes())
    assert files[0] == files[1]


def table(path: Path) -> list[dict[str, str]]:
    with open(path, newline="") as handle:
        return list(csv.DictReader(handle))


def test_designs_of_different_parents_are_distinct_and_apart_as_asked(
    here: Path, cli: Callable[..., Any]
) -> None:
    """All parents climb to one optimum."""
    (here / "three.fa").write_text(
        "".join(f">{n}\n{t}\n" for n, t in zip("abc", ("ACGTAC", "CCGTAC", "GCGTAC"), strict=True))
    )
    for words, least, number in (((), 1, 6), (("--min-distance", "3"), 3, 3)):
        done = cli(*LINEAR, "--start", "three.fa", "-n", "2", *words, "-o", "o.fa", "--budget", "120", "-q")
        assert done.code == 0, done.err
        found = [sequence for sequence, _ in designs(here / "o.fa")]
        assert len(found) >= number
        pairs = hamming_matrix(letter_codes(found), letter_codes(found))
        assert min(pairs[i, j] for i in range(len(found)) for j in range(i)) >= least


def test_known_sequences_are_no_designs_unless_they_are_asked_for(
    here: Path, cli: Callable[..., Any]
) -> None:
    (here / "last.fa").write_text(">x\nTTTTTTTT\n>y\ntttttttg\n")
    words = (
        *LINEAR, "--length", "8", "-n", "3", "--exclude", "last.fa", "-o", "o.fa", "--budget", "150", "-q",
    )  # fmt: skip
    assert cli(*words).code == 0
    found = {sequence for sequence, _ in designs(here / "o.fa")}
    assert len(found) == 3
    assert not found & {"TTTTTTTT", "TTTTTTTG"}
    assert cli(*words, "--include-known").code == 0
    assert "TTTTTTTT" in {sequence for sequence, _ in designs(here / "o.fa")}


def test_where_all_is_measured_already_the_error_says_so(here: Path, cli: Callable[..., Any]) -> None:
    (here / "all.fa").write_text("".join(f">{n}\nTTTTTTT{n}\n" for n in "ACGT"))
    words = (*LINEAR, "--template", "TTTTTTTN", "--exclude", "all.fa", "-o", "o.fa", *QUICK)
    done = cli(*words)
    assert done.code == 1
    assert "4 sequences are measured already" in done.err
    assert "--include-known" in done.err
    assert cli(*words, "--include-known").code == 0


def test_a_start_that_was_measured_is_shown_with_its_value(here: Path, cli: Callable[..., Any]) -> None:
    (here / "best.fa").write_text(">top outcome=3.25\nTTTTTT\n")
    words = (*LINEAR, "--start", "best.fa", "-n", "2", "-o", "o.fa", *QUICK)
    assert cli(*words, "--include-known").code == 0
    known = dict(designs(here / "o.fa"))
    assert known["TTTTTT"]["measured"] == "3.25"
    assert cli(*words).code == 0
    assert "TTTTTT" not in {sequence for sequence, _ in designs(here / "o.fa")}


def test_designs_have_only_letters_that_training_has_seen_there(
    here: Path, cli: Callable[..., Any], tiny_predictor: Path
) -> None:
    words = (
        *of(tiny_predictor), "-n", "12", "--objective", "min", "-o", "o.fa", "--table",
        "t.csv",
    )  # fmt: skip
    done = cli(*words, *QUICK, "--json")
    assert done.code == 0, done.err
    assert "--letters seen" in json.loads(done.out)["summary"]["constraints"]
    for text, fields in designs(here / "o.fa"):
        assert text[3] != "U"
        assert text[4] in "AG"
        assert int(fields["least_evidence"]) > 0
    (here / "odd.fa").write_text(">odd\nACGUCACGU\n")
    begin = (*words[:3], "--start", "odd.fa", "--keep", "4-5", "-o", "o.fa", "--table", "t.csv", *QUICK)
    assert cli(*begin).code == 0
    ((text, fields),) = designs(here / "o.fa")
    assert text[3:5] == "UC"  # a start keeps what it has
    (row,) = table(here / "t.csv")
    counts = [int(n) for n in row["evidence"].split(",")]
    assert len(counts) == int(row["edits"]) > 0
    assert min(counts) == int(row["least_evidence"]) > 0


def test_any_letters_are_flagged_where_training_has_never_seen_them(
    here: Path, cli: Callable[..., Any], tiny_predictor: Path
) -> None:
    words = (
        *of(tiny_predictor), "-n", "4", "--template", "NNNUCNNNN", "-o", "o.fa", *QUICK,
    )  # fmt: skip
    done = cli(*words)
    assert done.code == 1
    assert "--letters seen" in done.err
    assert "contradict" in done.err
    done = cli(*words[:-1], "--letters", "any")
    assert done.code == 0, done.err
    assert "letters that no training sequence has there" in done.err
    assert {fields["status"] for _, fields in designs(here / "o.fa")} <= {
        "unusual",
        "unconfirmed",
        "extrapolates",
    }


def test_there_is_one_headline_and_flagged_designs_come_last(
    here: Path, cli: Callable[..., Any], tiny_predictor: Path
) -> None:
    words = (
        *of(tiny_predictor), "-n", "16", "-o", "o.fa", "--table", "t.csv", "--report",
        "r.html",
    )  # fmt: skip
    done = cli(*words, "--json", *QUICK)
    assert done.code == 0, done.err
    summary = json.loads(done.out)["summary"]
    assert set(summary["judges"]) == {
        "pairs of positions",
        "near sequences",
        "words",
        "like words",
        "networks",
    }
    assert sum(summary["judges"].values()) == pytest.approx(1.0)
    rows = table(here / "t.csv")
    for row, (_, fields) in zip(rows, designs(here / "o.fa"), strict=True):
        assert float(row["score"]) == pytest.approx(float(row["predicted_outcome"]))
        assert float(fields["predicted_outcome"]) == pytest.approx(float(row["predicted_outcome"]), rel=1e-4)
        low, high = (float(row[f"predicted_outcome_{end}"]) for end in ("low", "high"))
        assert low < float(row["predicted_outcome"]) < high
        assert float(row["score_low"]) <= float(row["score"])
    keys = [(row["status"] != "ok", -float(row["score_low"])) for row in rows]
    assert keys == sorted(keys)
    assert len({row["id"] for row in rows}) == 16
    low, high = summary["measured"]["predicted_outcome"]
    assert f"{low:.4g} to {high:.4g}" in (here / "r.html").read_text()


def test_what_shall_be_low_is_shown_as_the_outcome(
    here: Path, cli: Callable[..., Any], tiny_predictor: Path
) -> None:
    words = (*of(tiny_predictor), "-n", "4", "--objective", "min", "-o", "o.fa", "--table", "t.csv", *QUICK)
    done = cli(*words)
    assert done.code == 0, done.err
    rows = table(here / "t.csv")
    for row, (_, fields) in zip(rows, designs(here / "o.fa"), strict=True):
        assert not any(key.startswith("score") for key in {*row, *fields})
        assert float(fields["cost"]) == pytest.approx(float(fields["predicted_outcome"]), abs=1e-4)
        assert float(row["cost_high"]) >= float(row["cost"])
    chosen = cli("select", "o.fa", "--budget", "1", "--best-measured", "0", "--shuffled", "0", "-q")
    best = min((row for row in rows if row["status"] != "rejected"), key=lambda row: float(row["cost_high"]))
    assert best["sequence"] in chosen.out
    assert f"quality={float(best['cost_high']):.4f}"[:12] in chosen.out


def test_a_target_is_shown_as_a_distance_in_own_units(
    here: Path, cli: Callable[..., Any], tiny_predictor: Path
) -> None:
    words = (
        *of(tiny_predictor), "-n", "4", "--objective", "target=3", "-o", "o.fa", *QUICK,
    )  # fmt: skip
    done = cli(*words)
    assert done.code == 0, done.err
    for _, fields in designs(here / "o.fa"):
        distance = abs(float(fields["predicted_outcome"]) - 3)
        assert float(fields["predicted_outcome_off_target"]) == pytest.approx(distance, abs=1e-4)
        assert float(fields["off_target"]) == pytest.approx(distance, abs=1e-4)
        assert float(fields["off_target_high"]) >= float(fields["off_target"])
    assert "--risk lower:1" not in done.err
