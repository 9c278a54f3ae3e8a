"""Patterns that must not occur, all at once: the Shift-And automaton (Baeza-Yates & Gonnet 1992).

Every character of every pattern is a bit; bit i is set after a letter when the pattern's characters up to i
match the letters that end there. A pattern longer than a word goes on in the next one.

Shapes: W words of BITS bits, P bits in use, V letters; N starts, B prefixes.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from seqdesign.constraints.constraint import Constraint, State, Violation, at
from seqdesign.constraints.context import InContext

BITS = 62
_FULL = (1 << BITS) - 1


@dataclass(frozen=True)
class Pattern:
    """One forbidden pattern, and what to call it. ``classes`` (length, V): what each place matches."""

    classes: Tensor
    label: str


class PatternConstraint:
    """None of some patterns may occur."""

    def __init__(self, name: str, patterns: Sequence[Pattern], device: torch.device | str = "cpu") -> None:
        self.name, self.patterns, self.device = name, tuple(patterns), device
        classes = torch.cat([p.classes for p in patterns])
        last = torch.tensor([len(p.classes) for p in patterns]).cumsum(0) - 1
        first = torch.cat([torch.zeros(1, dtype=torch.long), last[:-1] + 1])
        marks = torch.zeros(2, len(classes), dtype=torch.bool)
        marks[0, first], marks[1, last] = True, True
        none = torch.zeros(1, len(classes), dtype=torch.bool)
        self.letters = pack(torch.cat([classes.T, none])).to(device)
        """(V+1, W): the places that each letter matches; none for what is no letter."""
        self.begin, self.end = pack(marks).to(device)

    @property
    def span(self) -> int:
        """Letters of the longest pattern."""
        return max(len(pattern.classes) for pattern in self.patterns)

    def mask(self) -> None:
        """Any letter may stand anywhere."""
        return

    def walk(self, mask: Tensor, shortest: int) -> PatternWalk:
        """Looks ahead as far as the mask fixes what comes."""
        return PatternWalk(self, *self._doomed(mask, shortest))

    def _doomed(self, mask: Tensor, shortest: int) -> tuple[Tensor, Tensor]:
        """What is bound to go wrong: words of bits after t letters (N or 1, L+1, W), and starts (N or 1,).

        A bit is doomed when it ends a pattern, or when the next place of its pattern matches every letter
        that the mask leaves there, the sequence cannot end before, and the next bit is doomed then.
        """
        sure = self.letters.new_full((*mask.shape[:2], self.letters.shape[1]), _FULL)
        for letter, places in enumerate(self.letters[:-1]):
            sure &= places | ~mask[:, :, letter, None] * _FULL
        sure[:, shortest:] = 0
        doom = sure.new_zeros((len(mask), mask.shape[1] + 1, sure.shape[2]))
        doom[:, -1] = self.end
        dead = torch.zeros_like(mask[:, 0, 0])
        for t in range(mask.shape[1] - 1, -1, -1):
            next_ = sure[:, t] & doom[:, t + 1]
            dead |= ((next_ & self.begin) != 0).any(1)
            next_ &= ~self.begin
            doom[:, t] = self.end | next_ >> 1
            doom[:, t, :-1] |= (next_[:, 1:] & 1) << (BITS - 1)
        return doom, dead

    def shift(self, state: Tensor) -> Tensor:
        """(B, W): bits that the next letter may set."""
        moved = (state << 1) & _FULL | self.begin
        if state.shape[1] > 1:
            moved[:, 1:] |= state[:, :-1] >> (BITS - 1)
        return moved

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether no pattern occurs."""
        letters = self.letters[tokens.clamp(max=len(self.letters) - 1).T]
        state = torch.zeros_like(letters[0]) if len(letters) else tokens.new_zeros((len(tokens), 1))
        seen = torch.zeros_like(state)
        for step in letters:
            state = self.shift(state) & step
            seen |= state
        return ((seen & self.end) == 0).all(1)

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """One for each place where a pattern stands; stretches that are longer than it count once."""
        found = []
        inside = tokens.clamp(max=len(self.letters) - 1).cpu()
        for pattern in self.patterns:
            size = len(pattern.classes)
            if size > len(inside):
                continue
            matches = torch.nn.functional.pad(pattern.classes, (0, 1))[
                torch.arange(size), inside.unfold(0, size, 1)
            ]
            hits = set(matches.all(1).nonzero().flatten().tolist())
            firsts = sorted(i for i in hits if i - 1 not in hits)
            ends = sorted(i for i in hits if i + 1 not in hits)
            found += [
                Violation(self.name, pattern.label, i + 1, j + size)
                for i, j in zip(firsts, ends, strict=True)
            ]
        return sorted(found, key=lambda v: v.first or 0)


class PatternWalk:
    """The automaton on prefixes. The state is one tensor (B, W)."""

    def __init__(self, patterns: PatternConstraint, doomed: Tensor, dead: Tensor) -> None:
        self.patterns = patterns
        self.doom = doomed
        self.dead = dead if bool(dead.any()) else None

    def start(self, rows: Tensor) -> State:
        """No bits."""
        return (rows.new_zeros((len(rows), self.doom.shape[2])),)

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor:
        """No letter that completes a pattern or makes one inevitable."""
        next_bits = self.patterns.shift(state[0]) & at(self.doom, rows, t + 1)
        return ((next_bits.unsqueeze(1) & self.patterns.letters[:-1]) == 0).all(2)

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """One step of the automaton."""
        return (self.patterns.shift(state[0]) & self.patterns.letters[letters],)

    def may_end(self, state: State, rows: Tensor, t: int) -> None:
        """A prefix without patterns is complete at any time."""
        return


def pack(bits: Tensor) -> Tensor:
    """(..., P) bool -> (..., W) int64."""
    padded = torch.nn.functional.pad(bits, (0, -bits.shape[-1] % BITS))
    places = torch.ones(BITS, dtype=torch.long, device=bits.device) << torch.arange(BITS, device=bits.device)
    return (padded.unflatten(-1, (-1, BITS)).long() * places).sum(-1)


def merged(constraints: Sequence[Constraint]) -> list[Constraint]:
    """The same rules with all forbidden patterns in one automaton, which is what it is fast at.

    Patterns that are looked for in the construct have one of their own.
    """
    around = [c for c in constraints if isinstance(c, InContext) and isinstance(c.inner, PatternConstraint)]
    if len(around) > 1:
        longest = max(around, key=lambda c: c.more)
        joint = _joint([c.inner for c in around])
        whole = InContext(joint, longest.size, longest.around, longest.more)
        constraints = [*(c for c in constraints if c not in around), whole]
    patterns = [c for c in constraints if isinstance(c, PatternConstraint)]
    if len(patterns) < 2:
        return list(constraints)
    return [*(c for c in constraints if not isinstance(c, PatternConstraint)), _joint(patterns)]


def _joint(constraints: Sequence[Constraint]) -> PatternConstraint:
    """One constraint with the patterns of all."""
    own = [c for c in constraints if isinstance(c, PatternConstraint)]
    return PatternConstraint("patterns", [p for c in own for p in c.patterns], own[0].device)
