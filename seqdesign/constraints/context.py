"""Rules on a construct: what stands left and right of a design, and whether the ends are joined.

A construct is ``left + design + right``. A circle is read once around and on, as far as a rule looks. Shapes:
B designs or prefixes of at most L letters, V letters; l and r letters left and right.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from seqdesign.constraints.constraint import Constraint, State, Violation, Walk
from seqdesign.constraints.every import Every
from seqdesign.constraints.starts import Starts
from seqdesign.constraints.word_pairs import WordPairs
from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import Alphabet

NOTHING = 1 << 7
"""A token behind the end; no alphabet has so many letters."""


@dataclass(frozen=True)
class Context:
    """Letters (l,) and (r,) beside a design, and whether the construct is a circle."""

    left: Tensor
    right: Tensor
    circular: bool

    @property
    def letters(self) -> int:
        """Letters beside the design."""
        return len(self.left) + len(self.right)

    def whole(self, tokens: Tensor, lengths: Tensor, more: int = 0) -> Tensor:
        """Constructs (B, l + L + r + more) of designs (B, L) of some lengths (B,), and on around the circle.

        Behind the end of a shorter one stands what stands behind its design.
        """
        count, longest = tokens.shape
        left, right = len(self.left), len(self.right)
        size = (lengths + left + right).unsqueeze(1)
        place = torch.arange(left + longest + right + more, device=tokens.device).expand(count, -1)
        inside = place < size + (more if self.circular else 0)
        turned = place % size.clamp(min=1)
        design = (turned - left).clamp(0, max(longest - 1, 0))
        letters = tokens.gather(1, design) if longest else torch.zeros_like(place)
        beside = torch.cat([self.left, self.right, self.left.new_zeros(1)])
        other = torch.where(turned < left, turned, turned - lengths.unsqueeze(1))
        flank = beside[other.clamp(0, len(beside) - 1)]
        in_design = (turned >= left) & (turned < left + lengths.unsqueeze(1))
        return torch.where(inside, torch.where(in_design, letters, flank), NOTHING)


def context_of(
    left: str | None, right: str | None, circular: bool, alphabet: Alphabet, device: torch.device
) -> Context | None:
    """What stands beside designs; None where nothing does. Raises UsageError for letters that are unknown."""
    if not (left or right or circular):
        return None
    flanks = []
    for text, option in ((left or "", "--left"), (right or "", "--right")):
        letters = text if alphabet.case_sensitive else text.upper()
        wrong = [i for i, letter in enumerate(letters) if letter not in alphabet.letters]
        if wrong:
            raise UsageError(
                f"position {wrong[0] + 1} is {text[wrong[0]]!r}, which is not a letter of the alphabet "
                f"{alphabet.name} ({alphabet.letters})",
                option=option,
            )
        flanks.append(
            torch.tensor([alphabet.letters.index(c) for c in letters], dtype=torch.long, device=device)
        )
    return Context(flanks[0], flanks[1], circular)


def in_context(
    make: Callable[[str, Starts], Constraint], text: str, starts: Starts, around: Context
) -> Constraint:
    """A constraint on the constructs of designs. Raises UsageError where no construct can obey it."""
    construct = replace(
        starts,
        tokens=around.whole(starts.tokens, starts.lengths),
        lengths=starts.lengths + around.letters,
        shortest=starts.shortest + around.letters,
    )
    made = make(text, construct)
    if isinstance(made, Every):
        return Every(made.name, [InContext.of(part, construct, around) for part in made.parts])
    return InContext.of(made, construct, around)


class InContext:
    """A constraint that looks at the construct instead of the design.

    Places of violations are those of the design, as far as they lie in it.
    """

    def __init__(self, inner: Constraint, size: int, around: Context, more: int) -> None:
        self.inner, self.around, self.more = inner, around, more
        self.name, self.size = inner.name, size

    @classmethod
    def of(cls, inner: Constraint, construct: Starts, around: Context) -> InContext:
        """For constructs of these starts. Raises UsageError for flanks that break the rule by themselves."""
        more = _looks(inner) - 1 if around.circular else 0
        if more >= construct.shortest:
            raise UsageError(
                f"{inner.name} looks at {more + 1} letters in a row, but the circle may have only "
                f"{construct.shortest}; leave one of them out",
                option="--circular",
            )
        found = cls(inner, construct.alphabet.size, around, max(0, more))
        if _looks(inner):  # else it is a matter of the design, too
            found.check_flanks(construct)
        return found

    def check_flanks(self, construct: Starts) -> None:
        """Raises UsageError where the flanks break the rule whatever stands between them."""
        beside = [(self.around.left, "--left"), (self.around.right, "--right")]
        if self.around.circular:
            beside.append((torch.cat([self.around.right, self.around.left]), "--circular"))
        if isinstance(self.inner, WordPairs) and construct.fixed_length:
            between = self.around.left.new_full((construct.length - self.around.letters,), NOTHING)
            beside.append((torch.cat([self.around.left, between, self.around.right]), "--right"))
        for flank, option in beside:
            found = self.inner.explain(flank, 0)
            if found:
                breaks = "joins flanks, which break" if option == "--circular" else "breaks"
                rule = self.name.split()[0].removeprefix("--")
                raise UsageError(
                    f"{breaks} {self.name} by itself: {found[0]}; change it, or let the rule look at the "
                    f"design alone with --without-flanks {rule}",
                    option=option,
                )

    def _whole(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        # UNKNOWN, two behind the letters, is a letter too.
        lengths = ((tokens < self.size) | (tokens == self.size + 2)).sum(1)
        return self.around.whole(tokens, lengths, self.more), lengths

    def mask(self) -> None:
        """Any letter may stand anywhere."""
        return

    def walk(self, mask: Tensor, shortest: int) -> Walk | None:
        """Through the left flank, the design, the right flank and on."""
        inner = self.inner.walk(self._mask(mask, shortest), shortest + self.around.letters + self.more)
        return None if inner is None else _Walk(inner, self, mask.shape[1], shortest)

    def _mask(self, mask: Tensor, shortest: int) -> Tensor:
        """What can stand where in the construct, (N or 1, l + L + r + more, V)."""
        count, length, size = mask.shape
        left, right = (
            torch.nn.functional.one_hot(x, size).bool() for x in (self.around.left, self.around.right)
        )
        parts = [left.expand(count, -1, -1), mask, right.expand(count, -1, -1)]
        whole = torch.cat(parts, 1)
        if self.more:
            place = torch.arange(self.more, device=mask.device) % whole.shape[1]
            whole = torch.cat([whole, whole[:, place]], 1)
        if shortest < length:  # what follows can begin earlier
            whole = whole.clone()
            whole[:, len(left) + shortest :] = True
        return whole

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether the constructs obey it."""
        return self.inner.is_feasible(self._whole(tokens)[0], rows)

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """Breaches with their places in the design; what reaches beyond it says so."""
        whole, lengths = self._whole(tokens.unsqueeze(0))
        length = int(lengths[0])
        return [self._placed(v, length) for v in self.inner.explain(whole[0], row)]

    def _placed(self, found: Violation, length: int) -> Violation:
        if found.first is None or found.last is None:
            return found
        left, size = len(self.around.left), length + self.around.letters
        inside = [p % size - left for p in range(found.first - 1, found.last)]
        there = [p + 1 for p in inside if 0 <= p < length]
        message = found.message
        if len(there) < len(inside):
            message += " across the junction" if there else " beside the design"
        elif found.last > size >= found.first:
            message += " across the ends of the circle"
        if not there:
            return replace(found, message=message, first=None, last=None)
        if there != sorted(there):  # around the circle: name the longer part
            cut = there.index(min(there))
            there = max(there[:cut], there[cut:], key=len)
        return replace(found, message=message, first=there[0], last=there[-1])


def _looks(constraint: Constraint) -> int:
    """Letters in a row that a constraint looks at; 0 for one that counts the whole sequence."""
    span = getattr(constraint, "span", 0)
    return int(getattr(constraint, "size", 0) if span is None else span)


class _Walk:
    """The inner walk, begun behind the left flank, and with the letters that a circle comes back to."""

    def __init__(self, inner: Walk, rule: InContext, length: int, shortest: int) -> None:
        self.inner, self.rule, self.length, self.shortest = inner, rule, length, shortest
        self.dead = inner.dead
        self.left = rule.around.left
        # Of the circle's beginning the flank is known; the rest is remembered letter by letter.
        self.keep = min(length, max(0, rule.more - len(self.left))) if rule.more else 0

    def start(self, rows: Tensor) -> State:
        """Behind the left flank."""
        state, good = self._follow(
            self.inner.start(rows),
            self.left.expand(len(rows), -1),
            rows,
            0,
            torch.ones_like(rows, dtype=torch.bool),
        )
        return good, rows.new_zeros((len(rows), self.keep)), *state

    def _follow(
        self, state: State, letters: Tensor, rows: Tensor, t: int, good: Tensor
    ) -> tuple[State, Tensor]:
        """The state after letters (B, k) from place t of the construct, and whether all were allowed."""
        for i in range(letters.shape[1]):
            letter = letters[:, i]
            may = self.inner.allowed(state, rows, t + i)
            if may is not None:
                good = good & may.gather(1, letter.unsqueeze(1)).squeeze(1)
            state = self.inner.advance(state, letter, rows, t + i)
        return state, good

    def _ends(self, state: State, rows: Tensor, t: int) -> Tensor:
        """Whether designs of t letters are feasible: the right flank follows, and the circle's beginning."""
        good, begin, inner = state[0], state[1], state[2:]
        around, rule = self.rule.around, self.rule
        tail = around.right.expand(len(rows), -1)
        if rule.more:
            # What is kept of the design is as much as is looked at, or all of it.
            once = [self.left.expand(len(rows), -1), begin[:, : min(t, self.keep)]]
            circle = torch.cat([*once, tail] if t <= self.keep else once, 1)
            place = torch.arange(rule.more if circle.shape[1] else 0, device=rows.device)
            tail = torch.cat([tail, circle[:, place % max(1, circle.shape[1])]], 1)
        done, good = self._follow(inner, tail, rows, len(self.left) + t, good)
        end = self.inner.may_end(done, rows, len(self.left) + t + tail.shape[1])
        return good if end is None else good & end

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """What the inner walk permits; for the last letter, what can be followed to the end."""
        size = self.rule.size
        may = self.inner.allowed(state[2:], rows, len(self.left) + t)
        found = torch.ones(len(rows), size, dtype=torch.bool, device=rows.device) if may is None else may
        found = found.expand(len(rows), -1) & state[0].unsqueeze(1)
        if t + 1 < self.length:
            return found
        which, letters = found.nonzero().unbind(1)
        after = self.advance(tuple(x[which] for x in state), letters, rows[which], t)
        good = torch.zeros_like(found)
        good[which, letters] = self._ends(after, rows[which], t + 1)
        return good

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """One letter of the design."""
        begin = state[1]
        if t < self.keep:
            begin = begin.clone()
            begin[:, t] = letters
        return state[0], begin, *self.inner.advance(state[2:], letters, rows, len(self.left) + t)

    def may_end(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """Whether the construct of t letters is feasible."""
        return self._ends(state, rows, t)
