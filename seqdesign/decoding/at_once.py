"""Greedy decoding of all positions at once, by repeated passes over the whole string.

Each pass gives every position the most probable letter after the letters of the pass before. After k passes
the first k letters are those of greedy decoding, and what no longer changes is greedy decoding itself: the
Jacobi iteration of Song et al. (2021, arXiv 2002.03629). Where codes say most letters, few passes do.
"""

from __future__ import annotations

from typing import Protocol

import torch
from torch import Tensor

from seqdesign.decoding.protocol import AutoregressiveDecoder, Decoded, log_probabilities


class ParallelDecoder(AutoregressiveDecoder, Protocol):
    """A decoder that scores all positions of given strings at once."""

    unknown: int

    def inputs(self, tokens: Tensor, /) -> Tensor:
        """What is read at each position (N, T+1) of tokens (N, T)."""
        ...

    def __call__(self, z: Tensor, inputs: Tensor, /) -> Tensor:
        """Logits (N, T, V+1)."""
        ...


@torch.no_grad()
def at_once(decoder: ParallelDecoder, z: Tensor, *, passes: int) -> Decoded:
    """One string for each of the codes (N, d); equal to ``greedy`` after ``max_length`` passes at the latest.

    The log-probabilities are those of the letters given the letters of the last pass but one. The host never
    waits for the device.
    """
    length, end = decoder.max_length, decoder.end
    found = torch.full((len(z), length), decoder.unknown, dtype=torch.long, device=z.device)
    for _ in range(passes):
        log_p, found = log_probabilities(decoder(z, decoder.inputs(found))[:, :length]).max(2)
    ended = (found == end).cumsum(1) > 0
    counted = ended.cumsum(1) <= 1  # the letters and the first END
    tokens = found.masked_fill(ended, decoder.pad)
    return Decoded(tokens, (~ended).sum(1), log_p.double().masked_fill(~counted, 0.0).sum(1))
