"""Kill real training runs again and again, and finish each; run as a script by test_training_faults.py.

Every run is a process of its own that executes ``seqdesign train-vae``; all are forked from this one, which
has imported everything once. Prints one JSON object: reference checksums, and a record for every killed run.

    python kill_loop.py FASTA FOLDER syscalls|random|signals COUNT
"""

from __future__ import annotations

import hashlib
import json
import os
import random
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch

import seqdesign.models.vae.fit
from seqdesign.training.tensor_file import read_tensors
from seqdesign_cli.main import main

MODEL = ["--hidden", "8", "--latent-dim", "3", "--embedding", "4", "--invariance-batch", "8"]
TINY = [*MODEL, "--batch-size", "16", "--epochs", "4", "--threads", "1", "--quiet"]
FILES = ("model.safetensors", "metrics.csv", "checkpoint/last.safetensors")
CHECKPOINT = "checkpoint/last.safetensors"
Prepare = Callable[[], Any]


def start(fasta: str, folder: Path, *words: str, prepare: Prepare = lambda: None) -> int:
    """Fork a training run; its process id."""
    pid = os.fork()
    if pid:
        return pid
    try:
        log = os.open(folder.with_suffix(".log"), os.O_WRONLY | os.O_CREAT | os.O_APPEND)
        os.dup2(log, 1)
        os.dup2(log, 2)
        prepare()
        os._exit(main(["train-vae", fasta, "-o", str(folder), *TINY, *words]))
    except KeyboardInterrupt:  # before main() is in charge
        os._exit(130)


def end(pid: int) -> int:
    """Wait; the exit code, or minus the signal that killed it."""
    return os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])


def sums(folder: Path) -> list[str]:
    return [hashlib.sha256((folder / name).read_bytes()).hexdigest() for name in FILES]


def die_at_event(number: int) -> Prepare:
    """Before its ``number``-th fsync or rename, the process kills itself without a word."""

    def prepare() -> None:
        count = 0
        plain = {name: getattr(os, name) for name in ("fsync", "replace")}

        def counted(name: str) -> Callable[..., Any]:
            def call(*args: Any) -> Any:
                nonlocal count
                count += 1
                if count == number:
                    os.kill(os.getpid(), signal.SIGKILL)
                return plain[name](*args)

            return call

        for name in plain:
            setattr(os, name, counted(name))

    return prepare


def state(folder: Path) -> dict[str, Any]:
    """What a killed run left: whether each file that exists is whole, and what else lies around."""
    for name in ("model.safetensors", CHECKPOINT):
        if (folder / name).exists():
            read_tensors(folder / name)  # raises ModelError when damaged
    return {"checkpoint": (folder / CHECKPOINT).exists(), "model": (folder / "model.safetensors").exists()}


def finish(fasta: str, folder: Path) -> tuple[int, list[str]]:
    """Resume, or start anew where nothing was saved yet; exit code and checksums."""
    again = ["--resume"] if (folder / CHECKPOINT).exists() else []
    code = end(start(fasta, folder, *again))
    return code, sums(folder) if code == 0 else []


def one_round(fasta: str, folder: Path, mode: str, i: int, seconds: float) -> dict[str, Any]:
    """Start, kill, look, finish."""
    chance = random.Random(i)
    if mode == "syscalls":
        code = end(start(fasta, folder, prepare=die_at_event(1 + i)))
        sent = signal.SIGKILL
    else:
        sent = signal.SIGKILL if mode == "random" else (signal.SIGINT, signal.SIGTERM)[i % 2]
        pid = start(fasta, folder)
        time.sleep(chance.uniform(0.02, 0.95) * seconds)
        os.kill(pid, sent)
        code = end(pid)
    left = state(folder) if folder.exists() else {"checkpoint": False, "model": False}
    final, found = finish(fasta, folder)
    rest = [p.name for p in folder.rglob(".*")]
    return {"code": code, "signal": int(sent), **left, "final": final, "sums": found, "hidden_files": rest}


def run(fasta: str, work: Path, mode: str, count: int) -> dict[str, Any]:
    began = time.monotonic()
    if end(start(fasta, work / "reference")) != 0:
        raise SystemExit((work / "reference.log").read_text())
    seconds = time.monotonic() - began
    stride = 4  # of 39 events in a run; each write has three: fsync of the file, rename, fsync of the folder
    rounds = [
        one_round(fasta, work / f"{mode}{i}", mode, i * stride if mode == "syscalls" else i, seconds)
        for i in range(count)
    ]
    return {"reference": sums(work / "reference"), "rounds": rounds}


if __name__ == "__main__":
    torch.set_num_threads(1)
    assert seqdesign.models.vae.fit is not None
    print(json.dumps(run(sys.argv[1], Path(sys.argv[2]), sys.argv[3], int(sys.argv[4]))))
