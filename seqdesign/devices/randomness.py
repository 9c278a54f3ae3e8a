"""Random numbers by (seed, purpose, numbers), drawn on the device that needs them.

On CPUs a seed means what it always meant. On GPUs it means the same on every GPU of one kind, but not what it
means on a CPU: bringing each number over would cost more than the work that needs it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import torch
from torch import Generator, Tensor

_share: ContextVar[tuple[int, int, int] | None] = ContextVar("_share", default=None)


def key(seed: int, purpose: str, *numbers: int) -> int:
    """63 bits that depend on the seed, the purpose and the numbers alone."""
    words = np.random.SeedSequence([seed, *purpose.encode(), *numbers]).generate_state(1, np.uint64)
    return int(words[0] >> np.uint64(1))


def generator(seed: int, device: torch.device | str = "cpu") -> Generator:
    """A generator of a device with this seed."""
    return Generator(device=device).manual_seed(seed)


@contextmanager
def share_of_rows(first: int, count: int, total: int) -> Iterator[None]:
    """Inside, ``count`` rows are those from ``first`` on of a batch of ``total`` that processes share."""
    token = _share.set((first, count, total))
    try:
        yield
    finally:
        _share.reset(token)


def for_rows(draw: Callable[[int], Tensor], count: int, dim: int = 0) -> Tensor:
    """``draw(count)``, a random number or several for each row, which stand along ``dim``.

    Where several processes share a batch, each draws for all its rows and keeps those of its own, so that
    together they draw what one process would.
    """
    share = _share.get()
    if share is None or share[1] != count:
        return draw(count)
    return draw(share[2]).narrow(dim, share[0], count)
