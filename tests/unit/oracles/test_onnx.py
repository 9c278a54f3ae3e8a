"""ONNX files, written by hand here so that nothing but the runtime is needed: y = flatten(x) @ w."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch

from seqdesign.errors import InputError, MissingExtraError, ModelError
from seqdesign.oracles.kinds import file_kind
from seqdesign.oracles.load import load_oracle
from seqdesign.oracles.oracle import Oracle
from seqdesign.sequences.alphabets import get_alphabet

L = 5
WEIGHTS = np.arange(4.0 * L * 2, dtype=np.float32).reshape(4 * L, 2)
TOKENS = torch.tensor([[0, 1, 2, 3, 0], [3, 3, 3, 3, 3], [1, 0, 1, 0, 1]])
X = torch.nn.functional.one_hot(TOKENS, 4).mT.float()


def _varint(value: int) -> bytes:
    out = b""
    while value > 0x7F:
        out += bytes([value & 0x7F | 0x80])
        value >>= 7
    return out + bytes([value])


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode() if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _tensor_type(name: str, *dims: int | str) -> bytes:
    shape = b"".join(_field(1, _field(2 if isinstance(d, str) else 1, d)) for d in dims)
    return _field(1, name) + _field(2, _field(1, _field(1, 1) + _field(2, shape)))


def linear_onnx(weights: np.ndarray, letters: int, batch: int | str = "N") -> bytes:
    """An ONNX model for one-hot (N, letters, L); weights (letters * L, K) float32."""
    size, outcomes = weights.shape
    flatten = _field(1, "x") + _field(2, "flat") + _field(4, "Flatten")
    product = _field(1, "flat") + _field(1, "w") + _field(2, "y") + _field(4, "MatMul")
    tensor = _field(1, size) + _field(1, outcomes) + _field(2, 1) + _field(8, "w")
    tensor += _field(9, weights.astype("<f4").tobytes())
    graph = _field(1, flatten) + _field(1, product) + _field(2, "linear") + _field(5, tensor)
    graph += _field(11, _tensor_type("x", batch, letters, size // letters))
    graph += _field(12, _tensor_type("y", batch, outcomes))
    return _field(1, 8) + _field(7, graph) + _field(8, _field(2, 13))


def load(path: Path) -> Oracle:
    return load_oracle(str(path), alphabet=get_alphabet("dna"), length=L)


@pytest.fixture
def path(tmp_path: Path) -> Path:
    found = tmp_path / "linear.onnx"
    found.write_bytes(linear_onnx(WEIGHTS, 4))
    return found


def test_it_is_known_by_its_content(path: Path) -> None:
    assert file_kind(path) == "onnx"
    assert file_kind(path.rename(path.with_suffix(".pt"))) == "onnx"


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.999])
def test_a_truncated_file_is_no_model(path: Path, share: float) -> None:
    content = path.read_bytes()
    path.write_bytes(content[: int(share * len(content))])
    assert file_kind(path) == "other"


def test_it_needs_an_optional_package(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "onnxruntime", None)
    with pytest.raises(MissingExtraError, match=r"an ONNX model needs .* pip install 'seqdesign\[onnx\]'"):
        load(path)


def test_it_scores_without_trust_and_without_gradient(path: Path) -> None:
    pytest.importorskip("onnxruntime")
    oracle = load(path)
    torch.testing.assert_close(oracle(X)[0], X.flatten(1) @ torch.from_numpy(WEIGHTS))
    assert not oracle.differentiable
    assert oracle.outcomes == ("score1", "score2")


def test_one_made_for_single_sequences_gets_single_sequences(path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path.write_bytes(linear_onnx(WEIGHTS, 4, batch=1))
    torch.testing.assert_close(load(path)(X)[0], X.flatten(1) @ torch.from_numpy(WEIGHTS))


def test_one_for_another_alphabet_or_length_is_refused(path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path.write_bytes(linear_onnx(WEIGHTS, 20))
    with pytest.raises(InputError, match=r"for one-hot of shape \(1, 4, 5\) \(ACGT\)") as raised:
        load(path)
    assert "\n" not in str(raised.value)


def test_a_damaged_one_is_a_model_error(path: Path) -> None:
    pytest.importorskip("onnxruntime")
    path.write_bytes(path.read_bytes().replace(b"MatMul", b"NoMul!"))
    with pytest.raises(ModelError, match="cannot load the ONNX model") as raised:
        load(path)
    assert "\n" not in str(raised.value)
