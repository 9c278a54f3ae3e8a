"""A beam of sequences with adaptive rollouts, without gradients.

After AdaBeam of NucleoBench (Shor et al. 2025, bioRxiv 2025.06.20.660785): the best sequences of each start,
rolled out a few times, the better ones more often; whatever was met on the way competes for the next beam.
How many positions a step changes is learnt from what came of earlier steps (``edit_sizes.py``).
"""

from __future__ import annotations

from seqdesign.designers.black_box_options import AdaBeamOptions
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.edit_sizes import EditSizes
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.designers.rollouts import rollouts
from seqdesign.designers.survivors import Survivors


def ada_beam(problem: SequenceProblem, options: AdaBeamOptions, seed: int) -> Designs:
    """A beam for each start that begins with the start alone."""
    crowd = Crowd(problem, seed)
    beam = Survivors(crowd, options.beams)
    sizes = EditSizes(crowd)
    while len(rows := crowd.active()):
        root, score = beam.draw(rows, options.beams * options.rollouts, beam.count(rows), power=2.0)
        rollouts(crowd, rows, root, score, sizes.draw, beam.merge, sizes.learn)
        crowd.steps[rows] += 1
    return crowd.designs()
