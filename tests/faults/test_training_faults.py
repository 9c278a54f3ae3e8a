"""Training runs that are killed, interrupted or spread over processes."""

from __future__ import annotations

import json
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

MODEL = ("--hidden", "8", "--latent-dim", "3", "--embedding", "4", "--invariance-batch", "8")
TINY = (*MODEL, "--batch-size", "16", "--epochs", "4", "--threads", "1")


@pytest.fixture
def fasta(tmp_path: Path) -> Path:
    """48 different strings of 6 to 8 letters; the outcome is the number of A."""
    texts = [f"{i:06b}".translate({48: "AC"[i % 2], 49: "GT"[i // 2 % 2]}) + "A" * (i % 3) for i in range(48)]
    path = tmp_path / "seqs.fa"
    path.write_text("".join(f">s{i} outcome={t.count('A')}\n{t}\n" for i, t in enumerate(texts)))
    return path


@pytest.fixture
def kill_loop(
    python: Callable[..., Any], fasta: Path, tmp_path: Path
) -> Callable[[str, int], dict[str, Any]]:
    """Rounds of kill_loop.py."""

    def rounds(mode: str, count: int) -> dict[str, Any]:
        done = python(Path(__file__).parent / "kill_loop.py", fasta, tmp_path, mode, count, timeout=280)
        assert done.code == 0, done.err
        return json.loads(done.out.splitlines()[-1])

    return rounds


def assert_all_finished_alike(found: dict[str, Any]) -> None:
    """Every killed run ends, when resumed, in the bytes of the one that was left alone."""
    for i, one in enumerate(found["rounds"]):
        assert (i, one["final"], one["sums"]) == (i, 0, found["reference"])
        assert one["hidden_files"] == []


def test_a_run_killed_at_any_write_leaves_whole_files_and_is_resumed(
    kill_loop: Callable[[str, int], dict[str, Any]],
) -> None:
    """Robustness 20 and 21: SIGKILL just before the Nth fsync or rename, N = 1, 5, 9, ... 37 of 39."""
    found = kill_loop("syscalls", 10)
    assert [one["code"] for one in found["rounds"]] == [-signal.SIGKILL] * 10
    assert {one["checkpoint"] for one in found["rounds"]} == {True, False}
    assert_all_finished_alike(found)


def test_a_run_interrupted_at_any_time_saves_and_is_resumed(
    kill_loop: Callable[[str, int], dict[str, Any]],
) -> None:
    """Robustness 19: SIGINT and SIGTERM at random times; 130, or 0 when the run was faster."""
    found = kill_loop("signals", 5)
    assert {one["code"] for one in found["rounds"]} <= {0, 130}
    assert 130 in {one["code"] for one in found["rounds"]}
    assert_all_finished_alike(found)


@pytest.mark.slow
@pytest.mark.parametrize(("mode", "count"), [("random", 20), ("signals", 20)])
def test_many_runs_killed_at_random_times_are_resumed(
    kill_loop: Callable[[str, int], dict[str, Any]], mode: str, count: int
) -> None:
    """Robustness 19 and 20."""
    found = kill_loop(mode, count)
    expected = {0, -signal.SIGKILL} if mode == "random" else {0, 130}
    assert {one["code"] for one in found["rounds"]} <= expected
    assert_all_finished_alike(found)


def table(text: str) -> dict[str, float]:
    """Last row of a metrics.csv."""
    head, *rows = text.splitlines()
    return dict(zip(head.split(","), map(float, rows[-1].split(",")), strict=True))


@pytest.mark.slow
def test_two_processes_learn_as_one_does(python: Callable[..., Any], fasta: Path, tmp_path: Path) -> None:
    """One folder, one table; also when a batch has fewer rows than there are processes."""
    words = ("-m", "seqdesign_cli", "train-vae", fasta, *TINY)
    single = python(*words, "-o", tmp_path / "one", timeout=120)
    double = python(*words, "-o", tmp_path / "two", "--devices", "2", timeout=120)
    assert (single.code, double.code) == (0, 0), double.err
    assert double.err.count("Held-out quality") == 1
    one, two = (table((tmp_path / name / "metrics.csv").read_text()) for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name in one:
        assert two[name] == pytest.approx(one[name], rel=0.05, abs=0.05)
    small = python(*words, "-o", tmp_path / "small", "--devices", "2", "--batch-size", "1", timeout=120)
    assert small.code == 0, small.err


EPOCHS = ("--epochs", "2", "--batch-size", "16", "--dropout", "0")
LM = ("train-lm", *EPOCHS, "--width", "16")


@pytest.mark.slow
@pytest.mark.parametrize(
    "words",
    [
        (*LM, "--architecture", "gru"),
        (*LM, "--architecture", "transformer", "--heads", "2"),
        (*LM, "--architecture", "masked", "--heads", "2"),
        ("train-vae", *MODEL, *EPOCHS, "--invariance-weight", "0", "--free-bits", "0"),
        ("train-gan", "--steps", "8", "--judge-every", "4", "--batch-size", "16", "--channels", "8"),
    ],
    ids=["gru", "transformer", "masked", "vae", "gan"],
)
def test_two_processes_are_one_but_for_rounding(
    python: Callable[..., Any], fasta: Path, tmp_path: Path, words: tuple[str, ...]
) -> None:
    """Without dropout, which each process draws for itself; the language model beside a VAE has some."""
    command, *options = words
    for name, devices in (("one", "1"), ("two", "2")):
        call = ("-m", "seqdesign_cli", command, fasta, *options, "--device", "cpu", "--threads", "1")
        done = python(*call, "-o", tmp_path / name, "--devices", devices, "-q", timeout=240)
        assert done.code == 0, done.err
    one, two = (table((tmp_path / name / "metrics.csv").read_text()) for name in ("one", "two"))
    assert one.keys() == two.keys()
    for name in (name for name in one if "language" not in name):
        assert two[name] == pytest.approx(one[name], rel=1e-4, abs=1e-6), name


@pytest.mark.slow
@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_to_the_main_process_ends_all_of_them_in_order(
    python: Callable[..., Any], python_env: dict[str, str], fasta: Path, tmp_path: Path, number: int
) -> None:
    """Robustness 19 with --devices 2: everybody stops after the same step, and the run can be resumed."""
    words = ("-m", "seqdesign_cli", "train-vae", fasta, *TINY, "--epochs", "60", "--devices", "2")
    command = [sys.executable, *map(str, words), "-o", str(tmp_path / "m")]
    with subprocess.Popen(command, env=python_env, stderr=subprocess.PIPE, text=True, cwd=tmp_path) as run:
        while not (tmp_path / "m/checkpoint/last.safetensors").exists() and run.poll() is None:
            time.sleep(0.05)
        run.send_signal(number)
        _, errors = run.communicate(timeout=60)
    assert run.returncode == 130, errors
    assert errors.splitlines()[-1] == "seqdesign: interrupted"
    done = python(*words, "-o", tmp_path / "m", "--resume", timeout=200)
    assert done.code == 0, done.err


@pytest.mark.slow
def test_a_failure_with_two_processes_is_one_line(
    python: Callable[..., Any], fasta: Path, tmp_path: Path
) -> None:
    """Robustness 24 with --devices 2."""
    bad = ("--learning-rate", "1e6", "--clip", "1e30", "--devices", "2")
    done = python("-m", "seqdesign_cli", "train-vae", fasta, "-o", tmp_path / "m", *TINY, *bad, timeout=120)
    assert done.code == 1
    assert len(re.findall(r"seqdesign: error: .* became (?:nan|inf) at step", done.err)) == 1
