"""Hill climbing and beam search over substitutions that the gradient ranks and the oracle confirms.

One gradient ranks every substitution of a sequence to first order (in-silico mutagenesis by Taylor expansion:
Sasse et al. 2024); only the most promising are scored, as in GrAdaBeam (Joshi et al. 2025). Kicks and further
climbs spend what is left of the budget.
"""

from __future__ import annotations

import torch

from seqdesign.designers.beam import beam
from seqdesign.designers.climb import Climb, search
from seqdesign.designers.gradient_options import TaylorOptions
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.designers.prune import prune
from seqdesign.designers.scorer import Scorer, require_gradient, stops


def taylor(problem: SequenceProblem, options: TaylorOptions, seed: int) -> Designs:
    """A beam from every start if it is wide or there is a goal; then climbs and kicks from the best."""
    require_gradient(problem, "taylor")
    scorer = Scorer(problem)
    steps = torch.zeros_like(scorer.used)
    if options.beam > 1 or problem.enough is not None:
        steps += beam(scorer, options.beam, options.candidates, problem.budget // 4)
    steps += search(scorer, Climb(options.candidates, options.patience), kick=options.kick, seed=seed)
    prune(scorer)
    return scorer.designs(stops(scorer), steps)
