"""How much the letters of two places say about each other, which decides what may be written together.

Letters of several places that are drawn at once, each from its own probabilities, are drawn as if they were
independent. What that loses is, to first order, the sum of I(x_i; x_j | shown) over the pairs among them.
While letters of real sequences are shown one after the other in random order, a masked model says what each
of them tells of all others: the mean of KL(p(x_j | shown, x_i) || p(x_j | shown)) over x_i is I(x_i; x_j |
shown). Shapes: N sequences, T positions, V letters, S stages.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator

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

LOSS = 0.05
"""Nats of a sequence that writing several letters at once may cost."""
MOST_AT_ONCE = 16


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


def turns(
    told: Tensor | None, ranks: Tensor, free: Tensor, lengths: Tensor
) -> Iterator[tuple[Tensor, Tensor]]:
    """Places (N, k) to be written at once, and whether they are (N, k), turn by turn.

    In the order of ``ranks`` (N, T) through the places that are ``free`` (N, T), but that a place waits for
    the next turn where it and the others of this one would tell each other too much by ``told`` (S, T', T'),
    None: one after the other. In all, no sequence loses more than LOSS nats by that, to first order.
    """
    rows, free = torch.arange(len(free), device=free.device), free.clone()
    limit = (LOSS / lengths)[:, None]
    while bool(free.any()):
        places, writes = [], []
        lost = torch.zeros_like(ranks)
        stage = ((lengths - free.sum(1)) * STAGES // lengths).clamp(max=STAGES - 1)
        for _ in range(MOST_AT_ONCE):
            open_ = free & (lost <= limit)
            place = ranks.masked_fill(~open_, torch.inf).argmin(1)
            chosen = open_[rows, place]
            if not bool(chosen.any()):
                break
            places.append(place)
            writes.append(chosen)
            free[rows, place] &= ~chosen
            if told is None:
                break
            more = told[stage, place, : lost.shape[1]]
            lost = lost + more.masked_fill(~chosen[:, None], 0.0)
        yield torch.stack(places, 1), torch.stack(writes, 1)
