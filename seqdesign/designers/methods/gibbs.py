"""Gibbs sampling of sequences by their scores: chains with an exact law; the best they met is the design."""

from __future__ import annotations

from seqdesign.designers.black_box_options import GibbsOptions
from seqdesign.designers.chains import Walk
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.designers.scorer import require_gradient
from seqdesign.designers.surrogate import Surrogate

LEAST_STEPS = 100
"""Steps of a chain for the sake of which there are fewer chains."""


def gibbs(problem: SequenceProblem, options: GibbsOptions, seed: int) -> Designs:
    """The best sequence that the chains of a start met.

    A step of a chain is one query: the gradient of its proposal, which comes with the score.

    Raises:
        UsageError: the oracle has no gradient.
    """
    require_gradient(problem, "gibbs")
    crowd = Crowd(problem, seed)
    chains = max(1, min(options.chains, (problem.budget - 2) // LEAST_STEPS))
    if options.proposal == "learned":
        learning = round(options.warm_up * (problem.budget - 2) / chains)
        walk: Walk = Surrogate(crowd, chains, options.temperature, learning)
    else:
        walk = Walk(crowd, chains, options.temperature)
    while len(rows := crowd.active()):
        walk.step(rows)
    return crowd.designs()
