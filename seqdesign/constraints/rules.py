"""All constraints of a design problem together: check, explain, follow letter by letter, and repair.

Shapes: N starts, L letters of a design at most, V letters, B sequences; ``rows`` (B,) says which start a
sequence belongs to.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import cached_property

import torch
from torch import Tensor

from seqdesign.constraints import search
from seqdesign.constraints.builtin.gc import GC
from seqdesign.constraints.builtin.gc_window import GCWindow
from seqdesign.constraints.constraint import Constraint, State, Violation, Walk, at
from seqdesign.constraints.every import flat
from seqdesign.constraints.gc_counts import contradictory
from seqdesign.constraints.patterns import merged

BEAMS = 16


class Rules:
    """Hard constraints on designs for N starts; without constraints everything is feasible.

    Designs have ``length`` letters, or ``shortest`` to ``length`` where that is given.
    """

    def __init__(
        self,
        constraints: Sequence[Constraint],
        *,
        num_starts: int,
        length: int,
        num_letters: int,
        device: torch.device | str = "cpu",
        shortest: int | None = None,
    ) -> None:
        self.constraints = tuple(flat(constraints))
        self.num_starts, self.length, self.num_letters = num_starts, length, num_letters
        self.shortest = length if shortest is None else shortest
        self.device = torch.device(device)
        limits = [own for c in self.constraints if (own := c.mask()) is not None]
        # One mask for all starts as long as no constraint tells them apart.
        shared = torch.ones(1, length, num_letters, dtype=torch.bool, device=device)
        for own in limits:
            shared = shared & own.to(device)
        self.shared_mask = shared
        """(N or 1, L, V): ``mask``, once where it is the same for all starts."""
        self._merged = merged(self.constraints)

    @cached_property
    def mask(self) -> Tensor:
        """(N, L, V) bool: the letters that can stand at each position."""
        return self.shared_mask.expand(self.num_starts, -1, -1)

    @cached_property
    def walks(self) -> list[Walk]:
        """The constraints that say more than the mask."""
        found = (c.walk(self.shared_mask, self.shortest) for c in self._merged)
        return [walk for walk in found if walk is not None]

    @cached_property
    def _joint(self) -> Tensor:
        """(N or 1,) bool: starts for which the limits of GC content contradict each other."""
        limits = [c.limits_on_counts(self.length) for c in self.constraints if isinstance(c, GC | GCWindow)]
        if len(limits) < 2 or self.shortest < self.length:
            return torch.zeros(1, dtype=torch.bool, device=self.device)
        is_gc = next(c.is_gc for c in self.constraints if isinstance(c, GC | GCWindow))
        return contradictory(is_gc, self.shared_mask, limits)

    @cached_property
    def dead(self) -> Tensor:
        """(N or 1,) bool: starts for which some constraint can be seen at once to admit nothing."""
        dead = ~self.shared_mask.any(2).all(1) | self._joint
        for walk in self.walks:
            dead = dead if walk.dead is None else dead | walk.dead
        return dead

    @cached_property
    def _any_dead(self) -> bool:
        return bool(self.dead.any())

    @cached_property
    def _least(self) -> Tensor:
        """(N or 1,): letters up to and with the last position where something is ruled out."""
        places = torch.arange(1, self.length + 1, device=self.device)
        least = (~self.shared_mask.all(2) * places).amax(1) if self.length else self.dead.long()
        return least.clamp(min=self.shortest)

    def of(self, constraints: Sequence[Constraint]) -> Rules:
        """The rules of the same starts with other constraints."""
        return Rules(
            constraints,
            num_starts=self.num_starts,
            length=self.length,
            num_letters=self.num_letters,
            device=self.device,
            shortest=self.shortest,
        )

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether each sequence (B, L) obeys every constraint, (B,) bool; tokens from V on end a sequence."""
        # UNKNOWN, two behind the letters, is a letter too, though one that nobody knows.
        good = ((tokens < self.num_letters) | (tokens == self.num_letters + 2)).sum(1) >= self.shortest
        for constraint in self._merged:
            good = good & constraint.is_feasible(tokens, rows)
        return good

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """Every breach in one sequence (L,)."""
        return [v for constraint in self.constraints for v in constraint.explain(tokens, row)]

    def start(self, rows: Tensor) -> State:
        """The state of empty prefixes (B,), for ``allowed`` and ``advance``: one tensor after the other."""
        return tuple(tensor for walk in self.walks for tensor in walk.start(rows))

    def _parts(self, state: State) -> list[tuple[Walk, State]]:
        found, i = [], 0
        for walk, size in zip(self.walks, self._sizes, strict=True):
            found.append((walk, state[i : i + size]))
            i += size
        return found

    @cached_property
    def _sizes(self) -> list[int]:
        nobody = torch.zeros(0, dtype=torch.long, device=self.device)
        return [len(walk.start(nobody)) for walk in self.walks]

    def letters(self, state: State, rows: Tensor, t: int) -> Tensor:
        """Letters (B, V) bool that may follow prefixes of t letters."""
        may = at(self.shared_mask, rows, t)
        for walk, part in self._parts(state):
            own = walk.allowed(part, rows, t)
            may = may if own is None else may & own
        may = may.expand(len(rows), -1)
        return may & ~_each(self.dead, rows).unsqueeze(1) if self._any_dead else may

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor:
        """Letters and END (B, V+1) bool that may follow prefixes of t letters."""
        return torch.cat([self.letters(state, rows, t), self.may_end(state, rows, t).unsqueeze(1)], 1)

    def may_end(self, state: State, rows: Tensor, t: int) -> Tensor:
        """Whether prefixes of t letters are feasible as they are, (B,) bool."""
        good = _each(self._least, rows) <= t
        for walk, part in self._parts(state):
            own = walk.may_end(part, rows, t)
            good = good if own is None else good & own
        return good & ~_each(self.dead, rows)

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """The state after the letters (B,) at position t."""
        parts = self._parts(state)
        return tuple(tensor for walk, part in parts for tensor in walk.advance(part, letters, rows, t))

    def repair(self, preference: Tensor, rows: Tensor, *, beams: int = BEAMS) -> tuple[Tensor, Tensor]:
        """Feasible sequences of L letters with a large sum of preferences (B, L, V), finite numbers.

        The best letters where they are feasible as they stand, else what a beam search finds; rows without
        success are tried again with more beams and with noise, and at last one by one with a search that can
        go back. Returns tokens (B, L) and whether each is feasible (B,) bool; what is not feasible is the
        best that the mask admits. The result of a row does not depend on the other rows.
        """
        best = preference.masked_fill(~self.mask[rows], -torch.inf).argmax(2)
        good = self.is_feasible(best, rows)
        tokens = best
        if not self.constraints:
            return tokens, good
        for width, noise in ((beams, 0.0), (8 * beams, 0.0), (64 * beams, 3.0)):
            bad = (~good & ~_each(self.dead, rows)).nonzero().squeeze(1)
            if not len(bad):
                return tokens, good
            found, done = search.beam(self, preference[bad], rows[bad], width, noise)
            done = done & self.is_feasible(found, rows[bad])  # walks only guide; this decides
            tokens, good = tokens.clone(), good.clone()
            tokens[bad[done]] = found[done]
            good[bad] = done
        for i in (~good & ~_each(self.dead, rows)).nonzero().squeeze(1).tolist():
            outcome = search.complete(self, preference[i], rows[i])
            if outcome.tokens is not None:
                tokens[i], good[i] = outcome.tokens, True
        return tokens, good


def _each(table: Tensor, rows: Tensor) -> Tensor:
    """An entry for each of ``rows`` from a table (N,), or from one (1,) that holds for all starts."""
    return table.expand(len(rows)) if len(table) == 1 else table[rows]
