"""Adaptive decoding (Mueller, Gifford & Jaakkola 2017): an original's own code decodes to the original.

A bonus is added to the logits of the original's own letters, so that decoding the original's code yields the
original; decoding another code with the same bonus then shows what that code changes. The bonuses are
computed along the original, and what the biased decoder chooses is what it reads next.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from functools import partial

import torch
from torch import Tensor

from seqdesign.decoding.beam import beam_search
from seqdesign.decoding.edit_ball import EditBall
from seqdesign.decoding.protocol import AutoregressiveDecoder, chunked
from seqdesign.devices.capture import replayed

MARGIN = 1e-3
"""By how much (nats) the original's token must lead at first: more than rounding, less than any
preference."""


@torch.no_grad()
def adaptive_bonus(
    decoder: AutoregressiveDecoder,
    z: Tensor,
    tokens: Tensor,
    lengths: Tensor,
    *,
    width: int = 1,
    forced: Tensor | None = None,
    ball: EditBall | None = None,
) -> Tensor:
    """Bonuses (N, T, V+1) for ``beam_search`` with the same width, forced tokens and ball.

    z: (N, d) codes of the originals; tokens: (N, L) padded originals of lengths (N,), 1 to max_length. With
    the bonus the best string for z is the original itself, provided that ``forced`` and ``ball`` admit it.
    UNKNOWN stands for the letter that the decoder finds most probable there, so all known letters are
    reproduced.

    Raises ValueError when an original is empty, is longer than max_length or has probability 0.
    """
    gaps, targets = _teacher_forced(decoder, z, tokens.long(), lengths)
    bonus = torch.zeros(len(z), decoder.max_length, decoder.end + 1, dtype=gaps.dtype, device=z.device)
    pending = torch.arange(len(z), device=z.device)
    for margin in _margins(decoder) if width > 1 else (MARGIN,):
        raised = (gaps[pending] + margin).clamp(min=0).unsqueeze(2)
        raised = raised.masked_fill(targets[pending].unsqueeze(2) < 0, 0)
        bonus[pending] = torch.zeros_like(bonus[pending]).scatter(
            2, targets[pending].clamp(min=0).unsqueeze(2), raised
        )
        if width == 1:
            break
        found = beam_search(
            decoder,
            z[pending],
            width=width,
            bonus=bonus[pending],
            forced=None if forced is None else forced[pending],
            ball=None if ball is None else ball[pending],
        )
        letters = targets[pending].where(targets[pending] >= 0, decoder.pad)
        letters = letters.masked_fill(letters == decoder.end, decoder.pad)
        pending = pending[(found.tokens[:, 0] != letters).any(1)]
        if not len(pending):
            break
    return bonus


def _margins(decoder: AutoregressiveDecoder) -> Iterator[float]:
    """Margins to try in turn, the last of which is enough for every original and every width.

    With margin m each token of the original has probability at least 1 / (1 + V e^-m) given those before
    it, so every prefix of it, and the whole, has a log-probability of at least -(T + 1) V e^-m. Any other
    string or prefix leaves the original somewhere, with a token of log-probability at most -m. Once m > (T
    + 1) V e^-m the original's prefix is therefore the best beam at every position, and is never dropped.
    """
    margin = MARGIN
    while True:
        yield margin
        if margin > (decoder.max_length + 1) * decoder.end * math.exp(-margin):
            return
        margin = max(2 * margin, 0.125)


def _teacher_forced(
    decoder: AutoregressiveDecoder, z: Tensor, tokens: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    """(N, T) each: the lead of the best other token over the original's, and the original's token.

    Past END the lead is 0 and the token -1.
    """
    length = decoder.max_length
    wrong = (lengths < 1) | (lengths > length)
    if bool(wrong.any()):
        i = int(wrong.int().argmax())
        raise ValueError(f"original {i} must have 1 to {length} letters, got {int(lengths[i])}")
    tokens = torch.nn.functional.pad(tokens, (0, max(0, length - tokens.shape[1])), value=decoder.pad)[
        :, :length
    ]

    call = partial(_along_originals, decoder)

    def part(rows: slice) -> tuple[Tensor, ...]:
        return replayed(decoder, "originals", (z[rows], tokens[rows], lengths[rows]), call)

    parts = list(chunked(part, len(z), 1, z.device))
    gaps, targets = (torch.cat(column) for column in zip(*parts, strict=True))
    impossible = ~(gaps < torch.inf).all(1)
    if bool(impossible.any()):
        i = int(impossible.int().argmax())
        raise ValueError(
            f"the decoder gives original {i} no probability, so no bonus can make it decode to it"
        )
    return gaps, targets


def _along_originals(
    decoder: AutoregressiveDecoder, z: Tensor, tokens: Tensor, lengths: Tensor
) -> tuple[Tensor, Tensor]:
    end = decoder.end
    state = decoder.initial_state(z)
    previous = torch.full((len(z),), decoder.start, dtype=torch.long, device=z.device)
    gaps, targets = [], []
    for t in range(decoder.max_length):
        logits, state = decoder.step(state, previous, t)
        letter = tokens[:, t].where(tokens[:, t] < end, logits[:, :end].argmax(1))
        previous = letter.masked_fill(lengths <= t, end)
        own = logits.gather(1, previous.unsqueeze(1))
        others = logits.scatter(1, previous.unsqueeze(1), -torch.inf)
        gap = (others.amax(1, keepdim=True) - own).squeeze(1)
        gaps.append(gap.masked_fill(lengths < t, 0.0))
        targets.append(previous.masked_fill(lengths < t, -1))
    return torch.stack(gaps, 1), torch.stack(targets, 1)
