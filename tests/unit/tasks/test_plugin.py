"""A task that a plug-in brings is known by every command, and no switch in this package names it."""

from __future__ import annotations

import csv
import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

import seqdesign as sd
from seqdesign.errors import UsageError
from seqdesign.registry import PluginError, Registry
from seqdesign.tasks import by_name

PLUGIN = '''
import re

import numpy as np

from seqdesign.metrics.agreement import NumberAgreement
from seqdesign.tasks.numbers import Numbers
from seqdesign.tasks.values import Values

SHARE = re.compile(r"(\\d+)/(\\d+)")


def value(cell):
    found = SHARE.fullmatch(cell.strip())
    return int(found[1]) / int(found[2]) if found else float("nan")


class Shares(Numbers):
    """So many of so many, such as 3/10."""

    name = "share"
    about = "shares such as 3/10"
    trial = "follows"

    def claims(self, tallies):
        return all(t.forms and all(SHARE.fullmatch(form) for form in t.forms) for t in tallies)

    def read(self, columns):
        cells = columns.records.columns
        return Values(np.array([[value(c) for c in cells[name]] for name in columns.names]).T)

    def says(self, tally):
        return f"{tally.odd} shares"

    def measured(self, records, column, classes):
        return [value(cell) for cell in records.columns[column]]

    def columns(self, classes):
        return ["share", "sd"]

    def cells(self, found, row, k, classes):
        return {"share": float(found.mean[row, k]), "sd": float(found.sd[row, k])}


class NoTask:
    pass
'''
Cli = Callable[..., Any]


@pytest.fixture
def plugin(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A table of shares, and the task that reads them, installed."""
    (tmp_path / "share_plugin.py").write_text(PLUGIN)
    info = tmp_path / "share_plugin-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: share-plugin\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[seqdesign.tasks]\nshare = share_plugin:Shares\nnone-such = share_plugin:NoTask\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setattr(by_name, "REGISTRY", Registry("task", "seqdesign.tasks.kinds", "seqdesign.tasks"))
    rng, rows = np.random.default_rng(0), ["id,sequence,outcome"]
    for i in range(80):
        text = "".join(rng.choice(list("ACGT"), size=6))
        rows.append(f"s{i},{text},{text.count('A') + 1}/10")
    (tmp_path / "shares.csv").write_text("\n".join(rows) + "\n")
    monkeypatch.chdir(tmp_path)
    yield tmp_path / "shares.csv"
    sys.modules.pop("share_plugin", None)


@pytest.fixture
def no_broken_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """The plug-in that is no task is not installed."""
    kept = [name for name in by_name.REGISTRY.names() if name != "none-such"]
    monkeypatch.setattr(by_name.REGISTRY, "names", lambda: tuple(kept))


def test_every_command_knows_the_task_of_a_plugin(plugin: Path, no_broken_task: None, cli: Cli) -> None:
    seen = json.loads(cli("inspect", plugin, "--json").out)
    assert (seen["task"], seen["outcome"]["said"]) == ("share", "80 shares")
    assert "to learn     share: shares such as 3/10" in cli("inspect", plugin).out
    done = cli("train-predictor", plugin, "-o", "m", "--architecture", "ridge", "--json")
    assert done.code == 0, done.err
    said = json.loads(done.out)
    assert (said["task"], said["measured"]) == ("share", ["outcome: 80 shares"])
    assert said["quality"]["outcomes"][0]["r2"] > 0.9
    done = cli("predict", plugin, "-m", "m", "-o", "p.csv")
    assert done.code == 0, done.err
    assert "against 80 measured outcomes: R2 1.0" in done.err
    with open("p.csv", newline="") as handle:
        rows = list(csv.DictReader(handle))
    assert list(rows[0]) == ["id", "sequence", "share", "sd", "measured", "ood", "problem"]
    assert float(rows[0]["share"]) == pytest.approx(float(rows[0]["measured"]), abs=0.1)
    done = cli("report", "m", "-o", "page.html", "-q")
    assert done.code == 0, done.err
    assert "Held-out predictions" in Path("page.html").read_text()
    best = sd.maximize(sd.load("m", device="cpu"), length=6, num=1, budget=200, seed=1)
    assert best.sequences[0].count("A") >= 4


def test_without_the_plugin_its_model_is_refused_by_name(
    plugin: Path, no_broken_task: None, cli: Cli, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cli("train-predictor", plugin, "-o", "m", "--architecture", "ridge", "-q").code == 0
    monkeypatch.setattr(by_name, "REGISTRY", Registry("task", "seqdesign.tasks.kinds", "nothing.here"))
    done = cli("predict", plugin, "-m", "m", "-o", "p.csv")
    assert done.code != 0
    assert "share" in done.err
    refused = cli("train-predictor", plugin, "-o", "m2")
    assert "80 cells are no numbers" in refused.err or "80 labels" in refused.err


def test_a_plugin_that_is_no_task_and_a_name_that_nobody_brings(plugin: Path) -> None:
    with pytest.raises(PluginError, match="must be a seqdesign.tasks.task.Task"):
        by_name.get_task("none-such")
    with pytest.raises(UsageError, match="did you mean 'regression'"):
        by_name.get_task("regresion")
    assert by_name.unknown("auto") is None
    assert "did you mean 'censored'" in str(by_name.unknown("censord"))
