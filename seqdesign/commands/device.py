"""Device and threads, as the common options ask for them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from seqdesign.config import ComputeOptions

if TYPE_CHECKING:
    import torch


@contextmanager
def compute(config: ComputeOptions) -> Iterator[torch.device]:
    """The device, with torch's thread count set while inside. Raises UsageError if it is absent."""
    from seqdesign.training.device import computing

    with computing(config.device, config.threads) as device:
        yield device
