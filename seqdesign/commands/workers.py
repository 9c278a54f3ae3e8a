"""``--devices N``: N processes of one command share its blocks in a folder that is gone afterwards."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

from seqdesign.commands.provenance import LOUDNESS
from seqdesign.config import CommandConfig, to_dict, to_words
from seqdesign.errors import SeqDesignError, UsageError
from seqdesign.runs.blocks import STATUS
from seqdesign.runs.progress import count, phase, say

LOOK = 0.1
"""Seconds between two looks at the processes."""


@contextmanager
def blocks_by_workers(config: CommandConfig, num: int) -> Iterator[Path]:
    """The folder in which ``num`` processes have left all blocks of this command.

    Raises the first error of theirs; the others are then ended.
    """
    with tempfile.TemporaryDirectory(prefix="seqdesign-") as made:
        folder = Path(made) / "blocks"
        said = [Path(made) / f"{i}.txt" for i in range(num)]
        devices = _devices(config, num)
        workers = [_start(config, folder, *of_one) for of_one in zip(devices, said, strict=True)]
        try:
            with phase("working on all devices"):
                _wait(workers, said, folder)
        finally:
            for worker in workers:
                worker.kill()
                worker.wait()
        total = _status(folder).get("blocks")
        if total is not None and total < num:
            say(
                f"{total} of the {num} devices had work: the run has {total} block(s); a smaller "
                "--block-size makes more",
                quiet=config.quiet,
            )
        yield folder


def _devices(config: Any, num: int) -> Sequence[str]:
    """The device of each process. Raises UsageError for GPUs that are not there."""
    from seqdesign.training.device import choose_device

    kind = choose_device(config.device).type
    names = [f"cuda:{i}" for i in range(num)] if kind == "cuda" else [kind] * num
    choose_device(names[-1])
    return names


def _start(config: Any, folder: Path, device: str, said: Path) -> subprocess.Popen[bytes]:
    name = type(config).__module__.rpartition(".")[2].replace("_", "-")
    mine = replace(config, campaign=folder, devices=1, device=device)
    values = {key: value for key, value in to_dict(mine).items() if key not in LOUDNESS}
    words = [sys.executable, "-m", "seqdesign", name, *to_words(type(config), values), "--quiet"]
    with said.open("wb") as errors:
        return subprocess.Popen(words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=errors)


def _wait(workers: Sequence[subprocess.Popen[bytes]], said: Sequence[Path], folder: Path) -> None:
    running = True
    while running:
        codes = [worker.poll() for worker in workers]
        running = None in codes
        for code, errors in zip(codes, said, strict=True):
            if code:
                _fail(code, errors.read_text(encoding="utf-8", errors="replace"))
        status = _status(folder)
        if status:
            count(status["done"], status["blocks"])
        if running:
            time.sleep(LOOK)


def _fail(code: int, said: str) -> None:
    """Raise the error of a process that failed."""
    lines = said.strip().splitlines()
    if code < 0 or not lines:
        how = f"ended by {signal.Signals(-code).name}" if code < 0 else f"ended with exit code {code}"
        raise SeqDesignError(f"a process of --devices was {how}; give fewer devices")
    message = lines[-1].removeprefix("seqdesign: ").removeprefix("error: ")
    raise UsageError(message) if code == UsageError.exit_code else SeqDesignError(message)


def _status(folder: Path) -> dict[str, Any]:
    """What the processes say of their blocks; nothing before the first one."""
    try:
        found: dict[str, Any] = json.loads((folder / STATUS).read_bytes())
    except (OSError, ValueError):
        return {}
    return found
