"""Work that is recorded once and then replayed: on GPUs a step of 2,000 small kernels is one launch.

So are training steps, and the letters that a decoder writes one after the other. A step can be recorded if it
does the same whatever its input says: shapes are static, nothing is read by the host, and random numbers
come from generators of the device. Everything it changes (weights, optimizers, sums) is changed in place.
The input is copied into the tensors of the recording before each replay. PyTorch needs no compiler for this
(https://docs.pytorch.org/docs/stable/notes/cuda.html, "CUDA Graphs").
"""

from __future__ import annotations

import gc
import logging
import os
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Protocol
from weakref import WeakKeyDictionary

import torch
from torch import Generator, Tensor, nn

WARM = 3
"""Times that a step runs as it is before it is recorded: libraries choose algorithms and take memory then."""
MOST = 24
"""Recordings at most, each of one shape; what comes later runs as it is."""
SWITCH = "SEQDESIGN_CUDA_GRAPHS"
"""Environment variable; ``off`` runs every step as it is."""

Work = Callable[[Any], Any]
"""A step of one input. It changes everything in place and returns nothing, or returns a tuple of tensors."""


class Recording(Protocol):
    """One step, recorded."""

    def record(self, work: Callable[[], Any]) -> Any:
        """Note what ``work`` launches, without running it; what it returns is there after each replay."""
        ...

    def replay(self) -> None:
        """Run it."""
        ...


class CudaRecording:
    """A CUDA graph; ``generators`` are those that the step draws from, beside the device's own.

    All of a run share the memory ``pool``. They are replayed one after the other, and what a step leaves
    behind (weights, states of optimizers, sums) was there before and is changed in place, or is copied at
    once, so that nothing in the pool must outlive a replay: the larger ones need no memory beside each other.
    """

    def __init__(self, generators: Sequence[Generator], stream: torch.cuda.Stream, pool: Any) -> None:
        self.graph, self.stream, self.pool = torch.cuda.CUDAGraph(), stream, pool
        for generator in generators:
            self.graph.register_generator_state(generator)

    def record(self, work: Callable[[], Any]) -> Any:
        """Capture on the stream on which the step ran before; torch waits for the device at both ends."""
        here = torch.cuda.current_stream(self.stream.device)
        collects = gc.isenabled()
        gc.disable()  # what it happens to find, such as older graphs, may do what no capture permits
        try:
            with torch.cuda.graph(self.graph, pool=self.pool, stream=self.stream):
                return work()
        finally:
            torch.cuda.set_stream(here)  # torch does not where the end of a capture fails
            if collects:
                gc.enable()

    def replay(self) -> None:
        """Launch all kernels at once."""
        self.graph.replay()


@dataclass
class _Known:
    """What is known of steps of one key and shape."""

    seen: int = 0
    inputs: tuple[Tensor | None, ...] = ()
    found: tuple[Tensor, ...] | None = None
    """What a step returns, in the memory of the recording."""
    recording: Recording | None = None


class Replays:
    """Runs steps, each WARM times as it is and then as a replay of its recording.

    make: a new recording, or None: everything runs as it is. side: the stream for runs as it is before a
    recording, as PyTorch asks for.
    """

    def __init__(self, make: Callable[[], Recording] | None, side: torch.cuda.Stream | None = None) -> None:
        self.make, self.side = make, side
        self._known: dict[Hashable, _Known] = {}

    @classmethod
    def on(cls, device: torch.device, generators: Sequence[Generator]) -> Replays:
        """CUDA graphs on a GPU unless they are switched off, nothing elsewhere."""
        if device.type != "cuda" or os.environ.get(SWITCH, "").lower() in ("off", "0", "no", "false"):
            return cls(None)
        side, pool = torch.cuda.Stream(device), torch.cuda.graph_pool_handle()
        return cls(lambda: CudaRecording(generators, side, pool), side)

    def run(self, key: Hashable, rows: Any, work: Work) -> Any:
        """``work(rows)``; ``key`` says what it does besides, and rows of one shape make the same step."""
        tensors = _tensors(rows)
        if self.make is None or tensors is None:
            return work(rows)
        shape = (key, *(None if t is None else (tuple(t.shape), t.dtype) for t in tensors))
        if shape not in self._known and len(self._known) >= MOST:
            return work(rows)
        known = self._known.setdefault(shape, _Known())
        known.seen += 1
        if known.seen <= WARM:
            return self._aside(lambda: work(rows))
        if known.recording is None and not self._record(known, rows, tensors, work):
            return work(rows)
        assert known.recording is not None
        for held, tensor in zip(known.inputs, tensors, strict=True):
            if held is not None and tensor is not None:
                held.copy_(tensor)
        known.recording.replay()
        return None if known.found is None else tuple(each.clone() for each in known.found)

    def _record(self, known: _Known, rows: Any, tensors: tuple[Tensor | None, ...], work: Work) -> bool:
        """Whether it could be recorded; if not, nothing is recorded any more, and that is said once."""
        assert self.make is not None
        known.inputs = tuple(None if t is None else t.clone() for t in tensors)
        held = _like(rows, known.inputs)
        try:
            recording = self.make()
            found = recording.record(lambda: work(held))
        except RuntimeError as error:
            self.make = None
            self._known.clear()
            first: BaseException = error  # the end of a capture that failed fails too, and says less
            while first.__context__ is not None:
                first = first.__context__
            reason = str(first).partition("\n")[0]
            logging.getLogger("seqdesign").info("steps run one by one, not as CUDA graphs: %s", reason)
            return False
        known.recording, known.found = recording, found
        return True

    def _aside(self, work: Callable[[], Any]) -> Any:
        """On the side stream where there is one."""
        if self.side is None:
            return work()
        here = torch.cuda.current_stream(self.side.device)
        self.side.wait_stream(here)
        with torch.cuda.stream(self.side):
            found = work()
        here.wait_stream(self.side)
        return found


_of_models: WeakKeyDictionary[nn.Module, Replays] = WeakKeyDictionary()


def is_recording(device: torch.device) -> bool:
    """Whether what is done on the device now is recorded and not run."""
    return device.type == "cuda" and torch.cuda.is_current_stream_capturing()


def replayed(
    model: object, key: Hashable, rows: tuple[Any, ...], call: Callable[..., tuple[Tensor, ...]]
) -> tuple[Tensor, ...]:
    """``call(*rows)`` of tensors, or None, with N rows, whose results have N rows too; on GPUs one launch.

    It may read the weights of ``model`` and must change nothing; ``key`` says what it does besides. N is
    filled up to a power of two by copies of the last row, so that few shapes serve all N.
    """
    n, device = len(rows[0]), rows[0].device
    if not n or device.type != "cuda" or not isinstance(model, nn.Module) or is_recording(device):
        return call(*rows)
    if model not in _of_models:
        _of_models[model] = Replays.on(device, ())
    replays = _of_models[model]
    if replays.make is None:
        return call(*rows)
    weights = tuple(part.data_ptr() for part in (*model.parameters(), *model.buffers()))
    whole = (key, device, weights, model.training, torch.is_inference_mode_enabled())
    index = torch.arange(1 << (n - 1).bit_length(), device=device).clamp_(max=n - 1)
    full = tuple(None if each is None else each.index_select(0, index) for each in rows)
    found: tuple[Tensor, ...] = replays.run(whole, full, lambda given: call(*given))
    return tuple(each[:n] for each in found)


def _tensors(rows: Any) -> tuple[Tensor | None, ...] | None:
    """The tensors of a batch, whose parts may be left out; None for one that is made of something else."""
    if isinstance(rows, Tensor):
        return (rows,)
    found = isinstance(rows, tuple) and all(isinstance(part, Tensor | None) for part in rows)
    return tuple(rows) if found else None


def _like(rows: Any, tensors: tuple[Tensor | None, ...]) -> Any:
    """A batch of the same type made of other tensors."""
    if isinstance(rows, Tensor):
        return tensors[0]
    return type(rows)(*tensors) if hasattr(rows, "_fields") else tensors
