"""``seqdesign maximize --generator`` as typed: starts, constraints, judges, and models that do not fit."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

import seqdesign as sd
from seqdesign.language.config import LMOptions
from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.store import GANRecord, save_gan
from seqdesign.models.lm.store import LMRecord
from seqdesign.models.vae.config import VAEOptions, language_options
from seqdesign.models.vae.store import VAERecord
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.sequences.fasta import header_fields, read_fasta
from seqdesign.training.store import save_model

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


def make_lm(folder: Path, architecture: str, knots: tuple[float, ...] = ()) -> None:
    """An untrained model for 12 letters."""
    small: Any = {} if architecture == "gru" else {"heads": 2, "window": 3}
    options = LMOptions(architecture=architecture, width=8, layers=1, dropout=0.0, **small)  # type: ignore[arg-type]
    record = LMRecord(
        options, get_alphabet("dna"), 12, 12, "y" if knots else None, knots, (0.5, 0.5)[: len(knots)]
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        save_model(folder, record.build(), record)


def make_vae(folder: Path) -> None:
    """An untrained model for 12 letters."""
    options = VAEOptions(encoder="gru", hidden=8, latent_dim=3, embedding=4, dropout=0.0)
    record = VAERecord(options, language_options(options), get_alphabet("dna"), 12, 12, None, 0.0, 0.0)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        save_model(folder, record.build(), record)


MAKE: dict[str, Callable[[Path], None]] = {
    "gan": make_gan,
    "gru": lambda folder: make_lm(folder, "gru"),
    "transformer": lambda folder: make_lm(folder, "transformer"),
    "masked": lambda folder: make_lm(folder, "masked"),
    "vae": make_vae,
}
"""What ``--generator`` takes."""


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / "joint_toys.py").write_text(ORACLE)
    (tmp_path / "gan").mkdir()
    make_gan(tmp_path / "gan")
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def designs(path: Path) -> list[tuple[str, dict[str, str]]]:
    return [(record.sequence, header_fields(record.description)) for record in read_fasta(path)]


@pytest.mark.parametrize("kind", list(MAKE))
def test_designs_through_a_generator_are_distinct_better_and_say_how_real_they_are(
    here: Path, cli: Cli, kind: str
) -> None:
    (here / "m").mkdir()
    MAKE[kind](here / "m")
    done = cli(*LINEAR, "--generator", "m", "-n", "6", "-o", "out.fa", *QUICK)
    assert done.code == 0, done.err
    found = designs(here / "out.fa")
    assert len({sequence for sequence, _ in found}) == 6
    assert all(len(sequence) == 12 for sequence, _ in found)
    assert all(0 <= float(fields["critic"]) <= 100 for _, fields in found)
    assert cli("sample", "m", "-n", "50", "-o", "drawn.fa").code == 0
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


@pytest.mark.parametrize("kind", list(MAKE))
def test_constraints_hold_through_the_generator(here: Path, cli: Cli, kind: str) -> None:
    (here / "m").mkdir()
    MAKE[kind](here / "m")
    rules = ("--forbid", "TT", "--template", "NNNGNNNNNNNN", "--gc", "0.4-0.6", "--min-distance", "3")
    done = cli(*LINEAR, "--generator", "m", "-n", "4", *rules, "-o", "out.fa", *QUICK)
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


@pytest.mark.parametrize("kind", list(MAKE))
def test_starts_are_improved_and_what_is_to_stay_stays(here: Path, cli: Cli, kind: str) -> None:
    (here / "m").mkdir()
    MAKE[kind](here / "m")
    (here / "starts.fa").write_text(">a\nACGTACGTACGT\n>b\nCCCCGGGGGGAA\n")
    words = ("--start", "starts.fa", "--max-edits", "4", "--keep", "1-3", "-o", "out.fa", *QUICK)
    least = "least_real=-9" if kind == "gan" else "least_likely=-9"
    done = cli(*LINEAR, "--generator", "m", *words, "--budget", "120", "--set", least)
    assert done.code == 0, done.err
    found = designs(here / "out.fa")
    assert [text[:3] for text, _ in found] == ["ACG", "CCC"]
    fields = [fields for _, fields in found]
    assert [f["parent"] for f in fields] == ["a", "b"]
    assert all(1 <= int(f["edits"]) <= 4 for f in fields)


def test_vaes_are_guided_too_and_gans_cannot_be(here: Path, cli: Cli) -> None:
    (here / "vae").mkdir()
    make_vae(here / "vae")
    done = cli(*LINEAR, "--method", "guided", "--generator", "vae", "-n", "3", "-o", "out.fa", *QUICK)
    assert done.code == 0, done.err
    assert len(designs(here / "out.fa")) == 3
    done = cli(*LINEAR, "--method", "guided", "--generator", "gan", *QUICK)
    assert (done.code, "--method guided: needs a language model" in done.err) == (2, True)
    (here / "gru").mkdir()
    make_lm(here / "gru", "gru")
    done = cli(*LINEAR, "--method", "latent", "--generator", "gru", *QUICK)
    assert (done.code, "--method latent: needs a generator with codes" in done.err) == (2, True)


def test_a_conditional_language_model_writes_for_the_outcome_that_is_asked(here: Path, cli: Cli) -> None:
    (here / "lm").mkdir()
    make_lm(here / "lm", "gru", knots=(0.0, 1.0))
    texts = []
    for value in (("--condition", "0"), ("--condition", "1"), ()):
        assert cli(*LINEAR, "--generator", "lm", *value, "-n", "2", "-o", "out.fa", *QUICK).code == 0
        texts.append((here / "out.fa").read_text())
    assert len(set(texts)) == 3
    done = cli(*LINEAR, "--generator", "lm", "--condition", "7", *QUICK)
    assert (done.code, "--condition: must be one of 0, 1, got 7" in done.err) == (2, True)


def test_a_notebook_takes_any_generator(here: Path) -> None:
    weight = torch.linspace(-1, 1, 48).view(4, 12)
    for kind in ("gru", "vae"):
        (here / kind).mkdir()
        MAKE[kind](here / kind)
        found = [
            sd.maximize(lambda x: (x * weight).sum((1, 2)), generator=given, num=2, budget=30, tries=1)
            for given in (here / kind, sd.load(here / kind))
        ]
        assert [d.sequence for d in found[0]] == [d.sequence for d in found[1]]


def test_a_model_that_writes_nothing_is_no_generator(here: Path, cli: Cli, tiny_predictor: Path) -> None:
    done = cli(*LINEAR, "--generator", tiny_predictor, "--length", "12", *QUICK)
    assert done.code == 2
    assert "was made by train-predictor and writes no sequences; name a folder of train-lm" in done.err


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
