"""Whether rules can be obeyed at all, asked before anything is optimised; what contradicts what, if not."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdesign.constraints.constraint import Constraint
from seqdesign.constraints.rules import Rules
from seqdesign.constraints.search import Outcome, complete
from seqdesign.errors import InputError

ROWS = 256
"""Starts that are repaired side by side."""


@dataclass(frozen=True)
class Conflict:
    """Constraints of one start that no sequence obeys all of."""

    row: int
    names: tuple[str, ...]
    """None of them can be left out of the contradiction."""
    proven: bool
    """False: no sequence was found, but not all were looked at."""
    detail: str
    """What one of them says of a sequence that obeys the others; "" where there is no such sequence."""

    @property
    def message(self) -> str:
        """One sentence, and an example of what goes wrong."""
        names = " and ".join(self.names) if len(self.names) < 3 else ", ".join(self.names)
        if not self.proven:
            text = f"no sequence was found that obeys {names}; loosen one of them"
        elif len(self.names) == 1:
            text = f"no sequence can obey {names}"
        else:
            together = "both" if len(self.names) == 2 else "all"
            text = f"{names} contradict each other: no sequence can obey {together}"
        return f"{text}; {self.detail}" if self.detail else text


def check_feasible(
    rules: Rules, starts: Tensor, *, ids: Sequence[str] = (), source: str | None = None
) -> None:
    """Return if there is a feasible sequence for each start (N, L); letters of the starts are preferred.

    Raises InputError that names the first start without one, and a smallest set of constraints that cannot
    hold together there.
    """
    conflict = find_conflict(rules, starts)
    if conflict is not None:
        record = ids[conflict.row] if ids else str(conflict.row + 1)
        raise InputError(conflict.message, path=source, record=record)


def find_conflict(rules: Rules, starts: Tensor) -> Conflict | None:
    """The contradiction at the first start for which there is no feasible sequence, or None."""
    letters = torch.arange(rules.num_letters, device=starts.device)
    for rows in torch.arange(len(starts), device=starts.device).split(ROWS):
        preference = (starts[rows].unsqueeze(2) == letters).float()
        _, good = rules.repair(preference, rows)
        for i in (~good).nonzero().flatten().tolist():
            # Repair knows one length only.
            if complete(rules, preference[i], rows[i]).tokens is None:
                return _explained(rules, preference[i], rows[i])
    return None


def _explained(rules: Rules, preference: Tensor, row: Tensor) -> Conflict:
    """A smallest contradiction by deletion: leave out each constraint that is not needed for it."""

    def solve(constraints: Sequence[Constraint]) -> Outcome:
        return complete(rules.of(constraints), preference, row)

    needed = list(rules.constraints)
    outcome = solve(needed)
    for constraint in rules.constraints:
        rest = [c for c in needed if c is not constraint]
        without = solve(rest)
        if without.tokens is None and (without.proven or not outcome.proven):
            needed, outcome = rest, without
    return Conflict(int(row), tuple(c.name for c in needed), outcome.proven, _detail(needed, solve, int(row)))


def _detail(needed: Sequence[Constraint], solve: Callable[[Sequence[Constraint]], Outcome], row: int) -> str:
    """What one of the constraints says of a sequence that obeys the others; "" where there is none."""
    if len(needed) < 2:
        return ""
    # A mask only says which letter is wrong, so it is asked last.
    for constraint in sorted(needed, key=lambda c: c.mask() is not None):
        rest = [c for c in needed if c is not constraint]
        other = solve(rest).tokens
        violations = [] if other is None else constraint.explain(other, row)
        if violations:
            names = " and ".join(c.name for c in rest)
            return f"with {names} there is, for example, {violations[0]} ({constraint.name})"
    return ""
