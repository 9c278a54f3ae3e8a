"""A beam of sequences for each start, its children ranked by gradients and scored exactly.

Shapes: N starts, A of them active, W sequences in a beam, k children of each, L positions.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.moves import ranked, score_all
from seqdesign.designers.scorer import Scorer


def beam(scorer: Scorer, width: int, group: int, reserve: int = 0) -> Tensor:
    """Replace each beam by the ``width`` best of it and its children, until none is better.

    A member has its gradient taken and ``group`` children scored once. Begins at the starts. Towards a
    score that is good enough each generation replaces its parents, so that its number is that of the edits.
    Ends for a start when no child is better than all before, the design is good enough and cannot come
    nearer, or no more than ``reserve`` queries are left. Returns gradients used (N,).
    """
    count, length = scorer.starts.shape
    device = scorer.starts.device
    codes = _codes(length, scorer.problem.rules.num_letters, device)
    active = torch.arange(count, device=device)
    tokens = scorer.starts.unsqueeze(1).expand(-1, width, -1).clone()
    scores = torch.full((count, width), -torch.inf, device=device, dtype=scorer.best.dtype)
    scores[:, 0] = scorer.start_score
    high = scorer.start_score.clone()
    fresh = torch.zeros_like(scores, dtype=torch.bool)
    fresh[:, 0] = True
    steps, depth = torch.zeros_like(active), 0
    while True:
        left = scorer.left - reserve
        fresh &= fresh.cumsum(1) <= (left[active] // 2).unsqueeze(1)
        # A goal may have been reached on another way; then fewer edits than by that are looked for.
        possible = ~scorer.done[active] | (depth + 1 < scorer.edits[active])
        going = fresh.any(1) & possible
        active, tokens, high = active[going], tokens[going], high[going]
        scores, fresh = scores[going], fresh[going]
        if not len(active):
            return steps
        steps[active] += fresh.sum(1)
        depth += 1
        children, values = _children(scorer, active, tokens, fresh, group)
        if scorer.problem.enough is None:
            children, values = torch.cat([tokens, children], 1), torch.cat([scores, values], 1)
        old = torch.arange(children.shape[1], device=device) < (width if scorer.problem.enough is None else 0)
        values = values.masked_fill(_repeated(children, codes), -torch.inf)
        scores, chosen = values.topk(min(width, values.shape[1]), 1)
        tokens = children.gather(1, chosen.unsqueeze(2).expand(-1, -1, length))
        improved = scores[:, 0] > high
        high = torch.maximum(high, scores[:, 0])
        fresh = (scores > -torch.inf) & ~old[chosen] & improved.unsqueeze(1)


def _children(
    scorer: Scorer, active: Tensor, tokens: Tensor, fresh: Tensor, group: int
) -> tuple[Tensor, Tensor]:
    """Children (A, k W, L) of the fresh members of beams (A, W, L), best guesses first, and scores."""
    width, length = tokens.shape[1:]
    owner = fresh.nonzero()[:, 0]
    found, good = ranked(scorer, tokens[fresh], active[owner], group)
    each = found.shape[1]
    children = tokens.unsqueeze(2).repeat(1, 1, each, 1)
    ok = torch.zeros(children.shape[:3], dtype=torch.bool, device=tokens.device)
    children[fresh], ok[fresh] = found, good
    children = children.transpose(1, 2).reshape(len(active), each * width, length)
    ok = ok.transpose(1, 2).reshape(len(active), -1)
    return children, score_all(scorer, children, ok, active, scorer.soft[active])


def _codes(length: int, letters: int, device: torch.device) -> Tensor:
    """Random numbers (L, V) whose sums (wrapping int64) tell sequences apart."""
    generator = torch.Generator().manual_seed(0)
    return torch.randint(-(2**62), 2**62, (length, letters), generator=generator).to(device)


def _repeated(tokens: Tensor, codes: Tensor) -> Tensor:
    """Which of the sequences (A, M, L) have come before in their row, (A, M) bool."""
    places = torch.arange(len(codes), device=tokens.device)
    value, order = codes[places, tokens].sum(2).sort(stable=True, dim=1)
    again = torch.zeros_like(tokens[:, :, 0], dtype=torch.bool)
    again[:, 1:] = value[:, 1:] == value[:, :-1]
    return torch.zeros_like(again).scatter(1, order, again)
