"""``seqdesign maximize --generator`` as typed: starts, constraints, judges, and models that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.store import GANRecord, save_gan
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.fasta import header_fields, read_fasta

ORACLE = """
import torch

WEIGHT = torch.linspace(-1, 1, 4 * 12).view(4, 12).roll(5, 1)


def linear(x):
    return (x * WEIGHT.repeat(1, 2)[:, : x.shape[2]]).sum((1, 2))
"""
QUICK = ("--budget", "40", "--tries", "1", "-q")
LINEAR = ("maximize", "--oracle", "joint_toys:linear")
Cli = Callable[..., Any]


def make_gan(
    folder: Path, *, shortest: int = 12, alphabet: str = "dna", classes: tuple[float, ...] = ()
) -> None:
    """An untrained model for 12 letters at most."""
    options = GANOptions(
        latent_dim=6, channels=8, mapping=8, condition="label" if classes else "none", objective="wgan-gp"
    )
    shares = tuple(1 / len(classes) for _ in classes)
    outcome = "y" if classes else None
    record = GANRecord(options, get_alphabet("dna"), 12, shortest, outcome, classes, shares)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        save_gan(folder, record.build(), record)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "joint_toys.py").write_text(ORACLE)
    (tmp_path / "gan").mkdir()
    make_gan(tmp_path / "gan")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def designs(path: Path) -> list[tuple[str, dict[str, str]]]:
    return [(record.sequence, header_fields(record.description)) for record in read_fasta(path)]


def test_designs_through_a_generator_are_distinct_better_and_say_how_real_they_are(
    here: Path, cli: Cli
) -> None:
    done = cli(*LINEAR, "--generator", "gan", "-n", "6", "-o", "out.fa", *QUICK)
    assert done.code == 0, done.err
    found = designs(here / "out.fa")
    assert len({sequence for sequence, _ in found}) == 6
    assert all(len(sequence) == 12 for sequence, _ in found)
    assert all(0 <= float(fields["critic"]) <= 100 for _, fields in found)
    cli("sample-gan", "-m", "gan", "-n", "50", "-o", "drawn.fa")
    weight = torch.linspace(-1, 1, 48).view(4, 12).roll(5, 1)
    drawn = [
        sum(float(weight["ACGT".index(letter), i]) for i, letter in enumerate(record.sequence))
        for record in read_fasta(here / "drawn.fa")
    ]
    assert min(float(fields["score"]) for _, fields in found) > sum(drawn) / len(drawn)


def test_the_same_seed_gives_the_same_designs_and_another_does_not(here: Path, cli: Cli) -> None:
    for name, seed in (("a", "1"), ("b", "1"), ("c", "2")):
        done = cli(*LINEAR, "--generator", "gan", "-n", "3", "--seed", seed, "-o", f"{name}.fa", *QUICK)
        assert done.code == 0
    texts = [(here / f"{name}.fa").read_bytes() for name in "abc"]
    assert texts[0] == texts[1] != texts[2]


def test_constraints_hold_through_the_generator(here: Path, cli: Cli) -> None:
    rules = ("--forbid", "TT", "--template", "NNNGNNNNNNNN", "--gc", "0.4-0.6", "--min-distance", "3")
    done = cli(*LINEAR, "--generator", "gan", "-n", "4", *rules, "-o", "out.fa", *QUICK)
    assert done.code == 0, done.err
    found = [sequence for sequence, _ in designs(here / "out.fa")]
    assert len(found) == 4
    for text in found:
        assert text[3] == "G"
        assert "TT" not in text
        assert "AA" not in text
        assert 0.4 <= (text.count("G") + text.count("C")) / 12 <= 0.6
    assert all(
        sum(x != y for x, y in zip(a, b, strict=True)) >= 3 for i, a in enumerate(found) for b in found[:i]
    )


def test_starts_are_improved_through_their_codes(here: Path, cli: Cli) -> None:
    (here / "starts.fa").write_text(">a\nACGTACGTACGT\n>b\nCCCCGGGGGGAA\n")
    words = ("--start", "starts.fa", "--max-edits", "4", "-o", "out.fa", *QUICK, "--budget", "120")
    done = cli(*LINEAR, "--generator", "gan", *words)
    assert done.code == 0, done.err
    fields = [fields for _, fields in designs(here / "out.fa")]
    assert [f["parent"] for f in fields] == ["a", "b"]
    assert all(1 <= int(f["edits"]) <= 4 for f in fields)


def test_other_methods_begin_from_samples_of_the_generator(here: Path, cli: Cli) -> None:
    """With a budget of one query the design is the start itself."""
    words = ("--method", "greedy", "--generator", "gan", "-n", "2", "--budget", "1", "-q", "--tries", "1")
    assert cli(*LINEAR, *words, "-o", "a.fa").code == 0
    words = ("--generator", "gan", "-n", "2", "--budget", "1", "-q", "--tries", "1")
    assert cli(*LINEAR, *words, "-o", "b.fa").code == 0
    assert (here / "a.fa").read_bytes() == (here / "b.fa").read_bytes()


def test_lengths_that_differ_are_asked_of_the_generator(here: Path, cli: Cli) -> None:
    make_gan(here / "gan", shortest=8)
    done = cli(*LINEAR, "--generator", "gan", "--length", "9", "-n", "3", "-o", "out.fa", *QUICK)
    assert done.code == 0, done.err
    assert [len(sequence) for sequence, _ in designs(here / "out.fa")] == [9, 9, 9]
    assert cli(*LINEAR, "--generator", "gan", "-n", "1", "-o", "out.fa", *QUICK).code == 0
    assert [len(sequence) for sequence, _ in designs(here / "out.fa")] == [10]
    for length, what in (("7", "8 to 12 letters, got 7"), ("13", "8 to 12 letters, got 13")):
        done = cli(*LINEAR, "--generator", "gan", "--length", length, *QUICK)
        assert done.code == 2
        assert what in done.err


def test_a_conditional_generator_writes_for_the_outcome_that_is_asked(here: Path, cli: Cli) -> None:
    make_gan(here / "gan", classes=(0.0, 1.0))
    done = cli(*LINEAR, "--generator", "gan", *QUICK)
    assert (done.code, "--condition: is needed" in done.err) == (2, True)
    texts = []
    for value in ("0", "1"):
        words = ("--condition", value, "-n", "2", "-o", "out.fa", *QUICK)
        assert cli(*LINEAR, "--generator", "gan", *words).code == 0
        texts.append((here / "out.fa").read_bytes())
    assert texts[0] != texts[1]


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (("--generator", "nowhere"), 1, "nowhere"),
        (("--generator", "gan", "--length", "11"), 2, "--length: the generator was trained on"),
        (("--generator", "gan", "--alphabet", "rna"), 2, "--generator: writes dna (ACGT), but"),
        (("--generator", "gan", "--condition", "1"), 2, "--condition: this model knows no outcome"),
        (("--condition", "1", "--length", "12"), 2, "--condition: has no effect without --generator"),
        (("--method", "latent", "--length", "12"), 2, "--method latent: needs a generator"),
        (("--generator", "gan", "--set", "prior=-1"), 2, "--set"),
    ],
)
def test_what_does_not_fit_is_refused(
    here: Path, cli: Cli, words: tuple[str, ...], code: int, what: str
) -> None:
    done = cli(*LINEAR, *words, *QUICK)
    assert (done.code, done.out) == (code, "")
    assert what in done.err
    assert done.err.count("\n") == 1


def test_a_start_of_another_length_is_named(here: Path, cli: Cli) -> None:
    (here / "starts.fa").write_text(">a\nACGTACGTACG\n")
    done = cli(*LINEAR, "--generator", "gan", "--start", "starts.fa", *QUICK)
    assert done.code == 1
    assert "starts.fa" in done.err
    assert "the generator was trained on sequences of 12 letters only, got 11" in done.err
