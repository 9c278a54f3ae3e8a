"""At most so many letters that differ from the start: ``--max-edits 10``. Lengths do not change here."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.constraints.constraint import State, Violation
from seqdesign.constraints.starts import Starts

OPTION = "--max-edits"


def max_edits(text: str, starts: Starts) -> MaxEdits:
    """Sequences within ``int(text)`` substitutions of their start. Raises UsageError."""
    starts.need_fixed_length(OPTION)
    return MaxEdits(int(text), starts.tokens)


class MaxEdits:
    """A ball around each start (N, L) in Hamming distance; what is no letter differs from all letters.

    limits: (N,), where each start has its own; ``limit`` is the largest of them.
    """

    def __init__(
        self, limit: int, starts: Tensor, *, name: str | None = None, limits: Tensor | None = None
    ) -> None:
        self.name, self.limit, self.starts = name or f"{OPTION} {limit}", limit, starts
        self.limits = torch.full_like(starts[:, 0], limit) if limits is None else limits

    def mask(self) -> None:
        """Any letter may stand anywhere."""
        return

    def walk(self, mask: Tensor, shortest: int) -> _Walk:
        """Counts, and looks ahead to the places where the mask excludes the start's letter."""
        return _Walk(self, mask)

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether few letters differ."""
        return (tokens != self.starts[rows]).sum(1) <= self.limits[rows]

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """One at most."""
        edits = int((tokens != self.starts[row]).sum())
        return [Violation(self.name, f"{edits} edits")] if edits > int(self.limits[row]) else []


class _Walk:
    """The state is the number of edits so far, (B,)."""

    def __init__(self, ball: MaxEdits, mask: Tensor) -> None:
        self.starts = ball.starts
        letters = torch.arange(mask.shape[2], device=mask.device)
        self.letters = letters
        forced = ~(mask & (ball.starts.unsqueeze(2) == letters)).any(2)
        after = torch.nn.functional.pad(forced.long().flip(1).cumsum(1).flip(1), (0, 1))
        self.spare = ball.limits[:, None] - after
        """(N, L+1): edits that t letters may hold, so that the rest is possible."""
        dead = self.spare[:, 0] < 0
        self.dead = dead if bool(dead.any()) else None

    def start(self, rows: Tensor) -> State:
        """No edit."""
        return (torch.zeros_like(rows),)

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor:
        """Any letter while edits are left, else the start's own."""
        differs = self.starts[:, t].index_select(0, rows).unsqueeze(1) != self.letters
        spare = self.spare[:, t + 1].index_select(0, rows)
        return differs <= (spare - state[0]).unsqueeze(1)

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """One more where the letter differs."""
        return (state[0] + (letters != self.starts[:, t].index_select(0, rows)),)

    def may_end(self, state: State, rows: Tensor, t: int) -> None:
        """Few edits are few at any time."""
        return
