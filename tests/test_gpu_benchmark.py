"""The benchmark for GPUs works from end to end, on a CPU and with next to no work."""

from __future__ import annotations

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
    assert "operations of a step: " in lines[-1]
