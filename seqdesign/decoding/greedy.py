"""Greedy decoding: the most probable token at every position. Fast enough to sit inside a training step."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.decoding.protocol import (
    AutoregressiveDecoder,
    Decoded,
    chunked,
    joined,
    log_probabilities,
    may_look,
    without,
)
from seqdesign.devices.capture import replayed


@torch.no_grad()
def greedy(
    decoder: AutoregressiveDecoder, z: Tensor, *, shortest: int = 0, to_the_end: bool = False
) -> Decoded:
    """One string of ``shortest`` letters or more for each of the codes (N, d); ties go to the lowest id.

    Equal to the only beam of ``beam_search`` with width 1, without its bookkeeping. ``to_the_end``: take all
    steps without looking whether all strings have ended, so that the host never waits for the device.
    """

    def call(z: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return _greedy(decoder, z, shortest, to_the_end)

    def part(rows: slice) -> Decoded:
        if to_the_end:  # inside of a training step, which is recorded itself
            return Decoded(*call(z[rows]))
        return Decoded(*replayed(decoder, ("greedy", shortest), (z[rows],), call))

    return joined(list(chunked(part, len(z), 1, z.device)))


def _greedy(
    decoder: AutoregressiveDecoder, z: Tensor, shortest: int, to_the_end: bool
) -> tuple[Tensor, Tensor, Tensor]:
    """Tokens, lengths and log-probabilities of ``Decoded``."""
    n, end = len(z), decoder.end
    tokens = torch.full((n, decoder.max_length), decoder.pad, dtype=torch.long, device=z.device)
    total = torch.zeros(n, dtype=torch.float64, device=z.device)
    done = torch.zeros(n, dtype=torch.bool, device=z.device)
    previous = torch.full((n,), decoder.start, dtype=torch.long, device=z.device)
    state = decoder.initial_state(z)
    for t in range(decoder.max_length):
        logits, state = decoder.step(state, previous, t)
        log_p = log_probabilities(logits)
        if t < shortest:
            log_p = without(log_p, end)
        best, token = log_p.max(dim=1)
        total += best.double().masked_fill_(done, 0.0)
        previous = token.masked_fill_(done, end)
        done = previous == end
        if not to_the_end and may_look(t, z.device) and bool(done.all()):
            break
        tokens[:, t] = previous.masked_fill(done, decoder.pad)
    return tokens, (tokens != decoder.pad).sum(1), total
