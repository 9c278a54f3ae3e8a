"""An oracle from the text that names it: folder, file, table, Python function or command."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import torch
from torch import nn

from seqdesign.errors import InputError, ModelError, UsageError
from seqdesign.oracles import programs
from seqdesign.oracles.command import CommandOracle
from seqdesign.oracles.function import FunctionOracle
from seqdesign.oracles.kinds import file_kind
from seqdesign.oracles.landscape import Missing, read_landscape
from seqdesign.oracles.module import FILE_PATTERN, PATTERN, find_functions
from seqdesign.oracles.oracle import Oracle
from seqdesign.sequences.alphabets import Alphabet

OPTION = "--oracle"
INSTEAD = (
    "save it with torch.onnx.export or torch.export.save, or write a Python function that builds the "
    "model and loads its weights, and name it as MODULE:FUNCTION"
)


def load_oracle(
    spec: str,
    *,
    alphabet: Alphabet,
    length: int,
    device: torch.device | str = "cpu",
    trust: bool = False,
    outcome: str | None = None,
    sequence: str | None = None,
    timeout: float = 600.0,
    load_folder: Callable[[Path], Oracle] | None = None,
) -> Oracle:
    """The oracle that ``spec`` names.

    A folder with a model, read by ``load_folder``; ``table:FILE`` or ``partial-table:FILE`` with
    measurements in the columns ``sequence`` and ``outcome``; an ONNX file; a TorchScript or exported program,
    with ``trust`` only because such files can run code; ``MODULE:FUNCTION`` in Python; ``cmd:COMMAND``, with
    ``timeout`` seconds for a batch. What a file is, is read from its content. length: letters of the
    sequences it will be asked about.

    Raises UsageError for a text that names nothing and for files that need trust; ModelError for files that
    are never loaded or are damaged; InputError and MissingExtraError as the parts do.
    """
    device = torch.device(device)
    kind, colon, rest = spec.partition(":")
    if colon and kind == "cmd":
        return CommandOracle(rest, alphabet=alphabet, length=length, timeout=timeout)
    if colon and kind in ("table", "partial-table"):
        missing: Missing = "error" if kind == "table" else "nan"
        return read_landscape(rest, alphabet=alphabet, outcome=outcome, sequence=sequence, missing=missing)
    path = Path(spec)
    if spec and _is(path, "is_dir"):
        if load_folder is None:
            raise UsageError(f"a model folder cannot be used here, got {spec}", option=OPTION)
        return load_folder(path)
    if _is(path, "is_file"):
        functions, names = [_load_file(path, device, trust)], None
    elif PATTERN.fullmatch(spec) or FILE_PATTERN.fullmatch(spec):
        functions, names = find_functions(spec)
    else:
        raise UsageError(
            f"there is no file or folder {spec}, and it is none of table:FILE, MODULE:FUNCTION and "
            "cmd:COMMAND",
            option=OPTION,
        )
    for function in functions:
        if isinstance(function, nn.Module) and device.type != "cpu":
            function.to(device)
    return FunctionOracle(
        functions, alphabet=alphabet, length=length, name=spec, outcomes=names, device=device
    )


def _is(path: Path, what: str) -> bool:
    """``path.is_file()`` or ``is_dir()``; False for a text that can be no path."""
    try:
        return bool(getattr(path, what)())
    except (OSError, ValueError):
        return False


def _load_file(path: Path, device: torch.device, trust: bool) -> Callable[..., object]:
    try:
        kind = file_kind(path)
    except OSError as error:
        raise InputError(f"cannot be read: {error.strerror or error}", path=path) from None
    if kind == "onnx":
        return programs.load_onnx(path)
    if kind == "torchscript" or kind == "exported":
        if not trust:
            what = "a TorchScript program" if kind == "torchscript" else "an exported PyTorch program"
            raise UsageError(
                f"{path} is {what}, which can run any code on this computer when it is loaded or "
                "used; if you trust who made it, say so with --trust-model; an ONNX file needs no trust",
                option=OPTION,
            )
        return (programs.load_torchscript if kind == "torchscript" else programs.load_exported)(path, device)
    if kind == "pickle":
        raise ModelError(
            f"{path} is a pickle, which runs whatever code is in it when it is loaded, so it never "
            f"is; {INSTEAD}"
        )
    if kind == "safetensors":
        raise ModelError(
            f"{path} holds weights without a model; name the folder of a seqdesign model, or {INSTEAD}"
        )
    if kind == "hdf5":
        raise ModelError(f"{path} is an HDF5 file, such as Keras writes; convert it to ONNX, or {INSTEAD}")
    raise ModelError(
        f"{path} is not a model: neither ONNX, nor TorchScript, nor an exported program; a table of "
        f"measurements is table:{path}"
    )
