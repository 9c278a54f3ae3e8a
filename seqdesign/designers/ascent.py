"""What ascents of relaxed sequences share: decode, take the gradient, remember, leave when good enough.

Shapes: N starts, B of them still going, V letters, L positions.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable

import torch
from torch import Tensor

from seqdesign.designers.climb import Climb, near, search
from seqdesign.designers.gradient_options import PolishOptions
from seqdesign.designers.noise import gumbel
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.designers.prune import prune
from seqdesign.designers.scorer import Scorer, stops

FIRST_DRAW = 1_000_000_000
"""Draws of an ascent are numbered from here, those of kicks after it from 0."""
FORBIDDEN = -1e9
"""Logit of a letter that the mask forbids; finite, so that no gradient is NaN."""
LOOK_EVERY = 8
"""Steps between looks which starts have come to their end; the host waits for the device then."""
REPAIR_EVERY = 10
"""Steps between repairs of infeasible sequences; the others only lend their gradient."""


class Ascent(ABC):
    """One design a start, all climbing at once. A member says what it would write next, and what it learns.

    Every step takes the gradient at a hard sequence, so its score comes along without a further query.
    """

    def __init__(self, scorer: Scorer, seed: int, steps: int, first_draw: int) -> None:
        self.scorer, self.seed, self.steps, self.first_draw = scorer, seed, steps, first_draw
        self.rows = torch.arange(len(scorer.starts), device=scorer.starts.device)
        """Starts that are still going, (B,)."""
        self.best = torch.full_like(scorer.best, -torch.inf)
        self.source = torch.zeros_like(scorer.one_hot(scorer.starts))
        """Letter probabilities from which the best sequence so far was decoded, (N, V, L)."""
        self.taken = torch.zeros_like(self.rows)

    @abstractmethod
    def logits(self, step: int) -> Tensor:
        """Log-probabilities (B, V, L) of the letters, up to a constant for each position."""

    @abstractmethod
    def learn(self, slope: Tensor, step: int) -> None:
        """Take in the gradient (B, V, L) of the score at the sequence that was decoded."""

    @abstractmethod
    def keep(self, going: Tensor) -> None:
        """Go on with the rows ``going`` (B,) bool."""

    def wish(self, logits: Tensor, step: int) -> Tensor:
        """What is decoded: a sample, as the largest of logits plus Gumbel noise."""
        keys = self.scorer.problem.keys[self.rows]
        noise = gumbel(self.seed, keys, self.first_draw + step, logits[0].numel())
        return logits + noise.view(logits.shape)

    def run(self) -> Tensor:
        """Steps taken, (N,)."""
        scorer = self.scorer
        for step in range(self.steps):
            going = (scorer.left[self.rows] > 1) & ~scorer.done[self.rows]
            # Where there is a goal each step may be the last, and no query is spent for nothing.
            if scorer.problem.enough is not None or step % LOOK_EVERY == 0:
                if not bool(going.all()):
                    self.rows = self.rows[going]
                    self.keep(going)
                    going = going[going]
                if not len(self.rows):
                    break
            rows = self.rows
            mask = scorer.problem.rules.mask[rows].transpose(1, 2)
            logits = self.logits(step).masked_fill(~mask, FORBIDDEN)
            tokens, good = self.decode(self.wish(logits, step).transpose(1, 2), step)
            scores, slope = scorer.gradient(scorer.one_hot(tokens), rows, going)
            good = good & going
            scorer.remember_each(tokens, rows, scores, good)
            better = good & (scores > self.best[rows])
            self.best[rows] = torch.where(better, scores, self.best[rows])
            self.source[rows] = torch.where(better[:, None, None], logits.softmax(1), self.source[rows])
            self.learn(slope.nan_to_num(0.0), step)
            self.taken[rows] += going
        self._record()
        return self.taken

    def decode(self, wish: Tensor, step: int) -> tuple[Tensor, Tensor]:
        """Sequences (B, L) for wishes (B, L, V), and which are feasible; all are repaired now and then."""
        rules = self.scorer.problem.rules
        if step % REPAIR_EVERY == 0 or step == self.steps - 1:
            return rules.repair(wish, self.rows)
        tokens = wish.argmax(2)
        return tokens, rules.is_feasible(tokens, self.rows)

    def _record(self) -> None:
        """Score the relaxed sequences that the best designs were decoded from."""
        scorer = self.scorer
        found = (self.best >= scorer.best) & (scorer.left > 0)
        rows = found.nonzero().squeeze(1)
        if len(rows):
            scorer.soft[rows] = scorer.relaxed(self.source[rows], rows)


def ascend_and_polish(
    problem: SequenceProblem, options: PolishOptions, seed: int, ascent: Callable[[Scorer], Ascent]
) -> Designs:
    """Ascend from every start, polish the best sequence on the way, and search on around it."""
    scorer = Scorer(problem)
    how = Climb(options.candidates, options.patience)
    steps = near(scorer, how)
    steps += ascent(scorer).run()
    steps += search(scorer, how, kick=options.kick, seed=seed)
    prune(scorer)
    return scorer.designs(stops(scorer), steps)
