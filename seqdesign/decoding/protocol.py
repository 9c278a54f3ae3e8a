"""What decoding asks of a decoder, and what it gives back.

Shapes: N codes, V letters, T = max_length positions. Token ids: letters 0 .. V-1, END = V.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import torch
from torch import Tensor

from seqdesign.devices.blocks import block_size, in_blocks
from seqdesign.devices.capture import is_recording

State = tuple[Tensor, ...]
"""What a decoder remembers: tensors with the batch first, so that rows can be repeated, dropped and
reordered."""

ROWS = 1_000
"""Rows in one step of the network; more do not stay in a CPU's cache (benchmarks/speed/beam_speed.py)."""
ROW_BYTES = 1 << 16
"""What a row takes on a GPU: states, gates, scores and what was emitted, of some hundred letters."""
LOOK_EVERY = 8
"""Letters between looks whether all strings have ended."""
T = TypeVar("T")


class AutoregressiveDecoder(Protocol):
    """p(x | z), one letter at a time, over strings of at most ``max_length`` letters.

    A string of ``max_length`` letters ends with probability 1, so nothing here asks for a step at that
    position.
    """

    start: int
    end: int
    pad: int
    max_length: int

    def initial_state(self, z: Tensor, /) -> State:
        """Codes (N, d) -> the state before the first letter."""
        ...

    def step(self, state: State, previous: Tensor, t: int, /) -> tuple[Tensor, State]:
        """Logits (N, V+1) of position ``t`` given the tokens (N,) at ``t - 1``, and the next state.

        ``previous`` is START at position 0; it is END in rows that are finished, whose logits are not used.
        """
        ...


class PrefixRules(Protocol):
    """Hard constraints on strings, followed from left to right; ``rows`` (M,) says whose rules apply to each.

    A letter is allowed if some string that goes on with it may obey the rules; END exactly if the string does
    as it is; the last of ``max_length`` letters only if the complete string does.
    """

    def start(self, rows: Tensor, /) -> State:
        """The state of M empty prefixes."""
        ...

    def allowed(self, state: State, rows: Tensor, t: int, /) -> Tensor:
        """Letters and END, (M, V+1) bool, that may follow prefixes of t letters."""
        ...

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int, /) -> State:
        """The state after the letters (M,) at position t."""
        ...


@dataclass(frozen=True)
class Decoded:
    """One string for each code.

    tokens: (N, T) int64, PAD after the last letter. lengths: (N,) int64, without END.
    log_probs: (N,) float64, log p(x | z) in nats, END included.
    """

    tokens: Tensor
    lengths: Tensor
    log_probs: Tensor


def joined(parts: Sequence[Decoded]) -> Decoded:
    """The strings of several chunks as one."""
    return Decoded(
        torch.cat([part.tokens for part in parts]),
        torch.cat([part.lengths for part in parts]),
        torch.cat([part.log_probs for part in parts]),
    )


def log_probabilities(logits: Tensor) -> Tensor:
    """Log-softmax over the last axis, in float32 at least."""
    return torch.log_softmax(logits, dim=-1, dtype=torch.promote_types(logits.dtype, torch.float32))


def chunked(
    call: Callable[[slice], T], n: int, rows_each: int, device: torch.device, chunk: int | None = None
) -> Iterator[T]:
    """``call`` of slices of ``chunk`` codes, or of as many as suit the device; one is empty when n is 0.

    On CPUs that keeps a step near ROWS rows. Where a GPU runs out of memory the slices become smaller.
    """
    size = chunk or max(1, block_size(device, ROW_BYTES, cpu=ROWS) // rows_each)
    return in_blocks(call, n, size)


def may_look(t: int, device: torch.device) -> bool:
    """Whether the host may ask after letter ``t`` if all strings have ended: it waits for the device then.

    Where letters are recorded it cannot; the letters after the last END then change nothing.
    """
    return t % LOOK_EVERY == LOOK_EVERY - 1 and not is_recording(device)


def without(scores: Tensor, token: int) -> Tensor:
    """Scores (N, K) with -inf for one token."""
    return scores.masked_fill(torch.arange(scores.shape[1], device=scores.device) == token, -torch.inf)
