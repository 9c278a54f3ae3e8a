"""Words of k letters that must not occur twice: equal ones, and reverse complements at some distances.

Shapes: B sequences or prefixes, L letters, V letters of the alphabet, R letters that a walk looks back. The
span of two words is the number of letters from the first of the earlier to the last of the later one.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn.functional import pad

from seqdesign.constraints.constraint import State, Violation
from seqdesign.constraints.starts import Starts

NEVER = 32000
"""More pairs than any two words have; fits into 16 bits."""


class WordPairs:
    """No two words of k letters that repeat each other, as far as that is forbidden.

    equal: forbid equal words. reverse: the shortest and longest distance, from start to start, at which
    reverse complements are forbidden; None: not at all. A word that is its own reverse complement counts
    once.
    """

    def __init__(
        self, name: str, size: int, starts: Starts, *, equal: bool, reverse: tuple[int, int] | None
    ) -> None:
        self.name, self.size, self.equal, self.reverse = name, size, equal, reverse
        self.alphabet, self.num_letters = starts.alphabet, starts.alphabet.size
        self.partner: Tensor | None = None
        if reverse is not None:
            assert starts.alphabet.complement is not None
            pairs = [starts.alphabet.letters.index(c) for c in starts.alphabet.complement]
            self.partner = torch.tensor(pairs, device=starts.device)

    @property
    def span(self) -> int | None:
        """Letters that two words cover together at most; None: words anywhere count."""
        return None if self.equal or self.reverse is None else self.reverse[1] + self.size

    def mask(self) -> None:
        """Any letter may stand anywhere."""
        return

    def walk(self, mask: Tensor, shortest: int) -> PairWalk:
        """Runs of letters that repeat, for every distance."""
        return PairWalk(self, mask.shape[1], mask.device)

    def is_feasible(self, tokens: Tensor, rows: Tensor) -> Tensor:
        """Whether no two words repeat each other."""
        own, other = self._words(tokens)
        if own.shape[1] < 2:
            return torch.ones(len(tokens), dtype=torch.bool, device=tokens.device)
        if self.equal:
            # A word and its reverse complement have one sign, so that both kinds are found at once.
            sign = own if self.reverse is None else torch.minimum(own, other)
            ordered = sign.sort(1).values
            return ~(ordered[:, 1:] == ordered[:, :-1]).any(1)
        assert self.reverse is not None
        bad = torch.zeros(len(tokens), dtype=torch.bool, device=tokens.device)
        for distance in range(self.reverse[0], min(self.reverse[1], own.shape[1] - 1) + 1):
            bad |= (own[:, :-distance] == other[:, distance:]).any(1)
        return ~bad

    def _words(self, tokens: Tensor) -> tuple[Tensor, Tensor]:
        """Numbers (B, W) of the words and of their reverse complements, at the place of the word.

        Equal words have equal numbers. What holds something else than letters has a number of its own.
        """
        length, windows = tokens.shape[1], max(0, tokens.shape[1] - self.size + 1)
        inside = tokens.clamp(max=self.num_letters)
        both = inside
        if self.partner is not None:
            there = pad(self.partner, (0, 1), value=self.num_letters)
            both = torch.cat([inside, there[inside].flip(1)])
        number, width = both, 1
        while width < self.size and windows:
            step = min(width, self.size - width)
            pair = number[:, : number.shape[1] - step] * (int(number.max()) + 1) + number[:, step:]
            number, width = pair.unique(return_inverse=True)[1], width + step
        own = number[: len(tokens), :windows]
        other = number[len(tokens) :, :windows].flip(1) if self.partner is not None else own
        known = pad((inside < self.num_letters).long().cumsum(1), (1, 0))
        whole = (
            known[:, self.size :] - known[:, : length + 1 - self.size] == self.size if windows else own > 0
        )
        nothing = -1 - torch.arange(windows, device=tokens.device).expand_as(own)
        return torch.where(whole, own, nothing), torch.where(whole, other, nothing - windows)

    def explain(self, tokens: Tensor, row: int) -> list[Violation]:
        """One for each later copy, with the place of the earlier one."""
        own, other = (x[0].tolist() for x in self._words(tokens.unsqueeze(0)))
        runs: list[tuple[int, int, int, bool]] = []  # first word of both, letters, whether reversed
        for earlier, later, turned in self._pairs(own, other):
            i, j, letters, same = runs[-1] if runs else (-9, -9, 0, False)
            steps = letters - self.size + 1
            if same == turned and later == j + steps and earlier == (i - 1 if turned else i + steps):
                runs[-1] = (earlier if turned else i, j, letters + 1, turned)
            else:
                runs.append((earlier, later, self.size, turned))
        return [
            Violation(self.name, self._message(i, letters, turned, j), j + 1, j + letters)
            for i, j, letters, turned in runs
        ]

    def _message(self, i: int, letters: int, turned: bool, j: int) -> str:
        place = f"{i + 1}-{i + letters}"
        if not turned:
            return f"{letters} letters repeat those at {place}"
        if self.equal:
            return f"{letters} letters are the reverse complement of those at {place}"
        return f"a stem of {letters} letters with those at {place}"

    def _pairs(self, own: list[int], other: list[int]) -> list[tuple[int, int, bool]]:
        """Earlier word, later word and whether reversed; for each later word the last of the earlier ones."""
        same: dict[int, int] = {}
        turned: dict[int, list[int]] = {}
        found = []
        low, high = self.reverse or (1, 0)
        for j, word in enumerate(own):
            if self.equal and word in same:
                found.append((same[word], j, False))
            near = [i for i in turned.get(other[j], []) if low <= j - i <= high]
            if near:
                found.append((near[-1], j, True))
            same[word] = j
            turned.setdefault(word, []).append(j)
        return sorted(found, key=lambda pair: (pair[2], pair[1]))


class PairWalk:
    """The state: the last R letters, the nearest first, and for each of them how many letters repeat so far.

    ``ahead`` (B, R) counts letters that agree with those at a distance, ``back`` (B, R) letters that pair
    with those before them, outwards from where two stretches meet.
    """

    dead: Tensor | None = None

    def __init__(self, rule: WordPairs, length: int, device: torch.device) -> None:
        self.rule, size = rule, rule.size
        self.reach = max(1, length if rule.span is None else min(rule.span, length))
        self.kind = torch.int8 if size < 100 else torch.int16
        self.most = min(size, NEVER - 1)
        need = torch.full((self.reach + 1,), torch.iinfo(self.kind).max, dtype=self.kind)
        if rule.reverse is not None:
            low, high = rule.reverse
            for span in range(size + low, min(size + high, self.reach) + 1):
                # Words that overlap pair with themselves: half of their letters say it all.
                if span >= 2 * size:
                    need[span] = size
                elif span % 2 == 0:
                    need[span] = span // 2
        self.need = need[1:].to(device)
        """(R,): pairs that complete two words, by their span."""

    def start(self, rows: Tensor) -> State:
        """Nothing yet."""
        none = torch.zeros(len(rows), self.reach, dtype=self.kind, device=rows.device)
        parts = [torch.full_like(none, -1)]
        if self.rule.equal:
            parts.append(none)
        if self.rule.reverse is not None:
            parts.append(none)
        return tuple(parts)

    def _outer(self, back: Tensor) -> Tensor:
        """Pairs inside those that the next letter makes: (B, R), for the letters at each distance."""
        return pad(back[:, :-2], (min(2, self.reach), 0)) if self.reach > 2 else torch.zeros_like(back)

    def allowed(self, state: State, rows: Tensor, t: int) -> Tensor | None:
        """No letter that completes a second word."""
        rule, last = self.rule, state[0]
        bad: list[tuple[Tensor, Tensor]] = []
        if rule.equal:
            bad.append(((state[1] >= rule.size - 1).nonzero(), torch.arange(rule.num_letters)))
        if rule.partner is not None:
            # A span has one letter more than the distance of its ends.
            outer, need = self._outer(state[-1])[:, : self.reach - 1], self.need[1:]
            bad.append(((outer >= need - 1).nonzero(), rule.partner))
        may = None
        for places, becomes in bad:
            if not len(places):
                continue
            if may is None:
                may = torch.ones(len(rows), rule.num_letters, dtype=torch.bool, device=rows.device)
            letters = last[places[:, 0], places[:, 1]].long()
            there = letters >= 0
            may[places[there, 0], becomes.to(rows.device)[letters[there]]] = False
        return may

    def advance(self, state: State, letters: Tensor, rows: Tensor, t: int) -> State:
        """One letter more."""
        rule, last = self.rule, state[0]
        letter = letters.to(self.kind).unsqueeze(1)
        parts = [torch.cat([letter, last[:, :-1]], 1)]
        if rule.equal:
            parts.append((state[1].clamp(max=self.most - 1) + 1) * (last == letter))
        if rule.partner is not None:
            paired = rule.partner[letters].to(self.kind).unsqueeze(1)
            parts.append((self._outer(state[-1]).clamp(max=self.most - 1) + 1) * (last == paired))
        return tuple(parts)

    def may_end(self, state: State, rows: Tensor, t: int) -> None:
        """A prefix without repeats is complete at any time."""
        return
