"""``seqdesign sample-gan`` under constraints: rejection that is exact, seeded, counted, and can stop."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch.nn import functional

from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.sampling import criticize, draw_real
from seqdesign.models.gan.store import GANRecord, load_gan, save_gan
from seqdesign.sequences.alphabets import get_alphabet

Cli = Callable[..., Any]
RULES = ("--gc", "0.4-0.6", "--forbid", "AC", "--max-homopolymer", "2")


def make_gan(folder: Path, shortest: int = 12, believed: float | None = None) -> None:
    """An untrained model for 12 letters at most."""
    options = GANOptions(latent_dim=6, channels=8, mapping=8, objective="wgan-gp")
    record = GANRecord(options, get_alphabet("dna"), 12, shortest, None, believed=believed)
    folder.mkdir(parents=True, exist_ok=True)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        model = record.build()
        with torch.no_grad():
            model.generator.letters.weight.mul_(0.2)  # near to equally many of each letter
        save_gan(folder, model, record)


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    make_gan(tmp_path / "models" / "gan")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def obeys(text: str) -> bool:
    """RULES in plain words: 5 to 7 of 12 are G or C, no AC nor its reverse complement, no run of three."""
    return (
        5 <= text.count("G") + text.count("C") <= 7
        and "AC" not in text
        and "GT" not in text
        and re.search(r"(.)\1\1", text) is None
    )


def sequences(text: str) -> list[str]:
    return text.splitlines()[1::2]


def test_what_is_written_is_what_was_drawn_less_what_breaks_a_rule(here: Path, cli: Cli) -> None:
    """In order, numbered from 1, and the acceptance is the share of the draws that were needed."""
    drawn = sequences(cli("sample-gan", "-n", "3000").out)
    good = [i for i, text in enumerate(drawn) if obeys(text)]
    assert len(good) > 40
    done = cli("sample-gan", "-n", "40", *RULES, "-o", "out.fa", "--json")
    assert done.code == 0, done.err
    written = (here / "out.fa").read_text().splitlines()
    assert written[::2] == [f">sample_{i}" for i in range(1, 41)]
    assert written[1::2] == [drawn[i] for i in good[:40]]
    assert json.loads(done.out)["acceptance"] == pytest.approx(40 / (good[39] + 1))
    assert "of the draws obey the constraints" in cli("sample-gan", "-n", "40", *RULES).err


def test_who_draws_changes_nothing_and_few_are_the_first_of_many(here: Path, cli: Cli) -> None:
    """``sample``, and a run that is shared among processes."""
    done = cli("sample-gan", "-n", "30", *RULES, "-o", "out.fa", "--json")
    text = (here / "out.fa").read_text()
    assert cli("sample", "models/gan", "-n", "30", *RULES).out == text
    assert text.startswith(cli("sample-gan", "-n", "7", *RULES).out)
    for shard in ("2/3", "1/3"):
        shared = cli("sample-gan", "-n", "30", *RULES, "-o", "two.fa", "--campaign", "c", "--shard", shard)
        assert shared.code == 0, shared.err
    merged = cli("merge", "c", "--json")
    assert (here / "two.fa").read_text() == text
    assert json.loads(merged.out)["acceptance"] == json.loads(done.out)["acceptance"]


def test_unique_and_constraints_go_together(here: Path, cli: Cli) -> None:
    done = cli("sample-gan", "-n", "60", *RULES, "--unique", "--temperature", "0.5")
    found = sequences(done.out)
    assert len(set(found)) == len(found) == 60
    assert all(obeys(text) for text in found)


def test_sequences_of_any_length_are_judged_by_what_they_are(here: Path, cli: Cli) -> None:
    make_gan(here / "ragged", shortest=6)
    found = sequences(cli("sample-gan", "-m", "ragged", "-n", "50", "--gc", "0.5-0.5").out)
    assert len({len(text) for text in found}) > 1
    assert all(2 * (text.count("G") + text.count("C")) == len(text) for text in found)


@pytest.mark.parametrize("shortest", [6, 12])
def test_what_the_critic_finds_least_real_is_left_out(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, shortest: int
) -> None:
    """In order, by a bound below which about the asked share of other draws lies."""
    make_gan(tmp_path / "models" / "gan", shortest)
    monkeypatch.chdir(tmp_path)
    drawn = sequences(cli("sample-gan", "-n", "3000").out)
    trained = load_gan(tmp_path / "models" / "gan", torch.device("cpu"))
    symbols = 4 + (shortest < 12)
    codes = torch.tensor([["ACGT#".index(c) for c in text.ljust(12, "#")] for text in drawn])
    with torch.inference_mode():
        score = trained.critic(functional.one_hot(codes, symbols).transpose(1, 2).float())
    done = cli("sample-gan", "-n", "2000", "--reject", "0.3")
    kept = sequences(done.out)
    low = torch.tensor([text not in set(kept) for text in drawn[:2500]])
    assert float(low.double().mean()) == pytest.approx(0.3, abs=0.04)
    assert float(score[:2500][low].max()) <= float(score[:2500][~low].min())
    assert kept[:1000] == [t for t, out in zip(drawn, low.tolist(), strict=False) if not out][:1000]
    assert "that the critic finds unlike real ones left out" in done.err
    refused = cli("sample-gan", "-n", "5", "--reject", "1")
    assert refused.code != 0
    assert "--reject" in refused.err


def test_what_the_critic_finds_less_real_than_nearly_all_real_sequences_is_left_out(
    here: Path, cli: Cli
) -> None:
    """A model knows the score that they reach; both commands heed it, and --reject 0 does not."""
    drawn = sequences(cli("sample-gan", "-n", "400").out)
    folder = here / "models" / "gan"
    trained = load_gan(folder, torch.device("cpu"))
    codes = torch.tensor([["ACGT".index(c) for c in text] for text in drawn])
    score = criticize(trained, codes, None)
    least = float(score.quantile(0.3))
    make_gan(folder, believed=least)
    good = [text for text, x in zip(drawn, score.tolist(), strict=True) if x >= least]
    for words in (("sample", folder), ("sample-gan",)):
        assert sequences(cli(*words, "-n", "150").out) == good[:150]
    assert "that the critic finds unlike real ones left out" in cli("sample-gan", "-n", "150").err
    assert sequences(cli("sample-gan", "-n", "400", "--reject", "0").out) == drawn
    loaded = load_gan(folder, torch.device("cpu"))
    tokens = draw_real(loaded, 300, torch.Generator().manual_seed(0))
    assert len(tokens) == 300
    assert float(criticize(loaded, tokens, None).min()) >= least


def test_of_several_draws_for_an_outcome_the_critic_keeps_the_most_real(here: Path, cli: Cli) -> None:
    """The classes of an untrained critic differ, so the best of 8 for each class are other sequences."""
    options = GANOptions(latent_dim=6, channels=8, mapping=8, objective="wgan-gp", condition="bins", bins=2)
    record = GANRecord(options, get_alphabet("dna"), 12, 12, "y", (0.0, 1.0), (0.5, 0.5))
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(1)
        folder = here / "models" / "bins"
        folder.mkdir()
        save_gan(folder, record.build(), record)
    trained = load_gan(folder, torch.device("cpu"))

    def scores(*words: str) -> torch.Tensor:
        texts = sequences(cli("sample", folder, "-n", "100", "--condition", "0.7", *words).out)
        tokens = torch.tensor([["ACGT".index(c) for c in text] for text in texts])
        return criticize(trained, tokens, torch.ones(len(texts), dtype=torch.int64))

    one, eight = scores("--choose-from", "1"), scores("--choose-from", "8")
    assert (scores() == eight).all()
    assert (eight >= one).all()
    assert (eight > one).float().mean() > 0.8
    assert "has no effect without --condition" in cli("sample", folder, "--choose-from", "4").err


def test_what_almost_never_comes_is_given_up(here: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("seqdesign.drawing.samples.BARREN", 300)
    done = cli("sample-gan", "-n", "5", "--template", "ACGTACGTACGT", "--max-homopolymer", "5")
    assert (done.code, done.out) == (1, "")
    assert (
        "hardly ever obeys the constraints: 0 of 300 draws do, none of the last 300; 100% break "
        "--template ACGTACGTACGT" in done.err
    )


@pytest.mark.parametrize(
    ("words", "code", "what"),
    [
        (("--template", "AAAAAAAAAAAA", "--max-homopolymer", "3"), 1, "contradict each other"),
        (("--gc", "0.9-1", "--forbid", "S"), 1, "--gc 0.9-1"),
        (("--template", "ACG"), 2, "--template: must have one character for each of the 12 letters"),
        (("--gc", "x"), 2, "--gc"),
    ],
)
def test_constraints_that_cannot_hold_are_named_before_anything_is_drawn(
    here: Path, cli: Cli, words: tuple[str, ...], code: int, what: str
) -> None:
    done = cli("sample-gan", *words)
    assert (done.code, done.out) == (code, "")
    assert what in done.err
    assert done.err.count("\n") == 1
