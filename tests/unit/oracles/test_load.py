"""Which oracle a text names, what a file is by its content, and that no file runs code without leave."""

from __future__ import annotations

import logging
import pickle
import re
import warnings
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from seqdesign.errors import InputError, ModelError, UsageError
from seqdesign.oracles.kinds import file_kind
from seqdesign.oracles.load import load_oracle
from seqdesign.oracles.motif import MotifOracle
from seqdesign.sequences.alphabets import get_alphabet

DNA = get_alphabet("dna")
L = 5


class Network(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.weights = nn.Parameter(torch.arange(4.0 * L * 2).view(4 * L, 2))

    def forward(self, x: Tensor) -> Tensor:
        return x.flatten(1) @ self.weights


X = nn.functional.one_hot(torch.tensor([[0, 1, 2, 3, 0], [3, 3, 3, 3, 3], [1, 0, 1, 0, 1]]), 4).mT.float()
EXPECTED = Network()(X).detach()


class Bomb:
    """Creates a file when it is unpickled, and passes for the input of a program."""

    def __init__(self, canary: Path) -> None:
        self.canary = canary

    def __reduce__(self) -> tuple[Any, ...]:
        arguments = f"((__import__('torch').zeros(2, 4, {L}),), {{}})"
        return eval, (f"__import__('pathlib').Path({str(self.canary)!r}).touch() or {arguments}",)


def load(path: Path | str, **options: Any) -> Any:
    return load_oracle(str(path), alphabet=DNA, length=L, **options)


def write_script(path: Path) -> Path:
    """A TorchScript program that writes a canary when it is used."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(torch.jit.script(Loud(str(canary(path)))), path)
    return path


class Loud(nn.Module):
    __constants__ = ("canary",)

    def __init__(self, canary: str) -> None:
        super().__init__()
        self.canary = canary
        self.weights = nn.Parameter(torch.arange(4.0 * L * 2).view(4 * L, 2))

    def forward(self, x: Tensor) -> Tensor:
        torch.save(x, self.canary)
        return x.flatten(1) @ self.weights


def write_program(path: Path) -> Path:
    """An exported program whose example input is replaced by a pickle that writes a canary."""
    program = torch.export.export(Network(), (X[:2],), dynamic_shapes=({0: torch.export.Dim("batch")},))
    torch.export.save(program, path)
    with zipfile.ZipFile(path) as source:
        entries = {name: source.read(name) for name in source.namelist()}
    evil = path.with_name("evil.pkl")
    torch.save(Bomb(canary(path)), evil)
    with zipfile.ZipFile(path, "w") as target:
        for name, content in entries.items():
            target.writestr(name, evil.read_bytes() if "sample_inputs" in name else content)
    return path


def write_shell_of_a_program(path: Path) -> Path:
    """What tells an exported program, without the program; making one takes PyTorch ten seconds."""
    with zipfile.ZipFile(path, "w") as target:
        target.writestr("model/archive_format", "pt2")
        target.writestr("model/data/sample_inputs/model.pt", pickle.dumps(Bomb(canary(path))))
    return path


def canary(path: Path) -> Path:
    return path.with_suffix(".canary")


PICKLES = {
    "net.pt": torch.save,
    "run.ckpt": lambda bomb, path: torch.save({"state_dict": bomb}, path),
    "old.pth": lambda bomb, path: torch.save(bomb, path, _use_new_zipfile_serialization=False),
    "plain.pkl": lambda bomb, path: path.write_bytes(pickle.dumps(bomb)),
    "proto0.pkl": lambda bomb, path: path.write_bytes(pickle.dumps(bomb, protocol=0)),
}
PROGRAMS = {
    "script.pt": (write_script, "torchscript", "a TorchScript program"),
    "program.pt2": (write_shell_of_a_program, "exported", "an exported PyTorch program"),
}


@pytest.mark.parametrize("trust", [False, True])
@pytest.mark.parametrize("name", PICKLES)
def test_a_pickle_is_never_loaded_whatever_it_is_called(name: str, trust: bool, tmp_path: Path) -> None:
    path = tmp_path / name
    PICKLES[name](Bomb(canary(path)), path)
    for suffix in (path.suffix, ".onnx", ".pt2"):
        path = path.rename(path.with_suffix(suffix))
        assert file_kind(path) == "pickle"
        with pytest.raises(ModelError, match="is a pickle, which runs whatever code .* MODULE:FUNCTION"):
            load(path, trust=trust)
    assert not canary(path).exists()


def test_the_pickles_of_this_test_are_live(tmp_path: Path) -> None:
    pickle.loads(pickle.dumps(Bomb(tmp_path / "canary")))
    assert (tmp_path / "canary").exists()


@pytest.mark.parametrize("name", PROGRAMS)
def test_a_program_is_not_loaded_without_trust(name: str, tmp_path: Path) -> None:
    write, kind, what = PROGRAMS[name]
    path = write(tmp_path / name).rename(tmp_path / "model.onnx")
    assert file_kind(path) == kind
    with pytest.raises(UsageError, match=f"is {what}, which can run any code .*--trust-model") as raised:
        load(path)
    assert raised.value.option == "--oracle"
    assert list(tmp_path.glob("*.canary")) == []


@pytest.mark.parametrize(
    "write", [write_script, pytest.param(write_program, marks=pytest.mark.slow)], ids=["script", "export"]
)
def test_a_trusted_program_is_differentiable(write: Callable[[Path], Path], tmp_path: Path) -> None:
    """Both write their canary once they are let loose, so it matters that they need trust."""
    path = write(tmp_path / "model.pt")
    logging.disable(logging.WARNING)  # PyTorch's own warning about the example input is misspelt
    try:
        oracle = load(path, trust=True)
    finally:
        logging.disable(logging.NOTSET)
    torch.testing.assert_close(oracle(X)[0], EXPECTED)
    assert canary(path).exists()
    assert oracle.differentiable
    assert oracle.outcomes == ("score1", "score2")


def test_a_damaged_program_is_a_model_error(tmp_path: Path) -> None:
    whole = write_script(tmp_path / "script.pt")
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(tmp_path / "bad.pt", "w") as target:
        for name in source.namelist():
            target.writestr(name, source.read(name)[:20])
    shell = write_shell_of_a_program(tmp_path / "program.pt2")
    with zipfile.ZipFile(shell) as source, zipfile.ZipFile(tmp_path / "bad.pt2", "w") as target:
        target.writestr("model/archive_format", source.read("model/archive_format"))
    for path in (tmp_path / "bad.pt", tmp_path / "bad.pt2"):
        with pytest.raises(ModelError, match=re.escape(str(path))) as raised:
            load(path, trust=True)
        assert "\n" not in str(raised.value)


OTHERS = [b"", b"a,b\n1,2\n", b">s1\nACGT\n", b"PK\3\4broken", b"\x08\x07\x3a\x7f"]


@pytest.mark.parametrize("content", OTHERS)
def test_other_files_are_no_models(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "file.pt"
    path.write_bytes(content)
    assert file_kind(path) == "other"
    with pytest.raises(ModelError, match=re.escape(f"{path} is not a model: ") + f".*table:{path}"):
        load(path)


def test_weights_without_a_model_and_keras_files_are_refused(tmp_path: Path) -> None:
    from safetensors.torch import save_file

    save_file({"w": torch.ones(2)}, tmp_path / "w.pt")
    with pytest.raises(ModelError, match="holds weights without a model; name the folder"):
        load(tmp_path / "w.pt")
    (tmp_path / "keras.h5").write_bytes(b"\x89HDF\r\n\x1a\n" + bytes(100))
    with pytest.raises(ModelError, match="HDF5 file, such as Keras writes; convert it to ONNX"):
        load(tmp_path / "keras.h5")


def test_a_folder_is_read_by_the_loader_given(tmp_path: Path) -> None:
    known = MotifOracle(torch.ones(2, 4), alphabet=DNA)
    assert load(tmp_path, load_folder=lambda path: known if path == tmp_path else None) is known
    with pytest.raises(UsageError, match="a model folder cannot be used here"):
        load(tmp_path)


@pytest.mark.parametrize("spec", ["models/none", "score", "score.py", "model.pt", ""])
def test_a_text_that_names_nothing_says_what_can_be_named(
    spec: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    with pytest.raises(UsageError, match=r"table:FILE, MODULE:FUNCTION and cmd:COMMAND"):
        load(spec)


def test_a_table_is_looked_up(tmp_path: Path) -> None:
    path = tmp_path / "landscape.csv"
    path.write_text("sequence,outcome,other\nACGTA,1.5,7\nttttt,2.5,8\nCACAC,,9\n")
    oracle = load(f"table:{path}")
    assert oracle(X[:2]).flatten().tolist() == [1.5, 2.5]
    assert load(f"table:{path}", outcome="other")(X).flatten().tolist() == [7.0, 8.0, 9.0]
    assert load(f"table:{path}", outcome="other").outcomes == ("other",)
    with pytest.raises(InputError, match="1 of 3 sequences are not in .* 2 .* such as CACAC; partial"):
        oracle(X)
    np.testing.assert_array_equal(load(f"partial-table:{path}")(X).flatten(), [1.5, 2.5, np.nan])


def test_a_table_that_cannot_serve_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "landscape.csv"
    path.write_text("sequence\nACGTA\n")
    with pytest.raises(InputError, match="no record has an outcome"):
        load(f"table:{path}")
    path.write_text("sequence,outcome\nACGTA,1\nacgta,2\n")
    with pytest.raises(InputError, match="'ACGTA' more than once"):
        load(f"table:{path}")
    with pytest.raises(InputError, match="nothere"):
        load("table:nothere.csv")
