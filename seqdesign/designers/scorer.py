"""The oracle behind a counter: scores candidates in blocks and keeps the best feasible one of each start."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqdesign.designers.problem import Designs, SequenceProblem, Stop
from seqdesign.devices.blocks import block_size, in_blocks
from seqdesign.errors import UsageError

CPU_LETTERS = 25_600
"""Letters in one call of the oracle: activations of more do not stay in a CPU's cache."""
LETTER_BYTES = 1 << 14
"""What a letter takes on a GPU with its gradient: some hundred channels in some ten layers."""


def require_gradient(problem: SequenceProblem, method: str) -> None:
    """UsageError unless the oracle has a gradient."""
    if not problem.oracle.differentiable:
        raise UsageError(
            f"--method {method}: needs an oracle with a gradient, and this one has none; "
            "choose a method that only scores sequences"
        )


def stops(scorer: Scorer, finished: Tensor | None = None) -> tuple[Stop, ...]:
    """Why each start ended: good enough, no free position, all steps done, budget spent, or else converged.

    finished: (N,) bool, starts whose steps are done, of a method that ends with them.
    """
    stuck = (scorer.problem.rules.mask.sum(2) > 1).sum(1) == 0
    finished = torch.zeros_like(stuck) if finished is None else finished
    flags = zip(scorer.done.tolist(), stuck.tolist(), finished.tolist(), scorer.left.tolist(), strict=True)
    return tuple(
        "target" if done else "stuck" if fixed else "steps" if end else "budget" if left < 3 else "converged"
        for done, fixed, end, left in flags
    )


class Scorer:
    """One for each run of a designer. Scores the starts at once, which is the first query of each."""

    def __init__(self, problem: SequenceProblem) -> None:
        self.problem = problem
        self.starts = problem.starts
        count, length = self.starts.shape
        device = self.starts.device
        cpu = max(16, min(4096, CPU_LETTERS // length))
        self.block = block_size(device, LETTER_BYTES * length, cpu=cpu)
        """Sequences in one call."""
        self.used = torch.zeros(count, dtype=torch.long, device=device)
        """Queries so far, (N,)."""
        self.tokens = self.starts.clone()
        """The best feasible sequence so far, (N, L)."""
        self.soft = torch.full((count,), torch.nan, device=device)
        everyone = torch.arange(count, device=device)
        self.start_score = self._evaluate(self.one_hot(self.starts), everyone)
        self._archive(self.starts, self.start_score, everyone)
        self.best = self.start_score.clone()
        """Its score, (N,)."""
        self.edits = torch.zeros(count, dtype=torch.long, device=device)

    @property
    def left(self) -> Tensor:
        """Queries that each start may still spend, (N,)."""
        return self.problem.budget - self.used

    @property
    def done(self) -> Tensor:
        """Starts whose design is good enough, (N,) bool."""
        enough = self.problem.enough
        return torch.zeros_like(self.best, dtype=torch.bool) if enough is None else self.best >= enough

    def score(self, tokens: Tensor, rows: Tensor, soft: Tensor | None = None) -> Tensor:
        """Scores (B,) of feasible sequences (B, L) of the starts ``rows`` (B,); the best are remembered.

        soft: (B,) scores of the relaxed sequences they were decoded from.
        """
        scores = self._evaluate(self.one_hot(tokens), rows)
        self.remember(tokens, rows, scores, soft)
        return scores

    def gradient(self, x: Tensor, rows: Tensor, counts: Tensor | None = None) -> tuple[Tensor, Tensor]:
        """Scores (B,) of soft or hard one-hot (B, V, L) and their gradients (B, V, L).

        counts: (B,) bool, rows that are queries; all of them when not given.
        """

        def part(block: slice) -> tuple[Tensor, Tensor]:
            with torch.enable_grad():
                leaf = x[block].detach().requires_grad_(True)
                keys = self.problem.keys[rows[block]]
                value = self._value(leaf, keys)
                (slope,) = torch.autograd.grad(value.sum(), leaf)
            return value.detach(), slope

        scores, slopes = zip(*in_blocks(part, len(rows), self.block), strict=True)
        self._count(rows, counts)
        return torch.cat(scores), torch.cat(slopes)

    def _count(self, rows: Tensor, counts: Tensor | None = None) -> None:
        """Put queries of these starts (B,) on their account."""
        self.used.index_add_(0, rows, torch.ones_like(rows) if counts is None else counts.long())

    def relaxed(self, x: Tensor, rows: Tensor) -> Tensor:
        """Scores (B,) of relaxed one-hot (B, V, L), one query each; never remembered."""
        return self._evaluate(x, rows)

    def one_hot(self, tokens: Tensor) -> Tensor:
        """(B, L) letters -> (B, V, L) float."""
        letters = torch.arange(self.problem.rules.num_letters, device=tokens.device)
        return (tokens.unsqueeze(1) == letters[:, None]).float()

    def designs(self, stop: Sequence[Stop], steps: Tensor) -> Designs:
        """What was found; predictions of it are not counted as queries."""
        return Designs(
            tokens=self.tokens,
            score=self.best,
            start_score=self.start_score,
            predictions=self._predict(self.tokens),
            soft_score=self.soft,
            num_queries=self.used,
            steps=steps,
            stop=tuple(stop),
        )

    @torch.no_grad()
    def _predict(self, tokens: Tensor) -> Tensor:
        def part(block: slice) -> Tensor:
            return self.problem.oracle(self.one_hot(tokens[block]))

        return torch.cat(list(in_blocks(part, len(tokens), self.block)), 1)

    def _value(self, x: Tensor, keys: Tensor) -> Tensor:
        """Scores (B,) of one-hot or soft (B, V, L) of the starts with these keys (B,)."""
        value = self.problem.objective(self.problem.oracle(x), keys)
        return value if self.problem.pull is None else value - self.problem.pull(x, keys).to(value)

    @torch.no_grad()
    def _evaluate(self, x: Tensor, rows: Tensor) -> Tensor:
        def part(block: slice) -> Tensor:
            return self._value(x[block], self.problem.keys[rows[block]])

        found = torch.cat(list(in_blocks(part, len(rows), self.block)))
        self._count(rows)
        return found

    def remember_each(self, tokens: Tensor, rows: Tensor, scores: Tensor, good: Tensor) -> None:
        """``remember`` for different starts ``rows`` (B,), and only what is ``good`` (B,).

        Nothing is picked out, so the host need not wait for what the device finds.
        """
        if self.problem.archive is not None:
            self._archive(tokens[good], scores[good], rows[good])
        edits = (tokens != self.starts[rows]).sum(1)
        near, high = self._worth(scores, edits)
        known_near, known_high = self._worth(self.best[rows], self.edits[rows])
        better = good & ((near > known_near) | ((near == known_near) & (high > known_high)))
        self.tokens[rows] = torch.where(better.unsqueeze(1), tokens, self.tokens[rows])
        self.best[rows] = torch.where(better, scores, self.best[rows])
        self.edits[rows] = torch.where(better, edits, self.edits[rows])
        self.soft[rows] = self.soft[rows].masked_fill(better, torch.nan)

    def remember(self, tokens: Tensor, rows: Tensor, scores: Tensor, soft: Tensor | None = None) -> None:
        """Keep the better of what was known and what came; of designs that are good enough the nearer.

        For sequences whose scores are known already, from a gradient; ``score`` calls it itself.
        """
        self._archive(tokens, scores, rows)
        edits = (tokens != self.starts[rows]).sum(1)
        near, high = self._worth(scores, edits)
        # The best candidate of each start: sort by worth, then stably by start, and take the first of each.
        order = high.sort(descending=True, stable=True).indices
        order = order[near[order].sort(descending=True, stable=True).indices]
        order = order[rows[order].sort(stable=True).indices]
        first = torch.ones_like(order, dtype=torch.bool)
        first[1:] = rows[order][1:] != rows[order][:-1]
        chosen = order[first]
        row = rows[chosen]
        known_near, known_high = self._worth(self.best[row], self.edits[row])
        near, high = near[chosen], high[chosen]
        better = (near > known_near) | ((near == known_near) & (high > known_high))
        chosen, row = chosen[better], row[better]
        self.tokens[row], self.best[row], self.edits[row] = tokens[chosen], scores[chosen], edits[chosen]
        self.soft[row] = torch.nan if soft is None else soft[chosen]

    def _archive(self, tokens: Tensor, scores: Tensor, rows: Tensor) -> None:
        if self.problem.archive is not None:
            self.problem.archive.add(tokens, scores, self.problem.keys[rows])

    def _worth(self, scores: Tensor, edits: Tensor) -> tuple[Tensor, Tensor]:
        """Two keys, the first of which counts more: nearness (B,) once good enough, and the score (B,)."""
        high = scores.masked_fill(scores.isnan(), -torch.inf)
        enough = torch.inf if self.problem.enough is None else self.problem.enough
        return torch.where(high >= enough, -edits.to(high.dtype), -torch.inf), high
