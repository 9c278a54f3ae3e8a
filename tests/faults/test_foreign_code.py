"""Code of other people: shown and refused in a rerun, unable to end the program or to write into stdout."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqdesign.errors import InputError
from seqdesign.oracles.foreign import foreign

Cli = Callable[..., Any]


@pytest.mark.parametrize("leave", [lambda: exit(0), lambda: os._exit(0)])
def test_foreign_code_cannot_end_the_program(leave: Callable[[], None]) -> None:
    with pytest.raises(InputError, match="mine tried to end the program"), foreign("mine"):
        leave()


def test_a_child_of_foreign_code_ends_as_it_likes() -> None:
    with foreign("mine"):
        child = os.fork()
        if child == 0:
            os._exit(7)
        assert os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7


def test_what_foreign_code_prints_goes_to_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    with foreign("mine"):
        print("python")
        os.write(1, b"below\n")
    print("ours")
    found = capfd.readouterr()
    assert found.out == "ours\n"
    assert found.err.split() == ["python", "below"]


@pytest.mark.parametrize("text", ["import sys; sys.exit(0)", "def f(x):\n    raise SystemExit(0)"])
def test_an_oracle_that_exits_is_an_error(
    tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch, text: str
) -> None:
    name = f"leaves{abs(hash(text))}"
    (tmp_path / f"{name}.py").write_text(text)
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(str(tmp_path))
    done = cli("maximize", "--oracle", f"{name}:f", "--length", "6", "-n", "1", "-o", "d.fa")
    assert done.code == 1
    assert "tried to end the program" in done.err
    assert not (tmp_path / "d.fa").exists()


@pytest.fixture
def gift(tmp_path: Path, cli: Cli, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A run whose manifest somebody has changed."""
    monkeypatch.chdir(tmp_path)
    words = "--oracle table:t.csv --length 3 -n 1 --tries 1 --budget 5 -q -o gift.fa"
    rows = "".join(
        f"{a}{b}{c},{i}\n"
        for i, (a, b, c) in enumerate((a, b, c) for a in "ACGT" for b in "ACGT" for c in "ACGT")
    )
    (tmp_path / "t.csv").write_text("sequence,outcome\n" + rows)
    assert cli("maximize", *words.split()).code == 0
    path = tmp_path / "gift.fa.manifest.json"

    def change(**config: Any) -> Path:
        manifest = json.loads(path.read_text())
        manifest["config"].update(config)
        manifest["inputs"] = {}
        path.write_text(json.dumps(manifest))
        return tmp_path / "gift.fa"

    return change


def test_a_run_of_built_in_code_is_repeated_without_trust(gift: Callable[..., Path], cli: Cli) -> None:
    done = cli("rerun", gift())
    assert done.code == 0, done.err


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ({"oracle": "cmd:touch CANARY"}, "starts the command 'touch CANARY'"),
        ({"oracle": "gifted:f"}, "imports the Python module 'gifted'"),
        ({"oracle": "evil.pt2"}, "loads the program"),
        ({"oracle": "table:t.csv", "trust_model": True}, "--trust-model"),
    ],
)
def test_a_run_of_foreign_code_is_shown_and_refused(
    gift: Callable[..., Path], tmp_path: Path, cli: Cli, config: dict[str, Any], said: str
) -> None:
    (tmp_path / "gifted.py").write_text("open('CANARY', 'w')\n")
    done = cli("rerun", gift(**config))
    assert done.code == 2
    assert said in done.err
    assert "--trust" in done.err
    assert not (tmp_path / "CANARY").exists()


def test_trust_runs_it(gift: Callable[..., Path], tmp_path: Path, cli: Cli) -> None:
    done = cli("rerun", "--trust", gift(oracle="cmd:touch CANARY"))
    assert "starts the command" in done.err
    assert (tmp_path / "CANARY").exists()
