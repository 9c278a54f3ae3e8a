"""Strings one edit away from others, and from each with one of its edits taken back.

At the end of an edit budget no edit can be added, so what lies nearest there is an exchange: one edit is
taken back and another one made. Of more moves than are wanted, those are drawn whose new letter the language
model expects behind the letters before it: every place is as likely as any other, a letter as likely as it is
there. Of small alphabets that is nearly every letter, of words a few of thousands.

Shapes: M strings, N starts, T positions, V letters; 2V + 1 changes at a place: its letter becomes another
one (V), another one comes before it (V), or it goes.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from seqdesign.devices.blocks import block_size, in_blocks
from seqdesign.revisers.hashes import hashes, luck
from seqdesign.revisers.problem import DesignProblem

MOST_MOVES = 4096
"""Moves of a string of which those are drawn that are scored."""
CPU_CHANGES = 1 << 22
"""Changes that are looked at together on a CPU."""
CHANGE_BYTES = 64
FAR = 1 << 20
"""More than any distance."""


def neighbours(
    problem: DesignProblem, owner: Tensor, tokens: Tensor, lengths: Tensor, count: int
) -> tuple[Tensor, Tensor, Tensor]:
    """At most ``count`` neighbours of each of M strings (M, T) of lengths (M,) of the starts ``owner`` (M,).

    Returns the indices (K,) of the strings that they come from, their tokens (K, T) and lengths (K,), all
    within the edit budget. Hashes of string and move are the luck of the draw, so that a string has the same
    neighbours in every batch.
    """

    def part(rows: slice) -> tuple[Tensor, ...]:
        return _Strings(problem, owner[rows], tokens[rows], lengths[rows]).draw(count)

    changes = tokens.shape[1] * (2 * problem.model.decoder.end + 1)
    size = block_size(tokens.device, CHANGE_BYTES * changes, cpu=max(1, CPU_CHANGES // changes))
    near, longer, exists = (
        torch.cat(column) for column in zip(*in_blocks(part, len(tokens), size), strict=True)
    )
    source = torch.arange(len(tokens), device=tokens.device).unsqueeze(1).expand_as(exists)
    return source[exists], near[exists], longer[exists]


class _Strings:
    """M strings (M, T) and their starts."""

    def __init__(self, problem: DesignProblem, owner: Tensor, tokens: Tensor, lengths: Tensor) -> None:
        self.problem, self.owner, self.tokens, self.lengths = problem, owner, tokens, lengths
        self.starts = problem.tokens[owner]
        self.letters, self.pad = problem.model.decoder.end, problem.model.decoder.pad
        self.changes = 2 * self.letters + 1
        self.places = torch.arange(tokens.shape[1], device=tokens.device)
        self.key = hashes(torch.zeros_like(owner), tokens).unsqueeze(1)

    def draw(self, count: int) -> tuple[Tensor, Tensor, Tensor]:
        """Neighbours (M, C, T), their lengths and which of them exist (M, C)."""
        back = self._taken_back()
        usable, inside = self._usable().flatten(1), self._inside().flatten(1)
        if int(usable.sum(1).max()) * back.shape[1] > count:
            likely = self._likely().flatten(1).double()
        else:
            likely = torch.zeros_like(usable, dtype=torch.float64)
        # First some changes, then with which edit, if any, each of them is exchanged.
        change = torch.arange(usable.shape[1], device=back.device).expand_as(usable)
        usable &= inside | (back[:, 1:] >= 0).any(1, True)
        drawn = (likely + luck(self.key, change)).where(usable, -torch.inf)
        change = drawn.topk(min(max(1, MOST_MOVES // back.shape[1]), drawn.shape[1]), dim=1).indices
        plain = (usable & inside).gather(1, change).unsqueeze(1)
        exchanged = usable.gather(1, change).unsqueeze(1) & self._exchanges(back[:, 1:], change)
        moves = change.unsqueeze(1) + self.changes * len(self.places) * (back.unsqueeze(2) + 1)
        drawn = likely.gather(1, change).unsqueeze(1) + luck(self.key, moves.flatten(1)).view_as(moves)
        drawn = drawn.where(torch.cat([plain, exchanged], 1), -torch.inf).flatten(1)
        best, move = drawn.topk(min(count, drawn.shape[1]), dim=1)
        of, which = move // change.shape[1], move % change.shape[1]
        return *self._made(back.gather(1, of), change.gather(1, which)), best.isfinite()

    def _taken_back(self) -> Tensor:
        """(M, 1 + E): -1, then places whose letter may go back to that of the start, or -2 for none.

        Strings of another length than their start have none: its places are not theirs.
        """
        whole = torch.full((len(self.tokens), 1), -1, device=self.tokens.device)
        if self.problem.max_edits is None:
            return whole
        differs = (self.starts != self.tokens) & (self.starts < self.letters)
        differs &= (self.lengths == self.problem.lengths[self.owner]).unsqueeze(1)
        most = min(self.problem.max_edits, self.tokens.shape[1])
        ranked = torch.sort(differs.to(torch.int8), dim=1, descending=True, stable=True)
        return torch.cat([whole, ranked.indices[:, :most].where(ranked.values[:, :most] > 0, -2)], 1)

    def _usable(self) -> Tensor:
        """Changes (M, T, 2V + 1) that are changes, keep what is to be kept, and write what rules permit."""
        problem, places, ends = self.problem, self.places, self.lengths.unsqueeze(1)
        free = torch.ones_like(self.tokens, dtype=torch.bool)
        moves = torch.full_like(free, problem.indels)
        if problem.forced is not None:
            kept = problem.forced[self.owner] >= 0
            free = ~kept
            moves &= kept.flip(1).cumsum(1).flip(1) == 0  # nothing before a kept letter may move
        letters = torch.ones(*self.tokens.shape, self.letters, dtype=torch.bool, device=places.device)
        if problem.rules is not None:
            letters[:, : problem.rules.length] = problem.rules.mask[self.owner]
        here = functional.one_hot(self.tokens.clamp(max=self.letters), self.letters + 1)[..., :-1].bool()
        written = letters & ~here & (free & (self.tokens < self.letters) & (places < ends)).unsqueeze(2)
        # Of a run of one letter only the first goes, or gets one more: the others give the same string.
        inner = functional.pad(moves[:, :-1], (1, 0))
        before = functional.pad(here[:, :-1], (0, 0, 1, 0)) & inner.unsqueeze(2)
        inserted = letters & ~before & (moves & (places <= ends) & (ends < len(places))).unsqueeze(2)
        gone = moves & ~(before & here).any(2) & (places < ends) & (ends > max(1, problem.min_length))
        return torch.cat([written, inserted, gone.unsqueeze(2)], 2)

    def _likely(self) -> Tensor:
        """Log-probability (M, T, 2V + 1) of the letter of a change, in nats; 0 where a letter goes."""
        expected = self.problem.model.log_prob_next(self.tokens, self.lengths)
        return torch.cat([expected, expected, torch.zeros_like(expected[..., :1])], 2)

    def _inside(self) -> Tensor:
        """Whether a string is within the edit budget after a change, (M, T, 2V + 1)."""
        problem = self.problem
        if problem.max_edits is None:
            shape = (*self.tokens.shape, self.changes)
            return torch.ones(shape, dtype=torch.bool, device=self.tokens.device)
        own, own_lengths = self.starts, problem.lengths[self.owner]
        here = own.where((own < self.letters) & (self.places < own_lengths.unsqueeze(1)), self.letters)
        before, behind = _distances(self.tokens, self.lengths, here, own_lengths, problem.indels)

        def written(rest: Tensor) -> Tensor:
            """A letter before ``rest``: it is added, or stands for one of the start."""
            stands = before[:, :-1, :-1] + rest[..., 1:]
            added = (before[:, :-1] + rest).amin(2) if problem.indels else stands.amin(2)
            other = torch.minimum(added, stands.amin(2)) + 1
            found = other.unsqueeze(2).repeat(1, 1, self.letters + 1)
            letter = here.unsqueeze(1).expand_as(stands)
            return found.scatter_reduce(2, letter, stands, "amin")[..., :-1]

        gone = (before[:, :-1] + behind[:, 1:]).amin(2, keepdim=True)
        return torch.cat([written(behind[:, 1:]), written(behind[:, :-1]), gone], 2) <= problem.max_edits

    def _exchanges(self, back: Tensor, change: Tensor) -> Tensor:
        """Which of the edits ``back`` (M, E) may be exchanged for which changes (M, P); (M, E, P)."""
        place, kind = change // self.changes, change % self.changes
        back, place, kind = back.unsqueeze(2), place.unsqueeze(1), kind.unsqueeze(1)
        elsewhere = (place != back) | (kind >= self.letters) & (kind < 2 * self.letters)
        # Two edits taken back are none.
        start = self.starts.gather(1, place.squeeze(1)).unsqueeze(1)
        return (back >= 0) & elsewhere & ~((kind < self.letters) & (kind == start))

    def _made(self, back: Tensor, change: Tensor) -> tuple[Tensor, Tensor]:
        """Strings (M, C, T) and their lengths (M, C) after the moves (M, C)."""
        place, kind = (change // self.changes).unsqueeze(2), (change % self.changes).unsqueeze(2)
        gone = kind == 2 * self.letters
        longer = (kind >= self.letters) & ~gone
        reverted = self.places == back.unsqueeze(2)
        kept = torch.where(reverted, self.starts.unsqueeze(1), self.tokens.unsqueeze(1))
        later = (gone & (self.places >= place)).long() - (longer & (self.places > place)).long()
        near = functional.pad(kept, (0, 1), value=self.pad).gather(2, self.places + later)
        near = torch.where((self.places == place) & ~gone, kind % self.letters, near)
        return near, self.lengths.unsqueeze(1) + (longer.long() - gone.long()).squeeze(2)


def _distances(
    a: Tensor, a_lengths: Tensor, b: Tensor, b_lengths: Tensor, indels: bool
) -> tuple[Tensor, Tensor]:
    """Levenshtein distances of all beginnings, and of all ends, of strings a (M, T) and b (M, J).

    (M, T + 1, J + 1) each: of what is before place t of a and before place j of b, and of what begins there.
    Without ``indels`` places stand against their own places only.
    """
    before = _beginnings(a, b, indels)
    turned = _beginnings(_turned(a, a_lengths), _turned(b, b_lengths), indels)
    letters = torch.arange(max(turned.shape[1:]), device=a.device)
    rows, columns = ((n[:, None] - letters).clamp(min=0) for n in (a_lengths, b_lengths))
    behind = turned.gather(1, rows[:, : turned.shape[1], None].expand_as(turned))
    behind = behind.gather(2, columns[:, None, : turned.shape[2]].expand_as(turned))
    outside = (letters[: turned.shape[2]] > b_lengths[:, None]).unsqueeze(1)
    return before.masked_fill(outside, FAR), behind.masked_fill(outside, FAR)


def _beginnings(a: Tensor, b: Tensor, indels: bool) -> Tensor:
    """Distances (M, T + 1, J + 1) of the first letters of a (M, T) and b (M, J) (Wagner & Fischer 1974)."""
    places = torch.arange(b.shape[1] + 1, device=a.device)
    row = (places if indels else places * FAR).expand(len(a), -1)
    rows = [row]
    for t in range(a.shape[1]):
        best = functional.pad(row[:, :-1] + (a[:, t, None] != b).long(), (1, 0), value=FAR)
        if indels:
            best = torch.minimum(best, row + 1)
            best = (best - places).cummin(1).values + places
        row = best
        rows.append(row)
    return torch.stack(rows, 1)


def _turned(strings: Tensor, lengths: Tensor) -> Tensor:
    """Strings (M, T) from their last letter to their first."""
    places = torch.arange(strings.shape[1], device=strings.device)
    source = lengths[:, None] - 1 - places
    return strings.gather(1, source.clamp(min=0)).where(source >= 0, -1)
