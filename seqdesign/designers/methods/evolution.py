"""A genetic algorithm that learns which letters are needed, which belong together and what the oracle refuses."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.black_box_options import EvolutionOptions
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.lineage import Lineage
from seqdesign.designers.neighbours import Neighbours
from seqdesign.designers.problem import Designs, SequenceProblem

FEWEST = 20
"""Generations at least without improvement after which a start may begin again."""


def evolution(problem: SequenceProblem, options: EvolutionOptions, seed: int) -> Designs:
    """A population for each start that begins with the start alone."""
    crowd = Crowd(problem, seed)
    size = options.population or max(4, min(256, round(0.5 * problem.budget**0.5)))
    lineage = Lineage(crowd)
    while len(rows := crowd.active()):
        child, plan = lineage.children(rows, size)
        parent = lineage.tokens[rows].unsqueeze(1).expand_as(child)
        child, good = crowd.repaired(child, parent, rows, crowd.proper(child, parent, rows))
        score = crowd.score(child, rows, good)
        lineage.learn(rows, plan, child, score)
        old = rows[lineage.stuck(rows, FEWEST * size)]
        if len(old):
            lineage.restart(old)
            crowd.forget(old)
        crowd.steps[rows] += 1
    return crowd.designs()
