"""Run folders: a file is old or new, never between; a model is not lost by accident; one run at a time."""

from __future__ import annotations

import errno
import hashlib
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from seqdesign.commands.provenance import begin_manifest
from seqdesign.config import RunConfig
from seqdesign.errors import ModelError, OutputError
from seqdesign.runs import atomic
from seqdesign.runs.atomic import TEMP_PREFIX, atomic_write, sha256_file, write_json
from seqdesign.runs.folder import LOCK, RunDir
from seqdesign.runs.manifest import MANIFEST, Manifest, library_versions, read_manifest

OLD, NEW = b"old" * 1000, b"new" * 2000


class FailsAt:
    """Raises ENOSPC at the Nth write, flush, fsync, chmod, rename or open; counts all of them."""

    def __init__(self, n: int, monkeypatch: pytest.MonkeyPatch) -> None:
        self.left = n
        for name in ("fsync", "replace", "chmod", "open"):
            monkeypatch.setattr(os, name, self.guarded(getattr(os, name)))
        monkeypatch.setattr(atomic, "open", self.open, raising=False)

    def guarded(self, call: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*args: Any, **kwargs: Any) -> Any:
            self.left -= 1
            if self.left == 0:
                raise OSError(errno.ENOSPC, "No space left on device")
            return call(*args, **kwargs)

        return counted

    def open(self, path: Any, mode: str) -> Any:
        handle = self.guarded(open)(path, mode, buffering=0)
        shim = self

        class Handle:
            write = staticmethod(shim.guarded(handle.write))
            flush = staticmethod(shim.guarded(handle.flush))
            fileno = staticmethod(handle.fileno)
            close = staticmethod(handle.close)

        return Handle()


@pytest.mark.parametrize("existing", [True, False])
def test_a_full_disk_at_any_step_leaves_the_old_or_the_new_file_and_nothing_else(
    tmp_path: Path, existing: bool
) -> None:
    target = tmp_path / "model.bin"
    steps = 0
    for n in range(1, 50):
        target.unlink(missing_ok=True)
        if existing:
            target.write_bytes(OLD)
        with pytest.MonkeyPatch.context() as patch:
            shim = FailsAt(n, patch)
            try:
                with atomic_write(target) as handle:
                    handle.write(NEW[:2500])
                    handle.write(NEW[2500:])
                failed = False
            except OutputError as error:
                failed = True
                assert str(error) == f"cannot write {target}: No space left on device"
        left = target.read_bytes() if target.exists() else None
        assert left in ((OLD if existing else None), NEW)
        assert [p.name for p in tmp_path.iterdir()] == (["model.bin"] if left is not None else [])
        if not failed:
            assert left == NEW
            assert shim.left > 0
            steps = n - 1
            break
    assert steps >= 7, "the shim must have met open, two writes, flush, two fsyncs and the rename"


WRITER = """
import sys, itertools
from seqdesign.runs.atomic import atomic_write
for turn in itertools.count():
    with atomic_write(sys.argv[1]) as handle:
        for _ in range(64):
            handle.write(bytes([turn % 2 + 65]) * 16384)
"""


def test_a_kill_at_any_moment_leaves_a_whole_file(tmp_path: Path, python_env: dict[str, str]) -> None:
    target = tmp_path / "model.bin"
    rng = random.Random(0)
    whole = {hashlib.sha256(bytes([letter]) * (64 * 16384)).hexdigest() for letter in b"AB"}
    for _ in range(12):
        target.unlink(missing_ok=True)
        with subprocess.Popen([sys.executable, "-c", WRITER, str(target)], env=python_env) as child:
            deadline = time.monotonic() + 30
            while not target.exists() and time.monotonic() < deadline:
                time.sleep(0.002)
            time.sleep(rng.uniform(0, 0.05))
            child.send_signal(signal.SIGKILL)
        assert sha256_file(target) in whole
    with RunDir(tmp_path):
        assert not list(tmp_path.glob(f"{TEMP_PREFIX}*")), "the next run clears what the killed one left"


def test_an_error_in_the_block_keeps_the_old_file(tmp_path: Path) -> None:
    target = tmp_path / "a"
    target.write_bytes(OLD)
    with pytest.raises(KeyboardInterrupt), atomic_write(target) as handle:
        handle.write(NEW)
        raise KeyboardInterrupt
    assert target.read_bytes() == OLD
    assert len(list(tmp_path.iterdir())) == 1


def test_an_error_about_another_file_keeps_its_own_name(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError, match="elsewhere"), atomic_write(tmp_path / "a"):
        open("/elsewhere/input.fa", "rb")


def test_a_link_stays_a_link(tmp_path: Path) -> None:
    (tmp_path / "store").mkdir()
    real = tmp_path / "store" / "real"
    real.write_bytes(OLD)
    link = tmp_path / "link"
    link.symlink_to(real)
    with atomic_write(link) as handle:
        handle.write(NEW)
    assert link.is_symlink()
    assert real.read_bytes() == NEW


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_new_file_has_the_mode_of_the_umask_and_an_old_one_keeps_its_own(
    tmp_path: Path, umask: int, mode: int
) -> None:
    before = os.umask(umask)
    try:
        with atomic_write(tmp_path / "new") as handle:
            handle.write(b"x")
        (tmp_path / "old").touch()
        (tmp_path / "old").chmod(0o640)
        with atomic_write(tmp_path / "old") as handle:
            handle.write(b"x")
    finally:
        os.umask(before)
    assert (tmp_path / "new").stat().st_mode & 0o777 == mode
    assert (tmp_path / "old").stat().st_mode & 0o777 == 0o640


def test_devices_are_written_and_not_replaced() -> None:
    with atomic_write("/dev/null") as handle:
        handle.write(b"x")
    assert Path("/dev/null").is_char_device()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="only Linux has /dev/full")
def test_a_full_device_is_one_line() -> None:
    with pytest.raises(OutputError, match="^cannot write /dev/full: No space left on device$"):
        with atomic_write("/dev/full") as handle:
            handle.write(b"x")


@pytest.mark.parametrize(
    ("name", "said"), [("folder", "Is a directory"), ("none/file", "No such file"), ("file/x", "Not a")]
)
def test_a_place_that_cannot_hold_a_file_is_named(tmp_path: Path, name: str, said: str) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "file").touch()
    with (
        pytest.raises(OutputError, match=f"^cannot write {tmp_path / name}: {said}"),
        atomic_write(tmp_path / name),
    ):
        pass
    assert sorted(p.name for p in tmp_path.rglob("*")) == ["file", "folder"]


def test_json_survives_odd_names_and_nan(tmp_path: Path) -> None:
    value = {"file": os.fsdecode(b"caf\xe9"), "r2": float("nan"), "é": Path("x")}
    write_json(tmp_path / "a.json", value)
    back = json.loads((tmp_path / "a.json").read_bytes())
    assert back == {"file": os.fsdecode(b"caf\xe9"), "r2": None, "é": "x"}


def manifest(tmp_path: Path) -> Manifest:
    (tmp_path / "seqs.fa").write_text(">a\nACGT\n")
    return begin_manifest(RunConfig(seed=3), device="cpu", inputs=[tmp_path / "seqs.fa", "-"])


def test_a_finished_run_says_what_it_read_and_wrote(tmp_path: Path) -> None:
    with RunDir(tmp_path / "a" / "b") as run:
        run.start(manifest(tmp_path))
        assert read_manifest(run.path).status == "running"
        (run.path / "model.safetensors").write_bytes(NEW)
        run.finish("complete", outputs=["model.safetensors"])
    found = read_manifest(run.path)
    assert found == run.manifest
    assert (found.status, found.seed, found.device, found.config["seed"]) == ("complete", 3, "cpu", 3)
    assert found.inputs == {str(tmp_path / "seqs.fa"): hashlib.sha256(b">a\nACGT\n").hexdigest()}
    assert found.outputs == {"model.safetensors": hashlib.sha256(NEW).hexdigest()}
    assert found.finished is not None
    assert found.started <= found.finished
    assert sorted(p.name for p in run.path.iterdir()) == [MANIFEST, "model.safetensors"]


def test_versions_name_what_decides_the_numbers() -> None:
    assert {"seqdesign", "python", "platform", "torch", "numpy"} <= set(library_versions())


@pytest.mark.parametrize(
    ("error", "status"), [(KeyboardInterrupt, "interrupted"), (ValueError, "failed"), (None, "complete")]
)
def test_the_last_status_says_how_the_run_ended(
    tmp_path: Path, error: type[BaseException] | None, status: str
) -> None:
    def work() -> None:
        with RunDir(tmp_path / "run") as run:
            run.start(manifest(tmp_path))
            if error is not None:
                raise error

    if error is None:
        work()
    else:
        with pytest.raises(error):
            work()
    assert read_manifest(tmp_path / "run").status == status


def test_a_model_is_refused_before_any_work_unless_asked_for(tmp_path: Path) -> None:
    (tmp_path / "model.safetensors").write_bytes(OLD)
    with pytest.raises(OutputError, match=f"{tmp_path} already holds a model; add --overwrite .* --resume"):
        RunDir(tmp_path).__enter__()
    assert not (tmp_path / LOCK).exists()
    for choice in ({"overwrite": True}, {"resume": True}):
        with RunDir(tmp_path, **choice) as run:
            assert (run.path / "model.safetensors").read_bytes() == OLD


def test_a_folder_that_cannot_be_made_or_written_is_an_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    for name in ("file", "file/below"):
        with pytest.raises(OutputError, match=f"cannot create the folder {tmp_path / name}"):
            RunDir(tmp_path / name).__enter__()
    (tmp_path / "run" / LOCK).mkdir(parents=True)  # opening it fails for root too, as in a read-only folder
    with pytest.raises(OutputError, match=f"cannot write {tmp_path / 'run'}"):
        RunDir(tmp_path / "run").__enter__()


def test_a_linked_folder_is_used_and_kept(tmp_path: Path) -> None:
    (tmp_path / "real").mkdir()
    (tmp_path / "link").symlink_to("real")
    with RunDir(tmp_path / "link") as run:
        run.start(manifest(tmp_path))
    assert (tmp_path / "link").is_symlink()
    assert (tmp_path / "real" / MANIFEST).exists()


HOLDER = """
import sys, time
from seqdesign.runs.folder import RunDir
with RunDir(sys.argv[1]):
    print("locked", flush=True)
    time.sleep(60)
"""


def test_two_runs_in_one_folder_are_refused_and_a_dead_one_frees_it(
    tmp_path: Path, python_env: dict[str, str]
) -> None:
    command = [sys.executable, "-c", HOLDER, str(tmp_path)]
    with subprocess.Popen(command, env=python_env, stdout=subprocess.PIPE, text=True) as child:
        assert child.stdout is not None
        assert child.stdout.readline() == "locked\n"
        with pytest.raises(OutputError, match=rf"in use by another run \(process {child.pid}\)"):
            RunDir(tmp_path, overwrite=True).__enter__()
        child.kill()
        child.wait()
    with RunDir(tmp_path):
        assert (tmp_path / LOCK).read_text() == f"{os.getpid()}\n"
    assert not (tmp_path / LOCK).exists()


RACER = """
import sys, time
from seqdesign.errors import OutputError
from seqdesign.runs.folder import RunDir
while time.time() < float(sys.argv[2]): pass
wins = 0
for _ in range(300):
    try:
        with RunDir(sys.argv[1]) as run:
            guard = run.path / "inside"
            guard.open("x").close()
            wins += 1
            guard.unlink()
    except OutputError:
        pass
print(wins)
"""


def test_runs_that_come_and_go_at_once_never_overlap(tmp_path: Path, python_env: dict[str, str]) -> None:
    command = [sys.executable, "-c", RACER, str(tmp_path), str(time.time() + 1.5)]
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, "env": python_env}
    children = [subprocess.Popen(command, **pipes) for _ in range(3)]
    results = [child.communicate(timeout=60) for child in children]
    assert [err for _, err in results] == ["", "", ""]
    assert sum(int(out) for out, _ in results) > 0


@pytest.mark.parametrize("content", [b"", b"{", b"[]", b'{"seed": 1}', b'{"bogus": 1}', b"\xff"])
def test_a_damaged_manifest_is_a_model_error(tmp_path: Path, content: bytes) -> None:
    (tmp_path / MANIFEST).write_bytes(content)
    with pytest.raises(ModelError, match=f"{tmp_path / MANIFEST} is damaged"):
        read_manifest(tmp_path)


def test_a_missing_manifest_is_a_model_error(tmp_path: Path) -> None:
    with pytest.raises(ModelError, match="is .* the folder of a run"):
        read_manifest(tmp_path)


def test_a_run_that_fails_before_it_writes_leaves_no_folder(tmp_path: Path) -> None:
    (tmp_path / "mine").mkdir()
    for name in ("new", "mine"):
        with pytest.raises(ValueError, match="bad input"), RunDir(tmp_path / name):
            raise ValueError("bad input")
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]
