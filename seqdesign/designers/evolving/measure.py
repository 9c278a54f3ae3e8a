"""What the best sequence of each start scores, where scores may be noisy.

The best of many noisy scores is the luckiest of them. While nothing improves, the best sequence is scored
again: if the oracle says the same, it is taken at its word from then on. If not, every better child is scored
a second time, and only that counts.

Shapes: N starts, of which R (``rows``) take part.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.crowd import Crowd

SLACK = 2.0
"""A child is worse if it scores so many standard deviations of the noise less."""
ROUNDING = 1e-5
"""Differences up to this share of a score are no noise."""


class Measure:
    """score (N,) of the best sequences; noise (N,), the standard deviation of scores of the same sequence."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.score = crowd.scorer.start_score.double()
        self.noise = torch.zeros_like(self.score)
        self.exact = torch.zeros(crowd.count, dtype=torch.bool, device=crowd.device)
        self.times = torch.zeros_like(self.score)
        """How often the best sequence was scored after it was chosen, (N,)."""

    def least(self, rows: Tensor) -> Tensor:
        """What a child must score to be no worse, (R,)."""
        return self.score[rows] - SLACK * self.noise[rows]

    def confirmed(self, rows: Tensor, tokens: Tensor, score: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (R,) of sequences (R, L), those that seem better once more under noise; and which."""
        again = (self.noise[rows] > 0) & (score > self.score[rows])
        if again.any():
            score = score.clone()
            # NaN, where no query is left, is not better.
            score[again] = self._asked(rows[again], tokens[again])
        return score, again

    def take(self, rows: Tensor, score: Tensor, again: Tensor) -> None:
        """These are the best now; ``again`` (R,) bool: asked for again."""
        self.score[rows], self.times[rows] = score, again.double()

    def doubt(self, rows: Tensor, tokens: Tensor) -> None:
        """Score the best sequences, ``tokens`` (N, L), of these starts again, unless the oracle is exact."""
        rows = rows[~self.exact[rows]]
        if not len(rows):
            return
        again = self._asked(rows, tokens[rows])
        said = again > -torch.inf
        rows, again = rows[said], again[said]
        before, known, times = self.score[rows], self.noise[rows], self.times[rows]
        apart = (again - before).abs()
        apart = torch.where(apart <= ROUNDING * before.abs(), 0.0, apart / 2**0.5)
        self.exact[rows] = (apart == 0) & (known == 0)
        self.noise[rows] = torch.where(known > 0, ((known.square() + apart.square()) / 2).sqrt(), apart)
        self.score[rows] = (times * before + again) / (times + 1)
        self.times[rows] = times + 1

    def restart(self, rows: Tensor) -> None:
        """The starts are the best again."""
        self.score[rows], self.times[rows] = self.crowd.scorer.start_score[rows].double(), 0.0

    def _asked(self, rows: Tensor, tokens: Tensor) -> Tensor:
        """Scores (R,) of sequences (R, L) that were scored before, NaN where no query is left."""
        wanted = torch.ones(len(rows), 1, dtype=torch.bool, device=rows.device)
        return self.crowd.score(tokens.unsqueeze(1), rows, wanted, again=True)[:, 0].double()
