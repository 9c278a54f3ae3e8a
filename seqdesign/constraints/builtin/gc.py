"""Share of G and C in the whole sequence: ``--gc 0.4-0.6``."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.constraints.constraint import State, Violation, at, lengths_of
from seqdesign.constraints.gc_counts import bounds, gc_of, need_a_number, reach
from seqdesign.constraints.positions import fractions
from seqdesign.constraints.starts import Starts

OPTION = "--gc"


def gc(text: str, starts: Starts) -> GC:
    """Sequences of DNA or RNA with such a share. Raises UsageError."""
    is_gc = gc_of(starts, OPTION)
    low, high = fractions(text, OPTION)
    if starts.fixed_length:
        need_a_number(low, high, starts.length, text, OPTION)
    return GC(f"{OPTION} {text}", low, high, is_gc, starts.length)


class GC:
    """G and C between two shares; an empty sequence has any."""

    def __init__(self, name: str, low: float, high: float, is_gc: Tensor, length: int) -> None:
        self.name, self.low, self.high, self.is_gc = name, low, high, is_gc
        self.limits = torch.tensor([bounds(low, high, n) for n in range(length + 1)], device=is_gc.device)
        """(L+1, 2): fewest and most for each number of letters."""

    def mask(self) -> None:
        """Any letter may stand anywhere."""
        return

    def limits_on_counts(self, length: int) -> tuple[int, int, int]:
        """Letters of a window, fewest and most G and C in it: the sequence is one window."""
        fewest, most = self.limits[length].tolist()
        return length, fewest, most

    def walk(self, mask: Tensor, shortest: int) -> _Walk:
        """Counts, and looks ahead to what the mask leaves."""
        return _Walk(self, mask, shortest)

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether the count is between its limits."""
        count = self.is_gc[tokens.clamp(max=len(self.is_gc) - 1)].sum(1)
        limits = self.limits[lengths_of(tokens, len(self.is_gc) - 1)]
        return (count >= limits[:, 0]) & (count <= limits[:, 1])

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """One at most."""
        if bool(self.is_feasible(tokens.unsqueeze(0), torch.zeros(1))):
            return []
        count = int(self.is_gc[tokens.clamp(max=len(self.is_gc) - 1)].sum())
        letters = int(lengths_of(tokens.unsqueeze(0), len(self.is_gc) - 1))
        return [Violation(self.name, f"GC content {count / letters:.4g} ({count} of {letters} letters)")]


class _Walk:
    """The state is the number of G and C so far, (B,)."""

    def __init__(self, rule: GC, mask: Tensor, shortest: int) -> None:
        self.rule, length = rule, mask.shape[1]
        fewest, most = reach(rule.is_gc, mask)
        low, high = rule.limits.unbind(1)
        # A sequence that may end later can do all that one can that must end now, but for rounding: take the
        # longest that has a number of G and C at all.
        lows, highs = [], []
        numbers = (low <= high).tolist()
        longest = next((n for n in range(length, max(shortest, 0) - 1, -1) if numbers[n]), None)
        for t in range(length + 1):
            if longest is None or longest < t:
                lows.append(torch.ones_like(fewest[:, 0]))
                highs.append(torch.zeros_like(fewest[:, 0]))
            else:
                lows.append(low[longest] - (most[:, longest] - most[:, t]))
                highs.append(high[longest] - (fewest[:, longest] - fewest[:, t]))
        self.low, self.high = torch.stack(lows, 1), torch.stack(highs, 1)
        """(N or 1, L+1): limits of the count after t letters."""
        dead = (self.low[:, 0] > 0) | (self.high[:, 0] < 0)
        self.dead = dead if bool(dead.any()) else None

    def start(self, rows: Tensor) -> State:
        """None yet."""
        return (torch.zeros_like(rows),)

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor:
        """Letters after which the limits can still be met."""
        after = state[0].unsqueeze(1) + self.rule.is_gc[:-1]
        low, high = at(self.low, rows, t + 1), at(self.high, rows, t + 1)
        return (after >= low.unsqueeze(1)) & (after <= high.unsqueeze(1))

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """One more for G and C."""
        return (state[0] + self.rule.is_gc[letters],)

    def may_end(self, state: State, rows: Tensor, t: int) -> Tensor:
        """Whether the count is between its limits now."""
        return (state[0] >= self.rule.limits[t, 0]) & (state[0] <= self.rule.limits[t, 1])
