"""Outputs are checked before the work, locked, written together; special files are written, not replaced."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqdesign.errors import OutputError
from seqdesign.runs.atomic import TEMP_PREFIX, atomic_write, bytes_of, remove_stale, together
from seqdesign.runs.folder import lock_file, unlock_file
from seqdesign.runs.manifest import read_manifest

Cli = Callable[..., Any]
Make = Callable[[Path], Path]


@pytest.fixture
def inputs(tmp_path: Path, vae_folder: Make, monkeypatch: pytest.MonkeyPatch) -> Path:
    vae_folder(tmp_path / "m")
    (tmp_path / "in.fa").write_text(">a\nACGT\n")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_dev_stdout_is_appended_to_and_never_replaced(inputs: Path, python_env: dict[str, str]) -> None:
    with open(inputs / "log.fa", "wb") as handle:
        handle.write(b"first\n")
        handle.flush()
        for _ in range(2):
            words = ["sample-vae", "-m", "m", "-n", "2", "-q", "-o", "/dev/stdout"]
            subprocess.run(
                [sys.executable, "-m", "seqdesign_cli", *words], stdout=handle, env=python_env, check=True
            )
    found = (inputs / "log.fa").read_text()
    assert found.startswith("first\n")
    assert found.count(">sample_1") == 2
    assert not (inputs / "log.fa.manifest.json").exists()


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ("revise in.fa -m m -o in.fa", "is the input in.fa"),
        ("predict in.fa -m m -o ./in.fa", r"(is the input in.fa|a table must end in)"),
        ("revise in.fa -m m -o a.fa --table a.fa.manifest.json", "a table must end in"),
        ("revise in.fa -m m -o a.csv --table a.csv", "both write a.csv"),
        ("revise in.fa -m m -o nodir/a.fa", "there is no folder nodir"),
        ("revise in.fa -m m -o m", "it is a folder"),
        ("revise in.fa -m m -o a.fa --table t.txt", "a table must end in"),
        ("revise in.fa -m m -o a.fa --report nodir/r.html", "there is no folder nodir"),
        ("revise in.fa -m m -o m/model.safetensors", "says something else"),
        ("revise in.fa -m m -o m/config.json", "says something else"),
        ("predict in.fa -m m -o m/metrics.csv", "is a file of the model in"),
    ],
)
def test_what_cannot_be_written_is_said_before_any_work(
    inputs: Path, cli: Cli, words: str, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    before = {p: p.read_bytes() for p in inputs.rglob("*") if p.is_file()}
    monkeypatch.setattr("seqdesign.models.vae.store.load_vae", lambda *_: pytest.fail("work began"))
    done = cli(*words.split())
    assert done.code == 1
    assert pytest.importorskip("re").search(said, done.err), done.err
    assert {p: p.read_bytes() for p in inputs.rglob("*") if p.is_file()} == before


def test_two_outputs_on_stdout_are_refused(inputs: Path, cli: Cli) -> None:
    done = cli("revise", "in.fa", "-m", "m", "--table", "-")
    assert done.code == 2
    assert "goes to standard output too" in done.err


def test_files_take_their_places_together_or_not_at_all(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"old")
    with pytest.raises(ValueError, match="late"), together():
        for name in "ab":
            with atomic_write(tmp_path / name) as handle:
                handle.write(b"new")
            assert bytes_of(tmp_path / name).read_bytes() == b"new"
        raise ValueError("late")
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
    assert (tmp_path / "a").read_bytes() == b"old"
    with together():
        for name in "ab":
            with atomic_write(tmp_path / name) as handle:
                handle.write(b"new")
        assert (tmp_path / "a").read_bytes() == b"old"
    assert {p.name: p.read_bytes() for p in tmp_path.iterdir()} == {"a": b"new", "b": b"new"}


def test_an_output_of_two_runs_is_locked(inputs: Path, cli: Cli) -> None:
    lock = inputs / ".d.fa.lock"
    handle = lock_file(lock, "d.fa")
    done = cli("sample-vae", "-m", "m", "-n", "1", "-o", "d.fa")
    assert done.code == 1
    assert "in use by another run" in done.err
    unlock_file(lock, handle)
    assert cli("sample-vae", "-m", "m", "-n", "1", "-o", "d.fa").code == 0
    assert sorted(p.name for p in inputs.iterdir()) == ["d.fa", "d.fa.manifest.json", "in.fa", "m"]
    assert list(read_manifest(inputs / "d.fa").outputs) == ["d.fa"]


def test_temporary_files_of_the_dead_go_and_those_of_the_living_stay(tmp_path: Path) -> None:
    dead = tmp_path / f"{TEMP_PREFIX}1-dead"
    dead.touch()
    with atomic_write(tmp_path / "a") as handle:
        handle.write(b"x")
        remove_stale(tmp_path)
        assert not dead.exists()
        assert len(list(tmp_path.glob(f"{TEMP_PREFIX}*"))) == 1
    assert (tmp_path / "a").read_bytes() == b"x"


def test_a_place_that_is_a_folder_is_refused_inside_together(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OutputError, match="Is a directory"), together(), atomic_write(tmp_path / "a"):
        pass
    assert [p.name for p in tmp_path.iterdir()] == ["a"]
