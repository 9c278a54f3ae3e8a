"""Batched beam search over an autoregressive step function: all sequences and all beams in one batch.

Shapes: N sequences, W beams, V letters, T positions. Width 1 is greedy decoding. No length penalty: the score is
log p(x | z), END included, so the score of a string equals its teacher-forced log-probability.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdesign.decoding.edit_ball import EditBall

State = tuple[Tensor, ...]
StepFunction = Callable[[State, Tensor, int], tuple[Tensor, State]]
"""(state, previous tokens (N,), t) -> (logits (N, V+1) over the letters and END, next state)."""


@dataclass(frozen=True)
class BeamResult:
    """tokens (N, W, T) padded; lengths (N, W); scores (N, W) log-probabilities in nats, best first.

    A beam that could not be filled (fewer strings than W exist) has score -inf and length 0.
    """

    tokens: Tensor
    lengths: Tensor
    scores: Tensor


@torch.no_grad()
def beam_search(
    step: StepFunction,
    state: State,
    *,
    width: int,
    max_length: int,
    start: int,
    end: int,
    pad: int,
    bonus: Tensor | None = None,
    forced: Tensor | None = None,
    ball: EditBall | None = None,
) -> BeamResult:
    """The W most probable strings that the search finds for each of the N states.

    bonus: (N, >= T, V+1) is added to the logits before they are normalised (adaptive decoding).
    forced: (N, >= T) token to emit at each position, -1 where the decoder is free.
    ball: only strings within that many edits of each original are searched.
    Ties are broken towards the lower beam, then the lower token id. ``max_length`` bounds the letters; at that
    position only END is possible.
    """
    n, device = len(state[0]), state[0].device
    scores = torch.zeros(n, 1, dtype=torch.float64, device=device)
    done = torch.zeros(n, 1, dtype=torch.bool, device=device)
    previous = torch.full((n,), start, dtype=torch.long, device=device)
    history: list[tuple[Tensor, Tensor]] = []
    distances = None if ball is None else ball.start()
    for t in range(max_length + 1):
        logits, state = step(state, previous, t)
        beams = scores.shape[1]
        log_p = _log_probs(logits.view(n, beams, -1), t, bonus, forced)
        if ball is not None and distances is not None:
            log_p = log_p.masked_fill(~ball.allowed(distances, log_p.shape[2], end), -torch.inf)
        # A finished string stays as it is: END again, at no cost.
        log_p = log_p.masked_fill(done.unsqueeze(2), -torch.inf)
        log_p[..., end] = torch.where(done, 0.0, log_p[..., end])
        scores, parents, tokens = _best(scores.unsqueeze(2) + log_p, width)
        history.append((parents, tokens))
        if ball is not None and distances is not None:
            distances = ball.advance(distances, parents, tokens)
        done = done.gather(1, parents) | (tokens == end)
        if bool(done.all()):
            break
        rows = (parents + torch.arange(n, device=device).unsqueeze(1) * beams).flatten()
        state = tuple(s[rows] for s in state)
        previous = tokens.flatten()
    return _backtrack(history, scores, width, end, pad)


def _log_probs(logits: Tensor, t: int, bonus: Tensor | None, forced: Tensor | None) -> Tensor:
    """(N, W, V+1) logits -> float64 log-probabilities, with the bonus added and forced tokens the only choice."""
    if bonus is not None and t < bonus.shape[1]:
        logits = logits + bonus[:, None, t]
    log_p = torch.log_softmax(logits, dim=2).double()
    if forced is not None and t < forced.shape[1]:
        token = forced[:, t]
        wrong = torch.arange(log_p.shape[2], device=log_p.device) != token[:, None]
        log_p = log_p.masked_fill((wrong & (token >= 0)[:, None])[:, None], -torch.inf)
    return log_p


def _best(candidates: Tensor, width: int) -> tuple[Tensor, Tensor, Tensor]:
    """(N, W, V+1) scores -> the best ``width``: scores, parent beam and token, each (N, W'); ties: lowest index."""
    n, _, outputs = candidates.shape
    flat = candidates.view(n, -1)
    k = min(width, flat.shape[1])
    # topk breaks ties arbitrarily; a drift far below float32 resolution makes the lowest index win.
    drift = torch.arange(flat.shape[1], device=flat.device, dtype=flat.dtype) * 1e-10
    index = (flat - drift).topk(k, dim=1).indices
    return flat.gather(1, index), index // outputs, index % outputs


def _backtrack(history: list[tuple[Tensor, Tensor]], scores: Tensor, width: int, end: int, pad: int) -> BeamResult:
    """Follow the parents from the last step to the first."""
    n, found = scores.shape
    beam = torch.arange(found, device=scores.device).expand(n, found)
    columns = []
    for parents, tokens in reversed(history):
        columns.append(tokens.gather(1, beam))
        beam = parents.gather(1, beam)
    text = torch.stack(columns[::-1], dim=2)
    lengths = (text != end).sum(2)
    possible = scores > -torch.inf
    lengths = lengths.where(possible, 0)
    inside = torch.arange(text.shape[2], device=text.device) < lengths.unsqueeze(2)
    text = text.where(inside, pad)
    short = width - found
    if short > 0:
        text = torch.nn.functional.pad(text, (0, 0, 0, short), value=pad)
        lengths = torch.nn.functional.pad(lengths, (0, short))
        scores = torch.nn.functional.pad(scores, (0, short), value=-torch.inf)
    return BeamResult(text, lengths, scores)
