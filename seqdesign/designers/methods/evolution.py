"""A genetic algorithm that learns which letters are needed, which belong together and what is refused.

Every generation are children of the best sequence so far, made by what the queries so far have shown
(``lineage.py``). Of equal children the last is the next parent, so that a plateau is wandered along. A start
that has not improved for as long as its best took begins again if as many queries are left.
"""

from __future__ import annotations

from seqdesign.designers.black_box_options import EvolutionOptions
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.evolving.lineage import Lineage
from seqdesign.designers.problem import Designs, SequenceProblem

FEWEST, MOST = 4, 256
"""Children of a generation, unless the options say how many."""


def evolution(problem: SequenceProblem, options: EvolutionOptions, seed: int) -> Designs:
    """A line of descent for each start."""
    crowd = Crowd(problem, seed)
    size = options.population or max(FEWEST, min(MOST, round(0.5 * problem.budget**0.5)))
    lineage = Lineage(crowd)
    while len(rows := crowd.active()):
        child, made = lineage.children(rows, size)
        parent = lineage.tokens[rows].unsqueeze(1).expand_as(child)
        child, good = crowd.repaired(child, parent, rows, crowd.proper(child, parent, rows))
        lineage.learn(rows, made, child, crowd.score(child, rows, good))
        again = rows[lineage.stuck(rows, size)]
        if len(again):
            lineage.restart(again)
            crowd.forget(again)
        crowd.steps[rows] += 1
    return crowd.designs()
