"""The processes of ``--devices``: their errors are those of one process. What they write: test_campaign."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from seqdesign.commands import workers
from seqdesign.errors import SeqDesignError, UsageError


@pytest.fixture
def started(monkeypatch: pytest.MonkeyPatch) -> list[subprocess.Popen[bytes]]:
    """Processes in the place of workers, each with code of its own."""
    every: list[subprocess.Popen[bytes]] = []

    def start(config: Any, folder: Path, device: str, said: Path) -> subprocess.Popen[bytes]:
        code = config.codes[len(every)]
        with said.open("wb") as errors:
            every.append(subprocess.Popen([sys.executable, "-S", "-c", code], stderr=errors))
        return every[-1]

    monkeypatch.setattr(workers, "_start", start)
    return every


@pytest.mark.parametrize(
    ("code", "kind", "message"),
    [
        (
            "sys.stderr.write('a warning\\nseqdesign: error: x.fa:1: no'); sys.exit(1)",
            SeqDesignError,
            "x.fa:1: no",
        ),
        ("sys.stderr.write('seqdesign: error: --top: no'); sys.exit(2)", UsageError, "--top: no"),
        ("os.kill(os.getpid(), 9)", SeqDesignError, "a process of --devices was ended by SIGKILL"),
        ("sys.exit(3)", SeqDesignError, "a process of --devices was ended with exit code 3"),
    ],
)
def test_the_error_of_a_process_is_that_of_the_run_and_ends_the_others(
    code: str, kind: type[SeqDesignError], message: str, started: list[subprocess.Popen[bytes]]
) -> None:
    codes = ("import time; time.sleep(60)", f"import os, sys; {code}")
    config: Any = SimpleNamespace(device="cpu", quiet=True, codes=codes)
    with pytest.raises(SeqDesignError, match=message) as caught, workers.blocks_by_workers(config, 2):
        raise AssertionError("there are no blocks")
    assert type(caught.value) is kind
    assert started[0].returncode == -9
    assert started[1].returncode is not None


def test_each_gpu_gets_a_process_and_a_cpu_gets_them_all(monkeypatch: pytest.MonkeyPatch) -> None:
    config: Any = SimpleNamespace(device="cpu")
    assert workers._devices(config, 3) == ["cpu"] * 3
    monkeypatch.setattr("torch.cuda.is_available", lambda: True)
    monkeypatch.setattr("torch.cuda.device_count", lambda: 2)
    config = SimpleNamespace(device="cuda")
    assert workers._devices(config, 2) == ["cuda:0", "cuda:1"]
    with pytest.raises(UsageError, match="cuda:2 is not available"):
        workers._devices(config, 3)


def test_the_folder_is_gone_afterwards(started: list[subprocess.Popen[bytes]]) -> None:
    config: Any = SimpleNamespace(device="cpu", quiet=True, codes=("", ""))
    with workers.blocks_by_workers(config, 2) as folder:
        assert folder.parent.is_dir()
    assert not os.path.exists(folder.parent)
