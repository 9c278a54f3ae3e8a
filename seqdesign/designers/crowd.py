"""What designers that only ask for scores share: candidates of many starts at once, each within its budget.

Shapes: N starts, of which R (``rows``, each at most once) have P candidates each; L positions, V letters.
"""

from __future__ import annotations

from typing import get_args

import torch
from torch import Tensor

from seqdesign.designers.dice import Dice, gumbel, mix
from seqdesign.designers.problem import Designs, SequenceProblem, Stop
from seqdesign.designers.prune import prune
from seqdesign.designers.scorer import Scorer

STOPS: tuple[Stop, ...] = get_args(Stop)
GOING = -1
MORE_EDITS, SWAP = 1, 2
"""What is tried in place of a mutant that is infeasible: one edit more, or two letters changing places."""
TRIES = (MORE_EDITS, SWAP, MORE_EDITS, SWAP)
BEAMS = 4
"""Beams of a repair."""
PATIENCE = 20
"""Rounds in a row without a new sequence to score after which a start ends."""
HELD = 1 << 22
"""Letters of candidates made at once."""


class Crowd:
    """One for each run of a designer: the scorer, the dice, what was scored, and why each start ended."""

    def __init__(self, problem: SequenceProblem, seed: int) -> None:
        self.problem, self.rules = problem, problem.rules
        self.scorer = Scorer(problem)
        self.dice = Dice(seed, problem.keys)
        self.count, self.length = problem.starts.shape
        self.device = problem.starts.device
        self.letters = problem.rules.num_letters
        self.free = problem.rules.mask.sum(2) > 1
        """Positions with a choice, (N, L)."""
        self.steps = torch.zeros_like(self.scorer.used)
        self._stop = torch.full_like(self.scorer.used, GOING)
        self._idle, self._used = torch.zeros_like(self.scorer.used), self.scorer.used.clone()
        self._movable = torch.zeros(self.count, dtype=torch.bool, device=self.device)
        places = torch.arange(self.length * self.letters, device=self.device)
        self._hash_table = mix(places).view(self.length, self.letters)
        everyone = torch.arange(self.count, device=self.device)
        self._seen = self._hash(problem.starts.unsqueeze(1), everyone).flatten()
        self._seen_by = everyone
        self.stop(everyone[~self.free.any(1)], "stuck")

    def active(self) -> Tensor:
        """Starts that go on, (R,): budget left, not good enough yet, not ended otherwise."""
        self._idle = torch.where(self.scorer.used > self._used, 0, self._idle + 1)
        self._used = self.scorer.used.clone()
        idle = self._idle > PATIENCE
        for mask, reason in (
            (self.scorer.done, "target"),
            (self.scorer.left <= 0, "budget"),
            (idle & self._movable, "converged"),
            (idle, "stuck"),
        ):
            self._stop.masked_fill_(mask & (self._stop == GOING), STOPS.index(reason))
        return (self._stop == GOING).nonzero().squeeze(1)

    def stop(self, rows: Tensor, reason: Stop) -> None:
        """These starts end here."""
        self._stop[rows] = STOPS.index(reason)

    def forget(self, rows: Tensor) -> None:
        """Let these starts have sequences scored again that they had before."""
        kept = ~torch.isin(self._seen_by, rows)
        self._seen, self._seen_by = self._seen[kept], self._seen_by[kept]

    def score(self, tokens: Tensor, rows: Tensor, wanted: Tensor, *, again: bool = False) -> Tensor:
        """Scores (R, P) of candidates (R, P, L); NaN where none was asked for.

        Asked for is what is ``wanted`` (R, P), within the budget of its start (the first candidates have
        precedence) and, unless ``again``, a sequence that this start has not had scored before. The caller
        makes sure that what is wanted is feasible.
        """
        self._movable[rows] |= wanted.any(1)
        if not again:
            hashes = self._hash(tokens, rows)
            wanted = wanted & self._first(hashes, wanted) & ~torch.isin(hashes, self._seen)
        wanted = wanted & (wanted.cumsum(1) <= self.scorer.left[rows, None])
        scores = torch.full(wanted.shape, torch.nan, device=self.device, dtype=self.scorer.best.dtype)
        if wanted.any():
            owners = rows.repeat_interleave(wanted.sum(1))
            found = self.scorer.score(tokens[wanted], owners)
            scores[wanted] = found.nan_to_num(nan=-torch.inf, posinf=torch.inf, neginf=-torch.inf)
            if not again:
                self._seen = torch.cat([self._seen, hashes[wanted]])
                self._seen_by = torch.cat([self._seen_by, owners])
        return scores

    def mutants(
        self, parents: Tensor, rows: Tensor, edits: Tensor, weight: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Feasible sequences that differ from their parents (R, P, L) in ``edits`` (R, P) >= 1 positions.

        Positions are drawn without replacement by ``weight`` (R, P, L), or evenly; the new letters evenly
        from those that the position may have. What is infeasible is drawn again with one edit more or as an
        exchange of two letters, which keeps the composition, and repaired in the end. Returns the mutants and
        whether each is feasible and differs from its parent, (R, P) bool.
        """
        child = self._mutate(parents, rows, edits, weight)
        good = self.proper(child, parents, rows)
        for kind in TRIES:
            again = (~good).any(1).nonzero().squeeze(1)
            if not len(again):
                return child, good
            part = None if weight is None else weight[again]
            if kind == SWAP:
                other = self._swap(parents[again], rows[again])
            else:
                other = self._mutate(parents[again], rows[again], edits[again] + 1, part)
            child[again] = torch.where(good[again].unsqueeze(2), child[again], other)
            good[again] = self.proper(child[again], parents[again], rows[again])
        return self.repaired(child, parents, rows, good)

    def repaired(self, child: Tensor, parents: Tensor, rows: Tensor, good: Tensor) -> tuple[Tensor, Tensor]:
        """Candidates (R, P, L), those that are not ``good`` (R, P) replaced by feasible ones near them."""
        bad = ~good
        if not bad.any():
            return child, good
        letters = torch.arange(self.letters, device=self.device)
        liked = (child[bad].unsqueeze(2) == letters).float()
        liked += 0.5 * (parents[bad].unsqueeze(2) == letters)
        child, good = child.clone(), good.clone()
        child[bad], good[bad] = self.rules.repair(liked, rows[:, None].expand_as(bad)[bad], beams=BEAMS)
        return child, good & (child != parents).any(2)

    def feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """(R, P) bool for candidates (R, P, L)."""
        owners = rows[:, None].expand(tokens.shape[:2])
        return self.rules.is_feasible(tokens.flatten(0, 1), owners.flatten()).view(tokens.shape[:2])

    def designs(self, *, pruned: bool = True) -> Designs:
        """The best of each start; of those that are good enough, the nearest that taking back edits gives.

        Unless ``pruned``, edits are not taken back.
        """
        self.active()
        if pruned:
            prune(self.scorer)
        reasons: list[Stop] = ["steps" if code == GOING else STOPS[code] for code in self._stop.tolist()]
        return self.scorer.designs(reasons, self.steps)

    def _mutate(self, parents: Tensor, rows: Tensor, edits: Tensor, weight: Tensor | None) -> Tensor:
        chance = self.dice.uniform(rows, 2, *parents.shape[1:])
        order, letter_chance = gumbel(chance[:, 0]), chance[:, 1]
        if weight is not None:
            order = order + weight.log()
        order = order.masked_fill(~self.free[rows].unsqueeze(1), -torch.inf)
        most = min(self.length, int(edits.max()))
        value, place = order.topk(most, 2)
        chosen = (torch.arange(most, device=self.device) < edits.unsqueeze(2)) & (value > -torch.inf)
        old = parents.gather(2, place)
        allowed = self.rules.mask[rows[:, None, None], place]
        allowed = allowed & (torch.arange(self.letters, device=self.device) != old.unsqueeze(3))
        pick = (letter_chance.gather(2, place) * allowed.sum(3)).long()
        letter = (allowed.cumsum(3) > pick.unsqueeze(3)).int().argmax(3)
        return parents.scatter(2, place, torch.where(chosen, letter, old))

    def _swap(self, parents: Tensor, rows: Tensor) -> Tensor:
        order = self.dice.uniform(rows, *parents.shape[1:]).masked_fill(~self.free[rows, None], -torch.inf)
        place = order.topk(min(2, self.length), 2).indices
        return parents.scatter(2, place, parents.gather(2, place.flip(2)))

    def proper(self, child: Tensor, parents: Tensor, rows: Tensor) -> Tensor:
        """Whether each candidate (R, P, L) is feasible and differs from its parent, (R, P)."""
        return self.feasible(child, rows) & (child != parents).any(2)

    def _hash(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """(R, P) of candidates (R, P, L): Zobrist (1970), with the start in it."""
        places = torch.arange(self.length, device=self.device)
        # Rows are hashed as negative numbers, which no place in the table is.
        return mix(self._hash_table[places, tokens].sum(2) + mix(-1 - rows).unsqueeze(1))

    def _first(self, hashes: Tensor, wanted: Tensor) -> Tensor:
        """Whether a wanted candidate is the first of its kind, (R, P)."""
        flat = torch.where(wanted, hashes, torch.arange(hashes.numel(), device=self.device).view_as(hashes))
        value, order = flat.flatten().sort(stable=True)
        first = torch.ones_like(value, dtype=torch.bool)
        first[1:] = value[1:] != value[:-1]
        return torch.empty_like(first).scatter(0, order, first).view_as(hashes)
