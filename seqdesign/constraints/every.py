"""Several constraints that one option states: they hold all at once."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor

from seqdesign.constraints.constraint import Constraint, State, Violation, Walk


class Every:
    """All of some constraints; `Rules` takes them one by one, each under its own name."""

    def __init__(self, name: str, parts: Sequence[Constraint]) -> None:
        self.name, self.parts = name, tuple(parts)

    def mask(self) -> Tensor | None:
        """What all of them permit."""
        found = None
        for part in self.parts:
            own = part.mask()
            if own is not None:
                found = own if found is None else found & own
        return found

    def walk(self, mask: Tensor, shortest: int) -> Walk | None:
        """All walks side by side."""
        walks = [walk for part in self.parts if (walk := part.walk(mask, shortest)) is not None]
        return SideBySide(walks) if walks else None

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether all of them are obeyed."""
        good = torch.ones(len(tokens), dtype=torch.bool, device=tokens.device)
        for part in self.parts:
            good = good & part.is_feasible(tokens, rows)
        return good

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """What each of them says."""
        return [violation for part in self.parts for violation in part.explain(tokens, row)]


class SideBySide:
    """Several walks as one; its state is theirs, one after the other."""

    def __init__(self, walks: Sequence[Walk]) -> None:
        self.walks = tuple(walks)
        self.dead: Tensor | None = None
        for walk in walks:
            if walk.dead is not None:
                self.dead = walk.dead if self.dead is None else self.dead | walk.dead
        self._sizes: tuple[int, ...] | None = None

    def start(self, rows: Tensor) -> State:
        """Those of all walks."""
        states = [walk.start(rows) for walk in self.walks]
        self._sizes = tuple(map(len, states))
        return tuple(tensor for state in states for tensor in state)

    def _each(self, state: State) -> Iterable[tuple[Walk, State]]:
        assert self._sizes is not None, "a walk begins with start"
        first = 0
        for walk, size in zip(self.walks, self._sizes, strict=True):
            yield walk, state[first : first + size]
            first += size

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """What all of them permit."""
        return _all(walk.allowed(own, rows, t) for walk, own in self._each(state))

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """All of them move on."""
        parts = [walk.advance(own, letters, rows, t) for walk, own in self._each(state)]
        return tuple(tensor for part in parts for tensor in part)

    def may_end(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """Whether all of them may end."""
        return _all(walk.may_end(own, rows, t) for walk, own in self._each(state))


def _all(answers: Iterable[Tensor | None]) -> Tensor | None:
    found = None
    for own in answers:
        if own is not None:
            found = own if found is None else found & own
    return found


def flat(constraints: Iterable[Constraint]) -> list[Constraint]:
    """Constraints one by one, parts instead of what they are parts of."""
    found: list[Constraint] = []
    for constraint in constraints:
        found += flat(constraint.parts) if isinstance(constraint, Every) else [constraint]
    return found
