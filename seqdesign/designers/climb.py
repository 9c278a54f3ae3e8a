"""Hill climbing by gradient-ranked substitutions, and again and again from kicked optima.

The gradient ranks all V * L substitutions for one query; the most promising are scored exactly, in groups,
until one improves. Where several do, they are also tried together. What is left of the budget goes into
iterated local search (Lourenco, Martin & Stutzle 2003): kick the optimum, climb, keep the better.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seqdesign.designers.moves import combined, feasible, kicked, ranked, score_all
from seqdesign.designers.scorer import Scorer

SIZES = (2, 4, 8, 16)
"""How many improvements are made together."""
GIVE_UP = 20
"""Kicks in a row without a feasible result after which a start is left alone."""


@dataclass(frozen=True)
class Climb:
    """How to climb. ``group``: substitutions scored at once; ``patience``: at most so many a sequence."""

    group: int
    patience: int
    together: bool = True
    """Also try improvements together; never when every edit counts."""


def climb(
    scorer: Scorer, rows: Tensor, tokens: Tensor, scores: Tensor, soft: Tensor, how: Climb, reserve: int = 0
) -> tuple[Tensor, Tensor, Tensor]:
    """Local optima above the sequences (B, L) with these scores (B,): tokens, scores, gradients used (B,).

    Rows are distinct starts. Ends where no substitution of ``how.patience`` improves, the design is good
    enough or no more than ``reserve`` queries are left.
    """
    tokens, scores, steps = tokens.clone(), scores.clone(), torch.zeros_like(rows)
    active = torch.arange(len(rows), device=rows.device)
    while True:
        active = active[(scorer.left[rows[active]] >= 2 + reserve) & ~scorer.done[rows[active]]]
        if not len(active):
            return tokens, scores, steps
        steps[active] += 1
        candidates, ok = ranked(scorer, tokens[active], rows[active], how.patience)
        waiting = torch.arange(len(active), device=rows.device)
        moved = torch.zeros(len(active), dtype=torch.bool, device=rows.device)
        for first in range(0, candidates.shape[1], how.group):
            part = slice(first, first + how.group)
            at = active[waiting]
            new, value = _best(
                scorer,
                rows[at],
                tokens[at],
                scores[at],
                soft[at],
                candidates[waiting, part],
                ok[waiting, part],
                how,
            )
            better = value > scores[at]
            tokens[at[better]], scores[at[better]] = new[better], value[better]
            moved[waiting[better]] = True
            waiting = waiting[~better & (scorer.left[rows[at]] > 0)]
            if not len(waiting):
                break
        active = active[moved]


def _best(
    scorer: Scorer,
    rows: Tensor,
    tokens: Tensor,
    base: Tensor,
    soft: Tensor,
    candidates: Tensor,
    ok: Tensor,
    how: Climb,
) -> tuple[Tensor, Tensor]:
    """The best of the candidates (B, k, L) and of their combinations, (B, L), and its score (B,)."""
    values = score_all(scorer, candidates, ok, rows, soft)
    if how.together:
        sets, exist = combined(tokens, base, candidates, values, SIZES)
        exist = exist & ~scorer.done[rows].unsqueeze(1)
        if bool(exist.any()):
            exist = exist & feasible(scorer, sets, rows)
            candidates = torch.cat([candidates, sets], 1)
            values = torch.cat([values, score_all(scorer, sets, exist, rows, soft)], 1)
    value, best = values.max(1)
    return candidates[torch.arange(len(rows), device=rows.device), best], value


def near(scorer: Scorer, how: Climb) -> Tensor:
    """Climb from every start by one substitution after the other, so that few edits make it good enough.

    Only where there is such a goal. Spends half of the budget at most. Returns gradients used (N,).
    """
    if scorer.problem.enough is None:
        return torch.zeros_like(scorer.used)
    return polish(scorer, replace(how, together=False), scorer.problem.budget // 2)


def search(scorer: Scorer, how: Climb, *, kick: float, seed: int) -> Tensor:
    """Climb from the best of every start, then from kicks of it, until the budget is spent.

    kick: letters drawn anew, as a share of the free positions, at least two. Returns gradients used (N,).
    """
    steps = polish(scorer, how)
    free = (scorer.problem.rules.mask.sum(2) > 1).sum(1)
    places = (kick * free).round().long().clamp(min=2)
    fails = torch.zeros_like(free)
    for turn in range(scorer.problem.budget):
        rows = ((scorer.left >= 3) & ~scorer.done & (free > 0) & (fails < GIVE_UP)).nonzero().squeeze(1)
        if not len(rows):
            break
        tokens, good = kicked(scorer, scorer.tokens[rows], rows, places[rows], seed, turn)
        fails[rows] = torch.where(good, 0, fails[rows] + 1)
        rows, tokens = rows[good], tokens[good]
        if len(rows):
            soft = scorer.soft[rows]
            scores = scorer.score(tokens, rows, soft)
            _, _, more = climb(scorer, rows, tokens, scores, soft, how)
            steps[rows] += more
    return steps


def polish(scorer: Scorer, how: Climb, reserve: int = 0) -> Tensor:
    """Climb from the best of every start, leaving ``reserve`` queries. Returns gradients used (N,)."""
    rows = torch.arange(len(scorer.starts), device=scorer.starts.device)
    _, _, steps = climb(scorer, rows, scorer.tokens, scorer.best, scorer.soft.clone(), how, reserve)
    return steps
