"""Ledidi: the fewest edits that make a sequence good enough, by a Gumbel-softmax straight through.

Schreiber, Lorbeer, Heinzl & Stark (2025), bioRxiv 2025.04.22.650035: weights W are added to log(x0 + 1e-4);
the gradient at a sample moves them, and every edit costs. Here each start has weights of its own, and the
price of an edit falls from the gradient's typical size to zero, so that it need not be set. Towards a goal,
edits that prove needless are taken back, and a beam search over single edits looks for fewer still; without
one the result is polished.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.adam import Adam
from seqdesign.designers.ascent import FORBIDDEN, Ascent
from seqdesign.designers.beam import beam
from seqdesign.designers.climb import Climb, polish
from seqdesign.designers.gradient_options import LedidiOptions
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.designers.prune import prune
from seqdesign.designers.scorer import Scorer, require_gradient, stops

FLOOR = 1e-4
"""Added to the one-hot start before its logarithm is taken."""
SHARE = 3
"""The ascent may take a third of the budget; the beam search leaves half of a third to taking back edits."""


def ledidi(problem: SequenceProblem, options: LedidiOptions, seed: int) -> Designs:
    """Find a good enough sequence, and then nearer ones; without a goal, the best under a falling price."""
    require_gradient(problem, "ledidi")
    scorer = Scorer(problem)
    steps = _Weights(scorer, options, seed).run()
    if problem.enough is None:
        steps += polish(scorer, Climb(options.candidates, options.candidates))
    else:
        steps += beam(scorer, options.beam, options.candidates, problem.budget // (2 * SHARE))
    prune(scorer)
    return scorer.designs(stops(scorer, steps >= options.steps), steps)


class _Weights(Ascent):
    """Logits are log(x0 + 1e-4) + W, and W starts at zero."""

    def __init__(self, scorer: Scorer, options: LedidiOptions, seed: int) -> None:
        super().__init__(scorer, seed, min(options.steps, scorer.problem.budget // SHARE), 0)
        self.options = options
        self.own = scorer.one_hot(scorer.starts)
        self.adam = Adam([torch.zeros_like(self.own)])
        self.size = torch.zeros_like(self.own[:, :1, :1])
        self.noisy = self.own

    def logits(self, step: int) -> Tensor:
        return (self.own + FLOOR).log() + self.adam.parameters[0]

    def wish(self, logits: Tensor, step: int) -> Tensor:
        self.noisy = super().wish(logits, step)
        return self.noisy

    def learn(self, slope: Tensor, step: int) -> None:
        """Ascend on the score less the price of edits, whose slope is 1 for all letters but the start's."""
        if step == 0:
            self.size = slope.square().mean((1, 2), keepdim=True).sqrt()
        price = self.size * (1.0 - step / self.steps)
        slope = slope - price * (1.0 - self.own)
        probs = (self.noisy / self.options.temperature).softmax(1)
        chain = probs * (slope - (probs * slope).sum(1, keepdim=True)) / self.options.temperature
        chain = chain.masked_fill(self.noisy < FORBIDDEN / 2, 0.0)
        self.adam.step([chain], self.options.learning_rate)

    def keep(self, going: Tensor) -> None:
        self.adam.keep(going)
        self.own, self.size, self.noisy = self.own[going], self.size[going], self.noisy[going]
