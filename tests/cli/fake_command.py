"""A command that does what ``--do`` says: the command line tested without the library behind it."""

from __future__ import annotations

import logging
import sys
import time
import warnings
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any, ClassVar, Literal

from seqdesign.config import Between, Flag, Options, Positional, RunConfig
from seqdesign.errors import InputError, MissingExtraError
from seqdesign.runs.result import Result


@dataclass(frozen=True, kw_only=True)
class ModelOptions(Options):
    """A group of options."""

    rate: Annotated[float, Between(0, 1, low_open=True)] = 0.1
    """Step size [per record]."""
    cell: Literal["gru", "lstm"] = "gru"
    """Recurrent cell."""


@dataclass(frozen=True, kw_only=True)
class FakeConfig(ModelOptions, RunConfig):
    """Do what is asked.

    This is the second paragraph.
    """

    input: Annotated[Path, Positional("SEQS")]
    """Sequences to read."""
    do: str = "nothing"
    """What to do."""
    alpha: float = 0.0
    """A number that may be negative."""
    number: Annotated[int, Flag("-n"), Between(1)] = 10
    """How many."""
    keep: tuple[str, ...] = ()
    """Positions."""
    invariance: bool = True
    """Use the loss."""


@dataclass(frozen=True, kw_only=True)
class FakeResult(Result):
    """What was asked for."""

    command: ClassVar[str] = "fake"
    alpha: float
    keep: tuple[str, ...]
    invariance: bool
    r2: float = float("nan")

    def text(self) -> str:
        return f"alpha {self.alpha}"


class TextResult(FakeResult):
    """The same, with its text on stdout."""

    text_to: ClassVar[Any] = "stdout"


class OutOfMemoryError(RuntimeError):
    """As a GPU library raises it."""


ERRORS: dict[str, BaseException] = {
    "input-error": InputError("letter 'J' is\nnot DNA", path="a.fa", line=3, record="r1"),
    "extra": MissingExtraError("reading .zst", "zst"),
    "memory": MemoryError(),
    "gpu-memory": OutOfMemoryError("CUDA out of memory. Tried to allocate"),
    "library-memory": RuntimeError(
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"
    ),
    "cpu-memory": RuntimeError(
        "[enforce fail] DefaultCPUAllocator: can't allocate memory: you tried to allocate"
    ),
    "bug": ZeroDivisionError("division by zero"),
    "os-error": PermissionError(13, "Permission denied", "/secret/file"),
    "interrupt": KeyboardInterrupt(),
}


def fake(config: FakeConfig) -> FakeResult:
    """What the command line calls."""
    if config.do in ERRORS:
        raise ERRORS[config.do]
    if config.do == "talk":
        logger = logging.getLogger("seqdesign.fake")
        logger.debug("detail")
        logger.info("progress")
        warnings.warn("posterior collapsed", UserWarning, stacklevel=1)
        warnings.warn("old call", DeprecationWarning, stacklevel=1)
    if config.do == "sleep":
        print("ready", file=sys.stderr, flush=True)
        time.sleep(60)
    if config.do == "slow":
        time.sleep(0.1)
    if config.do == "stream":
        for number in range(1_000_000):
            sys.stdout.write(f">s{number}\nACGT\n")
    kind = TextResult if config.do == "text" else FakeResult
    return kind(alpha=config.alpha, keep=config.keep, invariance=config.invariance)
