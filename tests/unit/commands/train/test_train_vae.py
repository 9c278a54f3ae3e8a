"""Promises of ``seqdesign train-vae``, in this process; killing it is tested under tests/faults."""

from __future__ import annotations

import json
import os
import re
import signal
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch

from seqdesign.commands.train.options import is_main_process
from seqdesign.commands.train.train_vae import TrainVAEConfig
from seqdesign.errors import UsageError
from seqdesign.models.vae.model import SequenceVAE
from seqdesign.runs.atomic import sha256_file
from seqdesign.runs.folder import RunDir
from seqdesign.runs.manifest import read_manifest

MODEL = ("--hidden", "8", "--latent-dim", "3", "--embedding", "4", "--invariance-batch", "8")
TINY = (*MODEL, "--batch-size", "16", "--epochs", "3", "--threads", "1")
Cli = Callable[..., Any]


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    """48 different strings of 6 to 8 letters; the outcome is the number of A."""
    texts = [f"{i:06b}".translate({48: "AC"[i % 2], 49: "GT"[i // 2 % 2]}) + "A" * (i % 3) for i in range(48)]
    path = tmp_path / "seqs.fa"
    path.write_text("".join(f">s{i} outcome={t.count('A')}\n{t}\n" for i, t in enumerate(texts)))
    return path


def train(cli: Cli, fasta: Path, folder: Path, *words: str, interrupted: bool = False) -> Any:
    return cli("train-vae", fasta, "-o", folder, *TINY, *words, interrupted=interrupted)


def one_line(text: str) -> bool:
    """Whether stderr is one error line, progress aside."""
    lines = [line for line in text.splitlines() if not line.startswith("training:")]
    return len(lines) == 1 and lines[0].startswith("seqdesign: error: ")


def test_a_run_writes_a_whole_folder_and_a_table(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    done = train(cli, fasta, tmp_path / "m")
    assert (done.code, done.out) == (0, "")
    for part in (
        "reconstruction accuracy",
        "NLL bound",
        "KL to the prior",
        "R2",
        "Spearman",
        "invariance loss",
    ):
        assert part in done.err
    manifest = read_manifest(tmp_path / "m")
    assert manifest.status == "complete"
    files = {p.relative_to(tmp_path / "m").as_posix() for p in (tmp_path / "m").rglob("*") if p.is_file()}
    assert files == {*manifest.outputs, "manifest.json"}
    assert all(sha256_file(tmp_path / "m" / name) == known for name, known in manifest.outputs.items())
    assert list(manifest.inputs.values()) == [sha256_file(fasta)]


def test_json_says_the_same_to_programs(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    done = train(cli, fasta, tmp_path / "m", "--json")
    found = json.loads(done.out)
    assert (found["command"], found["schema_version"], found["outcome"]) == ("train-vae", 1, "outcome")
    assert found["num_train"] + found["num_held_out"] == 48
    assert 0 <= found["quality"]["token_accuracy"] <= 1
    assert isinstance(found["quality"]["warnings"], list)


def test_without_outcomes_it_trains_and_says_what_is_missing(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    fasta.write_text(re.sub(" outcome=.*", "", fasta.read_text()))
    done = train(cli, fasta, tmp_path / "m")
    assert done.code == 0
    assert "none in the input; revise will need one" in done.err
    said = f"{fasta} has no outcomes, so the model can sample but not revise; write them into headers"
    assert done.err.index(said) < done.err.index("Held-out quality")  # before hours of training


def test_a_missing_outcome_is_an_error_until_told_what_to_do(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    """Robustness 11."""
    fasta.write_text(fasta.read_text().replace(" outcome=", " other=", 3))
    refused = train(cli, fasta, tmp_path / "m")
    assert refused.code == 1
    assert one_line(refused.err)
    assert "--on-missing" in refused.err
    for policy, number in (("drop", 45), ("unlabelled", 48)):
        done = train(cli, fasta, tmp_path / policy, "--on-missing", policy, "--json")
        found = json.loads(done.out)
        assert found["num_train"] + found["num_held_out"] == number


def test_a_model_is_replaced_only_when_asked(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    """Robustness 25; a failed replacement leaves the old model."""
    assert train(cli, fasta, tmp_path / "m").code == 0
    before = (tmp_path / "m/model.safetensors").read_bytes()
    refused = train(cli, fasta, tmp_path / "m")
    assert refused.code == 1
    assert "already holds a model; add --overwrite" in refused.err
    failed = train(cli, fasta, tmp_path / "m", "--overwrite", "--alphabet", "rna")
    assert failed.code == 1
    assert (tmp_path / "m/model.safetensors").read_bytes() == before
    assert train(cli, fasta, tmp_path / "m", "--overwrite", "--seed", "5").code == 0
    assert (tmp_path / "m/model.safetensors").read_bytes() != before


def test_a_folder_in_use_is_refused(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    """Robustness 25."""
    with RunDir(tmp_path / "m"):
        done = train(cli, fasta, tmp_path / "m")
    assert done.code == 1
    assert f"is in use by another run (process {os.getpid()})" in done.err


def interrupt_at(monkeypatch: pytest.MonkeyPatch, step: int, number: int) -> None:
    """Send this process a signal in the middle of a step of the VAE."""
    plain, seen = SequenceVAE.losses, []

    def losses(self: SequenceVAE, player: str, *args: Any) -> Any:
        seen.extend([player] if self.training and player == "vae" else [])
        if len(seen) == step and player == "vae":
            os.kill(os.getpid(), number)
        return plain(self, player, *args)

    monkeypatch.setattr(SequenceVAE, "losses", losses)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_run_is_resumed_to_the_same_files(
    cli: Cli, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, number: int
) -> None:
    """Robustness 19 and 21: exit 130 after the step, then the bytes of an unbroken run."""
    assert train(cli, fasta, tmp_path / "whole").code == 0
    interrupt_at(monkeypatch, 5, number)
    stopped = train(cli, fasta, tmp_path / "m", interrupted=True)
    monkeypatch.undo()
    assert (stopped.code, stopped.err.splitlines()[-1]) == (130, "seqdesign: interrupted")
    assert read_manifest(tmp_path / "m").status == "interrupted"
    plain = train(cli, fasta, tmp_path / "m")
    assert plain.code == 1
    assert "holds an unfinished run; add --resume to continue it or --overwrite" in plain.err
    unready = cli("predict", "-m", tmp_path / "m", fasta)
    assert unready.code == 1
    assert "holds an unfinished training run; finish it with train-vae --resume" in unready.err
    assert train(cli, fasta, tmp_path / "m", "--resume").code == 0
    for name in ("model.safetensors", "metrics.csv", "config.json", "checkpoint/last.safetensors"):
        assert (tmp_path / "m" / name).read_bytes() == (tmp_path / "whole" / name).read_bytes()


def test_only_the_same_run_is_resumed(
    cli: Cli, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Robustness 21."""
    absent = train(cli, fasta, tmp_path / "m", "--resume")
    assert absent.code == 1
    assert "holds no checkpoint to resume; start without --resume" in absent.err
    interrupt_at(monkeypatch, 5, signal.SIGINT)
    assert train(cli, fasta, tmp_path / "m", interrupted=True).code == 130
    monkeypatch.undo()
    checkpoint = (tmp_path / "m/checkpoint/last.safetensors").read_bytes()
    for words, what in (
        (("--seed", "1"), "--seed"),
        (("--kl-weight", "0.2"), "model options"),
        (("--learning-rate", "0.01"), "training options"),
    ):
        refused = train(cli, fasta, tmp_path / "m", "--resume", *words)
        assert refused.code == 1
        assert f"was made with other {what}" in refused.err
    fasta.write_text(fasta.read_text().replace("outcome=4", "outcome=5", 1))
    refused = train(cli, fasta, tmp_path / "m", "--resume")
    assert "was made with other input" in refused.err
    assert one_line(refused.err)
    assert (tmp_path / "m/checkpoint/last.safetensors").read_bytes() == checkpoint


def test_a_finished_run_may_be_resumed_and_stays_as_it_is(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    """A run killed after its last checkpoint has nothing left to learn, and still writes all of its files."""
    assert train(cli, fasta, tmp_path / "m").code == 0
    names = ("model.safetensors", "metrics.csv")
    before = [(tmp_path / "m" / name).read_bytes() for name in names]
    for name in names:
        (tmp_path / "m" / name).unlink()
    assert train(cli, fasta, tmp_path / "m", "--resume").code == 0
    assert [(tmp_path / "m" / name).read_bytes() for name in names] == before


def test_a_learning_rate_that_explodes_ends_with_one_line(cli: Cli, fasta: Path, tmp_path: Path) -> None:
    """Robustness 24."""
    done = train(cli, fasta, tmp_path / "m", "--learning-rate", "1e6", "--clip", "1e30")
    assert done.code == 1
    assert one_line(done.err)
    assert re.search(r"became (nan|inf) at step \d+ \(learning rate [\d.e+]+\)", done.err)
    assert read_manifest(tmp_path / "m").status == "failed"
    assert not (tmp_path / "m/model.safetensors").exists()


def test_out_of_memory_is_one_line(
    cli: Cli, fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Robustness 23: a GPU's error and the one of the CPU's allocator."""
    for error in (torch.OutOfMemoryError("CUDA out of memory."), RuntimeError("can't allocate memory")):

        def full(*args: Any, error: Exception = error) -> Any:
            raise error

        monkeypatch.setattr(SequenceVAE, "losses", full)
        done = train(cli, fasta, tmp_path / "m")
        assert done.code == 1
        assert one_line(done.err)
        assert "out of memory; use a smaller --batch-size" in done.err


@pytest.mark.parametrize("where", ["seqs.fa/m", "/dev/null/m", "/proc/m"])
def test_a_folder_that_cannot_be_written_is_refused_before_any_work(
    cli: Cli, fasta: Path, tmp_path: Path, where: str
) -> None:
    """Robustness 25."""
    done = train(cli, fasta, tmp_path / where)
    assert done.code == 1
    assert one_line(done.err)
    assert "cannot create the folder" in done.err
    assert "training:" not in done.err


def test_stderr_may_be_closed(fasta: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Robustness 27."""
    from seqdesign.runs.progress import phase, say, shown

    closed = open(os.devnull, "w")
    closed.close()
    for stream in (None, closed, open(os.devnull, "w")):
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", stream)
            with shown(), phase("training") as bar:
                if stream is not None:
                    stream.close()
                bar.update(1, 2)
                bar.update(2, 2)
                say("words", quiet=False)
        assert bar.done == 2


def test_several_processes_cannot_share_stdin() -> None:
    with pytest.raises(UsageError, match="--devices: several processes cannot share stdin; name a file"):
        TrainVAEConfig(sequences=Path("-"), devices=2)
    assert TrainVAEConfig(sequences=Path("-")).devices == 1


@pytest.mark.parametrize("name", ["LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID"])
def test_one_process_of_all_launchers_is_the_main_one(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    for rank in ("LOCAL_RANK", "NODE_RANK", "GROUP_RANK", "SLURM_PROCID"):
        monkeypatch.delenv(rank, raising=False)
    assert is_main_process()
    monkeypatch.setenv(name, "0")
    assert is_main_process()
    monkeypatch.setenv(name, "1")
    assert not is_main_process()
