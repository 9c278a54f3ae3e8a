"""Device and threads, as the common options ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seqdesign.config import ComputeOptions
from seqdesign.errors import UsageError

if TYPE_CHECKING:
    import torch


def choose_device(config: ComputeOptions) -> torch.device:
    """The device that ``--device`` names; auto is the first GPU, or the CPU. Raises UsageError if absent."""
    import torch

    name = config.device
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    count = torch.cuda.device_count() if torch.cuda.is_available() else 0
    if name.startswith("cuda") and (torch.device(name).index or 0) >= count:
        raise UsageError(
            f"{name} is not available here ({count} GPUs seen); use --device cpu", option="--device"
        )
    if name == "mps" and not torch.backends.mps.is_available():
        raise UsageError("mps is not available here; use --device cpu", option="--device")
    device = torch.device(name)
    return torch.device("cuda", 0) if name == "cuda" else device


@contextmanager
def compute(config: ComputeOptions) -> Iterator[torch.device]:
    """The device, with torch's thread count set while inside.

    One thread unless ``--threads`` says otherwise: recurrent steps this small lose more to waiting threads
    than they win, and several runs side by side do not fight for cores.
    """
    import torch

    device = choose_device(config)
    before = torch.get_num_threads()
    torch.set_num_threads(config.threads or 1)
    try:
        yield device
    finally:
        torch.set_num_threads(before)
