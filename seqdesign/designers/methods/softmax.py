"""Activation maximization over softmax probabilities (Killoran et al. 2017, arXiv 1712.06148, section 2).

x = softmax(logits), so the relaxed sequence never leaves the simplex: df/dl_v = p_v (g_v - sum_u p_u g_u).
The original maximises the relaxed score alone; here the likeliest letters are scored on the way and the
best sequence is the design. Its relaxed score stands beside it: the gap is the weakness of the method.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.adam import Adam, cosine
from seqdesign.designers.ascent import FORBIDDEN
from seqdesign.designers.gradient_options import SoftmaxOptions
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.designers.prune import prune
from seqdesign.designers.scorer import Scorer, require_gradient, stops


def softmax(problem: SequenceProblem, options: SoftmaxOptions, seed: int) -> Designs:
    """Ascend on the logits of every start; decode every few steps; keep the best. Draws nothing at random."""
    require_gradient(problem, "softmax")
    scorer = Scorer(problem)
    rows = torch.arange(len(problem.starts), device=problem.starts.device)
    steps = torch.zeros_like(rows)
    adam = Adam([options.sharpness * scorer.one_hot(problem.starts)])
    planned = min(options.steps, problem.budget)
    for step in range(planned):
        going = (scorer.left[rows] >= 2) & ~scorer.done[rows]
        if not bool(going.all()):
            rows = rows[going]
            adam.keep(going)
        if not len(rows):
            break
        mask = problem.rules.mask[rows].transpose(1, 2)
        logits = adam.parameters[0].masked_fill(~mask, FORBIDDEN)
        probs = logits.softmax(1)
        relaxed, slope = scorer.gradient(probs, rows)
        adam.step([softmax_slope(probs, slope.nan_to_num(0.0))], cosine(options.learning_rate, step, planned))
        steps[rows] += 1
        if step % options.decode_every == 0 or step == planned - 1:
            tokens, good = problem.rules.repair(logits.transpose(1, 2), rows)
            if bool(good.any()):
                scorer.score(tokens[good], rows[good], relaxed[good])
    prune(scorer)
    return scorer.designs(stops(scorer, steps >= options.steps), steps)


def softmax_slope(probs: Tensor, slope: Tensor) -> Tensor:
    """Gradient with respect to the logits: p (g - p.g), all (B, V, L)."""
    return probs * (slope - (probs * slope).sum(1, keepdim=True))
