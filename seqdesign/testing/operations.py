"""Counting what a piece of a hot loop asks of the device: operations, reads by the host, copies.

A GPU works while the host is ahead of it. Whatever the host must know before it can go on (a number, which
rows a mask selects) makes it wait, and every operation costs a launch of 5 to 10 us. Both can be counted on
any machine, since what is dispatched does not depend on it. Kernels that exist on one kind of device only (an
unrolled GRU on CPUs, one call of cuDNN on GPUs) make the counts differ, but not by much.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor
from torch.utils._python_dispatch import TorchDispatchMode

WAITING = (
    "_local_scalar_dense", "nonzero", "masked_select", "equal", "is_nonzero", "unique_dim", "_unique2",
    "unique_consecutive", "bincount", "repeat_interleave",
)  # fmt: skip
"""Operations after which the host waits: what they give is a number, or as long as the data say."""
FREE = (
    "view", "_unsafe_view", "detach", "alias", "expand", "t", "transpose", "permute", "slice", "select",
    "unsqueeze", "squeeze", "split", "split_with_sizes", "unbind", "as_strided", "empty", "empty_like",
    "lift_fresh", "_reshape_alias", "unfold", "diagonal", "narrow", "movedim",
)  # fmt: skip
"""Operations that launch nothing."""


@dataclass
class Operations:
    """What was dispatched."""

    launches: Counter[str] = field(default_factory=Counter)
    """Operations that launch something, by name."""
    waits: Counter[str] = field(default_factory=Counter)
    """What the host waited for, by name; ``mask``: indexing by booleans; ``copy``: from device to device."""

    @property
    def total(self) -> int:
        """All launches."""
        return self.launches.total()


class Counting(TorchDispatchMode):
    """A context that notes in ``found`` what is dispatched inside."""

    def __init__(self, found: Operations) -> None:
        super().__init__()
        self.found = found

    def __torch_dispatch__(
        self, func: Any, types: Any, args: tuple[Any, ...] = (), kwargs: dict[str, Any] | None = None
    ) -> Any:
        name = str(func).split(".")[1]
        if name not in FREE:
            self.found.launches[name] += 1
        wait = name if name in WAITING else None
        if name in ("index", "index_put", "index_put_", "_index_put_impl_") and any(
            isinstance(i, Tensor) and i.dtype in (torch.bool, torch.uint8) for i in args[1]
        ):
            wait = "mask"
        result = func(*args, **(kwargs or {}))
        if name in ("_to_copy", "copy_") and len({t.device for t in (*args[:2], result) if _placed(t)}) > 1:
            wait = "copy"
        if wait:
            self.found.waits[wait] += 1
        return result


def _placed(value: Any) -> bool:
    return isinstance(value, Tensor)


def count_operations(call: Callable[[], Any], *, warm: int = 1) -> Operations:
    """What ``call()`` dispatches, after ``warm`` calls of it that set up what is made once."""
    for _ in range(warm):
        call()
    found = Operations()
    with Counting(found):
        call()
    return found
