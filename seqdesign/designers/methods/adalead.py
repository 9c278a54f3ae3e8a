"""AdaLead (Sinai et al. 2020, arXiv 2010.02141): recombine what is near the best, roll out while it holds.

A round draws parents from all sequences within a threshold of the best, recombines pairs, and mutates each
of the results again and again until it is worse than it was before. Two things differ from the paper. There
is no model between rounds: every sequence is a query of the oracle. And the threshold is a part of the gain
over the start, where the paper takes a part of the best score, which is no sensible number below zero.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.black_box_options import AdaleadOptions
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.designers.rollouts import rollouts
from seqdesign.designers.survivors import Survivors


def adalead(problem: SequenceProblem, options: AdaleadOptions, seed: int) -> Designs:
    """A population for each start that begins with the start alone."""
    crowd = Crowd(problem, seed)
    size = options.population or max(4, min(256, round(problem.budget**0.5)))
    pool = Survivors(crowd, size)

    def edits(rows: Tensor, number: int) -> Tensor:
        """At least one, binomial with the wanted mean: (R, P)."""
        rate = min(1.0, options.mutations / crowd.length)
        return (crowd.dice.uniform(rows, number, crowd.length) < rate).sum(2).clamp(min=1)

    while len(rows := crowd.active()):
        best, start = pool.score[rows, 0], crowd.scorer.start_score[rows].double()
        near = best - options.threshold * (best - start).nan_to_num(posinf=0.0)
        parents = (pool.score[rows] >= near[:, None]).sum(1)
        one, score = pool.draw(rows, size, parents)
        other, _ = pool.draw(rows, size, parents)
        child, value = _recombined(crowd, rows, one, other, score, options.recombine)
        pool.merge(rows, child, value)
        # What was not scored, because it is its parent or was met before, starts from the parent.
        fresh = value > -torch.inf
        root = torch.where(fresh.unsqueeze(2), child, one)
        rollouts(crowd, rows, root, value.double().where(fresh, score), edits, pool.merge)
        crowd.steps[rows] += 1
    return crowd.designs()


def _recombined(
    crowd: Crowd, rows: Tensor, one: Tensor, other: Tensor, score: Tensor, rate: float
) -> tuple[Tensor, Tensor]:
    """Children (R, P, L) that change from one parent to the other with chance ``rate`` at each position.

    Returns them and their scores (R, P), NaN where a child is not scored.
    """
    change = crowd.dice.uniform(rows, *one.shape[1:]) < rate
    child = torch.where(change.cumsum(2) % 2 == 1, other, one)
    return child, crowd.score(child, rows, crowd.proper(child, one, rows))
