"""The candidates an optimizer has met, each scored once; the best that obey the rules are the designs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from seqdesign.constraints.distinct import distinct
from seqdesign.revisers.ellipsoid import Ellipsoid
from seqdesign.revisers.hashes import hashes
from seqdesign.revisers.problem import (
    DesignProblem,
    DesignResult,
    Evaluation,
    Latent,
    coded,
    evaluate,
    naturalness,
)

_COLUMNS = ("_hash", "owner", "tokens", "lengths", "outcome", "_log_likelihood", "_judged", "at_code")
"""What a pool knows of each candidate."""


class Pool:
    """Distinct (start, sequence) pairs; M of them so far, the starts themselves are the first N.

    Most candidates never come near the top, so log p(x), which costs more than F(E(x)), is computed from the
    top down for as many as it takes.
    """

    def __init__(self, problem: DesignProblem) -> None:
        self.problem = problem
        n = len(problem.tokens)
        device = problem.tokens.device
        self.owner = torch.arange(n, device=device)
        self.tokens, self.lengths = problem.tokens, problem.lengths
        before = evaluate(problem.model, problem.tokens, problem.lengths)
        self.before = before
        self.outcome, self._log_likelihood = before.outcome, before.log_likelihood
        self._judged = torch.ones_like(self.owner, dtype=torch.bool)
        """Whose log p(x) is known, (M,)."""
        self.at_code = torch.full_like(before.outcome, torch.nan)
        self._hash = hashes(self.owner, self.tokens)
        self.scored = torch.zeros_like(self.owner)
        """Candidates of each start that were scored, (N,)."""
        self.start_obeys = problem.obeys(problem.tokens, self.owner)
        """(N,) bool."""
        self._add_repaired()

    def _add_repaired(self) -> None:
        """Starts that break the rules, mended with as few substitutions as the repair finds."""
        problem, bad = self.problem, (~self.start_obeys).nonzero().squeeze(1)
        rules = problem.rules
        if rules is None or rules.shortest < rules.length or not len(bad):
            return
        letters = torch.arange(rules.num_letters, device=bad.device)
        tokens, good = rules.repair((problem.tokens[bad].unsqueeze(2) == letters).float(), bad)
        if problem.max_edits is not None:
            good &= (tokens != problem.tokens[bad]).sum(1) <= problem.max_edits
        owner = bad[good]
        unknown = torch.full(owner.shape, torch.nan, device=owner.device)
        self.add(owner, tokens[good], problem.lengths[owner], unknown)

    def _fresh(self, owner: Tensor, tokens: Tensor, usable: Tensor) -> Tensor:
        """Places (K,) of usable candidates that nobody added before, the first of each kind, in order.

        Hashes find those that may be equal, and only these are compared letter by letter.
        """
        index = usable.nonzero().squeeze(1)
        found = hashes(owner[index], tokens[index])
        known, order = self._hash.sort()
        place = torch.searchsorted(known, found).clamp(max=len(known) - 1)
        twin = order[place]
        old = (known[place] == found) & (self.owner[twin] == owner[index])
        old &= (self.tokens[twin] == tokens[index]).all(1)
        index, found = index[~old], found[~old]
        value, order = found.sort(stable=True)
        index = index[order]
        again = (value[1:] == value[:-1]) & (owner[index[1:]] == owner[index[:-1]])
        again &= (tokens[index[1:]] == tokens[index[:-1]]).all(1)
        first = torch.ones_like(index, dtype=torch.bool)
        first[1:] = ~again
        return index[first].sort().values

    def add(
        self,
        owner: Tensor,
        tokens: Tensor,
        lengths: Tensor,
        at_code: Tensor,
        within: Ellipsoid | None = None,
    ) -> Tensor:
        """Score the candidates that are new, not too short and obey the rules.

        owner, lengths, at_code: (M,); tokens: (M, T). within: the ellipsoids of the N starts; candidates
        whose own code lies outside are left out. Returns the owners (L,) of these.
        """
        possible = (lengths >= self.problem.min_length) & self.problem.obeys(tokens, owner)
        index = self._fresh(owner, tokens, possible)
        if not len(index):
            return owner[index]
        which, codes, found = coded(self.problem.model, tokens[index], lengths[index])
        found, left_out = found[which], index[:0]
        if within is not None:
            inside = within.contain(codes, which, owner[index])
            index, found, left_out = index[inside], found[inside], index[~inside]
        new = (
            hashes(owner[index], tokens[index]),
            owner[index],
            tokens[index],
            lengths[index],
            found,
            torch.full_like(found, torch.nan),
            torch.zeros_like(index, dtype=torch.bool),
            at_code[index].to(found),
        )
        scored = self.scored + torch.bincount(owner[index], minlength=len(self.scored))
        # All of them, and then all at once: where memory runs out, the pool is as it was.
        grown = [torch.cat([getattr(self, name), more]) for name, more in zip(_COLUMNS, new, strict=True)]
        self.__dict__.update(zip(_COLUMNS, grown, strict=True), scored=scored)
        return owner[left_out]

    def settle(self, starts: Tensor) -> None:
        """Nothing is added any more to these starts (M,): of their candidates only the designs stay."""
        places, exists = self.best(self.problem.top, starts)
        stay = ~torch.isin(self.owner, starts)
        stay[: len(places)] = True
        stay[places[exists]] = True
        self.__dict__.update([(name, getattr(self, name)[stay]) for name in _COLUMNS])

    def best(self, k: int, starts: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Places (N, k) of the best allowed candidates of each start, and which of them exist (N, k) bool.

        A candidate counts if it scores above its start, or its start breaks the rules, and if it is natural
        enough. Equal scores: the earlier one. With ``starts`` (M,) only theirs are looked for.
        """
        problem, n = self.problem, len(self.problem.tokens)
        score = problem.score(self.outcome)
        better = score > score[:n][self.owner]
        better |= ~self.start_obeys[self.owner]
        better[:n] = False
        if starts is not None:
            better &= torch.isin(self.owner, starts)
        if problem.min_distance is not None and problem.asks_naturalness:
            self._judge(better.nonzero().squeeze(1))
        look = k
        while True:
            allowed = (better & self._may_be_natural()).nonzero().squeeze(1)
            order = allowed[torch.sort(score[allowed], descending=True, stable=True).indices]
            order = order[torch.sort(self.owner[order], stable=True).indices]
            if problem.min_distance is not None:
                order = self._apart(order, problem.min_distance, k)
            owner = self.owner[order]
            counts = torch.bincount(owner, minlength=n)
            rank = torch.arange(len(order), device=order.device) - (counts.cumsum(0) - counts)[owner]
            if not problem.asks_naturalness:
                break
            # Only for starts whose best may yet turn out not to be natural, but then for more at once.
            open_ = torch.zeros(n, dtype=torch.bool, device=order.device)
            open_[owner[(rank < k) & ~self._judged[order]]] = True
            if not self._judge(order[(rank < look) & open_[owner]]):
                break
            look *= 2
        taken = rank < k
        places = torch.arange(n, device=order.device).unsqueeze(1).repeat(1, k)
        exists = torch.zeros(n, k, dtype=torch.bool, device=order.device)
        places[owner[taken], rank[taken]] = order[taken]
        exists[owner[taken], rank[taken]] = True
        return places, exists

    def _judge(self, places: Tensor) -> bool:
        """Compute log p(x) at those of these places that lack it; whether there were any."""
        places = places[~self._judged[places]]
        if not len(places):
            return False
        tokens, lengths = self.tokens[places], self.lengths[places]
        self._log_likelihood[places] = naturalness(self.problem.model, tokens, lengths)
        self._judged[places] = True
        return True

    def _may_be_natural(self) -> Tensor:
        """Candidates (M,) that are natural enough, or not yet judged."""
        problem = self.problem
        natural = problem.is_natural(
            self._log_likelihood,
            self.lengths,
            self.before.log_likelihood[self.owner],
            problem.lengths[self.owner],
        )
        return natural | ~self._judged

    def _apart(self, order: Tensor, min_distance: int, k: int) -> Tensor:
        """Out of places sorted by owner, the best first: the first k of each owner that differ enough."""
        end = self.problem.model.decoder.end
        places: dict[int, list[int]] = {}
        for place, owner in zip(order.tolist(), self.owner[order].tolist(), strict=True):
            places.setdefault(owner, []).append(place)
        kept: list[int] = []
        for own in places.values():
            rows = self.tokens[torch.tensor(own, device=order.device)].tolist()
            texts = ["".join(chr(33 + letter) for letter in row if letter < end) for row in rows]
            kept += [own[i] for i in distinct(texts, range(len(own)), min_distance, limit=k)]
        return torch.tensor(kept, dtype=torch.long, device=order.device)

    def result(self, latent: Latent | None = None) -> DesignResult:
        """The designs; entries that are none hold their start."""
        places, found = self.best(self.problem.top)
        self._judge(places[found])
        return DesignResult(
            tokens=self.tokens[places],
            lengths=self.lengths[places],
            outcome=self.outcome[places],
            log_likelihood=self._log_likelihood[places],
            outcome_at_code=self.at_code[places],
            found=found,
            before=Evaluation(self.before.outcome, self.before.log_likelihood),
            num_scored=self.scored,
            latent=latent,
        )


def per_item_generator(seed: int, tokens: Tensor) -> np.random.Generator:
    """Randomness from the seed and the sequence (T,) alone, so that a batch repeats its singles."""
    return np.random.default_rng([seed, *tokens.tolist()])
