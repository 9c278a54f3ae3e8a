"""Branches of the command layer that the tests take: ``pytest -p tests.branches``, as `make test` does.

The code of these folders alone is instrumented while it is imported (SlipCover: Altmayer Pizzorno & Berger
2023), so all other code runs as fast as ever, where a tracer would slow down every call of every library.
Workers of pytest-xdist send what they saw to the first process. What commands do in child processes is not
seen. Where the whole suite has passed, too small a share is a failure.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from slipcover import FileMatcher, ImportManager, Slipcover, merge_coverage

ROOT = Path(__file__).resolve().parent.parent
FOLDERS = [str(ROOT / "seqdesign" / "commands"), str(ROOT / "cli" / "seqdesign_cli")]
LEAST = 0.95
"""Share of the branches that the whole suite must take; the aim is 95%."""

_meter = Slipcover(branch=True, source=FOLDERS)
ImportManager(_meter, FileMatcher(sources=FOLDERS)).__enter__()
_seen: list[dict[str, Any]] = []
"""What each worker saw."""


def pytest_sessionfinish(session: pytest.Session) -> None:
    """A worker hands over what it saw; the first process judges the share."""
    if hasattr(session.config, "workeroutput"):
        session.config.workeroutput["branches"] = json.dumps(_meter.get_coverage())
    elif (
        session.config.args_source is pytest.Config.ArgsSource.TESTPATHS
        and session.exitstatus == pytest.ExitCode.OK
    ):
        files = _merged()
        if _share(files) < LEAST:
            session.exitstatus = pytest.ExitCode.TESTS_FAILED


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: Any) -> None:
    """What a worker saw; nothing from one that crashed."""
    if text := getattr(node, "workeroutput", {}).get("branches"):
        _seen.append(json.loads(text))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """The files with branches that no test took, and the share of those that were."""
    files = _merged()
    terminalreporter.section("branches of the command layer")
    for name, (taken, missed) in sorted(files.items()):
        if missed:
            words = " ".join(f"{a}-{b}" if b else f"{a}-end" for a, b in missed)
            terminalreporter.line(f"{name}: {len(taken)} of {len(taken) + len(missed)}, not {words}")
    total = sum(len(taken) + len(missed) for taken, missed in files.values())
    terminalreporter.line(
        f"{_share(files):.1%} of {total:,} branches taken (at least {LEAST:.0%} are wanted)"
    )


def _merged() -> dict[str, tuple[list[Any], list[Any]]]:
    """Branches taken and missed of each file, as pairs of lines."""
    found = _meter.get_coverage()
    for one in _seen:
        merge_coverage(found, one)
    files = {}
    for name, one in found["files"].items():
        path = (ROOT / name).resolve()
        files[path.relative_to(ROOT).as_posix()] = one["executed_branches"], one["missing_branches"]
    return files


def _share(files: dict[str, tuple[list[Any], list[Any]]]) -> float:
    taken = sum(len(taken) for taken, _ in files.values())
    return taken / max(taken + sum(len(missed) for _, missed in files.values()), 1)
