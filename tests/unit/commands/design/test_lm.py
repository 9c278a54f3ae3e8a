"""``seqdesign train-lm`` and ``seqdesign sample``: what they write, what they obey, what they refuse."""

from __future__ import annotations

import csv
import io
import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch

from seqdesign.models.gan.config import GANOptions
from seqdesign.models.gan.store import GANRecord, save_gan
from seqdesign.models.lm.store import load_lm
from seqdesign.models.vae.config import VAEOptions, language_options
from seqdesign.models.vae.store import VAERecord
from seqdesign.runs.manifest import read_manifest
from seqdesign.sequences.alphabets import get_alphabet
from seqdesign.training.store import save_model

TINY = ("--width", "8", "--batch-size", "16", "--epochs", "3")
Cli = Callable[..., Any]


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    """64 strings of 12 letters; those with outcome 1 are of A and C, those with outcome 0 of G and T."""
    rng = np.random.default_rng(0)
    path = tmp_path / "seqs.fa"
    rows = []
    for i in range(64):
        text = "".join(rng.choice(list("AC" if i % 2 else "GT"), size=12))
        rows.append(f">s{i} outcome={i % 2}\n{text}\n")
    path.write_text("".join(rows))
    return path


def train(cli: Cli, fasta: Path, folder: Path, *words: str) -> Any:
    done = cli("train-lm", fasta, "-o", folder, *TINY, *words)
    assert done.code == 0, done.err
    return done


def sequences(text: str) -> list[str]:
    return text.splitlines()[1::2]


@pytest.mark.parametrize("architecture", ["transformer", "gru", "masked"])
def test_a_model_is_trained_sampled_and_asked(
    architecture: str, cli: Cli, fasta: Path, tmp_path: Path
) -> None:
    folder = tmp_path / "m"
    done = train(cli, fasta, folder, "--architecture", architecture)
    assert "nats per letter" in done.err
    assert re.search("Markov chain|position matrix", done.err)
    manifest = read_manifest(folder)
    files = {p.relative_to(folder).as_posix() for p in folder.rglob("*") if p.is_file()}
    assert (manifest.status, files) == ("complete", {*manifest.outputs, "manifest.json"})
    drawn = cli("sample", folder, "-n", "7")
    assert drawn.code == 0, drawn.err
    assert [len(text) for text in sequences(drawn.out)] == [12] * 7
    (tmp_path / "new.fa").write_text(drawn.out)
    table = list(csv.DictReader(io.StringIO(cli("predict", tmp_path / "new.fa", "-m", folder).out)))
    said = [float(value) for value in re.findall(r"loglik=(\S+)", drawn.out)]
    np.testing.assert_allclose([float(row["loglik"]) for row in table], said, rtol=1e-4)


def test_a_page_shows_the_model(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    train(cli, fasta, tmp_path / "m")
    done = cli("report", tmp_path / "m", "-o", tmp_path / "page.html")
    assert done.code == 0, done.err
    text = (tmp_path / "page.html").read_text()
    assert "Markov chain of order" in text
    assert "nats per sequence" in text


def test_a_resumed_run_repeats_an_unbroken_one(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    whole, broken = tmp_path / "whole", tmp_path / "broken"
    train(cli, fasta, whole)
    train(cli, fasta, broken)
    (broken / "model.safetensors").unlink()
    manifest = json.loads((broken / "manifest.json").read_text())
    (broken / "manifest.json").write_text(json.dumps(manifest | {"status": "running"}))
    train(cli, fasta, broken, "--resume")
    first, second = (load_lm(folder, torch.device("cpu")).model.state_dict() for folder in (whole, broken))
    assert all(torch.equal(first[name], second[name]) for name in first)


def test_few_samples_are_the_first_of_many(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    train(cli, fasta, tmp_path / "m")
    few, many = (cli("sample", tmp_path / "m", "-n", n).out for n in ("5", "40"))
    assert many.startswith(few)
    assert cli("sample", tmp_path / "m", "-n", "5", "--seed", "1").out != few
    assert len(set(sequences(cli("sample", tmp_path / "m", "-n", "200", "--unique").out))) == 200


def test_samples_are_as_far_apart_as_asked(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    untrained(cli, fasta, tmp_path / "m")
    drawn = sequences(cli("sample", tmp_path / "m", "-n", "30", "--min-distance", "5").out)
    assert len(drawn) == 30
    for i, one in enumerate(drawn):
        for other in drawn[:i]:
            assert sum(a != b for a, b in zip(one, other, strict=True)) >= 5


def test_a_condition_is_learned_and_asked_for(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    longer = ("--condition", "outcome", "--epochs", "40", "--learning-rate", "0.01", "--patience", "40")
    train(cli, fasta, folder, *longer)
    for label, letters in (("1", "AC"), ("0", "GT")):
        out = cli("sample", folder, "-n", "50", "--condition", label).out
        inside = np.mean([c in letters for text in sequences(out) for c in text])
        assert inside > 0.9
        assert f"condition={label}" in out
    free = cli("sample", folder, "-n", "200").out
    assert 0.3 < free.count("condition=1") / 200 < 0.7
    assert "must be one of 0, 1" in cli("sample", folder, "--condition", "0.5").err
    refused = cli("sample", folder, "--condition", "1", "--choose-from", "4").err
    assert "--choose-from: has no effect where outcomes are labels" in refused
    refused = cli("sample", folder, "--choose-from", "4").err
    assert "--choose-from: has no effect without --condition" in refused


def untrained(cli: Cli, fasta: Path, folder: Path, *words: str) -> None:
    """A model whose letters are nearly equally likely."""
    words = words if "--architecture" in words else ("--architecture", "transformer", *words)
    train(cli, fasta, folder, "--epochs", "1", *words)
    trained = load_lm(folder, torch.device("cpu"))
    with torch.no_grad():
        trained.model.network.output.weight.mul_(0.2)
        trained.model.network.output.bias.mul_(0.2)
    save_model(folder, trained.model, trained.record)


@pytest.mark.parametrize("architecture", ["transformer", "masked"])
def test_parts_of_a_start_are_written_anew(architecture: str, cli: Cli, fasta: Path, tmp_path: Path) -> None:
    folder, start = tmp_path / "m", tmp_path / "start.fa"
    untrained(cli, fasta, folder, "--architecture", architecture)
    start.write_text(">one\nACGTACGTACGT\n>two\nTTTTCCCCGGGG\n")
    words = ("--keep", "1-4,12", "--forbid", "GAATTC", "--max-homopolymer", "4", "--unique")
    done = cli("sample", folder, "-n", "30", "--start", start, *words)
    assert done.code == 0, done.err
    ids = re.findall(r">(\S+)", done.out)
    assert (ids[0], ids[30], len(ids)) == ("one_sample_1", "two_sample_1", 60)
    for i, text in enumerate(sequences(done.out)):
        parent = "ACGTACGTACGT" if i < 30 else "TTTTCCCCGGGG"
        assert (text[:4], text[11]) == (parent[:4], parent[11])
        assert "GAATTC" not in text
    assert len(set(sequences(done.out))) > 30


@pytest.mark.parametrize("architecture", ["transformer", "masked"])
def test_a_template_and_rules_are_obeyed(architecture: str, cli: Cli, fasta: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    untrained(cli, fasta, folder, "--architecture", architecture)
    words = ("--template", "NNRGAANNYNNN", "--gc", "0.4-0.6", "--forbid", "CC")
    done = cli("sample", folder, "-n", "100", *words, "--json", "-o", tmp_path / "out.fa")
    assert done.code == 0, done.err
    assert json.loads(done.out)["acceptance"] > 0.9
    for text in sequences((tmp_path / "out.fa").read_text()):
        assert re.fullmatch("..[AG]GAA..[CT]...", text)
        assert 5 <= text.count("G") + text.count("C") <= 7
        assert not {"CC", "GG"} & {text[i : i + 2] for i in range(11)}


def test_lengths_stay_inside_those_of_training(cli: Cli, tmp_path: Path) -> None:
    source = tmp_path / "varied.fa"
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), size=8 + i % 5)) for i in range(60)]
    source.write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(texts)))
    folder = tmp_path / "m"
    train(cli, source, folder)
    lengths = {len(text) for text in sequences(cli("sample", folder, "-n", "300").out)}
    assert lengths == {8, 9, 10, 11, 12}
    chosen = sequences(cli("sample", folder, "-n", "50", "--length", "10-20", "--forbid", "TTTT").out)
    assert {len(text) for text in chosen} == {10, 11, 12}
    assert "the model writes 8 to 12 letters, got 20 letters" in cli("sample", folder, "--length", "20").err


def test_a_predictor_guides(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    """Of letters nearly equally likely, those of the sequences that the predictor likes."""
    folder, predictor = tmp_path / "m", tmp_path / "p"
    untrained(cli, fasta, folder, "--architecture", "masked")
    cli("train-predictor", fasta, "-o", predictor, "--members", "2", "--epochs", "20")
    shares = []
    for words in (
        (),
        ("--guide", predictor, "--guide-strength", "8"),
        ("--guide", predictor, "--guide-by", "exact"),
    ):
        done = cli("sample", folder, "-n", "40", *words)
        assert done.code == 0, done.err
        text = "".join(sequences(done.out))
        shares.append((text.count("A") + text.count("C")) / len(text))
    assert shares[1] > shares[0] + 0.1
    assert shares[2] > shares[0]
    train(cli, fasta, tmp_path / "causal")
    assert "--architecture masked" in cli("sample", tmp_path / "causal", "--guide", predictor).err


def test_a_guide_that_does_not_fit_is_one_line(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    folder = tmp_path / "m"
    untrained(cli, fasta, folder, "--architecture", "masked")
    texts = sequences(fasta.read_text())
    table = tmp_path / "two.csv"
    table.write_text("sequence,a,b\n" + "".join(f"{t},{t.count('A')},{t.count('G')}\n" for t in texts))
    rna = tmp_path / "rna.csv"
    rna.write_text(table.read_text().replace("T", "U"))
    for source, name in ((table, "dna"), (rna, "rna")):
        words = (
            "--outcome",
            "a",
            "--outcome",
            "b",
            "--architecture",
            "ridge",
            "--members",
            "2",
            "-o",
            tmp_path / name,
        )
        done = cli("train-predictor", source, *words)
        assert done.code == 0, done.err
    for words, said in (
        (("--guide", tmp_path / "rna"), "the model writes dna"),
        (("--guide", tmp_path / "dna"), "--guide-outcome: is needed"),
        (("--guide", tmp_path / "dna", "--guide-outcome", "c"), "must be one of a, b, got 'c'"),
    ):
        done = cli("sample", folder, *words)
        assert done.code != 0
        assert said in done.err, done.err


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--keep", "1-3"), "needs --start"),
        (("--start", "x.fa"), "say what stays"),
        (("--guide-strength", "2"), "no effect without --guide"),
        (("--condition", "1"), "knows no outcome"),
        (("--length", "20"), "the model writes 12 letters, got 20 letters"),
        (("--template", "NNN"), "the model writes 12 letters, got 3 letters"),
        (("--template", "NNGAATTCNNNN", "--forbid", "GAATTC"), "contradict each other"),
    ],
)
def test_what_cannot_be_is_one_line(
    words: tuple[str, ...], said: str, cli: Cli, fasta: Path, tmp_path: Path
) -> None:
    train(cli, fasta, tmp_path / "m", "--epochs", "1")
    done = cli("sample", tmp_path / "m", *words)
    assert done.code != 0
    assert said in done.err
    assert done.err.count("\n") == 1


def gan(folder: Path) -> None:
    record = GANRecord(
        GANOptions(latent_dim=6, channels=8, mapping=8, objective="wgan-gp"),
        get_alphabet("dna"),
        12,
        12,
        None,
    )
    folder.mkdir()
    save_gan(folder, record.build(), record)


def vae(folder: Path, shortest: int = 12) -> None:
    options = VAEOptions(encoder="gru", hidden=8, latent_dim=3, embedding=4, dropout=0.0)
    record = VAERecord(options, language_options(options), get_alphabet("dna"), 12, shortest, None, 0.0, 0.0)
    folder.mkdir()
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = record.build()
    save_model(folder, model, replace(record, naturalness_floor=-1.0))


@pytest.mark.parametrize("make", [gan, vae])
def test_one_verb_draws_from_any_model(make: Callable[[Path], None], cli: Cli, tmp_path: Path) -> None:
    make(tmp_path / "m")
    done = cli("sample", tmp_path / "m", "-n", "20", "--forbid", "AA")
    assert done.code == 0, done.err
    texts = sequences(done.out)
    assert len(texts) == 20
    assert not any("AA" in text or "TT" in text for text in texts)
    own = cli(f"sample-{make.__name__}", "-m", tmp_path / "m", "-n", "512").out
    assert cli("sample", tmp_path / "m", "-n", "20").out.splitlines()[:2] == own.splitlines()[:2]
    assert "has no effect on a" in cli("sample", tmp_path / "m", "--guide", tmp_path / "m").err


@pytest.mark.parametrize("decode", ["sample", "greedy"])
def test_samples_of_a_vae_are_as_long_as_its_training_sequences(
    decode: str, cli: Cli, tmp_path: Path
) -> None:
    """An untrained decoder ends after a few letters where it may."""
    vae(tmp_path / "fixed")
    vae(tmp_path / "varied", shortest=5)
    fixed, varied = (
        {
            len(t)
            for t in sequences(cli("sample-vae", "-m", tmp_path / name, "-n", "200", "--decode", decode).out)
        }
        for name in ("fixed", "varied")
    )
    assert fixed == {12}
    assert min(varied) >= 5


def test_a_predictor_draws_nothing(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    cli("train-predictor", fasta, "-o", tmp_path / "p", "--members", "2", "--epochs", "1")
    assert "which draws no sequences" in cli("sample", tmp_path / "p").err
