"""Tensor files: equal when read back, refused when anything in them was changed."""

from __future__ import annotations

import json
import os
import pickle
import resource
import stat
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor

from seqdesign.errors import ModelError, OutputError
from seqdesign.training import tensor_file
from seqdesign.training.tensor_file import read_tensors, write_tensors

TENSORS = {
    "weight": torch.linspace(-1, 1, 12).reshape(3, 4),
    "scalar": torch.tensor(7.0),
    "half": torch.tensor([1.5, -2.0], dtype=torch.bfloat16),
    "whole": torch.arange(5),
    "yes": torch.tensor([True, False]),
    "none": torch.zeros(0, 3),
}
RECORD = {"kind": "test", "options": {"letters": "ACGT\u00e9", "loss": float("nan"), "large": [1e300, None]}}


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """A good file."""
    write_tensors(tmp_path / "model.safetensors", TENSORS, RECORD)
    return tmp_path / "model.safetensors"


def same(a: dict[str, Tensor], b: dict[str, Tensor]) -> bool:
    return a.keys() == b.keys() and all(a[k].dtype == b[k].dtype and torch.equal(a[k], b[k]) for k in a)


def test_tensors_and_record_are_read_back_equal(path: Path) -> None:
    tensors, record = read_tensors(path)
    assert same(tensors, TENSORS)
    assert json.dumps(record, sort_keys=True) == json.dumps(RECORD, sort_keys=True)


def test_the_same_tensors_and_record_give_the_same_bytes(path: Path) -> None:
    """Robustness 28, whatever the order of the tensors."""
    before = path.read_bytes()
    write_tensors(path, dict(reversed(TENSORS.items())), RECORD)
    assert path.read_bytes() == before


def test_writing_leaves_the_tensors_alone_and_takes_views(tmp_path: Path) -> None:
    base = torch.arange(12.0).reshape(3, 4)
    write_tensors(tmp_path / "v", {"turned": base.T, "row": base[1]}, {})
    tensors, _ = read_tensors(tmp_path / "v")
    assert same(tensors, {"turned": base.T, "row": base[1]})
    assert torch.equal(base, torch.arange(12.0).reshape(3, 4))


@pytest.mark.parametrize("bit", [0, 6])
def test_a_flipped_bit_is_refused_or_harmless(path: Path, bit: int) -> None:
    """Robustness 16: every byte of a small file, header and record included."""
    good = path.read_bytes()
    refused = 0
    for place in range(len(good)):
        damaged = bytearray(good)
        damaged[place] ^= 1 << bit
        path.write_bytes(damaged)
        try:
            tensors, record = read_tensors(path)
        except ModelError as error:
            assert str(path) in str(error)
            refused += 1
        else:
            assert same(tensors, TENSORS)
            assert json.dumps(record, sort_keys=True) == json.dumps(RECORD, sort_keys=True)
    assert refused > 0.97 * len(good)


def test_a_truncated_file_is_refused(path: Path) -> None:
    """Robustness 16."""
    good = path.read_bytes()
    for i in range(50):
        path.write_bytes(good[: len(good) * i // 50])
        with pytest.raises(ModelError, match="damaged or no safetensors file"):
            read_tensors(path)


def test_a_longer_file_is_refused(path: Path) -> None:
    path.write_bytes(path.read_bytes() + b"x")
    with pytest.raises(ModelError, match="damaged"):
        read_tensors(path)


def test_a_newer_format_is_refused_by_number(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Robustness 16."""
    monkeypatch.setattr(tensor_file, "FORMAT", 2)
    write_tensors(path, TENSORS, RECORD)
    monkeypatch.undo()
    with pytest.raises(ModelError, match="has format 2, this version reads up to 1; update seqdesign"):
        read_tensors(path)


@pytest.mark.parametrize("metadata", [None, {"format": "pt"}])
def test_a_safetensors_file_of_somebody_else_is_refused(tmp_path: Path, metadata: Any) -> None:
    save_file({"w": torch.zeros(2)}, tmp_path / "x.safetensors", metadata)
    with pytest.raises(ModelError, match="not written by seqdesign"):
        read_tensors(tmp_path / "x.safetensors")


def change(data: bytes, edit: Callable[[dict[str, Any]], None]) -> bytes:
    """The file with another header: its length in 8 bytes, then JSON."""
    size = int.from_bytes(data[:8], "little")
    header = json.loads(data[8 : 8 + size])
    edit(header)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + data[8 + size :]


def about(header: dict[str, Any], **values: Any) -> None:
    """Change what the file says about itself."""
    known = json.loads(header["__metadata__"]["seqdesign"])
    header["__metadata__"]["seqdesign"] = json.dumps(known | values)


@pytest.mark.parametrize(
    "edit",
    [
        pytest.param(lambda h: h["weight"].update(shape=[4, 3]), id="another shape of the same size"),
        pytest.param(lambda h: h["weight"].update(shape=[3, 5]), id="a shape that is too large"),
        pytest.param(lambda h: h["weight"].update(dtype="I32"), id="another type of the same size"),
        pytest.param(lambda h: h.update(renamed=h.pop("weight")), id="another name"),
        pytest.param(lambda h: h.pop("weight"), id="a tensor less"),
        pytest.param(lambda h: about(h, record='{"kind": "other"}'), id="another record"),
        pytest.param(lambda h: about(h, record="{"), id="a record that is no JSON"),
        pytest.param(lambda h: about(h, record=[1]), id="a record that is no text"),
        pytest.param(lambda h: about(h, sha256="0" * 64), id="another checksum"),
        pytest.param(lambda h: about(h, format="new"), id="a format that is no number"),
        pytest.param(lambda h: h["__metadata__"].update(seqdesign="[]"), id="a list for a record"),
        pytest.param(lambda h: h["__metadata__"].update(seqdesign="{}"), id="an empty record"),
    ],
)
def test_a_header_that_lies_is_refused(path: Path, edit: Callable[[dict[str, Any]], None]) -> None:
    """Robustness 16: shape lie, missing tensor, extra tensor; the file is well formed each time."""
    path.write_bytes(change(path.read_bytes(), edit))
    with pytest.raises(ModelError, match="is damaged"):
        read_tensors(path)


class Canary:
    """Unpickling it makes a file."""

    def __init__(self, target: Path) -> None:
        self.target = target

    def __reduce__(self) -> tuple[Any, ...]:
        return open, (str(self.target), "w")


@pytest.mark.parametrize("write", ["pickle", "torch"])
def test_a_pickle_is_refused_and_not_executed(tmp_path: Path, write: str) -> None:
    """Robustness 17."""
    path, canary = tmp_path / "model.safetensors", tmp_path / "canary"
    if write == "pickle":
        path.write_bytes(pickle.dumps(Canary(canary)))
    else:
        torch.save({"w": torch.zeros(2), "x": Canary(canary)}, path)
    with pytest.raises(ModelError, match="damaged or no safetensors file"):
        read_tensors(path)
    assert not canary.exists()


@pytest.mark.parametrize("name", ["absent.safetensors", ""])
def test_no_file_is_said_with_what_to_do(tmp_path: Path, name: str) -> None:
    with pytest.raises(ModelError, match="does not exist; train the model first"):
        read_tensors(tmp_path / name)


@pytest.mark.parametrize("mask", [0o022, 0o077, 0o002])
def test_permissions_follow_the_umask(tmp_path: Path, mask: int) -> None:
    """Robustness 25."""
    before = os.umask(mask)
    try:
        write_tensors(tmp_path / "m", TENSORS, {})
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "m").stat().st_mode) == 0o666 & ~mask


def test_a_full_disk_leaves_the_old_file_and_no_other(path: Path) -> None:
    """Robustness 18: no file may grow beyond 4 KiB."""
    before = path.read_bytes()
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (4096, hard))
    try:
        with pytest.raises(OutputError, match=r"cannot write .*model\.safetensors: File too large"):
            write_tensors(path, {"w": torch.zeros(10_000)}, {})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert path.read_bytes() == before
    assert list(path.parent.iterdir()) == [path]


def test_a_device_that_is_full_is_one_error() -> None:
    """Robustness 18."""
    with pytest.raises(OutputError, match="No space left on device"):
        write_tensors("/dev/full", {"w": torch.zeros(10_000)}, {})
