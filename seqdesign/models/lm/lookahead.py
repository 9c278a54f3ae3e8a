"""What the letters still to come will cost, where few may differ from a start.

Letter by letter, a model spends its edits on the first places and is then forced into the letters of the
start for all others, however unlikely: such samples weigh next to nothing, and thousands of candidates are
not enough (importance resampling). So a letter is drawn from

    q(a | before)  proportional to  p(a | before) exp V(t + 1, edits left after a)

where V is the log of the probability that all later letters obey, if each were written after the start's own,

    V(t, k) = log( l_t(start) exp V(t + 1, k) + sum over a other than start of l_t(a) exp V(t + 1, k - 1) )

(the optimal proposal of a twisted sampler; Guarniero et al. 2017, doi 10.1080/01621459.2016.1222291). After a
few edits the model says almost the same of the rest as after the start, so weights p / q, which make the
samples fair as they do elsewhere, hardly differ.
Shapes: N sequences, T positions, V letters, K most edits.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.constraints.builtin.max_edits import MaxEdits
from seqdesign.constraints.rules import Rules

NEVER = -1e4
"""Logarithm for what cannot be; finite, so that sums of it are numbers."""


def ball_of(rules: Rules) -> MaxEdits | None:
    """The tightest limit on edits among the rules of one start; None: there is none."""
    balls = [c for c in rules.constraints if isinstance(c, MaxEdits)]
    return min(balls, key=lambda ball: int(ball.limits[0]), default=None)


class Lookahead:
    """V for one start (T,), from log-probabilities (T, V) of each letter after those of the start."""

    def __init__(self, ball: MaxEdits, log_p: Tensor, mask: Tensor) -> None:
        steps, size = log_p.shape
        self.start, most = ball.starts[0, :steps], min(int(ball.limits[0]), steps)
        self.letters = torch.arange(size, device=log_p.device)
        own = self.start[:, None] == self.letters
        stay = log_p.masked_fill(~(own & mask), NEVER).logsumexp(1)
        move = log_p.masked_fill(own | ~mask, NEVER).logsumexp(1)
        value = log_p.new_zeros(most + 1)
        values = [value]
        for t in range(steps - 1, -1, -1):
            fewer = torch.cat([value.new_full((1,), NEVER), value[:-1]])
            value = torch.logaddexp(stay[t] + value, move[t] + fewer)
            values.append(value)
        self.values = torch.stack(values[::-1])
        """(T + 1, K + 1)."""

    def tilt(self, written: Tensor, t: int) -> Tensor:
        """What to add to the log-probabilities of letters at place ``t``, (N, V), after t letters (N, t)."""
        edits = (written != self.start[:t]).sum(1)
        left = self.values.shape[1] - 1 - edits[:, None] - (self.letters != self.start[t]).long()
        return self.values[t + 1][left.clamp(min=0)].masked_fill(left < 0, NEVER)
