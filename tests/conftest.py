"""Fixtures for all tests: the command line in this process and as a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import hypothesis
import pytest

ROOT = Path(__file__).resolve().parent.parent

# Two busy cores make single examples slow by chance; the same examples every time make a failure repeatable.
hypothesis.settings.register_profile("seqdesign", deadline=None, derandomize=True)
hypothesis.settings.load_profile("seqdesign")


@dataclass(frozen=True)
class Outcome:
    """What a command left behind."""

    code: int
    out: str
    err: str


@pytest.fixture
def root() -> Path:
    """Root of the repository."""
    return ROOT


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run ``seqdesign WORDS`` in this process."""
    from seqdesign_cli.main import main

    def run(*words: str | Path) -> Outcome:
        capfd.readouterr()
        code = main([str(word) for word in words])
        captured = capfd.readouterr()
        return Outcome(code, captured.out, captured.err)

    return run


@pytest.fixture
def python_env() -> dict[str, str]:
    """Environment in which a child Python finds both packages of this checkout, and no colours."""
    path = os.pathsep.join([str(ROOT), str(ROOT / "cli"), os.environ.get("PYTHONPATH", "")])
    return {**os.environ, "PYTHONPATH": path, "OMP_NUM_THREADS": "1", "NO_COLOR": "1"}


@pytest.fixture
def python(python_env: dict[str, str], tmp_path: Path) -> Callable[..., Outcome]:
    """Run ``python WORDS`` as a child process in an empty folder; warnings are errors there too."""

    def run(*words: str | Path, timeout: float = 60, cwd: Path = tmp_path, **environment: str) -> Outcome:
        done = subprocess.run(
            [sys.executable, "-W", "error", *map(str, words)],
            capture_output=True,
            text=True,
            timeout=timeout,
            cwd=cwd,
            env={**python_env, **environment},
            check=False,
        )
        return Outcome(done.returncode, done.stdout, done.stderr)

    return run
