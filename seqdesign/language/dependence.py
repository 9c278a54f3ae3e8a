"""How much the letters of two places say about each other, which decides what may be written together.

Letters of several places that are drawn at once, each from its own probabilities, are drawn as if they were
independent. What that loses is, to first order, the sum of I(x_i; x_j | shown) over the pairs among them.
While letters of real sequences are shown one after the other in random order, a masked model says what each
of them tells of all others: the mean of KL(p(x_j | shown, x_i) || p(x_j | shown)) over x_i is I(x_i; x_j |
shown). Shapes: N sequences, T positions, V letters, S stages.
"""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Generator, Tensor

STAGES = 4
"""Parts of the writing that are looked at by themselves: what is shown already explains away a part."""
LETTERS, MOST_ROWS, FEWEST_ROWS = 25_600, 256, 32
"""Letters of the sequences that are shown, and how many sequences that may be."""
FEWEST_SEEN = 8
"""Times that a pair must have been seen before anything is said of it."""
ERRORS = 2.0
"""Standard errors by which a mean counts for more than was measured."""


UNKNOWN = 1e4
"""Nats that stand for: nothing is known, so they are never written together."""


def most_rows(steps: int) -> int:
    """Sequences of so many letters that are looked at."""
    return max(FEWEST_ROWS, min(MOST_ROWS, LETTERS // steps))


@torch.no_grad()
def dependence(
    say: Callable[[Tensor], Tensor], tokens: Tensor, lengths: Tensor, nothing: int, rng: Generator
) -> Tensor:
    """(S, T, T) nats, UNKNOWN where too little was seen, of tokens (N, T) of ``lengths`` (N,).

    say: logits (N, T, V) given shown tokens (N, T), of which ``nothing`` are hidden.
    """
    steps, device = tokens.shape[1], tokens.device
    everyone = torch.arange(len(tokens), device=device)
    inside = torch.arange(steps, device=device) < lengths[:, None]
    noise = torch.rand(tokens.shape, generator=rng).to(device)
    order = noise.masked_fill(~inside, torch.inf).argsort(1)
    shown = torch.full_like(tokens, nothing)
    sums = torch.zeros(3, STAGES * steps, steps, dtype=torch.float64, device=device)
    before = say(shown).log_softmax(2)
    for k in range(int(lengths.max())):
        places, writes = order[:, k], k < lengths
        shown[everyone[writes], places[writes]] = tokens[everyone[writes], places[writes]]
        after = say(shown).log_softmax(2)
        told = (after.exp() * (after - before)).sum(2).double()
        open_ = (inside & (shown == nothing) & writes[:, None]).double()
        stage = (k * STAGES // lengths).clamp(max=STAGES - 1)
        for total, seen in zip(sums, (open_, told * open_, told.square() * open_), strict=True):
            total.index_add_(0, stage * steps + places, seen)
        before = after
    return _bounds(sums.view(3, STAGES, steps, steps))


def _bounds(sums: Tensor) -> Tensor:
    """Upper bounds of the means (S, T, T) from numbers, sums and sums of squares; symmetric."""
    number, total, squares = sums + sums.transpose(2, 3)
    mean = total / number
    error = ((squares / number - mean.square()).clamp(min=0) / number).sqrt()
    return (mean + ERRORS * error).masked_fill(number < FEWEST_SEEN, UNKNOWN)
