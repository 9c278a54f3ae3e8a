"""Rollouts: change a sequence again and again until it gets worse (AdaLead, arXiv 2010.02141)."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from seqdesign.designers.crowd import Crowd

DEPTH = 16
"""Most steps of a rollout; a plateau would never end."""

Learn = Callable[[Tensor, Tensor, Tensor, Tensor], None]


def rollouts(
    crowd: Crowd,
    rows: Tensor,
    roots: Tensor,
    root_score: Tensor,
    draw: Callable[[Tensor, int], Tensor],
    visit: Callable[[Tensor, Tensor, Tensor], None],
    learn: Learn | None = None,
) -> None:
    """Roll out each root (R, P, L) with score (R, P) while the last child is no worse than the root.

    Args:
        crowd: scores and mutates.
        rows: (R,) starts that take part.
        roots: where the rollouts begin.
        root_score: what children must reach.
        draw: (rows, P) -> numbers of edits (R, P).
        visit: gets rows (R,), children (R, P, L) and their scores (R, P), NaN where not scored.
        learn: gets rows, numbers of edits, which children were no worse, and which were scored, (R, P).
    """
    now, alive = roots.clone(), torch.ones_like(root_score, dtype=torch.bool)
    for _ in range(DEPTH):
        go = (alive.any(1) & (crowd.scorer.left[rows] > 0) & ~crowd.scorer.done[rows]).nonzero().squeeze(1)
        if not len(go):
            return
        part = rows[go]
        child, good = crowd.mutants(now[go], part, draw(part, now.shape[1]))
        score = crowd.score(child, part, good & alive[go])
        fine = score >= root_score[go]
        visit(part, child, score)
        if learn is not None:
            learn(part, (child != now[go]).sum(2), fine, ~score.isnan())
        now[go] = torch.where(fine.unsqueeze(2), child, now[go])
        alive[go] &= fine
