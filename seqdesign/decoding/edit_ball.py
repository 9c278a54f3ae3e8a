"""The strings within k edits of an original, as a constraint that beam search can follow letter by letter.

A beam that has emitted t letters carries part of row t of the Levenshtein table (Wagner & Fischer 1974): the
distances between those letters and the first j letters of the original, for |j - t| <= k. Outside this band
no distance is <= k (Ukkonen 1985). A second table, filled from the end, holds the fewest further edits with
which a string can still be completed, given max_length and the forced tokens. A token is allowed exactly
when some way of completing it stays within the budget, so a beam never runs into a dead end.

Shapes: N originals of at most L letters, W beams, T = max_length, K = 2k + 1 with the largest k; entry b of
a row belongs to j = t + b - k.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

FAR = 1 << 20
"""More than any distance, and far from overflow after as many additions as there are positions."""


@dataclass(frozen=True)
class EditBall:
    """The strings near some originals, each with its own budget.

    originals: tokens (N, L) padded; lengths: (N,); max_edits: (N,) substitutions, insertions and deletions.
    UNKNOWN in an original equals no letter: replacing it costs one edit. So a ball may hold no string at all.
    """

    originals: Tensor
    lengths: Tensor
    max_edits: Tensor
    indels: bool = True
    """False: substitutions only, so that every string has the length of its original."""

    def __getitem__(self, rows: slice | Tensor) -> EditBall:
        """The balls of some originals."""
        return self.of(self.originals[rows], self.lengths[rows], self.max_edits[rows])

    def of(self, originals: Tensor, lengths: Tensor, max_edits: Tensor) -> EditBall:
        """Of other originals."""
        return EditBall(originals, lengths, max_edits, self.indels)

    def reach(self, max_length: int) -> int:
        """How far letters may be shifted against an original in strings of at most ``max_length`` letters."""
        if not self.indels or not len(self.max_edits):
            return 0
        # No distance exceeds the longer length, so neither need the budget.
        return min(int(self.max_edits.max()), max(self.originals.shape[1], max_length))

    def contains(self, tokens: Tensor, lengths: Tensor, end: int) -> Tensor:
        """Whether strings (N, T) of these lengths (N,), one for each original, are in it, (N,) bool."""
        width = max(tokens.shape[1], self.originals.shape[1])
        found, own = (
            _letters(x, n, end, width) for x, n in ((tokens, lengths), (self.originals, self.lengths))
        )
        places = torch.arange(width, device=tokens.device)
        wrong = (found != own) | (own < 0)
        inside = (wrong & (places < lengths.unsqueeze(1))).sum(1) <= self.max_edits
        inside &= lengths == self.lengths
        rest = (~inside).nonzero().squeeze(1)
        if self.indels and len(rest):
            far = _distances(found[rest], lengths[rest], own[rest], self.lengths[rest])
            inside[rest] = far <= self.max_edits[rest]
        return inside


def _letters(tokens: Tensor, lengths: Tensor, end: int, width: int) -> Tensor:
    """(N, width) letters, -1 where nothing can match."""
    wide = torch.nn.functional.pad(tokens, (0, width - tokens.shape[1]), value=-1)
    places = torch.arange(width, device=tokens.device)
    return wide.where((places < lengths.unsqueeze(1)) & (wide < end), -1)


def _distances(a: Tensor, a_lengths: Tensor, b: Tensor, b_lengths: Tensor) -> Tensor:
    """Levenshtein distances (N,) of strings (N, W) of letters or -1 (Wagner & Fischer 1974)."""
    places = torch.arange(b.shape[1] + 1, device=a.device)
    row = places.expand(len(a), -1)
    for t in range(a.shape[1]):
        differs = (a[:, t, None] != b) | (b < 0)
        best = torch.minimum(row[:, :-1] + differs, row[:, 1:] + 1)
        best = torch.nn.functional.pad(best, (1, 0), value=t + 1)
        best = (best - places).cummin(1).values + places
        row = best.where((t < a_lengths).unsqueeze(1), row)
    return row.gather(1, b_lengths.unsqueeze(1)).squeeze(1)


class EditBallSearch:
    """The tables of one ball for strings of at most ``max_length`` letters; token ``end`` is END.

    forced: (N, T) tokens that the string must have, -1 where it is free, or None. reach: that of the ball, or
    of one of which it is a part.
    """

    def __init__(self, ball: EditBall, max_length: int, end: int, forced: Tensor | None, reach: int) -> None:
        # 32 bits are enough for distances, and half the work for a CPU.
        originals, self.lengths = ball.originals.int(), ball.lengths.int()
        self.end = end
        budget = ball.max_edits.clamp(max=max(originals.shape[1], max_length)).int()
        self.indels = ball.indels
        # Without insertions and deletions, letter t can only stand where letter t of the original stood.
        self.k = reach
        self.budget = budget.unsqueeze(1)
        inside = torch.arange(originals.shape[1], device=originals.device) < self.lengths.unsqueeze(1)
        letters = originals.where(inside & (originals < end), -1)
        right = max(0, max_length + self.k + 1 - letters.shape[1])
        self.letters = torch.nn.functional.pad(letters, (self.k, right), value=-1)
        """(N, >= T + K): the original from j = -k on, -1 where nothing can match."""
        self._band = torch.arange(2 * self.k + 1, dtype=torch.int32, device=letters.device)
        self._outputs = torch.arange(end + 1, dtype=torch.int32, device=letters.device)
        self.rest = self._fewest_edits_to_complete(max_length, forced)
        """rest[t]: (N, K), the fewest edits that complete t letters matched against j letters."""

    def _window(self, t: int) -> Tensor:
        """(N, K): letter j of the original for each entry of row t."""
        return self.letters[:, t : t + 2 * self.k + 1]

    def _fewest_edits_to_complete(self, max_length: int, forced: Tensor | None) -> list[Tensor]:
        band = self._band
        length = self.lengths.unsqueeze(1)
        rest: list[Tensor] = []
        last = None if forced is None else last_forced(forced).unsqueeze(1)
        for t in range(max_length, -1, -1):
            j = t - self.k + band
            here = (length - j).masked_fill((j < 0) | (j > length) | (not self.indels) & (j < length), FAR)
            if last is not None:
                token = None if forced is None or t == max_length else forced[:, t, None]
                stop = (last < t) if token is None else (last < t) | ((last == t) & (token == self.end))
                here = here.masked_fill(~stop, FAR)
            else:
                token = None
            if rest:
                here = torch.minimum(here, self._emit(rest[-1], t, token))
            if self.k:  # Deleting letters of the original: the best over i >= j of here[i] + (i - j).
                here = (here + band).flip(1).cummin(1).values.flip(1) - band
            rest.append(here.masked_fill((j < 0) | (j > length), FAR))
        return rest[::-1]

    def _emit(self, after: Tensor, t: int, token: Tensor | None) -> Tensor:
        """Fewest edits when one more letter is emitted: matched, substituted or inserted."""
        window = self._window(t)
        matches = window >= 0 if token is None else (window >= 0) & ((token < 0) | (token == window))
        if not self.k:
            emitted = after + (~matches).int()
            return emitted if token is None else emitted.masked_fill(token == self.end, FAR)
        inserted = torch.nn.functional.pad(after[:, :-1], (1, 0), value=FAR) + 1
        emitted = torch.minimum(after + (~matches).int(), inserted)
        return emitted if token is None else emitted.masked_fill(token == self.end, FAR)

    def start(self) -> Tensor:
        """Row 0 (N, 1, K): the distances of the empty prefix."""
        row = (self._band - self.k).masked_fill(self._band < self.k, FAR)
        return row.expand(len(self.letters), 1, -1)

    def allowed(self, rows: Tensor, t: int) -> Tensor:
        """Rows t (N, W, K) -> (N, W, V+1) bool: the tokens after which the string can be completed."""
        limits = self._limits(t)
        if not self.k:
            return rows <= limits
        return (rows.unsqueeze(3) <= limits.unsqueeze(1)).any(2)

    def _limits(self, t: int) -> Tensor:
        """(N, K, V+1): the largest entry of row t with which a token may follow; -1 where none will do."""
        after = self.rest[t + 1]
        inserted = torch.nn.functional.pad(after[:, :-1], (1, 0), value=FAR)
        any_letter = self.budget - 1 - torch.minimum(after, inserted)
        matched = (self.budget - after).unsqueeze(2)
        limits = matched.where(self._window(t).unsqueeze(2) == self._outputs, any_letter.unsqueeze(2))
        limits = torch.maximum(limits, any_letter.unsqueeze(2))
        # END, which is no letter of an original: the whole original must have been gone through.
        here = self._band == self.lengths.unsqueeze(1) - t + self.k
        limits[..., self.end] = self.budget.where(here, -1)
        return limits

    def advance(self, rows: Tensor, tokens: Tensor, t: int) -> Tensor:
        """Rows t + 1 (N, W, K) after the tokens (N, W) at position t; a row after END has no meaning."""
        differs = (self._window(t).unsqueeze(1) != tokens.unsqueeze(2)).int()
        if not self.k:
            return differs.add_(rows)
        inserted = torch.nn.functional.pad(rows[..., 1:], (0, 1), value=FAR).add_(1)
        best = torch.minimum(differs.add_(rows), inserted)
        # Deleting letters of the original: best[j] = min over i <= j of best[i] + (j - i).
        return best.sub_(self._band).cummin(2).values.add_(self._band)


def last_forced(forced: Tensor) -> Tensor:
    """(N,): the last position (0-based) with a forced token in (N, T), -1 where there is none."""
    positions = torch.arange(1, forced.shape[1] + 1, device=forced.device)
    return ((forced >= 0) * positions).amax(1) - 1
