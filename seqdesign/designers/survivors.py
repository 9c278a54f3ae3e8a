"""The best sequences that were scored so far, a fixed number for each start."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.crowd import Crowd


class Survivors:
    """tokens (N, M, L), score (N, M): best first, of equals the youngest first; NaN where there is none.

    Begins with the start. A sequence that the oracle refused, minus infinity, never joins. R starts
    (``rows``) take part in a call with P sequences each.
    """

    def __init__(self, crowd: Crowd, number: int) -> None:
        self.dice, self.crowd = crowd.dice, crowd
        self.tokens = crowd.problem.starts.unsqueeze(1).repeat(1, number, 1)
        self.score = torch.full((crowd.count, number), torch.nan, device=crowd.device, dtype=torch.double)
        self.score[:, 0] = crowd.scorer.start_score

    def restart(self, rows: Tensor) -> None:
        """Only the start is left."""
        self.tokens[rows] = self.crowd.problem.starts[rows].unsqueeze(1)
        self.score[rows] = torch.nan
        self.score[rows, 0] = self.crowd.scorer.start_score[rows].double()

    def count(self, rows: Tensor) -> Tensor:
        """How many there are, (R,)."""
        return (~self.score[rows].isnan()).sum(1)

    def draw(self, rows: Tensor, size: int, among: Tensor, power: float = 1.0) -> tuple[Tensor, Tensor]:
        """P = ``size`` of the first ``among`` (R,): tokens (R, P, L), score (R, P).

        Evenly with power 1; the larger it is, the more often the better ones.
        """
        index = (self.dice.uniform(rows, size).double() ** power * among[:, None]).long()
        owner = rows[:, None]
        return self.tokens[owner, index], self.score[owner, index]

    def merge(self, rows: Tensor, tokens: Tensor, score: Tensor) -> None:
        """Add sequences (R, P, L) with scores (R, P), NaN where not scored; the worst drop out."""
        score = score.double()
        every = torch.cat([score.masked_fill(score == -torch.inf, torch.nan), self.score[rows]], 1)
        # A start may itself be refused; it stays ahead of what does not exist.
        worth = every.nan_to_num(nan=-torch.inf, neginf=torch.finfo(every.dtype).min)
        order = worth.argsort(dim=1, descending=True, stable=True)[:, : self.score.shape[1]]
        item = torch.arange(len(rows), device=rows.device)[:, None]
        self.tokens[rows] = torch.cat([tokens, self.tokens[rows]], 1)[item, order]
        self.score[rows] = every[item, order]
