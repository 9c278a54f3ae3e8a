"""CUDA graphs of the simulated GPU.

What is captured is put on a tape and not done. The host may not read, copy or draw meanwhile, and a replay
runs the tape over the same memory. Graphs of one pool share theirs: what one of them has made there is lost
when another is replayed. Where a capture fails, its end fails as well, and leaves its own stream the current
one, and the generators caught in it, as torch does.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Generator, Tensor

DEVICE = torch.device("cuda", 0)
DEFAULT = 0
"""The GPU's own generator among those that a failed capture has caught."""


@dataclass
class Tape:
    """What was captured."""

    calls: list[tuple[Any, Any, Any, list[tuple[Tensor, bool]]]] = field(default_factory=list)
    generators: set[int] = field(default_factory=set)
    made: set[int] = field(default_factory=set)
    before: dict[int, tuple[Tensor, Tensor]] = field(default_factory=dict)

    def spoil(self) -> None:
        """Nothing is left of what the graph has made."""
        for *_rest, outputs in self.calls:
            for held, own in outputs:
                if own and held.is_floating_point():
                    held.fill_(float("nan"))


class Stream:
    """``torch.cuda.Stream``: there is no order but the host's."""

    def __init__(self, device: Any = None, **_: Any) -> None:
        self.device = DEVICE

    def wait_stream(self, other: Any) -> None:
        """Nothing to wait for."""

    def synchronize(self) -> None:
        """Nothing to wait for."""


class Graph:
    """``torch.cuda.CUDAGraph``; ``gpu`` is the simulated one."""

    def __init__(self, gpu: Any, keep_graph: bool = False) -> None:
        self.gpu, self.tape, self.pool = gpu, Tape(), object()

    def register_generator_state(self, generator: Generator) -> None:
        """Draws from it are allowed inside."""
        self.tape.generators.add(generator._cdata)  # type: ignore[attr-defined]

    def replay(self) -> None:
        """Run the tape: every operation over the memory that it had when it was captured."""
        gpu = self.gpu
        gpu.replays += 1
        with gpu.paused(), torch.no_grad():
            tapes = gpu.pools[self.pool]
            if len(tapes) > 1:
                for tape in tapes:
                    tape.spoil()
            for func, args, kwargs, outputs in self.tape.calls:
                found = tensors_in(gpu.drawn(func, args, kwargs, there=True))
                for (held, own), fresh in zip(outputs, found, strict=True):
                    if own:
                        held.copy_(fresh)


class Capture:
    """``torch.cuda.graph``."""

    def __init__(self, gpu: Any, graph: Graph, pool: Any = None, stream: Any = None, **_: Any) -> None:
        self.gpu, self.graph, self.stream = gpu, graph, stream or Stream()
        graph.pool = pool or graph.pool

    def __enter__(self) -> None:
        gpu, tape = self.gpu, self.graph.tape
        if gpu.tape is not None:
            raise RuntimeError("a capture is under way already")
        self.before, gpu.stream = gpu.stream, self.stream
        gpu.tape, self.luck = tape, gpu.luck
        registered = [gpu.generators[each] for each in tape.generators]
        self.states = [(each, each.get_state()) for each in registered]

    def __exit__(self, kind: Any, error: BaseException | None, trace: Any) -> None:
        gpu, tape = self.gpu, self.graph.tape
        gpu.tape, gpu.luck = None, self.luck
        for generator, state in self.states:
            generator.set_state(state)
        with gpu.paused(), torch.no_grad():
            for held, before in tape.before.values():  # nothing runs while it is captured
                held.untyped_storage().copy_(before.untyped_storage())
            tape.spoil()
        tape.before.clear()
        if error is not None:
            gpu.caught |= {DEFAULT, *tape.generators}
            raise RuntimeError("CUDA error: operation failed due to a previous error during capture")
        gpu.pools.setdefault(self.graph.pool, []).append(tape)
        gpu.stream = self.before


def tensors_in(value: Any) -> list[Tensor]:
    """All tensors in nested lists, tuples and dicts."""
    if isinstance(value, Tensor):
        return [value]
    if isinstance(value, dict):
        value = value.values()
    elif not isinstance(value, list | tuple):
        return []
    return [tensor for each in value for tensor in tensors_in(each)]


def memory_of(tensor: Tensor) -> int:
    """Where its numbers are."""
    return tensor.untyped_storage().data_ptr()
