"""A beam of sequences with adaptive rollouts, without gradients.

After AdaBeam of NucleoBench (Shor et al. 2025, bioRxiv 2025.06.20.660785): the best sequences of each start,
each rolled out a few times, whatever was met on the way competes for the next beam. How many positions a
step changes is learnt from what came of earlier steps (``_edit_sizes.py``).
"""

from __future__ import annotations

import torch

from seqdesign.designers._black_box_options import AdaBeamOptions
from seqdesign.designers._crowd import Crowd
from seqdesign.designers._edit_sizes import EditSizes
from seqdesign.designers._problem import Designs, SequenceProblem
from seqdesign.designers._rollouts import rollouts
from seqdesign.designers._survivors import Survivors


def ada_beam(problem: SequenceProblem, options: AdaBeamOptions, seed: int) -> Designs:
    """A beam for each start that begins with the start alone."""
    crowd = Crowd(problem, seed)
    beam = Survivors(crowd, options.beams)
    sizes = EditSizes(crowd)
    places = torch.arange(options.beams * options.rollouts, device=crowd.device)
    while len(rows := crowd.active()):
        # As long as the beam is not full its members have more rollouts each.
        member = places % beam.count(rows)[:, None]
        root, score = beam.tokens[rows[:, None], member], beam.score[rows[:, None], member]
        rollouts(crowd, rows, root, score, sizes.draw, beam.merge, sizes.learn)
        crowd.steps[rows] += 1
    return crowd.designs()
