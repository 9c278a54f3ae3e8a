"""Guided writing: chains with the law p(x) exp(f(x) / T), whose moves a language model writes.

A move hides a span of a sequence and lets the language model write it anew, each letter a at place i from

    p(a | what the model reads) exp(gamma g_ia / T),   g the gradient of the score f at the sequence

and Metropolis and Hastings decide (classifier guidance by Taylor's formula: Nisonoff et al. 2024, arXiv
2406.01572; gradient-informed proposals: Grathwohl et al. 2021, arXiv 2102.04509). Spans are as often short
as long: long ones exchange whole motifs, short ones polish. Without a gradient gamma is 0: the model
proposes, the oracle chooses. T falls while the budget is spent, and p(x) is cut off where sequences are less
likely than the model's own samples, so that in the end the chain climbs among those that the model would
write.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.black_box_options import GuidedOptions
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.problem import Designs, Language, SequenceProblem
from seqdesign.errors import UsageError

LEAST_STEPS = 100
"""Steps of a chain for the sake of which there are fewer chains."""
FORBIDDEN = -1e9
"""What is added to the log-probability of a letter that the rules forbid."""


def guided(problem: SequenceProblem, options: GuidedOptions, seed: int) -> Designs:
    """The best sequence that the chains of a start met among those that are likely enough.

    A step of a chain is one query. Raises UsageError without a language model.
    """
    if problem.language is None:
        raise UsageError(
            "--method guided: needs a language model; name a folder of train-lm or train-vae with --generator"
        )
    crowd = Crowd(problem, seed)
    walk = _Walk(crowd, problem.language, options)
    while len(rows := crowd.active()):
        walk.step(rows)
    return crowd.designs(pruned=False)


class _Walk:
    """C chains of each of N starts: tokens (N, C, L), score and log p (N, C), slope (N, C, L, V)."""

    def __init__(self, crowd: Crowd, language: Language, options: GuidedOptions) -> None:
        self.crowd, self.writer, self.options = crowd, language.writer, options
        problem = crowd.problem
        self.slopes = problem.oracle.differentiable and options.strength > 0
        self.chains = max(1, min(options.chains, (problem.budget - 1) // LEAST_STEPS))
        starts = problem.starts
        self.floor = (language.usual + options.least_likely * language.spread).double()[:, None]
        self.tokens = starts.unsqueeze(1).repeat(1, self.chains, 1)
        self.score = crowd.scorer.start_score.double()[:, None].repeat(1, self.chains)
        self.log_p = self.writer.log_prob(starts)[:, None].repeat(1, self.chains)
        self.slope = torch.zeros(*self.tokens.shape, crowd.letters, dtype=torch.float64, device=crowd.device)
        self.change = torch.zeros(crowd.count, 2, dtype=torch.float64, device=crowd.device)
        rows = crowd.active()
        if self.slopes and len(rows):
            slope = crowd.scorer.gradient(crowd.scorer.one_hot(starts[rows]), rows)[1]
            self.slope[rows] = relative(slope, starts[rows]).unsqueeze(1)
            steepest = self.slope[rows].abs().amax((1, 2, 3)).nan_to_num()
            self.change[rows] = torch.stack([steepest, torch.ones_like(steepest)], 1)

    def step(self, rows: Tensor) -> None:
        """One move of each chain that the budget permits; starts (R,)."""
        crowd = self.crowd
        chance = crowd.dice.uniform(rows, self.chains, 3 + crowd.length)
        item = torch.arange(len(rows), device=crowd.device).repeat_interleave(self.chains)
        chain = torch.arange(self.chains, device=crowd.device).repeat(len(rows))
        owner, luck = rows[item], chance.flatten(0, 1)
        begin, end, single = self._spans(owner, luck[:, 0], luck[:, 1])
        old, heat = self.tokens[owner, chain], self._heat(rows)[item]
        tilt = self._tilt(self.slope[owner, chain], owner, heat, old, single)
        new, forth = self.writer.rewrite(old, begin, end, tilt, luck[:, 3:].double())
        shape = (len(rows), self.chains)
        before = old.view(*shape, -1)
        child = new.view(*shape, -1)
        child, good = crowd.repaired(child, before, rows, crowd.proper(child, before, rows))
        good &= good.cumsum(1) <= crowd.scorer.left[rows, None]
        crowd.steps[rows] += 1
        kept = good.flatten().nonzero().squeeze(1)
        if len(kept):
            self._decide(
                child.flatten(0, 1)[kept], owner[kept], chain[kept], heat[kept], luck[kept, 2].double().log(),
                forth[kept], (begin[kept], end[kept], single[kept]),
            )  # fmt: skip

    def _decide(
        self, new: Tensor, owner: Tensor, chain: Tensor, heat: Tensor, luck: Tensor, forth: Tensor,
        span: tuple[Tensor, Tensor, Tensor],
    ) -> None:  # fmt: skip
        """Score proposals (B, L), take those that Metropolis and Hastings take, remember the likely ones."""
        scorer, begin, end, single = self.crowd.scorer, *span
        x = scorer.one_hot(new)
        if self.slopes:
            raw, slope = scorer.gradient(x, owner)
            slope = relative(slope, new)
        else:
            raw, slope = scorer.relaxed(x, owner), self.slope[owner, chain]
        score = raw.double().nan_to_num(nan=-torch.inf)
        log_p, before, was = self.writer.log_prob(new), self.log_p[owner, chain], self.score[owner, chain]
        old = self.tokens[owner, chain]
        back = self.writer.log_q(old, begin, end, self._tilt(slope, owner, heat, new, single))
        gain = score - was
        self.change.index_add_(0, owner, _sum_and_number(gain))
        floor = self.floor[owner, 0]
        ratio = gain / heat + self.options.prior * (log_p - before) + back - forth
        likely = log_p >= floor
        taken = (
            torch.where(likely, (luck < ratio) | (before < floor), (log_p > before) & (before < floor))
            & score.isfinite()
        )
        self.tokens[owner[taken], chain[taken]] = new[taken]
        self.score[owner[taken], chain[taken]] = score[taken]
        self.log_p[owner[taken], chain[taken]] = log_p[taken]
        self.slope[owner[taken], chain[taken]] = slope[taken]
        if bool(likely.any()):
            scorer.remember(new[likely], owner[likely], raw[likely])

    def _heat(self, rows: Tensor) -> Tensor:
        """T (R,), in units of what a move typically changes; it falls with the share of the budget spent."""
        spent = self.crowd.scorer.used[rows].double() / self.crowd.problem.budget
        typical = self.change[rows, 0] / self.change[rows, 1].clamp(min=1)
        hot, cold = self.options.hot, self.options.cold
        return (typical * hot * (cold / hot) ** spent).clamp(min=1e-12)

    def _spans(self, owner: Tensor, size: Tensor, place: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        """Begin and end (B,) of spans of free positions, log-uniform in their number; whether that is one."""
        free = self.crowd.free[owner]
        count = free.sum(1).clamp(min=1)
        number = (count + 1.0).pow(size).long().clamp(min=1).minimum(count)
        first = (place * (count + number - 1)).long() - (number - 1)
        last = (first + number - 1).minimum(count - 1)
        first = first.clamp(min=0)
        order = (~free).long().argsort(dim=1, stable=True)
        begin, end = order.gather(1, first[:, None])[:, 0], order.gather(1, last[:, None])[:, 0] + 1
        return begin, end, first == last

    def _tilt(self, slope: Tensor, owner: Tensor, heat: Tensor, tokens: Tensor, single: Tensor) -> Tensor:
        """What is added to the model's log-probabilities, (B, L, V), where a move from ``tokens`` begins.

        A span of one position is to get another letter than it has.
        """
        tilt = self.options.strength * slope / heat[:, None, None]
        mask = self.crowd.rules.mask[owner]
        own = torch.nn.functional.one_hot(tokens, self.crowd.letters).bool()
        choice = mask.sum(2, keepdim=True) > 1
        return tilt.masked_fill(~mask | (own & single[:, None, None] & choice), FORBIDDEN)


def relative(slope: Tensor, tokens: Tensor) -> Tensor:
    """First-order change of the score by each letter: slope (B, V, L), tokens (B, L) -> (B, L, V)."""
    slope = slope.double().movedim(1, 2).nan_to_num(0.0)
    return slope - slope.gather(2, tokens.unsqueeze(2))


def _sum_and_number(gain: Tensor) -> Tensor:
    finite = gain.isfinite()
    return torch.stack([gain.abs().where(finite, 0.0), finite.double()], 1)
