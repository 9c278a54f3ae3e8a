"""What a constraint is, and what it says of a sequence that breaks it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor


@dataclass(frozen=True)
class Violation:
    """One breach. Positions are 1-based and inclusive; None where the whole sequence is at fault."""

    constraint: str
    """The rule as the user would type it, such as ``--forbid GAATTC``."""
    message: str
    """What was found, such as ``GAATTC on the minus strand``."""
    first: int | None = None
    last: int | None = None


class Constraint(Protocol):
    """A rule for sequences of one length L over V letters; ``rows`` names the start of each sequence.

    ``is_feasible`` decides. The two others only guide: ``mask`` says what can never be right, ``allowed``
    what cannot follow a prefix, so that a search from left to right seldom gets stuck.
    """

    name: str
    """The rule as the user would type it."""

    def mask(self) -> Tensor | None:
        """(N, L, V) or (1, L, V) bool, the letters that can stand at each position; None: no limit."""
        ...

    def allowed(self, prefix: Tensor, rows: Tensor) -> Tensor | None:
        """Letters (B, V) bool that may follow the prefixes (B, t); None: all of them."""
        ...

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """(B,) bool for complete sequences (B, L)."""
        ...

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """Every breach in one sequence (L,); empty exactly when it is feasible."""
        ...
