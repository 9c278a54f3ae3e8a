"""The oracle behind a counter: scores candidates in blocks and keeps the best feasible one of each start."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor

from seqdesign.designers._problem import Designs, SequenceProblem, Stop

CPU_LETTERS, GPU_LETTERS = 25_600, 1_638_400
"""Letters in one call of the oracle: activations of more do not stay in a CPU's cache."""


class Scorer:
    """One for each run of a designer. Scores the starts at once, which is the first query of each."""

    def __init__(self, problem: SequenceProblem) -> None:
        self.problem = problem
        self.starts = problem.starts
        count, length = self.starts.shape
        device = self.starts.device
        letters = GPU_LETTERS if device.type == "cuda" else CPU_LETTERS
        self.block = max(16, min(4096, letters // length))
        """Sequences in one call."""
        self.used = torch.zeros(count, dtype=torch.long, device=device)
        """Queries so far, (N,)."""
        self.tokens = self.starts.clone()
        """The best feasible sequence so far, (N, L)."""
        self.soft = torch.full((count,), torch.nan, device=device)
        everyone = torch.arange(count, device=device)
        self.start_score = self._evaluate(self.starts, everyone)
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
        scores = self._evaluate(tokens, rows)
        self._remember(tokens, rows, scores, soft)
        return scores

    def gradient(self, x: Tensor, rows: Tensor) -> tuple[Tensor, Tensor]:
        """Scores (B,) of soft or hard one-hot (B, V, L) and their gradients (B, V, L)."""
        scores, slopes = [], []
        for part, owner in zip(x.split(self.block), rows.split(self.block), strict=True):
            with torch.enable_grad():
                leaf = part.detach().requires_grad_(True)
                value = self.problem.objective(self.problem.oracle(leaf), self.problem.keys[owner])
                (slope,) = torch.autograd.grad(value.sum(), leaf)
            scores.append(value.detach())
            slopes.append(slope)
        self.used += torch.bincount(rows, minlength=len(self.used))
        return torch.cat(scores), torch.cat(slopes)

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
        parts = [self.problem.oracle(self.one_hot(part)) for part in tokens.split(self.block)]
        return torch.cat(parts, 1)

    @torch.no_grad()
    def _evaluate(self, tokens: Tensor, rows: Tensor) -> Tensor:
        parts = []
        for part, owner in zip(tokens.split(self.block), rows.split(self.block), strict=True):
            predictions = self.problem.oracle(self.one_hot(part))
            parts.append(self.problem.objective(predictions, self.problem.keys[owner]))
        self.used += torch.bincount(rows, minlength=len(self.used))
        scores = torch.cat(parts)
        if self.problem.archive is not None:
            self.problem.archive.add(tokens, scores, self.problem.keys[rows])
        return scores

    def _remember(self, tokens: Tensor, rows: Tensor, scores: Tensor, soft: Tensor | None) -> None:
        """Keep the better of what was known and what came; of designs that are good enough the nearer."""
        edits = (tokens != self.starts[rows]).sum(1)
        worth = scores.double()
        if self.problem.enough is not None:
            worth = torch.where(scores >= self.problem.enough, 1e9 - edits, worth)
        # The best candidate of each start: sort by worth, then stably by start, and take the first of each.
        order = worth.sort(descending=True, stable=True).indices
        order = order[rows[order].sort(stable=True).indices]
        first = torch.ones_like(order, dtype=torch.bool)
        first[1:] = rows[order][1:] != rows[order][:-1]
        for i in order[first].tolist():
            row = int(rows[i])
            known = float(self.best[row])
            enough = self.problem.enough
            before = 1e9 - float(self.edits[row]) if enough is not None and known >= enough else known
            if float(worth[i]) > before:
                self.tokens[row], self.best[row], self.edits[row] = tokens[i], scores[i], edits[i]
                self.soft[row] = torch.nan if soft is None else soft[i]
