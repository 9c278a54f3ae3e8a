"""Markov chains over sequences with a learned proposal: many steps on a model of the score, then one query.

While it warms up, a chain walks by gradients (`seqdesign.designers.chains`). From the gradients that it met
it learns a pairwise model of the score, s^(x) = h.x + x.J.x / 2 at one-hot x, by ridge regression of the
gradients on h + J x with symmetric J. A proposal is then what K heat-bath steps make of x under
exp(s^(x) / T), in sweeps that visit all positions in random order. As the order backwards is as likely, these
are reversible for that law, so that

    p_acc(x -> x') = min(1, exp((s(x') - s^(x') - s(x) + s^(x)) / T))

keeps p(x) ~ exp(s(x) / T) exactly, however good or bad s^ is (Liu 2001, Monte Carlo Strategies in Scientific
Computing, 9.4.3; Christen and Fox 2005, JCGS). K is learned too: of some lengths, and of the single step by
gradient, the shortest that comes near to the largest mean of p_acc(x -> x') d(x, x'), d the number of
substitutions. After the warm-up neither changes.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.chains import Walk, log_proposal
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.dice import gumbel
from seqdesign.errors import UsageError

MOST = 2048
"""Positions times letters: J has the square of it."""
LENGTHS = (0.25, 1.0, 4.0)
"""Heat-bath steps for each position."""
NEAR = 0.9
"""Of the largest mean distance, from which on a longer proposal is not worth its time."""
RIDGE = 1e-3
"""Of the regression, in units of the largest variance of the sequences in any direction."""


class Surrogate(Walk):
    """C chains of each start, and what it learned: field h / T (N, L V), pair J / T (N, L V, L V).

    What a start learns comes from its own chains, so that it never depends on the other starts.
    """

    def __init__(self, crowd: Crowd, chains: int, temperature: float | str, warm_up: int) -> None:
        size = crowd.length * crowd.letters
        if size > MOST:
            raise UsageError(
                f"--set proposal=learned: is for {MOST:,} positions times letters at most, here they are "
                f"{size:,}; leave it at proposal=gradient"
            )
        self.warm_up, self.taken = warm_up, 0
        self.lengths = (0, *(max(1, round(part * crowd.length)) for part in LENGTHS))
        self.field = torch.zeros((crowd.count, size), dtype=torch.double, device=crowd.device)
        self.pair = self.field.new_zeros((crowd.count, size, size))
        self.moved = self.field.new_zeros((crowd.count, len(self.lengths)))
        """Substitutions made so far by proposals of each length."""
        self._met: list[tuple[Tensor, Tensor, Tensor]] = []
        super().__init__(crowd, chains, temperature)

    def step(self, rows: Tensor) -> None:
        """One proposal of each chain that the budget permits; starts (R,)."""
        turn, begin = self.taken, self.warm_up - self.warm_up // 2 // len(self.lengths) * len(self.lengths)
        self.taken += 1
        if turn < begin:
            super().step(rows)
            return
        if turn in (begin, self.warm_up):
            self._fit(rows)
        if turn < self.warm_up:
            kind = (turn - begin) % len(self.lengths)
            before = self.tokens[rows]
            self._propose(rows, kind)
            self.moved[rows, kind] += (self.tokens[rows] != before).sum((1, 2))
            return
        self._met.clear()
        moved = self.moved[rows]
        best = (moved >= NEAR * moved.amax(1, keepdim=True)).int().argmax(1)
        for kind in best.unique().tolist():
            self._propose(rows[best == kind], kind)

    def saw(self, tokens: Tensor, slope: Tensor, rows: Tensor) -> None:
        """Keep sequences (B, L) and gradients (B, V, L) for the regression."""
        if self.taken <= self.warm_up:
            centred = (slope - slope.mean(1, keepdim=True)).movedim(1, 2).flatten(1).double().nan_to_num()
            self._met.append((tokens, centred, rows))

    def _propose(self, rows: Tensor, kind: int) -> None:
        if self.lengths[kind] == 0:
            super().step(rows)
        else:
            self._leap(rows, self.lengths[kind])

    def _leap(self, rows: Tensor, steps: int) -> None:
        crowd, chains = self.crowd, self.tokens.shape[1]
        sweeps = -(-steps // crowd.length)
        order = crowd.dice.uniform(rows, chains, sweeps, crowd.length).argsort(-1).flatten(2)[:, :, :steps]
        noise = crowd.dice.uniform(rows, chains, steps, crowd.letters)
        luck = crowd.dice.uniform(rows, chains).double().log()
        crowd.steps[rows] += 1
        go = torch.arange(chains, device=crowd.device) < crowd.scorer.left[rows, None]
        item, chain = go.nonzero().T
        owner, heat = rows[item], self.temperature[rows[item]]
        old = self.tokens[owner, chain]
        new, ahead = self.heat_bath(old, owner, order[item, chain], noise[item, chain])
        good = crowd.rules.is_feasible(new, owner)
        # While it learns, gradients are wanted anyway; afterwards a score costs less.
        if self.taken <= self.warm_up:
            raw, slope = crowd.scorer.gradient(crowd.scorer.one_hot(new), owner)
            self.saw(new, slope, owner)
        else:
            raw, slope = crowd.scorer.relaxed(crowd.scorer.one_hot(new), owner), None
        crowd.scorer.remember(new[good], owner[good], raw[good])
        score = raw.double().nan_to_num(nan=-torch.inf, neginf=-torch.inf).masked_fill(~good, -torch.inf)
        taken = luck[item, chain] < (score - self.score[owner, chain]) / heat - ahead
        self.tokens[owner[taken], chain[taken]] = new[taken]
        self.score[owner[taken], chain[taken]] = score[taken]
        if slope is not None:
            log_q = log_proposal(slope, new, self._allowed(new, owner), heat)
            self.log_q[owner[taken], chain[taken]] = log_q[taken]

    def heat_bath(self, tokens: Tensor, rows: Tensor, order: Tensor, noise: Tensor) -> tuple[Tensor, Tensor]:
        """Steps at the positions ``order`` (B, K) from tokens (B, L), and by how much s^ / T rises (B,).

        noise: (B, K, V), uniform, for the new letter of each step.
        """
        letters, length = self.crowd.letters, self.crowd.length
        size = letters * length
        places = torch.arange(length, device=tokens.device) * letters
        own, begin = rows * size, tokens
        couplings = self.pair.view(-1, size)
        # h + J x: what every letter at every position would add; J couples no position with itself.
        local = self.field[rows]
        for i in range(length):
            local += couplings[own + places[i] + tokens[:, i]]
        first, luck = order * letters, gumbel(noise)
        index = first.unsqueeze(2) + torch.arange(letters, device=tokens.device)
        here = places + tokens
        before = self._score(begin, rows, places)
        for k in range(noise.shape[1]):
            place = order[:, k : k + 1]
            old = here.gather(1, place).squeeze(1)
            new = first[:, k] + (local.gather(1, index[:, k]) + luck[:, k]).argmax(1)
            here.scatter_(1, place, new.unsqueeze(1))
            local += couplings[own + new]
            local -= couplings[own + old]
        after = here - places
        return after, self._score(after, rows, places) - before

    def _score(self, tokens: Tensor, rows: Tensor, places: Tensor) -> Tensor:
        """s^ / T of tokens (B, L), (B,)."""
        here = places + tokens
        pairs = self.pair[rows[:, None, None], here.unsqueeze(2), here.unsqueeze(1)]
        return self.field[rows[:, None], here].sum(1) + 0.5 * pairs.sum((1, 2))

    def _fit(self, rows: Tensor) -> None:
        """Ridge regression of gradients on one-hot sequences with symmetric J, for each start by itself.

        The minimum of |G - J X|^2 + r |J|^2 over symmetric J solves J (C + r) + (C + r) J = G X' + X G' with
        C = X X'; in the basis of the eigenvectors of C it stands there element by element.
        """
        if not self._met:  # no warm-up: steps stay those by gradient
            return
        tokens, slopes, owner = (torch.cat(part) for part in zip(*self._met, strict=True))
        one_hot = torch.nn.functional.one_hot(tokens, self.crowd.letters).flatten(1).double()
        position = torch.arange(one_hot.shape[1], device=tokens.device) // self.crowd.letters
        allowed = self.crowd.rules.mask.flatten(1)
        for row in rows.tolist():
            mine = owner == row
            x, slope = one_hot[mine], slopes[mine]
            mean, usual = x.mean(0), slope.mean(0)
            x, slope = x - mean, slope - usual
            value, vector = torch.linalg.eigh(x.T @ x)
            ridge = RIDGE * value[-1].clamp(min=1.0)
            cross = vector.T @ slope.T @ x @ vector
            weight = value.clamp(min=0.0) + ridge
            pair = vector @ ((cross + cross.T) / (weight[:, None] + weight)) @ vector.T
            # What a position says of itself is a field: x_iv x_iw is x_iv for v = w and 0 otherwise.
            field = usual - pair @ mean + 0.5 * pair.diagonal()
            pair = pair.masked_fill(position[:, None] == position, 0.0)
            self.pair[row] = pair / self.temperature[row]
            self.field[row] = (field / self.temperature[row]).masked_fill(~allowed[row], -torch.inf)
