"""What a constraint is, and what it says of a sequence that breaks it.

Shapes: N starts, B sequences or prefixes, L positions, V letters; ``rows`` (B,) says which start each belongs
to. A token below V is a letter, any other stands where a sequence has ended already.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from torch import Tensor

State = tuple[Tensor, ...]
"""What a walk remembers of B prefixes: int64 tensors (B, ...)."""


@dataclass(frozen=True)
class Violation:
    """One breach. Positions are 1-based and inclusive; None where the whole sequence is at fault."""

    constraint: str
    """The rule as the user would type it, such as ``--forbid GAATTC``."""
    message: str
    """What was found, such as ``GAATTC on the minus strand``."""
    first: int | None = None
    last: int | None = None

    @property
    def code(self) -> str:
        """For programs: ``forbid:GAATTC@11-16``."""
        place = "" if self.first is None else f"@{self.first}-{self.last}"
        return self.constraint.removeprefix("--").replace(" ", ":") + place

    def __str__(self) -> str:
        place = "" if self.first is None else f" at {self.first}-{self.last}"
        return f"{self.message}{place}"


class Walk(Protocol):
    """A constraint followed from left to right, one letter at a time.

    ``allowed`` must let pass every prefix of a feasible sequence. What it refuses early, because no feasible
    sequence begins so, spares the search a dead end; what it lets pass in vain costs time only, as long as
    every prefix of full length that is left is feasible.
    """

    dead: Tensor | None
    """(N,) or (1,) bool, the starts for which nothing at all can be feasible; None: no such start."""

    def start(self, rows: Tensor) -> State:
        """The state of B empty prefixes."""
        ...

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """Letters (B, V) bool that may follow the prefixes of t letters; None: all of them."""
        ...

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """The state after the letters (B,) at position t, counted from 0."""
        ...

    def may_end(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """(B,) bool, whether the prefixes of t letters are feasible as they are; None: all of them."""
        ...


class Constraint(Protocol):
    """A rule for sequences of at most L letters."""

    name: str
    """The rule as the user would type it."""

    def mask(self) -> Tensor | None:
        """(N, L, V) or (1, L, V) bool, the letters that can stand at each position; None: no limit."""
        ...

    def walk(self, mask: Tensor, shortest: int) -> Walk | None:
        """The rule letter by letter, for sequences inside the mask (N or 1, L, V) of all rules together.

        Sequences have ``shortest`` to L letters. None: the mask says it all.
        """
        ...

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """(B,) bool for complete sequences (B, L)."""
        ...

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """Every breach in one sequence (L,); empty exactly when it is feasible."""
        ...


def at(table: Tensor, rows: Tensor, t: int | slice) -> Tensor:
    """``table[rows, t]`` of a table (N, T, ...), or of one (1, T, ...) that holds for all starts."""
    return table[:, t] if len(table) == 1 else table[:, t].index_select(0, rows)


def lengths_of(tokens: Tensor, num_letters: int) -> Tensor:
    """Letters of each sequence (B, L), (B,) int64."""
    return (tokens < num_letters).sum(1)
