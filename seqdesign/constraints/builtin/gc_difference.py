"""How far windows may lie apart in GC content: ``--gc-difference 50:0.52``."""

from __future__ import annotations

import math
import re

import torch
from torch import Tensor
from torch.nn.functional import pad

from seqdesign.constraints.builtin.gc_window import WindowWalk
from seqdesign.constraints.constraint import State, Violation
from seqdesign.constraints.gc_counts import FAR, gc_of
from seqdesign.constraints.starts import Starts
from seqdesign.errors import UsageError

OPTION = "--gc-difference"


def gc_difference(text: str, starts: Starts) -> GCDifference:
    """The windows with most and fewest G and C differ by so much at most. Raises UsageError."""
    is_gc = gc_of(starts, OPTION)
    match = re.fullmatch(r"\s*(\d{1,9})\s*:\s*(\d*\.?\d+)\s*", text, re.ASCII)
    width, share = (int(match[1]), float(match[2])) if match else (0, 2.0)
    if width < 1 or share > 1:
        raise UsageError(
            f"must be the letters of a window and a share of them, such as 50:0.52, got {text!r}",
            option=OPTION,
        )
    if width >= starts.length:
        raise UsageError(
            f"designs of at most {starts.length} letters have no two windows of {width}; leave it out",
            option=OPTION,
        )
    return GCDifference(f"{OPTION} {text}", width, math.floor(share * width + 1e-9), is_gc)


class GCDifference:
    """Between any two windows of ``width`` letters at most ``most`` more G and C."""

    def __init__(self, name: str, width: int, most: int, is_gc: Tensor) -> None:
        self.name, self.width, self.most, self.is_gc = name, width, most, is_gc

    @property
    def span(self) -> int:
        """Letters of a window."""
        return self.width

    def mask(self) -> None:
        """Any letter may stand anywhere."""
        return

    def walk(self, mask: Tensor, shortest: int) -> _Walk:
        """The windows so far limit those to come."""
        return _Walk(self.is_gc, self.width, (0, self.most), mask, shortest)

    def _counts(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """G and C in each window (B, L - w + 1), and which windows hold letters only."""
        size = len(self.is_gc) - 1
        count = pad(self.is_gc.int()[tokens.clamp(max=size)].cumsum(1), (1, 0))
        known = pad((tokens < size).int().cumsum(1), (1, 0))
        whole = known[:, self.width :] - known[:, : -self.width] == self.width
        return count[:, self.width :] - count[:, : -self.width], whole

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether the windows are alike enough."""
        if tokens.shape[1] < self.width:
            return torch.ones(len(tokens), dtype=torch.bool, device=tokens.device)
        count, whole = self._counts(tokens)
        return count.masked_fill(~whole, -FAR).amax(1) - count.masked_fill(~whole, FAR).amin(1) <= self.most

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """One at most, at the window with most G and C."""
        if bool(self.is_feasible(tokens.unsqueeze(0), torch.zeros(1))):
            return []
        count, whole = (x[0] for x in self._counts(tokens.unsqueeze(0)))
        high = int(count.masked_fill(~whole, -FAR).argmax())
        low = int(count.masked_fill(~whole, FAR).argmin())
        share = [int(count[i]) / self.width for i in (high, low)]
        message = (
            f"GC content {share[0]:.4g} in a window, but {share[1]:.4g} at {low + 1}-{low + self.width}: "
            f"a difference of {share[0] - share[1]:.4g}"
        )
        return [Violation(self.name, message, high + 1, high + self.width)]


class _Walk(WindowWalk):
    """The state of the windows, and the fewest and most G and C of those that are complete (B,)."""

    def start(self, rows: Tensor) -> State:
        """No window is complete."""
        none = torch.zeros_like(rows, dtype=torch.int32)
        return *super().start(rows), none + self.width, none

    def limits(self, state: State) -> tuple[Tensor, Tensor]:
        """As far from the windows so far as the rule permits."""
        return state[2] - self._limits[1], state[1] + self._limits[1]

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """One more window may be complete."""
        counts, fewest, most = state
        (moved,) = super().advance((counts,), letters, rows, t)
        if t + 1 >= self.width:
            window = moved[:, -1] - counts[:, 0]
            fewest, most = torch.minimum(fewest, window), torch.maximum(most, window)
        return moved, fewest, most
