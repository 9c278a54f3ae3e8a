"""Fast SeqProp: activation maximization with normalised logits and a straight-through sample.

Linder & Seelig (2021), "Fast activation maximization for molecular sequence design", BMC Bioinformatics 22:510.
The ascent is followed by a local search with what is left of the budget.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers._climb import Climb, near, search
from seqdesign.designers._gradient_options import FastSeqpropOptions
from seqdesign.designers._noise import gumbel
from seqdesign.designers._problem import Designs, SequenceProblem
from seqdesign.designers._prune import prune
from seqdesign.designers._relaxed import FORBIDDEN, Adam, cosine
from seqdesign.designers._scorer import Scorer, require_gradient, stops

ASCENT = 10_000_000
"""Draws of the ascent are numbered from here, those of kicks from 0."""
EPSILON = 1e-5
SHARPNESS = 1.0
"""First logit of the start's letters; that of others is 0."""
REPAIR_EVERY = 10
"""Steps between repairs of infeasible samples; the others only lend their gradient."""


def fast_seqprop(problem: SequenceProblem, options: FastSeqpropOptions, seed: int) -> Designs:
    """Ascend from every start, polish the best sequence on the way, and search on around it."""
    require_gradient(problem, "fast-seqprop")
    scorer = Scorer(problem)
    how = Climb(options.candidates, options.patience)
    steps = torch.zeros_like(scorer.used)
    if problem.enough is not None:
        steps += near(scorer, how)
    steps += _Ascent(scorer, options, seed).run()
    steps += search(scorer, how, kick=options.kick, seed=seed)
    prune(scorer)
    return scorer.designs(stops(scorer), steps)


class _Ascent:
    """Logits l of all designs; the letter probabilities are softmax(scale * normalised l + offset)."""

    def __init__(self, scorer: Scorer, options: FastSeqpropOptions, seed: int) -> None:
        self.scorer, self.options, self.seed = scorer, options, seed
        self.steps = min(options.steps, scorer.problem.budget // 2)
        logits = SHARPNESS * scorer.one_hot(scorer.starts)
        scale = torch.ones_like(logits[:, :, :1])
        self.adam = Adam([logits, scale, torch.zeros_like(scale)])
        self.rows = torch.arange(len(logits), device=logits.device)
        self.best = torch.full_like(scorer.best, -torch.inf)
        self.relaxed = torch.zeros_like(logits)
        """Letter probabilities from which the best sequence so far was decoded, (N, V, L)."""
        self.taken = torch.zeros_like(self.rows)

    def run(self) -> Tensor:
        """Steps taken, (N,)."""
        for step in range(self.steps):
            self._step(step)
            going = ~self.scorer.done[self.rows]
            if not bool(going.all()):
                self.rows = self.rows[going]
                self.adam.keep(going)
                if not len(self.rows):
                    break
        self._record()
        return self.taken

    def _step(self, step: int) -> None:
        scorer, rows = self.scorer, self.rows
        mask = scorer.problem.rules.mask[rows].transpose(1, 2)
        with torch.enable_grad():
            leaves = [p.detach().requires_grad_(True) for p in self.adam.parameters]
            logits = normalised(*leaves).masked_fill(~mask, FORBIDDEN)
            probs = logits.softmax(1)
        wish = logits.detach()
        if self.options.forward == "sampled":
            noise = gumbel(self.seed, scorer.problem.keys[rows], ASCENT + step, mask[0].numel())
            wish = wish + noise.view(mask.shape)
        tokens, good = self._decode(wish.transpose(1, 2), step)
        scores, slope = scorer.gradient(scorer.one_hot(tokens), rows)
        if bool(good.any()):
            scorer.remember(tokens[good], rows[good], scores[good])
        better = good & (scores > self.best[rows])
        self.best[rows[better]], self.relaxed[rows[better]] = scores[better], probs.detach()[better]
        slopes = torch.autograd.grad(probs, leaves, slope.nan_to_num(0.0))
        self.adam.step(list(slopes), cosine(self.options.learning_rate, step, self.steps))
        self.taken[rows] += 1

    def _decode(self, wish: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Sequences (B, L) for wishes (B, L, V), and which are feasible; all are repaired now and then."""
        rules = self.scorer.problem.rules
        if step % REPAIR_EVERY == 0 or step == self.steps - 1:
            return rules.repair(wish, self.rows)
        tokens = wish.argmax(2)
        return tokens, rules.is_feasible(tokens, self.rows)

    def _record(self) -> None:
        """Score the relaxed sequences that the best ones were decoded from."""
        scorer = self.scorer
        rows = ((self.best >= scorer.best) & (scorer.left > 0)).nonzero().squeeze(1)
        if len(rows):
            scorer.soft[rows] = scorer.relaxed(self.relaxed[rows], rows)


def normalised(logits: Tensor, scale: Tensor, offset: Tensor) -> Tensor:
    """Each letter's logits (B, V, L) with mean ``offset`` and deviation ``scale`` (B, V, 1) over the positions."""
    centred = logits - logits.mean(2, keepdim=True)
    return centred / (centred.square().mean(2, keepdim=True) + EPSILON).sqrt() * scale + offset
