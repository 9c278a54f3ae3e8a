"""Markov chains over sequences that propose one substitution by the gradient of the score.

Gibbs with gradients (Grathwohl et al. 2021, ICML, arXiv 2102.04509): a chain proposes the substitution of
position i by letter v with probability

    q(i, v | x) ~ exp((g_iv - g_ix) / 2T),   g the gradient of the score at the one-hot x,

over the substitutions that give a feasible sequence, and accepts by Metropolis and Hastings. So its
stationary law is p(x) ~ exp(score(x) / T) on the feasible sequences that single substitutions connect with
the start. The normalisation of q counts feasible substitutions only, at both ends of a move.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.crowd import HELD, Crowd
from seqdesign.designers.dice import gumbel

COLD = 0.1
"""Temperature, in units of the largest first-order change by a substitution of the start."""


class Walk:
    """C chains of each start: tokens (N, C, L), score (N, C), log_q (N, C, L V), temperature (N,)."""

    def __init__(self, crowd: Crowd, chains: int, temperature: float | str) -> None:
        self.crowd = crowd
        starts = crowd.problem.starts
        self.tokens = starts.unsqueeze(1).repeat(1, chains, 1)
        nothing = torch.zeros(0, dtype=torch.double, device=crowd.device)
        self.score = nothing.new_full((crowd.count, chains), torch.nan)
        self.log_q = nothing.new_zeros((crowd.count, chains, crowd.length * crowd.letters))
        self.temperature = nothing.new_ones(crowd.count)
        rows = crowd.active()
        if len(rows):
            score, slope = crowd.scorer.gradient(crowd.scorer.one_hot(starts[rows]), rows)
            allowed = self._allowed(starts[rows], rows)
            self.temperature[rows] = heat_of(temperature, slope, starts[rows], allowed)
            log_q = log_proposal(slope, starts[rows], allowed, self.temperature[rows])
            self.score[rows], self.log_q[rows] = score.double()[:, None], log_q.unsqueeze(1)

    def step(self, rows: Tensor) -> None:
        """One proposal of each chain that the budget permits; starts (R,)."""
        crowd = self.crowd
        chains, letters = self.tokens.shape[1], crowd.letters
        chance = crowd.dice.uniform(rows, chains, crowd.length * letters)
        luck = crowd.dice.uniform(rows, chains).double().log()
        places = torch.arange(chains, device=crowd.device)
        can = self.log_q[rows].amax(2) > -torch.inf
        go = can & (places < crowd.scorer.left[rows, None])
        crowd.stop(rows[~can.any(1)], "stuck")
        crowd.steps[rows] += 1
        if not go.any():
            return
        item, chain = go.nonzero().T
        owner = rows[item]
        move = (self.log_q[owner, chain] + gumbel(chance[item, chain])).argmax(1)
        old, new = self.tokens[owner, chain], self.tokens[owner, chain].clone()
        each = torch.arange(len(item), device=crowd.device)
        place = move // letters
        new[each, place] = move % letters
        back = place * letters + old[each, place]
        raw, slope = crowd.scorer.gradient(crowd.scorer.one_hot(new), owner)
        self.saw(new, slope, owner)
        score = raw.double().nan_to_num(nan=-torch.inf, neginf=-torch.inf)
        heat = self.temperature[owner]
        log_q = log_proposal(slope, new, self._allowed(new, owner), heat)
        ratio = log_acceptance(
            score - self.score[owner, chain], self.log_q[owner, chain][each, move], log_q[each, back], heat
        )
        taken = luck[item, chain] < ratio
        self.tokens[owner[taken], chain[taken]] = new[taken]
        self.score[owner[taken], chain[taken]] = score[taken]
        self.log_q[owner[taken], chain[taken]] = log_q[taken]
        crowd.scorer.remember(new, owner, raw)

    def saw(self, tokens: Tensor, slope: Tensor, rows: Tensor) -> None:
        """Hook: sequences (B, L) whose gradients (B, V, L) have just been asked for."""

    def _allowed(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Feasible substitutions in each sequence (B, L), (B, L V) bool."""
        rules, letters = self.crowd.rules, self.crowd.letters
        other = torch.arange(letters, device=self.crowd.device) != tokens.unsqueeze(2)
        allowed = (rules.mask[rows] & other).flatten(1)
        if not rules.walks:
            return allowed
        for part in torch.arange(len(rows), device=rows.device).split(max(1, HELD // allowed.shape[1])):
            item, move = allowed[part].nonzero().T
            neighbour = tokens[part[item]]
            neighbour[torch.arange(len(item), device=rows.device), move // letters] = move % letters
            allowed[part[item], move] = rules.is_feasible(neighbour, rows[part[item]])
        return allowed


def relative_slope(slope: Tensor, tokens: Tensor) -> Tensor:
    """First-order change of the score by each substitution: slope (B, V, L), tokens (B, L) -> (B, L V)."""
    slope = slope.double().movedim(1, 2)
    return (slope - slope.gather(2, tokens.unsqueeze(2))).flatten(1)


def log_proposal(slope: Tensor, tokens: Tensor, allowed: Tensor, temperature: Tensor) -> Tensor:
    """Log probability of each substitution, (B, L V); -inf where not ``allowed`` (B, L V).

    slope: (B, V, L), the gradient of the score. temperature: (B,).
    """
    logits = relative_slope(slope, tokens) / (2.0 * temperature[:, None])
    logits = logits.nan_to_num().masked_fill(~allowed, -torch.inf)
    return (logits - logits.logsumexp(1, keepdim=True)).masked_fill(~allowed, -torch.inf)


def log_acceptance(gain: Tensor, forth: Tensor, back: Tensor, temperature: Tensor) -> Tensor:
    """Log of the Metropolis-Hastings ratio (B,): gain of the score, log q of the move and of its way back."""
    return gain / temperature + back - forth


def heat_of(temperature: float | str, slope: Tensor, tokens: Tensor, allowed: Tensor) -> Tensor:
    """Temperatures (B,) of starts (B, L); auto looks at slope (B, V, L) and the ``allowed`` ones (B, L V)."""
    if temperature != "auto":
        return torch.full((len(tokens),), float(temperature), dtype=torch.double, device=tokens.device)
    change = relative_slope(slope, tokens).abs().masked_fill(~allowed, 0.0).amax(1)
    return (COLD * change).where((change > 0) & change.isfinite(), 1.0)
