"""Model files of other makers: ONNX, TorchScript and exported programs of PyTorch, as functions."""

from __future__ import annotations

import io
import os
import warnings
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from seqdesign.errors import InputError, MissingExtraError, ModelError
from seqdesign.oracles.foreign import foreign


def load_torchscript(path: str | os.PathLike[str], device: torch.device) -> Callable[[Tensor], Any]:
    """The function of a TorchScript file. It can run any code, so only files of people one trusts.

    Raises ModelError where it cannot be loaded.
    """
    try:
        with warnings.catch_warnings():
            # PyTorch advises its users to write other files; ours have been written already.
            warnings.simplefilter("ignore", DeprecationWarning)
            with foreign(os.fspath(path)):
                return torch.jit.load(os.fspath(path), map_location=device)
    except (RuntimeError, ValueError, OSError) as error:
        raise ModelError(f"{os.fspath(path)}: damaged TorchScript ({_short(error)})") from None


def load_exported(path: str | os.PathLike[str], device: torch.device) -> Callable[[Tensor], Any]:
    """The function of a file of torch.export. It can run any code, so only files of people one trusts.

    Raises ModelError where it cannot be loaded.
    """
    try:
        # Of a path torch.export judges the suffix, of bytes it does not.
        with foreign(os.fspath(path)):
            program = torch.export.load(io.BytesIO(Path(path).read_bytes()))
    except InputError:
        raise
    except Exception as error:  # torch raises many kinds for a damaged or newer file
        raise ModelError(f"{os.fspath(path)}: cannot load the program ({_short(error)})") from None
    if device.type != "cpu":
        from torch.export.passes import move_to_device_pass

        program = move_to_device_pass(program, device)
    return program.module()


def load_onnx(path: str | os.PathLike[str]) -> Callable[[Tensor], Any]:
    """The function of an ONNX file, on the CPU and without gradients. No code in it can run.

    Raises MissingExtraError without onnxruntime; ModelError for a file that cannot be loaded, or a model with
    several inputs.
    """
    try:
        import onnxruntime
    except ImportError:
        raise MissingExtraError("an ONNX model", "onnx") from None
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = torch.get_num_threads()
    options.log_severity_level = 4
    try:
        session = onnxruntime.InferenceSession(os.fspath(path), options, ["CPUExecutionProvider"])
    except Exception as error:  # its exceptions have no common base but this
        raise ModelError(f"{os.fspath(path)}: cannot load the ONNX model ({_short(error)})") from None
    inputs = session.get_inputs()
    if len(inputs) != 1:
        names = ", ".join(i.name for i in inputs)
        raise ModelError(f"{os.fspath(path)}: must have one input, one-hot (N, V, L), got {names}")

    def run(x: Tensor) -> tuple[Tensor, ...]:
        array = x.detach().cpu().numpy()
        return tuple(torch.as_tensor(v) for v in session.run(None, {inputs[0].name: array}))

    return run


def _short(error: BaseException) -> str:
    """The first line of what a library says, not too long for one of ours."""
    text = " ".join(str(error).split()) or type(error).__name__
    return text if len(text) <= 160 else f"{text[:160]} ..."
