"""Searches for feasible sequences, from left to right: a beam for many starts, a complete one for one start.

Shapes: B sequences of L letters out of V, W beams.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

import torch
from torch import Tensor
from torch.nn.functional import pad

State = tuple[Tensor, ...]

NODES = 100_000
"""Prefixes that the complete search looks at before it gives up."""
BLOCK = 64
"""Prefixes that it extends together."""
_CELLS = 1 << 14
"""Prefixes that the beam search extends together; more do not stay in a cache."""


class Followed(Protocol):
    """Rules that can be followed letter by letter, for the starts ``rows`` (B,)."""

    num_letters: int
    """V."""

    @property
    def dead(self) -> Tensor:
        """Starts without any feasible sequence, (N,) or (1,) bool."""
        ...

    def start(self, rows: Tensor) -> State:
        """The state of empty prefixes (B,)."""
        ...

    def letters(self, state: State, rows: Tensor, t: int) -> Tensor:
        """Letters (B, V) bool that may follow prefixes of t letters."""
        ...

    def may_end(self, state: State, rows: Tensor, t: int) -> Tensor:
        """Whether prefixes of t letters are feasible as they are, (B,) bool."""
        ...

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """The state after the letters (B,) at position t."""
        ...

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether each sequence (B, L) obeys every rule, (B,) bool."""
        ...


def beam(
    rules: Followed, preference: Tensor, rows: Tensor, width: int, noise: float
) -> tuple[Tensor, Tensor]:
    """Tokens (B, L) with a large sum of preferences (B, L, V), and whether they are feasible (B,).

    noise: standard deviation of what is added to the preferences, in their own ones; the same numbers for
    every row.
    """
    if noise:
        generator = torch.Generator().manual_seed(width)
        draw = torch.randn(preference.shape[1:], generator=generator).to(preference)
        preference = preference + noise * preference.std((1, 2), keepdim=True).nan_to_num() * draw
    size = max(1, _CELLS // width)
    parts = [_beam(rules, p, r, width) for p, r in zip(preference.split(size), rows.split(size), strict=True)]
    return torch.cat([tokens for tokens, _ in parts]), torch.cat([good for _, good in parts])


def _beam(rules: Followed, preference: Tensor, rows: Tensor, width: int) -> tuple[Tensor, Tensor]:
    count, length, size = preference.shape
    everyone = torch.arange(count, device=rows.device).unsqueeze(1)
    score = preference.new_zeros((count, 1))
    state = rules.start(rows)
    history: list[tuple[Tensor, Tensor]] = []
    for t in range(length):
        beams = score.shape[1]
        owner = rows.repeat_interleave(beams)
        may = rules.letters(state, owner, t).view(count, beams, size)
        step = preference[:, t].unsqueeze(1).masked_fill(~may, -torch.inf)
        score, index = (score.unsqueeze(2) + step).flatten(1).topk(min(width, beams * size))
        parents = index.div(size, rounding_mode="floor")
        letters = index - parents * size
        history.append((parents, letters))
        place = (parents + everyone * beams).flatten()
        owner = rows.repeat_interleave(parents.shape[1])
        state = rules.advance(tuple(x.index_select(0, place) for x in state), letters.flatten(), owner, t)
    tokens = torch.empty((count, length), dtype=torch.long, device=rows.device)
    beam = torch.zeros_like(everyone)
    for t in range(length - 1, -1, -1):
        parents, letters = history[t]
        tokens[:, t] = letters.gather(1, beam).squeeze(1)
        beam = parents.gather(1, beam)
    return tokens, (score[:, 0] > -torch.inf) & rules.is_feasible(tokens, rows)


@dataclass(frozen=True)
class Outcome:
    """A feasible sequence (L,), or None; ``proven``: then there is none."""

    tokens: Tensor | None
    proven: bool


@dataclass(frozen=True)
class _Prefixes:
    """Prefixes (M, t) of one start with their states and scores, best first."""

    tokens: Tensor
    state: State
    score: Tensor

    def __getitem__(self, index: slice | Tensor) -> _Prefixes:
        return _Prefixes(self.tokens[index], tuple(x[index] for x in self.state), self.score[index])


def complete(rules: Followed, preference: Tensor, row: Tensor, *, nodes: int = NODES) -> Outcome:
    """A feasible sequence for one start, padded, with preferences (L, V); ``row`` is a scalar.

    Depth first, a block of the best prefixes at a time. Prefixes of one length and state have the same
    future, so the first of them is followed only; what is left in the end is a proof.
    """
    length = len(preference)
    one = row.view(1)
    if bool(rules.dead[row if len(rules.dead) > 1 else 0]):
        return Outcome(None, True)
    stack = [_Prefixes(one.new_zeros((1, 0)), rules.start(one), preference.new_zeros(1))]
    seen: list[set[bytes]] = [set() for _ in range(length + 1)]
    looked = 0
    while stack and looked < nodes:
        top = stack.pop()
        block = top[:BLOCK]
        if len(top.score) > BLOCK:
            stack.append(top[BLOCK:])
        t = block.tokens.shape[1]
        ends = rules.may_end(block.state, one.expand(len(block.tokens)), t).nonzero().flatten()
        if len(ends):
            found = block.tokens[int(ends[0])]
            return Outcome(pad(found, (0, length - t), value=rules.num_letters + 3), False)
        if t == length:
            continue
        block = _extended(rules, block, preference[t], one, t)
        looked += len(block.score)
        fresh = _fresh(block.state, len(block.score), seen[t + 1])
        if len(fresh):
            stack.append(block[torch.tensor(fresh, device=row.device)])
    return Outcome(None, not stack)


def _extended(rules: Followed, block: _Prefixes, preference: Tensor, one: Tensor, t: int) -> _Prefixes:
    """All allowed prefixes of one letter more, best first."""
    may = rules.letters(block.state, one.expand(len(block.score)), t)
    parents, letters = may.nonzero().unbind(1)
    score = block.score[parents] + preference[letters]
    order = torch.sort(score, descending=True, stable=True).indices
    parents, letters = parents[order], letters[order]
    state = tuple(x[parents] for x in block.state)
    return _Prefixes(
        torch.cat([block.tokens[parents], letters.unsqueeze(1)], 1),
        rules.advance(state, letters, one.expand(len(parents)), t),
        score[order],
    )


def _fresh(state: State, count: int, seen: set[bytes]) -> list[int]:
    """Places of the prefixes whose state is new; ``seen`` takes it in."""
    keys = [b""] * count
    if state and count:
        table = torch.cat([x.reshape(count, -1).long() for x in state], 1).cpu().numpy()
        keys = [line.tobytes() for line in table]
    found = []
    for i, key in enumerate(keys):
        if key not in seen:
            seen.add(key)
            found.append(i)
    return found
