"""``seqdesign merge``: where it writes, and what it refuses; what it writes is in ``../test_campaign.py``."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

ORACLE = "def c(x):\n    return x[:, 1].mean(1)\n\n\npair = [c, c]\n"
WORDS = ("maximize", "--oracle", "merge_toys:pair", "--length", "8", "-n", "4", "--budget", "10", "-q")


def test_the_result_goes_where_the_command_or_the_merge_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, cli: Callable[..., Any]
) -> None:
    (tmp_path / "merge_toys.py").write_text(ORACLE)
    monkeypatch.chdir(tmp_path)
    assert cli(*WORDS, "--campaign", "c").code == 0
    out = cli("merge", "c", "-q").out
    assert out.count(">") == 4
    assert cli("merge", "c", "-q", "-o", "here.fa").out == ""
    assert Path("here.fa").read_text() == out
    refused = cli("merge", "here.fa")
    assert refused.code == 2
    assert "holds no campaign" in refused.err
    assert cli("merge", "nowhere").code == 1
