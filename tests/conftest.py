"""Fixtures for all tests: the command line in this process and as a process of its own."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import hypothesis
import pytest
from chromium import Chromium, find_program

ROOT = Path(__file__).resolve().parent.parent

# What a test compares to the bit is what a CPU computes. Tests that compute on a GPU (mark: device) name it.
os.environ["SEQDESIGN_DEVICE"] = "cpu"
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


def _without_progress(text: str) -> str:
    """``text`` without the lines that tell how long work has taken, which depend on the machine."""
    return re.sub(r"(?m)^[a-z ]+: (.* so far\b.*|took .*|about .* on this machine.*)\n", "", text)


@pytest.fixture
def cli(capfd: pytest.CaptureFixture[str]) -> Callable[..., Outcome]:
    """Run ``seqdesign WORDS`` in this process.

    ``interrupted`` says that the test itself interrupts it. Else the signal came from outside, such as the
    SIGTERM of a time limit: the whole run of the tests is told to end, and no test fails for it.
    """
    from seqdesign_cli.guard import INTERRUPTED
    from seqdesign_cli.main import main

    def run(*words: str | Path, interrupted: bool = False) -> Outcome:
        capfd.readouterr()
        code = main([str(word) for word in words])
        captured = capfd.readouterr()
        if code == INTERRUPTED and not interrupted:
            pytest.exit("somebody else interrupted the tests (SIGINT or SIGTERM)", returncode=INTERRUPTED)
        return Outcome(code, captured.out, _without_progress(captured.err))

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
        return Outcome(done.returncode, done.stdout, _without_progress(done.stderr))

    return run


@dataclass(frozen=True)
class Seen:
    """What a page looked like from inside a browser."""

    value: Any
    """What the script returned, through JSON."""
    console: list[str]


@pytest.fixture(scope="session")
def chromium(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Chromium]:
    """The browser of this machine, started once; tests that need it are skipped where there is none."""
    program = find_program()
    if program is None:
        pytest.skip("there is no Chromium here")
    with Chromium(program, tmp_path_factory.mktemp("chromium")) as started:
        yield started


@pytest.fixture(scope="session")
def axe() -> str:
    """The script of axe-core, which finds what a page keeps from people with screen readers or keyboards.

    ``npm install axe-core`` puts it where this looks; AXE_CORE names another ``axe.min.js``.
    """
    path = Path(os.environ.get("AXE_CORE", ROOT / "node_modules" / "axe-core" / "axe.min.js"))
    if not path.is_file():
        pytest.skip("there is no axe-core here; see CONTRIBUTING.md")
    return path.read_text(encoding="utf-8")


@pytest.fixture
def browser(chromium: Chromium, tmp_path: Path) -> Callable[..., Seen]:
    """Open a page, run the body of an async function there, and give what it returns.

    The page's own security policy stays in force.
    """

    def run(page: str, body: str, width: int = 1280) -> Seen:
        copy = tmp_path / "page.html"
        copy.write_text(page, encoding="utf-8")
        tab = chromium.open(copy, width)
        seen = Seen(tab.run(body), tab.console)
        tab.close()
        return seen

    return run
