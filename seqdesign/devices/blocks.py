"""How much is computed at once: what suits the caches of a CPU, or what the free memory of a GPU holds."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch

T = TypeVar("T")

LACKING = ("CUDA error: out of memory", "CUBLAS_STATUS_ALLOC_FAILED", "CUDNN_STATUS_ALLOC_FAILED")
"""What errors say whose cause is too little memory."""

SHARE = 0.4
"""Share of the free memory of a GPU that one block may take."""
MOST = 1 << 18
"""Items in a block at most: more keep no GPU busier."""


def free_bytes(device: torch.device) -> int:
    """Memory of a GPU that is free, with what torch holds and does not use."""
    free, _ = torch.cuda.mem_get_info(device)
    unused = torch.cuda.memory_reserved(device) - torch.cuda.memory_allocated(device)
    return int(free + unused)


def block_size(device: torch.device, bytes_per_item: int, *, cpu: int) -> int:
    """Items to compute at once: ``cpu`` on CPUs, whose caches decide; on GPUs what the free memory holds.

    bytes_per_item: all that an item needs while it is computed, on a GPU.
    """
    if device.type != "cuda":
        return cpu
    return max(cpu, min(MOST, int(SHARE * free_bytes(device)) // max(1, bytes_per_item)))


def in_blocks(call: Callable[[slice], T], num: int, size: int) -> Iterator[T]:
    """``call`` of one slice of ``num`` items after the other, of ``size`` items or as many as memory holds.

    Where a GPU has too little memory the block is halved, which is said in a line, and the same items come
    again; so ``call`` must change nothing before it is done. Nothing is lost. With ``num`` 0 there is one
    empty slice. Raises RuntimeError, as torch did, where a single item is too much.
    """
    first = 0
    while True:
        part = slice(first, min(first + size, num))
        try:
            found = call(part)
        except RuntimeError as error:
            if size <= 1 or not is_memory(error):
                raise
            failed = True
        else:
            failed = False
        if failed:  # not above: there the error still holds what the block had made
            size = max(1, min(size, num - first) // 2)
            _forget_what_failed()
            logging.getLogger("seqdesign").info(
                "too little memory on the GPU: going on with %s at once", f"{size:,}"
            )
            continue
        yield found
        first += size
        if first >= num:
            return


def is_memory(error: RuntimeError) -> bool:
    """Whether a GPU lacks memory; libraries and drivers say so in other ways than torch's allocator."""
    return isinstance(error, torch.OutOfMemoryError) or any(words in str(error) for words in LACKING)


def _forget_what_failed() -> None:
    """Give memory back that the failed block left in pieces."""
    if torch.cuda.is_available():
        torch.cuda.empty_cache()
