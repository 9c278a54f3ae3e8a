"""Mean-field annealing: letter probabilities that follow a running mean of gradients, ever colder.

The mean-field approximation of p(x) ~ exp(f(x) / T) has q_i(v) ~ exp(E[f(x) given x_i = v] / T). To first
order the expectation is the mean gradient at position i and letter v over sequences drawn from q; here it
is a running mean over one sample a step, while T falls (Peterson & Anderson 1987 for mean-field annealing;
Robbins & Monro 1951 for the running mean). A local search spends what is left of the budget.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.ascent import FIRST_DRAW, FORBIDDEN, Ascent, ascend_and_polish
from seqdesign.designers.gradient_options import MeanFieldOptions
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.designers.scorer import Scorer, require_gradient

TINY = 1e-12


def mean_field(problem: SequenceProblem, options: MeanFieldOptions, seed: int) -> Designs:
    """Anneal from every start, polish the best sequence on the way, and search on around it."""
    require_gradient(problem, "mean-field")
    return ascend_and_polish(problem, options, seed, lambda scorer: _MeanField(scorer, options, seed))


class _MeanField(Ascent):
    """The running mean of slopes is the field; in units of its typical size it is divided by T."""

    def __init__(self, scorer: Scorer, options: MeanFieldOptions, seed: int) -> None:
        super().__init__(scorer, seed, min(options.steps, scorer.problem.budget // 2), FIRST_DRAW)
        self.options = options
        start = scorer.one_hot(scorer.starts)
        self.field, self.size = torch.zeros_like(start), torch.zeros_like(start[:, :1, :1])
        self.weight = 0.0
        self.first = start

    def logits(self, step: int) -> Tensor:
        """The start itself at first: its gradient is the first field."""
        if step == 0:
            return self.first * -FORBIDDEN / 2
        hot, cold = self.options.hot, self.options.cold
        temperature = hot * (cold / hot) ** (step / max(1, self.steps - 1))
        size = (self.size / self.weight).sqrt() + TINY
        return self.field / self.weight / (size * temperature)

    def learn(self, slope: Tensor, step: int) -> None:
        memory = self.options.memory
        slope = slope - slope.mean(1, keepdim=True)
        self.field = memory * self.field + (1.0 - memory) * slope
        size = slope.square().mean((1, 2), keepdim=True)
        self.size = memory * self.size + (1.0 - memory) * size
        self.weight = memory * self.weight + 1.0 - memory

    def keep(self, going: Tensor) -> None:
        self.field, self.size, self.first = self.field[going], self.size[going], self.first[going]
