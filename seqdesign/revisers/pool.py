"""The candidates an optimizer has met, each scored once; the best that obey the rules are the designs."""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from seqdesign.constraints.distinct import distinct
from seqdesign.revisers.problem import DesignProblem, DesignResult, Evaluation, Latent, evaluate


class Pool:
    """Distinct (start, sequence) pairs; M of them so far, the starts themselves are the first N."""

    def __init__(self, problem: DesignProblem) -> None:
        self.problem = problem
        n = len(problem.tokens)
        device = problem.tokens.device
        self.owner = torch.arange(n, device=device)
        self.tokens, self.lengths = problem.tokens, problem.lengths
        before = evaluate(problem.model, problem.tokens, problem.lengths)
        self.before = before
        self.outcome, self.log_likelihood = before.outcome, before.log_likelihood
        self.at_code = torch.full_like(before.outcome, torch.nan)
        self._seen = set(self._keys(self.owner, self.tokens))
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

    @staticmethod
    def _keys(owner: Tensor, tokens: Tensor) -> list[bytes]:
        rows = torch.cat([owner[:, None], tokens], 1).cpu().numpy().astype(np.int32)
        return [row.tobytes() for row in rows]

    def add(self, owner: Tensor, tokens: Tensor, lengths: Tensor, at_code: Tensor) -> None:
        """Score the candidates that are new, not too short and obey the rules.

        owner, lengths, at_code: (M,); tokens: (M, T).
        """
        possible = (lengths >= self.problem.min_length) & self.problem.obeys(tokens, owner)
        usable = possible.tolist()
        fresh = []
        for i, key in enumerate(self._keys(owner, tokens)):
            if usable[i] and key not in self._seen:
                self._seen.add(key)
                fresh.append(i)
        if not fresh:
            return
        index = torch.tensor(fresh, device=tokens.device)
        found = evaluate(self.problem.model, tokens[index], lengths[index])
        for name, value in (
            ("owner", owner[index]),
            ("tokens", tokens[index]),
            ("lengths", lengths[index]),
            ("outcome", found.outcome),
            ("log_likelihood", found.log_likelihood),
            ("at_code", at_code[index].to(found.outcome)),
        ):
            setattr(self, name, torch.cat([getattr(self, name), value]))

    def best(self, k: int) -> tuple[Tensor, Tensor]:
        """Places (N, k) of the best allowed candidates of each start, and which of them exist (N, k) bool.

        A candidate counts if it scores above its start, or its start breaks the rules, and if it is natural
        enough. Equal scores: the earlier one.
        """
        problem, n = self.problem, len(self.problem.tokens)
        score = problem.score(self.outcome)
        better = score > score[:n][self.owner]
        better |= ~self.start_obeys[self.owner]
        better[:n] = False
        natural = problem.is_natural(
            self.log_likelihood,
            self.lengths,
            self.before.log_likelihood[self.owner],
            problem.lengths[self.owner],
        )
        allowed = (better & natural).nonzero().squeeze(1)
        order = allowed[torch.sort(score[allowed], descending=True, stable=True).indices]
        order = order[torch.sort(self.owner[order], stable=True).indices]
        if problem.min_distance is not None:
            order = self._apart(order, problem.min_distance, k)
        owner = self.owner[order]
        counts = torch.bincount(owner, minlength=n)
        rank = torch.arange(len(order), device=order.device) - (counts.cumsum(0) - counts)[owner]
        taken = rank < k
        places = torch.arange(n, device=order.device).unsqueeze(1).repeat(1, k)
        exists = torch.zeros(n, k, dtype=torch.bool, device=order.device)
        places[owner[taken], rank[taken]] = order[taken]
        exists[owner[taken], rank[taken]] = True
        return places, exists

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
        scored = torch.bincount(self.owner, minlength=len(self.problem.tokens)) - 1
        return DesignResult(
            tokens=self.tokens[places],
            lengths=self.lengths[places],
            outcome=self.outcome[places],
            log_likelihood=self.log_likelihood[places],
            outcome_at_code=self.at_code[places],
            found=found,
            before=Evaluation(self.before.outcome, self.before.log_likelihood),
            num_scored=scored,
            latent=latent,
        )


def per_item_generator(seed: int, tokens: Tensor) -> np.random.Generator:
    """Randomness from the seed and the sequence (T,) alone, so that a batch repeats its singles."""
    return np.random.default_rng([seed, *tokens.tolist()])
