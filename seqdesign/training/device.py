"""The device and the threads that a run computes with."""

from __future__ import annotations

import logging
import os
import re
import warnings
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from seqdesign.config import DEVICE_NAMES
from seqdesign.devices.arithmetic import use_matrix_units
from seqdesign.devices.memory import keep_memory
from seqdesign.devices.threads import threads_of
from seqdesign.errors import UsageError

AUTO = "SEQDESIGN_DEVICE"
"""Environment variable; what ``auto`` means, where it is set."""


def choose_device(name: str) -> torch.device:
    """The device; ``auto`` is what the environment says, or the first GPU, or the CPU.

    Raises UsageError for one that is not there.
    """
    count, trouble = _gpus()
    if name == "auto":
        name = os.environ.get(AUTO) or ("cuda" if count else "cpu")
        if name == "auto" or not re.fullmatch(DEVICE_NAMES, name):
            raise UsageError(
                f"the environment variable {AUTO} must be cpu, cuda, cuda:INDEX or mps, got {name!r}"
            )
    if name.startswith("cuda") and (torch.device(name).index or 0) >= count:
        raise UsageError(
            f"{name} is not available here ({count} GPUs seen{trouble}); use --device cpu", option="--device"
        )
    if name == "mps" and not torch.backends.mps.is_available():
        raise UsageError("mps is not available here; use --device cpu", option="--device")
    device = torch.device(name)
    return torch.device("cuda", 0) if name == "cuda" else device


def _gpus() -> tuple[int, str]:
    """How many GPUs torch can use, and what it says of one that it cannot, such as too old a driver."""
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    trouble = "" if not said else f"; {str(said[0].message).partition('.')[0]}"
    if trouble:
        logging.getLogger("seqdesign").debug("GPUs%s", trouble)
    return count, trouble


@contextmanager
def computing(device: str, threads: int | None) -> Iterator[torch.device]:
    """The device of this name, with torch's thread count set while inside.

    One thread when not given, so that several runs side by side do not fight for cores; training looks for
    itself whether its steps are worth more.
    """
    chosen = choose_device(device)
    use_matrix_units(chosen)
    keep_memory()
    where = torch.cuda.get_device_name(chosen) if chosen.type == "cuda" else str(chosen)
    with threads_of(threads) as number:
        logging.getLogger("seqdesign").debug("computing on %s with %d CPU thread(s)", where, number)
        yield chosen
