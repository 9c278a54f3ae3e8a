"""Letters of a design: ``--length 50-80``."""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.constraints.constraint import State, Violation, lengths_of
from seqdesign.constraints.positions import ranges
from seqdesign.constraints.starts import Starts
from seqdesign.errors import UsageError

OPTION = "--length"


def length(text: str, starts: Starts) -> Length:
    """Sequences of so many letters. Raises UsageError where no design can have so many."""
    found = list(ranges(text, OPTION))
    low, high = found[0]
    if len(found) > 1 or low > high or low < 1:
        raise UsageError(
            f"must be the fewest and the most letters, such as 50-80, got {text!r}", option=OPTION
        )
    if low > starts.length or high < starts.shortest:
        possible = (
            f"{starts.shortest} to {starts.length}" if starts.shortest < starts.length else starts.length
        )
        raise UsageError(f"designs have {possible} letters here, got {text}", option=OPTION)
    return Length(f"{OPTION} {text}", low, high, starts.alphabet.size)


class Length:
    """``low`` to ``high`` letters out of V."""

    def __init__(self, name: str, low: int, high: int, num_letters: int) -> None:
        self.name, self.low, self.high, self.num_letters = name, low, high, num_letters

    def mask(self) -> None:
        """Any letter may stand anywhere."""
        return

    def walk(self, mask: Tensor, shortest: int) -> _Walk:
        """Ends in time, and not too early."""
        return _Walk(self)

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether there are enough letters and not too many."""
        letters = lengths_of(tokens, self.num_letters)
        return (letters >= self.low) & (letters <= self.high)

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """One at most."""
        letters = int((tokens < self.num_letters).sum())
        return [] if self.low <= letters <= self.high else [Violation(self.name, f"{letters} letters")]


class _Walk:
    """Without state."""

    dead = None

    def __init__(self, rule: Length) -> None:
        self.rule = rule

    def start(self, rows: Tensor) -> State:
        """Nothing."""
        return ()

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """Any letter until the longest."""
        if t < self.rule.high:
            return None
        return torch.zeros(len(rows), self.rule.num_letters, dtype=torch.bool, device=rows.device)

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """Nothing to remember."""
        return ()

    def may_end(self, state: State, rows: Tensor, t: int) -> Tensor:
        """From the shortest on."""
        return torch.full((len(rows),), t >= self.rule.low, device=rows.device)
