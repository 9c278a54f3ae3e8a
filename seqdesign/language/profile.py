"""A profile hidden Markov model: columns between which letters are inserted, and which can be skipped.

    start -> column 1 -> column 2 -> ... -> column M -> end

Each column writes letters of its own distribution, inserts write those of the background (Krogh et al. 1994,
doi 10.1006/jmbi.1994.1104; Eddy 1998, doi 10.1093/bioinformatics/14.9.755). So it knows which part of a
family, or of motifs that move, a sequence has got to, which few sequences do not teach a network. It is
learned from unaligned sequences by expectation maximisation (Baum-Welch). Gaps are frequent at first, so that
columns over which a motif is smeared can part.

    p(x_t | before, n)  ~  sum over states of  p(state | before) p(x_t | state) p(n - t letters more | state)

Shapes: N sequences, T places, M columns, V letters. States are M columns and M + 1 inserts; insert k comes
before column k + 1. ``moves`` (M + 1, M + 1) goes from behind column i to column j + 1, or to the end at M.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from seqdesign.runs.progress import count, phase

LONGEST = 256
"""Letters of the longest sequences that are looked at; what is needed grows with their third power."""
CELLS, FEW, BLOCK = 1_000_000_000, 500, 256
"""Sequences x places x columns^2 that are learned from, sequences that always are, and sequences at once."""
FIRST_GAPS = (0.1, 0.5, 0.1, 0.5)
USUAL_GAPS, GAP_WEIGHT = (0.02, 0.3, 0.02, 0.3), 20.0
"""An insert opens, goes on; a column is skipped, one more is. What is begun with, and what is supposed to
have been seen so many times."""
LETTER_WEIGHT = 2.0
"""Letters of the background that each column is supposed to have been seen with."""
ROUNDS, TRIAL, GAIN = 30, 4, 2e-5
"""Of learning, at most; from each beginning, the best of which goes on; relative gain below which it ends."""
FLOOR = 1e-30


@dataclass
class State:
    """How likely each state is: columns (N, M), inserts (N, M + 1)."""

    columns: Tensor
    inserts: Tensor

    def times(self, columns: Tensor, inserts: Tensor) -> State:
        """Multiplied, and divided by their sum."""
        columns, inserts = self.columns * columns, self.inserts * inserts
        total = (columns.sum(1, keepdim=True) + inserts.sum(1, keepdim=True)).clamp(min=FLOOR)
        return State(columns / total, inserts / total)


@dataclass
class Written:
    """What is remembered while letters are written: the state, moves, and what ends in time."""

    state: State | None
    moves: Tensor
    reach: State


class Profile(nn.Module):
    """Nothing but background letters in one column before ``count`` has seen training sequences."""

    letters: Tensor
    """(M, V) of the columns."""
    background: Tensor
    gaps: Tensor
    """(4, M + 1): probabilities that an insert opens, goes on, that a column is skipped, one more is."""

    def __init__(self, size: int) -> None:
        super().__init__()
        self.size = size
        self.register_buffer("letters", torch.full((1, size), 1 / size))
        self.register_buffer("background", torch.full((size,), 1 / size))
        self.register_buffer("gaps", torch.tensor(USUAL_GAPS)[:, None].repeat(1, 2))

    def _load_from_state_dict(self, state_dict: dict[str, Any], prefix: str, *args: Any) -> None:
        """There are as many columns as the data had."""
        for name in ("letters", "gaps"):
            if f"{prefix}{name}" in state_dict:
                setattr(self, name, torch.empty_like(state_dict[f"{prefix}{name}"]).to(self.background))
        super()._load_from_state_dict(state_dict, prefix, *args)

    @torch.no_grad()
    @phase("aligning", at_most=True)
    def count(self, tokens: Tensor, lengths: Tensor) -> None:
        """Learn from training sequences (N, T) of lengths (N,), from the first ones where they are many."""
        rows = max(FEW, CELLS // tokens.shape[1] ** 3)
        tokens, lengths = (part[:rows].to(self.background.device).long() for part in (tokens, lengths))
        known = tokens < self.size
        counts = torch.bincount(tokens[known], minlength=self.size) + 1.0
        self.background = (counts / counts.sum()).to(self.background)
        beginnings = list(_beginnings(tokens, lengths))
        found, total = [], ROUNDS + TRIAL * len(beginnings)
        for i, (columns, where) in enumerate(beginnings):
            self._begin(columns, tokens, lengths, where)
            likelihood = self._learn(tokens, lengths, range(i * TRIAL, (i + 1) * TRIAL), total)
            found.append((likelihood, self.letters, self.gaps))
        _, self.letters, self.gaps = max(found, key=lambda one: one[0])
        self._learn(tokens, lengths, range(total - ROUNDS, total), total)

    def _begin(self, columns: int, tokens: Tensor, lengths: Tensor, where: Tensor) -> None:
        """Each place is at a column ``where`` (N, T); gaps are frequent, and where sequences begin and end so
        many columns are skipped.
        """
        counts, known = Counts.none(columns, self.size, self.background.device), tokens < self.size
        pairs = torch.bincount(where[known] * self.size + tokens[known], minlength=columns * self.size)
        self.letters = self._smooth(pairs.view(columns, self.size).to(self.background))
        last = where.gather(1, lengths[:, None] - 1)[:, 0]
        counts.moves.diagonal()[:-1] += pairs.view(columns, self.size).sum(1)
        ones = torch.ones(len(last), device=last.device)
        first = where[:, 0], last + 1
        counts.moves.index_put_((torch.zeros_like(last), first[0]), ones, accumulate=True)
        counts.moves.index_put_((first[1], torch.full_like(last, columns)), ones, accumulate=True)
        frequent = self.background.new_tensor(FIRST_GAPS)[:, None]
        self.gaps = torch.maximum(counts.gaps(), frequent)

    def _smooth(self, counts: Tensor) -> Tensor:
        return (counts + LETTER_WEIGHT * self.background) / (counts.sum(1, keepdim=True) + LETTER_WEIGHT)

    def _learn(self, tokens: Tensor, lengths: Tensor, rounds: range, total: int) -> float:
        """Rounds of expectation maximisation, of ``total``; the log-likelihood that the last began with."""
        before = -float("inf")
        for done in rounds:
            count(done, total)
            counts = Counts.none(len(self.letters), self.size, self.background.device)
            for rows, ns in zip(tokens.split(BLOCK), lengths.split(BLOCK), strict=True):
                self._expect(rows[:, : int(ns.max())], ns, counts)
            self.letters = self._smooth(counts.letters)
            self.gaps = counts.gaps()
            if counts.likelihood - before < GAIN * abs(counts.likelihood):
                break
            before = counts.likelihood
        return counts.likelihood

    def _expect(self, tokens: Tensor, lengths: Tensor, counts: Counts) -> None:
        """Add what these sequences (N, T) are expected to have done."""
        opened, more = self.gaps[0], self.gaps[1]
        moves, steps = self._moves(), tokens.shape[1]
        ends = self._ends(moves)
        written = [self._writes(tokens[:, t]) for t in range(steps)]
        states: list[State] = []
        for t, letters in enumerate(written):
            guess = self._advance(states[-1], moves) if states else self._start(moves, len(tokens))
            total = (guess.columns * letters[0]).sum(1) + (guess.inserts * letters[1]).sum(1)
            counts.likelihood += float((total.clamp(min=FLOOR).log() * (t < lengths)).sum())
            states.append(guess.times(*letters))
        last = states[0]
        for t in reversed(range(steps)):
            state, inside = states[t], (lengths > t).unsqueeze(1)
            left = self._left(state)
            if t + 1 < steps:
                columns, inserts = last.columns * written[t + 1][0], last.inserts * written[t + 1][1]
                ahead = columns @ moves[:, :-1].T
                stay, open_ = state.inserts * more * inserts, state.columns * opened[1:] * inserts[:, 1:]
                weight = ((left * ahead).sum(1) + stay.sum(1) + open_.sum(1))[:, None]
                weight = (t + 1 < lengths)[:, None] / weight.clamp(min=FLOOR)
                counts.moves[:, :-1] += moves[:, :-1] * ((left * weight).T @ columns)
                counts.stays += (stay * weight).sum(0)
                counts.opens[1:] += (open_ * weight).sum(0)
                back = self._behind(ahead, inserts)
            else:
                back = ends
            at_end = (lengths == t + 1).unsqueeze(1)
            last = State(ends.columns.where(at_end, back.columns), ends.inserts.where(at_end, back.inserts))
            ended = left * moves[:, -1]
            counts.moves[:, -1] += (ended / ended.sum(1, keepdim=True).clamp(min=FLOOR) * at_end).sum(0)
            post = state.times(last.columns, last.inserts)
            counts.seen(tokens[:, t], State(post.columns * inside, post.inserts * inside), first=t == 0)
            scale = (last.columns.amax(1) + last.inserts.amax(1)).clamp(min=FLOOR)[:, None]
            last = State(last.columns / scale, last.inserts / scale)

    def forward(self, tokens: Tensor, lengths: Tensor) -> Tensor:
        """Log-probabilities (N, T, V) of each letter given those before it and the lengths (N,).

        Of tokens (N, T), or of shares of letters (N, T, V), in which they are differentiable.
        """
        memory, found = self.begin(tokens.shape[1]), []
        for t in range(tokens.shape[1]):
            before = None if t == 0 else self._writes(tokens[:, t - 1])
            found.append(self._next(memory, before, lengths, t))
        return torch.stack(found, 1)

    def begin(self, steps: int) -> Written:
        """Nothing is written yet, of at most so many letters."""
        moves = self._moves()
        return Written(None, moves, self._reach(moves, steps))

    def step(self, memory: Written, previous: Tensor, lengths: Tensor, t: int) -> Tensor:
        """Log-probabilities (N, V) of place ``t`` after the letters ``previous`` (N,)."""
        return self._next(memory, self._writes(previous) if t else None, lengths, t)

    def _next(self, memory: Written, before: tuple[Tensor, Tensor] | None, lengths: Tensor, t: int) -> Tensor:
        if before is None or memory.state is None:
            guess = self._start(memory.moves, len(lengths))
        else:
            guess = self._advance(memory.state.times(*before), memory.moves)
        memory.state = guess
        left = (lengths - 1 - t).clamp(min=0)
        weights = guess.times(memory.reach.columns[left], memory.reach.inserts[left])
        found = weights.columns @ self.letters + weights.inserts.sum(1, keepdim=True) * self.background
        return found.clamp(min=FLOOR).log()

    def _writes(self, letters: Tensor) -> tuple[Tensor, Tensor]:
        """Probability that columns (N, M) and inserts (N, 1) write letters (N,) or shares of them (N, V)."""
        if letters.is_floating_point():
            missing = 1 - letters.sum(1, keepdim=True)
            return letters @ self.letters.T + missing, (letters @ self.background)[:, None] + missing
        known, there = letters.long().clamp(max=self.size - 1), (letters < self.size).unsqueeze(1)
        return (
            self.letters[:, known].T.masked_fill(~there, 1.0),
            self.background[known][:, None].masked_fill(~there, 1.0),
        )

    def _start(self, moves: Tensor, rows: int) -> State:
        inserts = torch.zeros_like(moves[0])
        inserts[0] = self.gaps[0, 0]
        return State(((1 - self.gaps[0, 0]) * moves[0, :-1]).expand(rows, -1), inserts.expand(rows, -1))

    def _left(self, state: State) -> Tensor:
        """(N, M + 1): that no letter is inserted (any more) behind column k, 0 being the start."""
        leaving = state.columns * (1 - self.gaps[0, 1:])
        return nn.functional.pad(leaving, (1, 0)) + state.inserts * (1 - self.gaps[1])

    def _advance(self, state: State, moves: Tensor) -> State:
        """One letter on."""
        opened = nn.functional.pad(state.columns * self.gaps[0, 1:], (1, 0))
        return State(self._left(state) @ moves[:, :-1], opened + state.inserts * self.gaps[1])

    def _behind(self, ahead: Tensor, inserts: Tensor) -> State:
        """What states say of the letters to come: ``ahead`` (N, M + 1) of columns, ``inserts`` of inserts."""
        opened, more = self.gaps[0], self.gaps[1]
        return State(
            (1 - opened[1:]) * ahead[:, 1:] + opened[1:] * inserts[:, 1:],
            (1 - more) * ahead + more * inserts,
        )

    def _ends(self, moves: Tensor) -> State:
        """(1, M), (1, M + 1): that no letter comes any more."""
        return self._behind(moves[None, :, -1], torch.zeros_like(moves[None, 0]))

    def _reach(self, moves: Tensor, steps: int) -> State:
        """(T, M), (T, M + 1): that exactly 0, 1, ... letters more come, over the largest of the row."""
        now, columns, inserts = self._ends(moves), [], []
        for _ in range(steps):
            largest = torch.maximum(now.columns.amax(), now.inserts.amax()).clamp(min=FLOOR)
            now = State(now.columns / largest, now.inserts / largest)
            columns.append(now.columns)
            inserts.append(now.inserts)
            now = self._behind(now.columns @ moves[:, :-1].T, now.inserts)
        return State(torch.cat(columns), torch.cat(inserts))

    def _moves(self) -> Tensor:
        first, more = self.gaps[2], self.gaps[3].clamp(min=FLOOR)
        place = torch.arange(len(first), device=first.device)
        i, j = place[:, None], place[None]
        logs = nn.functional.pad(more.log().cumsum(0)[:-1], (1, 0))
        between = (logs[j] - logs[(i + 1).clamp(max=len(first) - 1)]).exp()
        closed, final = 1 - more, j == len(first) - 1
        skips = first[:, None] * between * torch.where(final, torch.ones_like(closed)[None], closed[None])
        straight = torch.where(final, torch.ones_like(skips), (1 - first)[:, None].expand_as(skips))
        return straight.where(i == j, skips).triu()


@dataclass
class Counts:
    """What sequences are expected to have done.

    letters (M, V) of columns, moves (M + 1, M + 1), visits (M + 1,) of the start and of columns; how often
    inserts opened, went on, and wrote, (M + 1,) each.
    """

    letters: Tensor
    moves: Tensor
    visits: Tensor
    opens: Tensor
    stays: Tensor
    inserted: Tensor
    likelihood: float = 0.0

    @classmethod
    def none(cls, columns: int, size: int, device: torch.device) -> Counts:
        """Nothing yet."""
        shapes = [(columns, size), (columns + 1, columns + 1), *[(columns + 1,)] * 4]
        return cls(*(torch.zeros(shape, device=device) for shape in shapes))  # type: ignore[arg-type]

    def seen(self, letters: Tensor, state: State, *, first: bool) -> None:
        """Letters (N,) were written by these states."""
        known = letters < self.letters.shape[1]
        self.letters.index_add_(1, letters[known], state.columns[known].T)
        self.visits[1:] += state.columns.sum(0)
        self.inserted += state.inserts.sum(0)
        if first:
            self.moves[0, :-1] += state.columns.sum(0)
            self.opens[0] += state.inserts[:, 0].sum()
            self.visits[0] += len(letters)

    def gaps(self) -> Tensor:
        """(4, M + 1), as ``Profile.gaps``."""
        skipped = self.moves.triu(1)
        before = nn.functional.pad(skipped.cumsum(0)[:-1], (0, 0, 1, 0))
        again, closed = before.triu(1).sum(1), before.diagonal()
        pairs = (
            (self.opens, self.visits), (self.stays, self.inserted),
            (skipped.sum(1), self.moves.sum(1)), (again, again + closed),
        )  # fmt: skip
        rows = [
            (seen + GAP_WEIGHT * usual) / (whole + GAP_WEIGHT)
            for (seen, whole), usual in zip(pairs, USUAL_GAPS, strict=True)
        ]
        return torch.stack(rows).clamp(max=0.99)


def _beginnings(tokens: Tensor, lengths: Tensor) -> Iterator[tuple[int, Tensor]]:
    """(columns, that (N, T) of each place): stretched to the usual length, from the start, from the end."""
    places, longest = torch.arange(tokens.shape[1], device=tokens.device)[None], int(lengths.max())
    if int(lengths.min()) == longest:
        yield longest, places.expand_as(tokens).clamp(max=longest - 1)
        return
    usual = int(lengths.median())
    share = places * (usual - 1) / (lengths[:, None] - 1).clamp(min=1)
    yield usual, share.round().long().clamp(max=usual - 1)
    yield longest, places.expand_as(tokens).clamp(max=longest - 1)
    yield longest, (places + longest - lengths[:, None]).clamp(max=longest - 1)
