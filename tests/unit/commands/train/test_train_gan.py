"""``seqdesign train-gan`` and ``sample-gan`` as typed: folders, messages, resume, reproducible samples."""

from __future__ import annotations

import json
import os
import re
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from seqdesign.evaluation.game import Game, game_words
from seqdesign.models.gan.model import SequenceGAN
from seqdesign.models.gan.store import load_gan
from seqdesign.runs.atomic import sha256_file
from seqdesign.runs.manifest import read_manifest

MODEL = ("--latent-dim", "5", "--channels", "6", "--mapping", "8")
TINY = (*MODEL, "--batch-size", "8", "--steps", "6", "--judge-every", "2", "--threads", "1")
Cli = Callable[..., Any]


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    """64 different strings of 8 letters; the outcome is 0 or 1."""
    texts = [f"{i:06b}AC".translate({48: "AC"[i % 2], 49: "GT"[i // 2 % 2]}) for i in range(64)]
    path = tmp_path / "seqs.fa"
    path.write_text("".join(f">s{i} outcome={i % 2}\n{t}\n" for i, t in enumerate(texts)))
    return path


def train(cli: Cli, fasta: Path, folder: Path, *words: str, interrupted: bool = False) -> Any:
    return cli("train-gan", fasta, "-o", folder, *TINY, *words, interrupted=interrupted)


def test_the_lines_of_the_manual_work_as_they_stand(
    cli: Cli, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """``seqdesign sample-gan -n 1000 > out.fa`` after ``seqdesign train-gan seqs.fa``, without a folder."""
    monkeypatch.chdir(tmp_path)
    early = cli("sample-gan", "-n", "1000")
    assert (early.code, early.out) == (1, "")
    assert early.err == (
        "seqdesign: error: there is no model in models/gan; type: seqdesign train-gan seqs.fa and then "
        "seqdesign sample-gan -n 1000 > out.fa\n"
    )
    assert cli("train-gan", "seqs.fa", *TINY).code == 0
    done = cli("sample-gan", "-n", "1000")
    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[::2] == [f">sample_{i}" for i in range(1, 1001)]
    assert all(re.fullmatch("[ACGT]{8}", text) for text in lines[1::2])


def test_a_run_writes_a_whole_folder_and_says_how_the_generator_is(
    cli: Cli, fasta: Path, tmp_path: Path
) -> None:
    done = train(cli, fasta, tmp_path / "m")
    assert (done.code, done.out) == (0, "")
    for part in (
        "Jensen-Shannon",
        "nearest training",
        "repeats",
        "gradient norms",
        "letters of each position",
        "unhealthy in",
        "report.html",
    ):
        assert part in done.err
    manifest = read_manifest(tmp_path / "m")
    files = {p.relative_to(tmp_path / "m").as_posix() for p in (tmp_path / "m").rglob("*") if p.is_file()}
    assert manifest.status == "complete"
    assert files == {*manifest.outputs, "manifest.json"}
    assert all(sha256_file(tmp_path / "m" / name) == known for name, known in manifest.outputs.items())
    page = (tmp_path / "m" / "report.html").read_text()
    assert "The generator is unhealthy" in page
    assert "Gradient norms" in page
    assert "Beside simple generators" in page
    header = (tmp_path / "m" / "metrics.csv").read_text().splitlines()[0].split(",")
    for column in ("held_out_gap", "held_out_js_2_floor", "held_out_repeats", "train_critic_gradient"):
        assert column in header


def test_json_says_the_same_to_programs(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    found = json.loads(train(cli, fasta, tmp_path / "m", "--json").out)
    assert (
        found["command"],
        found["steps"],
        found["num_train"] + found["num_validation"] + found["num_test"],
    ) == (
        "train-gan",
        6,
        64,
    )
    assert found["health"]["verdict"] == "unhealthy"
    assert 0 <= found["game"]["unlike"] <= 1
    assert isinstance(load_gan(tmp_path / "m", torch.device("cpu")).record.believed, float)
    assert [row["name"] for row in found["health"]["headlines"]][1:] == [
        "Markov chain of order 3", "letters of each position", "training sequences",
    ]  # fmt: skip
    assert {"js_1", "repeats", "too_close", "far_pairs", "chimeras"} <= {
        row["name"] for row in found["health"]["measures"]
    }


@pytest.mark.parametrize(
    ("share", "said"),
    [
        (0.02, None),
        (0.05, "; they are left out of samples"),
        (0.7, "; the worst tenth is left out of samples"),
    ],
)
def test_what_the_critic_finds_unlike_real_sequences_is_said(share: float, said: str | None) -> None:
    game = Game(gap_training=0.5, gap_held_out=0.4, unlike=share, gradient_critic=1.0, gradient_generator=1.0)
    lines = "\n".join(game_words(game))
    assert (said is None) == ("--reject" not in lines)
    assert said is None or said in lines


def test_an_interrupted_run_is_resumed_to_the_same_files(
    cli: Cli, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Robustness 19 and 21; averages, optimizers and the grid of fixed noise included."""
    assert train(cli, fasta, tmp_path / "whole").code == 0
    plain, seen = SequenceGAN.losses, []

    def losses(self: SequenceGAN, player: str, *args: Any) -> Any:
        seen.append(player)
        if len(seen) == 7:
            os.kill(os.getpid(), signal.SIGINT)
        return plain(self, player, *args)

    with monkeypatch.context() as patch:
        patch.setattr(SequenceGAN, "losses", losses)
        stopped = train(cli, fasta, tmp_path / "m", interrupted=True)
    assert stopped.code == 130
    assert read_manifest(tmp_path / "m").status == "interrupted"
    unready = cli("sample-gan", "-m", tmp_path / "m")
    assert unready.code == 1
    assert "holds an unfinished training run; finish it with train-gan --resume" in unready.err
    assert "add --resume to continue it or --overwrite" in train(cli, fasta, tmp_path / "m").err
    other = train(cli, fasta, tmp_path / "m", "--resume", "--objective", "wgan-gp")
    assert "was made with other model options" in other.err
    assert train(cli, fasta, tmp_path / "m", "--resume").code == 0
    names = [p.relative_to(tmp_path / "whole") for p in (tmp_path / "whole").rglob("*") if p.is_file()]
    same = [name for name in names if name.name not in ("manifest.json", "report.html")]
    assert len(same) >= 8
    for name in same:
        assert (tmp_path / "m" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes(), name


def test_samples_repeat_with_the_seed_and_begin_alike(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    train(cli, fasta, tmp_path / "m")

    def sample(*words: str) -> str:
        done = cli("sample-gan", "-m", tmp_path / "m", "-n", "150", *words)
        assert done.code == 0
        text: str = done.out
        return text

    plain = sample()
    assert plain == sample("--seed", "0") == sample("-n", "500")[: len(plain)]
    assert len({plain, sample("--seed", "1"), sample("--argmax"), sample("--temperature", "0.3")}) == 4
    unique = sample("--unique", "--argmax").splitlines()[1::2]
    assert len(set(unique)) == len(unique) == 150


def test_unique_gives_up_when_there_is_nothing_more(
    cli: Cli, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    train(cli, fasta, tmp_path / "m")
    monkeypatch.setattr("seqdesign.drawing.samples.BARREN", 200)
    done = cli("sample-gan", "-m", tmp_path / "m", "-n", "70000", "--unique", "--temperature", "0.001")
    assert done.code == 1
    assert re.search(r"makes no more than about [\d,]+ different sequences; ask for fewer with -n", done.err)


def test_a_conditional_model_draws_for_an_outcome(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    done = train(cli, fasta, tmp_path / "m", "--condition", "label", "--json")
    assert json.loads(done.out)["classes"] == [0.0, 1.0]
    ones = cli("sample-gan", "-m", tmp_path / "m", "-n", "20", "--condition", "1").out.splitlines()
    assert ones[::2] == [f">sample_{i} condition_outcome=1" for i in range(1, 21)]
    mixed = cli("sample-gan", "-m", tmp_path / "m", "-n", "200").out
    assert 60 < mixed.count(" condition_outcome=1\n") < 140
    refused = cli("sample-gan", "-m", tmp_path / "m", "--condition", "3")
    assert (refused.code, refused.out) == (2, "")
    assert "--condition: must be one of 0, 1, got 3" in refused.err


def test_a_model_without_condition_refuses_one(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    train(cli, fasta, tmp_path / "m")
    refused = cli("sample-gan", "-m", tmp_path / "m", "--condition", "1")
    assert refused.code == 2
    assert "this model knows no outcome" in refused.err


@pytest.mark.parametrize(
    ("words", "code", "said"),
    [
        (("--objective", "wgann"), 2, "unknown objective of GANs 'wgann'"),
        (("--kernel", "4"), 2, "--kernel: must be odd"),
        (("--condition", "bins", "--bins", "1"), 2, "--bins"),
        (("--patience", "50"), 2, "--patience: 50 checks are more than all 3"),
        (("--outcome", "outcome"), 2, "--outcome: has no effect without --condition"),
        (("--alphabet", "rna"), 1, "not in the alphabet rna"),
        (("--learning-rate", "1e9", "--objective", "wgan-gp"), 1, "became"),
    ],
)
def test_wrong_options_and_runs_that_fail_are_one_line(
    cli: Cli, fasta: Path, tmp_path: Path, words: tuple[str, ...], code: int, said: str
) -> None:
    done = train(cli, fasta, tmp_path / "m", *words)
    lines = [line for line in done.err.splitlines() if not line.startswith("training:")]
    assert (done.code, done.out, len(lines)) == (code, "", 1)
    assert said in lines[0]
    assert not (tmp_path / "m" / "model.safetensors").exists()


def test_argmax_has_no_temperature(cli: Cli) -> None:
    done = cli("sample-gan", "--argmax", "--temperature", "0.5")
    assert done.code == 2
    assert "--temperature: has no effect with --argmax" in done.err


def test_a_model_of_another_kind_is_refused(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    small = ("--hidden", "8", "--latent-dim", "3", "--embedding", "4", "--epochs", "1", "--threads", "1")
    assert cli("train-vae", fasta, "-o", tmp_path / "v", *small).code == 0
    done = cli("sample-gan", "-m", tmp_path / "v")
    assert done.code == 1
    assert "is of kind 'vae', a GAN is needed; name another folder" in done.err
