"""Simulated annealing (Kirkpatrick, Gelatt and Vecchi 1983), many chains at once.

A chain proposes a substitution and takes it with probability min(1, exp(change / temperature)). The
temperature falls geometrically with the share of the budget spent, from ``hot`` to ``cold`` times what a
substitution typically changes: the mean absolute change of all proposals of the start so far. So the
schedule has no unit, and a score multiplied by ten is searched in the same way.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.black_box_options import AnnealingOptions
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.problem import Designs, SequenceProblem

LEAST_STEPS = 100
"""Steps of a chain for the sake of which there are fewer chains."""


def annealing(problem: SequenceProblem, options: AnnealingOptions, seed: int) -> Designs:
    """The best sequence that any chain of a start met."""
    crowd = Crowd(problem, seed)
    chains = max(1, min(options.chains, (problem.budget - 1) // LEAST_STEPS))
    now = problem.starts.unsqueeze(1).repeat(1, chains, 1)
    value = crowd.scorer.start_score[:, None].repeat(1, chains)
    change = torch.zeros(crowd.count, 2, dtype=torch.double, device=crowd.device)
    one = torch.ones(crowd.count, chains, dtype=torch.long, device=crowd.device)
    while len(rows := crowd.active()):
        spent = crowd.scorer.used[rows].double() / problem.budget
        proposal, good = crowd.mutants(now[rows], rows, one[rows])
        score = crowd.score(proposal, rows, good, again=True)
        gain = (score - value[rows]).double()
        change[rows] += _typical(gain)
        typical = change[rows, 0] / change[rows, 1].clamp(min=1)
        heat = typical * options.hot * (options.cold / options.hot) ** spent
        luck = crowd.dice.uniform(rows, chains).double().log() * heat[:, None]
        taken = (gain > luck) | (score >= value[rows])
        now[rows] = torch.where(taken.unsqueeze(2), proposal, now[rows])
        value[rows] = torch.where(taken, score, value[rows])
        crowd.steps[rows] += 1
    return crowd.designs()


def _typical(gain: Tensor) -> Tensor:
    """Sum and number of the finite absolute changes of each start, (R, 2)."""
    finite = gain.isfinite()
    return torch.stack([gain.abs().where(finite, 0.0).sum(1), finite.sum(1).double()], 1)
