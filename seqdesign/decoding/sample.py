"""Ancestral sampling: each token is drawn from the decoder's distribution given the letters before it."""

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
from seqdesign.devices.arithmetic import running_sum
from seqdesign.devices.capture import replayed


@torch.no_grad()
def sample(
    decoder: AutoregressiveDecoder,
    z: Tensor,
    *,
    generator: torch.Generator,
    temperature: float = 1.0,
    shortest: int = 0,
) -> Decoded:
    """One random string for each of the codes (N, d); repeat the codes for several.

    Strings have ``shortest`` letters at least. The logits are divided by ``temperature`` (> 0) before a
    token is drawn; ``log_probs`` are always those of the decoder itself, at temperature 1. The generator may
    live on another device than ``z``: a CPU generator gives the same uniform numbers everywhere. Raises
    ValueError for a temperature that is not a positive number.
    """
    if not 0.0 < temperature < float("inf"):
        raise ValueError(f"temperature must be a positive number, got {temperature}")
    # All numbers at once, so that no chunk can change them.
    uniform = torch.rand(
        len(z), decoder.max_length, generator=generator, device=generator.device, dtype=torch.float64
    ).to(z.device)

    def call(z: Tensor, uniform: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        return _sample(decoder, z, uniform, temperature, shortest)

    def part(rows: slice) -> Decoded:
        return Decoded(*replayed(decoder, ("sample", temperature, shortest), (z[rows], uniform[rows]), call))

    return joined(list(chunked(part, len(z), 1, z.device)))


def _sample(
    decoder: AutoregressiveDecoder, z: Tensor, uniform: Tensor, temperature: float, shortest: int
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
        wanted = logits / temperature
        if t < shortest:
            wanted = without(wanted, end)
        token = draw(wanted, uniform[:, t])
        log_p = log_probabilities(logits).gather(1, token.unsqueeze(1)).squeeze(1)
        total += log_p.double().masked_fill_(done, 0.0)
        previous = token.masked_fill_(done, end)
        done = previous == end
        if may_look(t, z.device) and bool(done.all()):
            break
        tokens[:, t] = previous.masked_fill(done, decoder.pad)
    return tokens, (tokens != decoder.pad).sum(1), total


def draw(logits: Tensor, uniform: Tensor) -> Tensor:
    """Tokens (N,) from logits (N, K) and uniform numbers (N,) in [0, 1) of float64, by the inverse CDF.

    The token is the first whose cumulative probability exceeds the uniform number, so a token of
    probability 0 is never drawn. In float64 u * total < total holds for every u <= 1 - 2^-53, so there
    always is one. One number a row and a comparison are several times as fast as torch.multinomial or
    Gumbel noise for few tokens.
    """
    cumulative = running_sum(torch.softmax(logits.double(), dim=1), 1)
    return (cumulative <= (uniform * cumulative[:, -1]).unsqueeze(1)).sum(1)
