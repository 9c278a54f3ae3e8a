"""Share of G and C in every window of so many letters: ``--gc-window 50:0.3-0.7``."""

from __future__ import annotations

import re

import torch
from torch import Tensor
from torch.nn.functional import pad

from seqdesign.constraints.constraint import State, Violation, at
from seqdesign.constraints.gc_counts import FAR, gc_of, need_a_number, reach
from seqdesign.constraints.positions import fractions
from seqdesign.constraints.starts import Starts
from seqdesign.errors import UsageError

OPTION = "--gc-window"


def gc_window(text: str, starts: Starts) -> GCWindow:
    """Sequences of DNA or RNA with such a share in every window. Raises UsageError."""
    is_gc = gc_of(starts, OPTION)
    match = re.fullmatch(r"\s*(\d{1,9})\s*:(.*)", text, re.ASCII)
    if match is None or int(match[1]) < 1:
        raise UsageError(f"must be letters:low-high such as 50:0.3-0.7, got {text!r}", option=OPTION)
    width = int(match[1])
    if width > starts.length:
        raise UsageError(
            f"a window of {width} letters does not fit into designs of at most {starts.length}; use --gc",
            option=OPTION,
        )
    low, high = fractions(match[2], OPTION)
    fewest, most = need_a_number(low, high, width, match[2].strip(), OPTION)
    return GCWindow(f"{OPTION} {text}", width, fewest, most, is_gc)


class GCWindow:
    """``fewest`` to ``most`` G and C among any ``width`` letters in a row."""

    def __init__(self, name: str, width: int, fewest: int, most: int, is_gc: Tensor) -> None:
        self.name, self.width, self.fewest, self.most, self.is_gc = name, width, fewest, most, is_gc

    def mask(self) -> None:
        """Any letter may stand anywhere."""
        return

    def limits_on_counts(self, length: int) -> tuple[int, int, int]:
        """Letters of a window, fewest and most G and C in it."""
        return self.width, self.fewest, self.most

    @property
    def span(self) -> int:
        """Letters of a window."""
        return self.width

    def walk(self, mask: Tensor, shortest: int) -> WindowWalk:
        """Counts in each open window, and looks ahead to what the mask leaves."""
        walk = WindowWalk(self.is_gc, self.width, (self.fewest, self.most), mask, shortest)
        fewest, most = walk.inside
        dead = ((most < self.fewest) | (fewest > self.most)).any(1)
        walk.dead = dead if bool(dead.any()) else None
        return walk

    def _wrong(self, tokens: Tensor) -> Tensor:
        """Tokens (B, L) -> (B, L - w + 1) bool, the windows that break the rule."""
        count = pad(self.is_gc.int()[tokens.clamp(max=len(self.is_gc) - 1)].cumsum(1), (1, 0))
        inside = count[:, self.width :] - count[:, : -self.width]
        complete = tokens[:, self.width - 1 :] < len(self.is_gc) - 1
        return ((inside < self.fewest) | (inside > self.most)) & complete

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether no window breaks the rule."""
        return ~self._wrong(tokens).any(1)

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """One for each stretch of wrong windows that overlap, with the share of the worst of them."""
        starts = self._wrong(tokens.unsqueeze(0))[0].nonzero().flatten().tolist()
        stretches: list[list[int]] = []
        for start in starts:
            if stretches and start == stretches[-1][-1] + 1:
                stretches[-1].append(start)
            else:
                stretches.append([start])
        return [self._violation(tokens, stretch) for stretch in stretches]

    def _violation(self, tokens: Tensor, stretch: list[int]) -> Violation:
        count = self.is_gc[tokens.clamp(max=len(self.is_gc) - 1)]
        shares = [int(count[i : i + self.width].sum()) for i in stretch]
        worst = max(shares, key=lambda n: max(self.fewest - n, n - self.most))
        message = f"GC content {worst / self.width:.4g} ({worst} of {self.width} letters) in a window"
        return Violation(self.name, message, stretch[0] + 1, stretch[-1] + self.width)


class WindowWalk:
    """The state is the number of G and C among the first t - w + 1 ... t letters, (B, w)."""

    def __init__(
        self, is_gc: Tensor, width: int, limits: tuple[int, int], mask: Tensor, shortest: int
    ) -> None:
        self.width, self._limits = width, limits
        self.dead: Tensor | None = None
        fewest, most = (x.int() for x in reach(is_gc, mask))
        self.is_gc = is_gc.int()
        self.least, self.greatest = fewest, most
        # Windows from s on that must be complete in the end; the others count once they are.
        places = range(self.width, min(shortest, mask.shape[1]) + 1)
        ends = torch.tensor([*places], dtype=torch.long, device=mask.device)
        left = self.width - 1
        right = mask.shape[1] + 1 - len(ends)
        # Entry i belongs to the window from i - (w - 1) on.
        self.most_later = pad(most[:, ends], (left, right), value=FAR)
        self.least_later = pad(fewest[:, ends], (left, right), value=-FAR)
        self.inside = (
            fewest[:, ends] - fewest[:, ends - self.width],
            most[:, ends] - most[:, ends - self.width],
        )
        """Fewest and most G and C that the mask leaves in each window."""

    def start(self, rows: Tensor) -> State:
        """No window has begun."""
        return (torch.zeros(len(rows), self.width, dtype=torch.int32, device=rows.device),)

    def limits(self, state: State) -> tuple[Tensor | int, Tensor | int]:
        """Fewest and most G and C in a window, as far as the prefixes say."""
        return self._limits

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor:
        """Letters after which each open window can still meet its limits."""
        counts, (fewest, most) = state[0], self.limits(state)
        open_ = slice(t, t + self.width)
        need = (counts - at(self.most_later, rows, open_)).amax(1) + at(self.greatest, rows, t + 1)
        room = (counts - at(self.least_later, rows, open_)).amin(1) + at(self.least, rows, t + 1)
        low, high = need + fewest, room + most
        if t + 1 >= self.width:  # the window that this letter completes
            low = torch.maximum(low, counts[:, 0] + fewest)
            high = torch.minimum(high, counts[:, 0] + most)
        after = counts[:, -1:] + self.is_gc[:-1]
        return (after >= low.unsqueeze(1)) & (after <= high.unsqueeze(1))

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """The count moves on by one letter."""
        counts = state[0]
        return (torch.cat([counts[:, 1:], counts[:, -1:] + self.is_gc[letters].unsqueeze(1)], 1),)

    def may_end(self, state: State, rows: Tensor, t: int) -> None:
        """All complete windows have been seen to."""
        return
