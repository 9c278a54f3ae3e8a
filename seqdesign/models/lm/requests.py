"""An endless stream of samples as they were asked for: lengths, outcomes, constraints, a guide.

Shapes: N sequences, T positions.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor

from seqdesign.constraints.check import find_conflict
from seqdesign.constraints.rules import Rules
from seqdesign.errors import InputError
from seqdesign.language.posterior import expected_outcome
from seqdesign.models.lm.sampling import BLOCK, FEWEST, Drawn, Guide, draw_fairly
from seqdesign.models.lm.store import TrainedLM

FIRST_ROUNDS = (100, 100, 300, 500)
"""Sequences of the first rounds, a thousand together: whoever asks for five does not wait for a thousand, and
a hundred are enough to compete with each other where rules force the model's hand."""
SLOW_ROUNDS = (20, 80, *FIRST_ROUNDS[1:])
"""The same where rules make a masked model read the whole sequence again for each letter."""
ROUND = 4 * BLOCK
"""Sequences of all later rounds. Lengths of a round are drawn together. No size depends on how many sequences
are asked for, so nor does a result."""

LONG = 512
"""Letters of the longest sequence above which fewer are drawn together, as the cache grows with them."""


@dataclass(frozen=True)
class Request:
    """What samples shall be.

    lengths: the fewest and the most letters. rules_of: the rules of designs with so many letters; None:
    no rules. outcome: what to write for; None: outcomes as frequent as in training. choose_from: draws for
    each sequence, of which the one whose expected outcome is nearest to that is kept.
    """

    lengths: tuple[int, int]
    rules_of: Callable[[int], Rules] | None = None
    outcome: float | None = None
    temperature: float = 1.0
    guide: Guide | None = None
    choose_from: int = 1


class Samples:
    """Rounds of samples, in an order that says nothing, and the rules of the lengths that have occurred."""

    def __init__(self, trained: TrainedLM, request: Request) -> None:
        self.model, self.record, self.request = trained.model, trained.record, request
        self.rules: dict[int, Rules | None] = {}
        low, high = request.lengths
        places = torch.arange(self.record.min_length, self.record.max_length + 1)
        chances = trained.model.length_log_prob.double().cpu().exp()
        self.all_chances = chances * ((places >= low) & (places <= high))
        self.failure: InputError | None = None

    def round(self, rng: torch.Generator, number: int) -> Drawn:
        """Round ``number``, 0 and up, which depends on ``rng`` only. Raises InputError for contradictions."""
        self.rng, self.chances = rng, self.all_chances.clone()
        slow = self.request.rules_of is not None and not self.model.is_causal
        rounds = SLOW_ROUNDS if slow else FIRST_ROUNDS
        num = rounds[number] if number < len(rounds) else ROUND
        lengths = self._lengths(num)
        outcomes = self._outcomes(num)
        drawn: list[Drawn] = []
        order: list[Tensor] = []
        for rows, rules in self._blocks(lengths):
            many = [
                self._block(lengths[rows], outcomes[rows], rules) for _ in range(self.request.choose_from)
            ]
            drawn.append(many[0] if len(many) == 1 else self._nearest(many))
            order.append(rows)
        joined = Drawn.joined(drawn, self.model.vocabulary.pad)
        if not self.model.is_causal:
            joined = replace(joined, log_probs=self._bound(joined))
        back = torch.cat(order).argsort().to(joined.tokens.device)
        return joined.take(back)

    def _nearest(self, many: list[Drawn]) -> Drawn:
        """Of several blocks the row of each place whose expected outcome is nearest to what was asked."""
        off = [
            (expected_outcome(self.model, x.tokens, x.lengths) - x.outcomes)
            .abs()
            .masked_fill(~x.good, torch.inf)
            for x in many
        ]
        best = torch.stack(off).argmin(0)
        rows = best * len(best) + torch.arange(len(best), device=best.device)
        return Drawn.joined(many, self.model.vocabulary.pad).take(rows)

    def _bound(self, drawn: Drawn) -> Tensor:
        """(N,) the bound that is said of any sequence, whatever the order in which it was written."""
        parts = zip(*(x.split(BLOCK) for x in (drawn.tokens, drawn.lengths, drawn.outcomes)), strict=True)
        return torch.cat([self.model.log_likelihood(*part) for part in parts]).double()

    def _block(self, lengths: Tensor, outcomes: Tensor, rules: Rules | None) -> Drawn:
        """One block, of several candidates each where that matters.

        Candidates compete with each other, so where rows are few under rules, some more are drawn with them.
        """
        num = len(lengths)
        rows = torch.arange(num if rules is None else max(num, FEWEST)) % num
        drawn = draw_fairly(
            self.model, lengths[rows], self.rng,
            outcomes=outcomes[rows], rules=rules,
            temperature=self.request.temperature, guide=self.request.guide,
        )  # fmt: skip
        return drawn.take(torch.arange(num, device=drawn.tokens.device))

    def _blocks(self, lengths: Tensor) -> Iterator[tuple[Tensor, Rules | None]]:
        """Rows (n,) that are drawn together, of one length where there are rules or a guide."""
        by_length = lengths.argsort(stable=True)
        together = max(16, BLOCK * LONG // max(LONG, self.record.max_length))
        if self.request.rules_of is None and self.request.guide is None:
            for rows in by_length.split(together):
                yield rows, None
            return
        sizes = torch.unique_consecutive(lengths[by_length], return_counts=True)[1]
        for mine in by_length.split(sizes.tolist()):
            for rows in mine.split(together):
                yield rows, self.rules.get(int(lengths[rows[0]]))

    def _lengths(self, num: int) -> Tensor:
        """(num,) lengths from those of training for which there is a sequence that obeys the rules."""
        while True:
            if not self.chances.any():
                raise self.failure or InputError("no length of the training sequences is possible")
            found = torch.multinomial(self.chances, num, replacement=True, generator=self.rng)
            lengths = found + self.record.min_length
            if self.request.rules_of is None or all(self._possible(n) for n in lengths.unique().tolist()):
                return lengths

    def _possible(self, length: int) -> bool:
        """Whether any sequence of this length obeys the rules; else it is not drawn again in this round."""
        assert self.request.rules_of is not None
        if length not in self.rules:
            rules = self.request.rules_of(length)
            start = torch.zeros(1, length, dtype=torch.long, device=rules.device)
            conflict = find_conflict(rules, start)
            if conflict is not None:
                self.failure = self.failure or InputError(conflict.message)
            self.rules[length] = rules if conflict is None else None
        if self.rules[length] is None:
            self.chances[length - self.record.min_length] = 0.0
            return False
        return True

    def _outcomes(self, num: int) -> Tensor:
        """(num,) outcomes to write for; NaN for a model without condition."""
        request, record = self.request, self.record
        if not record.knots:
            return torch.full((num,), torch.nan, dtype=torch.float64)
        if request.outcome is not None:
            return torch.full((num,), request.outcome, dtype=torch.float64)
        uniform = torch.rand(num, generator=self.rng, dtype=torch.float64)
        if record.shares:
            bounds = torch.tensor(np.cumsum(record.shares)[:-1])
            return torch.tensor(record.knots, dtype=torch.float64)[torch.searchsorted(bounds, uniform)]
        grid = np.linspace(0, 1, len(record.knots))
        return torch.from_numpy(np.interp(uniform.numpy(), grid, record.knots))
