"""Campaigns: whoever works on a run, in whatever order and however often killed, the bytes are the same."""

from __future__ import annotations

import json
import os
import random
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from seqdesign.commands.train.train_vae import TrainVAEConfig, train_vae

Cli = Callable[..., Any]
ORACLE = """
import torch

WEIGHT = torch.linspace(-1, 1, 4 * 24).view(4, 24).roll(5, 1)


def linear(x):
    return torch.tanh((x * WEIGHT[:, : x.shape[2]]).sum((1, 2)))


pair = [linear, lambda x: linear(x) + x[:, 0].sum(1) / 10, linear]
"""


@pytest.fixture(scope="module")
def model(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A VAE that has seen 64 strings."""
    folder = tmp_path_factory.mktemp("campaign")
    rng = np.random.default_rng(0)
    texts = ["".join(rng.choice(list("ACGT"), 8)) for _ in range(64)]
    lines = [f">s{i} outcome={text.count('G')}\n{text}\n" for i, text in enumerate(texts)]
    (folder / "train.fa").write_text("".join(lines))
    train_vae(
        TrainVAEConfig(
            sequences=folder / "train.fa", output=folder / "vae", epochs=2, hidden=8, latent_dim=2, quiet=True
        )
    )
    return folder / "vae"


@pytest.fixture
def here(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    rng = np.random.default_rng(1)
    (tmp_path / "campaign_toys.py").write_text(ORACLE)
    for name, length, num in (("long.fa", 24, 160), ("short.fa", 8, 40)):
        texts = ["".join(rng.choice(list("ACGT"), length)) for _ in range(num)]
        (tmp_path / name).write_text("".join(f">s{i}\n{text}\n" for i, text in enumerate(texts)))
    monkeypatch.chdir(tmp_path)
    return tmp_path


MAXIMIZE = (
    "maximize", "--oracle", "campaign_toys:pair", "--start", "long.fa", "--method", "evolution",
    "--budget", "20", "--tries", "1", "--min-distance", "3", "--table", "table.csv", "-q",
)  # fmt: skip


def words_of(command: str, model: Path) -> tuple[str, ...]:
    return {
        "maximize": MAXIMIZE,
        "revise": ("revise", "short.fa", "-m", str(model), "--top", "2", "--table", "table.csv", "-q"),
        "predict": ("predict", "short.fa", "-m", str(model), "-q"),
        "sample": ("sample", str(model), "-n", "1300", "--unique", "--forbid", "GGG", "-q"),
        "sample-vae": ("sample-vae", "-m", str(model), "-n", "1300", "--reject", "0.2", "-q"),
    }[command]


@pytest.mark.parametrize(
    ("command", "size"),
    [("maximize", 50), ("revise", 14), ("predict", 14), ("sample", 0), ("sample-vae", 0)],
)
def test_the_merge_has_the_bytes_of_the_whole_run(
    command: str, size: int, here: Path, cli: Cli, model: Path
) -> None:
    words = words_of(command, model)
    suffix = "csv" if command == "predict" else "fa"
    blocks = ("--block-size", str(size)) if size else ()
    done = cli(*words, *blocks, "-o", f"whole.{suffix}")
    assert done.code == 0, done.err
    whole = Path(f"whole.{suffix}").read_bytes()
    table = Path("table.csv").read_bytes() if "--table" in words else b""
    work = (*words, *blocks, "-o", f"merged.{suffix}", "--campaign", "c")
    for shard in (("--shard", "2/3"), ("--shard", "1/3")):
        done = cli(*work, *shard)
        assert (done.code, done.out) == (0, ""), done.err
    early = cli("merge", "c")
    # Of samples nobody knows how many blocks it takes, so a merge draws what is missing.
    assert early.code == (0 if "sample" in command else 1)
    assert early.code == 0 or "000-000002 is not there yet" in early.err
    assert cli(*work, "--json").code == 0
    assert cli("merge", "c", "-q").code == 0
    assert Path(f"merged.{suffix}").read_bytes() == whole
    assert not table or Path("table.csv").read_bytes() == table
    manifest = json.loads(Path(f"merged.{suffix}.manifest.json").read_text())
    assert (manifest["name"], manifest["config"]["campaign"]) == (command, None)
    if command == "predict":
        assert cli("rerun", f"merged.{suffix}", "-q").code == 0


@pytest.mark.parametrize(
    ("command", "size"),
    [
        ("predict", 14),
        *(
            pytest.param(*case, marks=pytest.mark.slow)
            for case in (("maximize", 50), ("revise", 14), ("sample", 0), ("sample-vae", 0))
        ),
    ],
)
def test_two_devices_write_the_bytes_of_one(
    command: str, size: int, here: Path, cli: Cli, model: Path, python_env: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    monkeypatch.setenv("PYTHONPATH", f"{python_env['PYTHONPATH']}{os.pathsep}{here}")
    words = words_of(command, model)
    blocks = ("--block-size", str(size)) if size else ()
    suffix = "csv" if command == "predict" else "fa"
    for name, devices in (("one", ()), ("two", ("--device", "cpu", "--devices", "2"))):
        done = cli(*words, *blocks, *devices, "-o", f"{name}.{suffix}")
        assert done.code == 0, done.err
    assert Path(f"two.{suffix}").read_bytes() == Path(f"one.{suffix}").read_bytes()
    assert json.loads(Path(f"two.{suffix}.manifest.json").read_text())["config"]["devices"] == 2


@pytest.mark.slow
def test_what_one_of_several_devices_refuses_is_said_in_a_line(
    here: Path, cli: Cli, model: Path, python_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PYTHONPATH", python_env["PYTHONPATH"])
    Path("bad.fa").write_text(">a\nACGT!CGT\n")
    words = ("predict", "bad.fa", "-m", str(model), "-o", "out.csv", "-q")
    alone, two = cli(*words), cli(*words, "--devices", "2")
    assert (two.code, two.err) == (alone.code, alone.err)
    assert "bad.fa" in alone.err


def test_workers_that_are_killed_at_any_time_change_nothing(here: Path, cli: Cli) -> None:
    from seqdesign_cli.main import main

    rng = random.Random(0)
    begun = time.monotonic()
    assert cli(*MAXIMIZE, "-o", "whole.fa").code == 0
    took = time.monotonic() - begun
    work = (*MAXIMIZE, "--block-size", "20", "-o", "merged.fa", "--campaign", "c")
    killed = 0
    for num in (3, 1, 2, 4):
        workers = []
        for _ in range(num):
            child = os.fork()
            if child == 0:
                os._exit(main([*work]))
            workers.append(child)
        time.sleep(rng.uniform(0.05, 0.25) * took)
        for child in workers:
            os.kill(child, signal.SIGKILL)
            killed += os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == -signal.SIGKILL
    done = cli(*work, "--json")
    found = json.loads(done.out)
    assert (found["done"], found["blocks"], found["in_work"]) == (8, 8, 0)
    assert killed
    assert cli("merge", "c").code == 0
    assert Path("merged.fa").read_bytes() == Path("whole.fa").read_bytes()


def test_what_cannot_be_shared_is_refused_in_a_line(here: Path, cli: Cli) -> None:
    work = (*MAXIMIZE, "-o", "merged.fa", "--campaign", "c", "--shard", "1/200")
    assert cli(*work).code == 0
    for words, said in (
        ((*work, "--seed", "7"), "--seed was 0 and is 7"),
        ((*MAXIMIZE, "--shard", "1/2"), "no effect without --campaign"),
        ((*work, "--shard", "3/2"), "must be such as 2/8"),
        (("predict", "-", "--campaign", "d"), "standard input can be read only once"),
        (("predict", "-", "--devices", "2"), "standard input can be read only once"),
        ((*work, "--devices", "2"), "takes as many processes as you start"),
        ((*MAXIMIZE, "--devices", "2", "--device", "cuda:1"), "cuda:1 is one GPU"),
        (("merge", "long.fa"), "cannot read"),
    ):
        done = cli(*words)
        assert done.code in (1, 2)
        assert said in done.err
        assert len(done.err.splitlines()) == 1
    Path("long.fa").write_text(">s0\n" + "A" * 24 + "\n")
    assert "the SHA-256 of long.fa was" in cli(*work).err


def test_a_process_says_what_it_did_and_what_to_type_next() -> None:
    from seqdesign.commands.campaign import WorkResult

    def said(done: int, blocks: int | None, in_work: int) -> list[str]:
        one = WorkResult(campaign=Path("c"), done_here=2, done=done, blocks=blocks, in_work=in_work)
        return one.text().splitlines()

    assert said(5, 5, 0) == ["c: 2 blocks done here, 5 of 5 in all", "type: seqdesign merge c"]
    assert said(3, 5, 2)[1:] == ["2 are being worked on by other processes"]
    assert said(3, None, 0) == ["c: 2 blocks done here, 3 in all"]
