"""Markov chains over sequences with a learned proposal: many substitutions at once, as far as is accepted.

All positions are drawn at once. At position i, where letter x_i stands, letter v has the probability

    q_i(v | x) ~ exp(b_i (g_iv - g_ix_i) / T + t_iv - s_i [v != x_i]),   g the gradient of the score at x.

With b = 1/2, t = 0 and one s for all it is the discrete Langevin proposal (Zhang, Liu and Liu 2022, ICML,
arXiv 2206.09914). Here the trust b in the gradient, the tastes t and the inertia s of each position are
learned while the chain warms up: they climb the mean of

    S(x -> x') = p_acc(x -> x') d(x, x'),   d the number of substitutions,

the efficiency of a step that is the objective of adaptive Markov chains. Its gradient has two parts: that of
p_acc, which is a function of q at both ends, and that of the draw of x' (REINFORCE, with a running mean as
baseline). After the warm-up the proposal no longer changes, and by Metropolis and Hastings the stationary law
is p(x) ~ exp(score(x) / T) on the feasible sequences, whatever was learned.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from seqdesign.designers.chains import heat_of, relative_slope
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.dice import gumbel

RATE = 0.05
"""Step of Adam, in units of a logit."""
MEMORY = 0.9
"""Of the running mean that is the baseline."""


class Leap:
    """C chains of each start: tokens (N, C, L), score (N, C), slope (N, C, V, L), temperature (N,).

    What a start learns comes from its own chains, so that it never depends on the other starts.
    """

    def __init__(self, crowd: Crowd, chains: int, temperature: float | str, warm_up: int) -> None:
        self.crowd, self.warm_up, self.taken = crowd, warm_up, 0
        starts = crowd.problem.starts
        count, length, letters = crowd.count, crowd.length, crowd.letters
        self.tokens = starts.unsqueeze(1).repeat(1, chains, 1)
        nothing = torch.zeros(0, dtype=torch.double, device=crowd.device)
        self.score = nothing.new_full((count, chains), torch.nan)
        self.slope = nothing.new_zeros((count, chains, letters, length))
        self.temperature = nothing.new_ones(count)
        # About one substitution of a sequence at first, by the gradient as in Langevin dynamics.
        still = math.log(max(1, (letters - 1) * (length - 1)))
        self.trust = nothing.new_zeros((count, length)).requires_grad_(True)
        self.inertia = nothing.new_full((count, length), still).requires_grad_(True)
        self.taste = nothing.new_zeros((count, length, letters)).requires_grad_(True)
        self.optimizer = torch.optim.Adam([self.trust, self.inertia, self.taste], lr=RATE, maximize=True)
        self.baseline = nothing.new_zeros(count)
        rows = crowd.active()
        if len(rows):
            score, slope = crowd.scorer.gradient(crowd.scorer.one_hot(starts[rows]), rows)
            allowed = crowd.rules.mask[rows] & (
                torch.arange(letters, device=crowd.device) != starts[rows, :, None]
            )
            self.temperature[rows] = heat_of(temperature, slope, starts[rows], allowed.flatten(1))
            self.score[rows], self.slope[rows] = score.double()[:, None], slope.double().unsqueeze(1)

    def step(self, rows: Tensor) -> None:
        """One proposal of each chain that the budget permits; starts (R,)."""
        crowd, chains = self.crowd, self.tokens.shape[1]
        chance = crowd.dice.uniform(rows, chains, crowd.length, crowd.letters)
        luck = crowd.dice.uniform(rows, chains).double().log()
        crowd.steps[rows] += 1
        go = torch.arange(chains, device=crowd.device) < crowd.scorer.left[rows, None]
        item, chain = go.nonzero().T
        owner = rows[item]
        learns = self.taken < self.warm_up
        self.taken += 1
        old = self.tokens[owner, chain]
        with torch.set_grad_enabled(learns):
            log_q = self.log_q(self.slope[owner, chain], old, owner)
            new = (log_q.detach() + gumbel(chance[item, chain])).argmax(2)
            raw, slope = crowd.scorer.gradient(crowd.scorer.one_hot(new), owner)
            score = raw.double().nan_to_num(nan=-torch.inf, neginf=-torch.inf)
            score = score.masked_fill(~crowd.rules.is_feasible(new, owner), -torch.inf)
            forth = log_chance(log_q, new)
            back = log_chance(self.log_q(slope.double(), new, owner), old)
            ratio = (score - self.score[owner, chain]) / self.temperature[owner] + back - forth
        if learns:
            self._learn(ratio, forth, (new != old).sum(1), owner)
        taken = luck[item, chain] < ratio.detach()
        self.tokens[owner[taken], chain[taken]] = new[taken]
        self.score[owner[taken], chain[taken]] = score[taken]
        self.slope[owner[taken], chain[taken]] = slope.double()[taken]
        kept = score > -torch.inf
        crowd.scorer.remember(new[kept], owner[kept], raw[kept])

    def log_q(self, slope: Tensor, tokens: Tensor, rows: Tensor) -> Tensor:
        """Log probabilities of the letters at each position (B, L, V); slope (B, V, L), tokens (B, L)."""
        change = relative_slope(slope, tokens).view(len(tokens), self.crowd.length, self.crowd.letters)
        logits = (
            self.trust[rows].sigmoid().unsqueeze(2)
            * (change / self.temperature[rows, None, None]).nan_to_num()
        )
        moves = torch.arange(self.crowd.letters, device=tokens.device) != tokens.unsqueeze(2)
        logits = logits + self.taste[rows] - self.inertia[rows].unsqueeze(2) * moves
        # The letter that stands there is always possible: a start obeys the rules.
        return logits.masked_fill(moves & ~self.crowd.rules.mask[rows], -torch.inf).log_softmax(2)

    def _learn(self, ratio: Tensor, forth: Tensor, distance: Tensor, owner: Tensor) -> None:
        """One step up the efficiency of the proposals; ratio, forth (B,) with gradients, distance (B,)."""
        gain = ratio.clamp(max=0.0).exp() * distance
        known = gain.detach()
        surprise = known - self.baseline[owner]
        shares = torch.bincount(owner, minlength=self.crowd.count).clamp(min=1)
        value = ((gain + surprise * forth) / shares[owner]).sum()
        self.optimizer.zero_grad()
        value.backward()
        self.optimizer.step()
        mean = torch.zeros_like(self.baseline).index_add(0, owner, known) / shares
        self.baseline = MEMORY * self.baseline + (1 - MEMORY) * mean


def log_chance(log_q: Tensor, tokens: Tensor) -> Tensor:
    """Log probability (B,) of tokens (B, L) under independent letters, log_q (B, L, V)."""
    return log_q.gather(2, tokens.unsqueeze(2)).sum((1, 2))
