"""Fast SeqProp: activation maximization with normalised logits and a straight-through sample.

Linder & Seelig (2021), "Fast activation maximization for molecular sequence design", BMC Bioinformatics
22:510. The ascent is followed by a local search with what is left of the budget.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.adam import Adam, cosine
from seqdesign.designers.ascent import FIRST_DRAW, FORBIDDEN, Ascent, ascend_and_polish
from seqdesign.designers.gradient_options import FastSeqpropOptions
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.designers.scorer import Scorer, require_gradient

EPSILON = 1e-5
SHARPNESS = 1.0
"""First logit of the start's letters; that of others is 0."""


def fast_seqprop(problem: SequenceProblem, options: FastSeqpropOptions, seed: int) -> Designs:
    """Ascend from every start, polish the best sequence on the way, and search on around it."""
    require_gradient(problem, "fast-seqprop")
    return ascend_and_polish(problem, options, seed, lambda scorer: _NormalisedLogits(scorer, options, seed))


class _NormalisedLogits(Ascent):
    """The letter probabilities are softmax(scale * normalised logits + offset); Adam moves all three."""

    def __init__(self, scorer: Scorer, options: FastSeqpropOptions, seed: int) -> None:
        super().__init__(scorer, seed, min(options.steps, scorer.problem.budget // 2), FIRST_DRAW)
        self.options = options
        logits = SHARPNESS * scorer.one_hot(scorer.starts)
        scale = torch.ones_like(logits[:, :, :1])
        self.adam = Adam([logits, scale, torch.zeros_like(scale)])

    def logits(self, step: int) -> Tensor:
        return normalised(*self.adam.parameters)

    def wish(self, logits: Tensor, step: int) -> Tensor:
        return logits if self.options.forward == "argmax" else super().wish(logits, step)

    def learn(self, slope: Tensor, step: int) -> None:
        """Straight through: the slope at the hard sequence is taken for that at the probabilities."""
        mask = self.scorer.problem.rules.mask[self.rows].transpose(1, 2)
        with torch.enable_grad():
            leaves = [p.detach().requires_grad_(True) for p in self.adam.parameters]
            probs = normalised(*leaves).masked_fill(~mask, FORBIDDEN).softmax(1)
        slopes = torch.autograd.grad(probs, leaves, slope)
        self.adam.step(list(slopes), cosine(self.options.learning_rate, step, self.steps))

    def keep(self, going: Tensor) -> None:
        self.adam.keep(going)


def normalised(logits: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    """Each letter's logits (B, V, L), with mean offset and deviation scale (B, V, 1) over the positions."""
    centred = logits - logits.mean(2, keepdim=True)
    return centred / (centred.square().mean(2, keepdim=True) + EPSILON).sqrt() * scale + offset
