"""How many CPU threads a training step is worth: one, unless its operations are large.

Threads meet at the end of every operation. That costs some microseconds whatever the operation does, so steps
of a thousand small ones (recurrent networks of few rows) lose more than they win, while convolutions over a
hundred letters split well. The number follows from the work alone, never from how busy the machine is, so
that a run repeats.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any

import torch
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import flop_registry

from seqdesign.devices.cores import cores

WAITING = "OMP_WAIT_POLICY"
"""Environment variable; ``passive`` lets threads sleep while they wait, after ``GOMP_SPINCOUNT`` looks for
work. Threads that spin instead made a step on two busy cores take 26 times its CPU time."""
LIMIT = "OMP_NUM_THREADS"
FLOPS_PER_THREAD = 2e6
"""Floating-point operations of an operation, on average, that keep a thread busy (benchmarks/results.md)."""

_most: ContextVar[int] = ContextVar("_most", default=1)


def available() -> int:
    """Threads that work may be spread over where nobody has said how many."""
    if os.environ.get(WAITING, "").lower() != "passive":
        return 1
    limit = os.environ.get(LIMIT, "").partition(",")[0]
    return min(cores(), int(limit)) if limit.isdecimal() and int(limit) else cores()


@contextmanager
def threads_of(asked: int | None) -> Iterator[int]:
    """Inside, torch computes with ``asked`` threads, or with one, until ``suited_threads`` finds more."""
    before = torch.get_num_threads()
    token = _most.set(1 if asked else available())
    torch.set_num_threads(asked or 1)
    try:
        yield asked or 1
    finally:
        torch.set_num_threads(before)
        _most.reset(token)


@contextmanager
def suited_threads(work: Callable[[], object]) -> Iterator[None]:
    """Inside, as many threads as operations like those of ``work`` keep busy, where nobody has said how many.

    ``work`` is called once, if it matters.
    """
    most, before = _most.get(), torch.get_num_threads()
    if most == 1:
        yield
        return
    with _Sizes() as found:
        work()
    size = found.flops / max(1, found.operations)
    number = max(1, min(most, int(size / FLOPS_PER_THREAD)))
    logging.getLogger("seqdesign").debug(
        "a step has %s operations of %.1f million products and sums on average: %d CPU thread(s)",
        f"{found.operations:,}", size / 1e6, number,
    )  # fmt: skip
    torch.set_num_threads(number)
    try:
        yield
    finally:
        torch.set_num_threads(before)


class _Sizes(TorchDispatchMode):
    """Counts what is dispatched inside, and the products and sums of matrices and convolutions among it."""

    def __init__(self) -> None:
        super().__init__()
        self.operations, self.flops = 0, 0

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        found = func(*args, **(kwargs or {}))
        self.operations += 1
        count = flop_registry.get(func._overloadpacket)
        if count is not None:
            self.flops += count(*args, **(kwargs or {}), out_val=found)
        return found
