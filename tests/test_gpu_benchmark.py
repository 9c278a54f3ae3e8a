"""The benchmark for GPUs works from end to end on a CPU with next to no work; what fails costs one row."""

from __future__ import annotations

import importlib.util
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.slow
def test_every_row_is_measured(root: Path, python: Callable[..., Any], tmp_path: Path) -> None:
    written = tmp_path / "gpu.md"
    script = root / "benchmarks" / "speed" / "gpu.py"
    words = ("--device", "cpu", "--small", "--no-tests", "--profile", "--output", written)
    done = python(script, *words, timeout=290)
    assert done.code == 0, done.err
    lines = written.read_text().splitlines()
    rows = [line.split("|") for line in lines if line.startswith("| ") and "x |" in line]
    assert len(rows) == 7
    assert all(float(row[4].replace(",", "")) > 0 and float(row[5].replace(",", "")) > 0 for row in rows)
    assert "operations of a step: " in lines[-2]
    assert lines[-1].endswith(" s in all")


def test_a_row_that_fails_or_has_no_time_costs_no_other(
    root: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    spec = importlib.util.spec_from_file_location("gpu_benchmark", root / "benchmarks" / "speed" / "gpu.py")
    assert spec is not None
    assert spec.loader is not None
    gpu = importlib.util.module_from_spec(spec)
    monkeypatch.setitem(sys.modules, "gpu_benchmark", gpu)
    spec.loader.exec_module(gpu)
    gpu.Bench.revise = lambda bench: (0,).index(1)
    gpu.Bench.train_gan = lambda bench: time.sleep(9)
    gpu.Bench.sample = lambda bench: gpu.Row(10.0, "sequences", 2.0, 0.5, "fine")
    bench = gpu.Bench("cpu", gpu.SMALL, tmp_path / "here")
    soon = time.monotonic() + 0.3
    found = {name: bench.row(name, soon) for name in list(bench.NAMES)[1:4]}
    failed, stopped, late = found.values()
    assert failed == "failed: ValueError: tuple.index(x): x not in tuple"
    assert "ValueError" in capsys.readouterr().err
    assert (stopped, late) == ("stopped: no time", "left out: no time")
    row = bench.row("sample-gan, 100 letters", time.monotonic() + 9)
    assert gpu.line("x", row, failed) == f"| x | 10 sequences | 2.0 | 5.0 |  |  | 0.50 | fine | {failed} |"
    assert gpu.line("x", late, row) == "| x | | | | | | | left out: no time | |"
    assert "2.0x" in gpu.line("x", row, gpu.Row(10.0, "sequences", 4.0, 0.0, ""))
