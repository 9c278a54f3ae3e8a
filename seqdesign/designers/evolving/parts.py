"""Parts of a sequence: needed letters that work together, found by taking out two at a time, moved as one.

Where letters of different parts are taken out, what is left of the score is the product of what either
leaves, or the losses add up, whichever of the two fits more pairs; letters whose loss together is another one
belong together. A part is a letter with all that belong to it. It is moved to where nothing is needed; a
letter that also belongs to another part stays behind as a copy.

Shapes: N starts, of which R (``rows``) have P children each; L positions.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdesign.designers.crowd import Crowd
from seqdesign.designers.edit_sizes import MEMORY

NEEDED = 0.8
"""Chance from which on a letter counts as needed."""
REACH = 4
"""Pairs are looked at up to this distance, plus twice the longest one that was found to belong together."""
UNUSUAL = 10.0
"""Deviation of a pair, in lower quartiles of all, from which on its letters belong together."""
ENOUGH, MOST = 6, 0.7
"""Pairs of a letter, and share of them that would belong together, that show it badly measured alone."""
EXACT = 1e-4
"""Least such deviation, as a share of the losses."""
DEAD = 1e-6
"""Least share of the score that is left, for the logarithm."""
TRIES = 8
"""Places looked at for a part."""
HELD = 1 << 24
"""Pairs of all starts; where there are more, parts are not looked for."""
MOST_MOVES = 3
"""Parts moved in one child."""
NEAR = 8
"""Half of the moves are no longer."""
HALF = 0.5
"""Chance of being needed up to which a letter may be overwritten."""
FAILS, FINE = 4, 0.2
"""Moves of a part after which what is known about it is forgotten, unless that share did no harm."""


@dataclass(frozen=True)
class Moved:
    """Where letters of children (R, P) come from when parts of their parent are moved."""

    source: Tensor
    """(R, P, L): the position in the parent, -1 where a part left and nothing came."""
    team: Tensor
    """(R, P, L): with which moved part a letter came, from 1 on; 0 for none."""
    number: Tensor
    """(R, P): parts moved."""
    part: Tensor
    """(R, P, L) bool: the letters of the first of them, in the parent."""


class Parts:
    """What taking out letters of the best sequence of each start has shown."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        shape, device = (crowd.count, crowd.length), crowd.device
        self.held = crowd.length if crowd.count * crowd.length**2 <= HELD else 0
        self.single = torch.full((*shape, 2), torch.nan, device=device)
        """What taking out a letter adds to the log of the score and to the score, NaN: unknown, (N, L, 2)."""
        self.instead = torch.zeros(shape, dtype=torch.long, device=device)
        """The letter that stood in its place then, (N, L)."""
        self.pair = torch.full((crowd.count, self.held, self.held, 2), torch.nan, device=device)
        """The same for two letters, of the present best score, (N, L, L, 2)."""
        self.known = torch.zeros((crowd.count, self.held, self.held), dtype=torch.bool, device=device)
        self.together = torch.zeros_like(self.known)
        """Pairs that were looked at before, and those of them that belong together, (N, L, L)."""
        self.tried = torch.zeros(shape, device=device)
        self.fine = torch.zeros(shape, device=device)
        """Moves of the part of a letter, and those that did no harm, older ones counting less, (N, L)."""

    def linked(self, rows: Tensor) -> Tensor:
        """Which letters belong together, (R, L, L) bool.

        What two letters do is compared with what either does, each time with the same letters in their
        places. Where a letter would belong to nearly all others, what it does alone was an exception
        (sequences change on the way), and the median of what it does beside others is taken instead.
        """
        single, pair = self.single[rows], self.pair[rows]
        first = self._unlike(pair, single)
        tested = ~pair[..., 1].isnan()
        odd = (tested.sum(2) >= ENOUGH) & (first.sum(2) > MOST * tested.sum(2))
        beside = (pair - single.unsqueeze(1)).nanmedian(2).values
        now = self._unlike(pair, torch.where(odd.unsqueeze(2), beside, single))
        return now & ~self.known[rows] | self.together[rows]

    @staticmethod
    def _unlike(pair: Tensor, effect: Tensor) -> Tensor:
        """Pairs (R, L, L, 2) that are not what the effects (R, L, 2) make together, (R, L, L) bool."""
        size = (effect.unsqueeze(2) * effect.unsqueeze(1)).abs().sqrt().clamp(min=1e-12)
        deviation = (pair - effect.unsqueeze(2) - effect.unsqueeze(1)).abs() / size
        # NaN is sorted behind everything else.
        every, count = deviation.flatten(1, 2).sort(dim=1).values, (~pair[..., 1].isnan()).sum((1, 2))
        row = torch.arange(len(pair), device=pair.device)
        scale = every[row, count // 2].nan_to_num(torch.inf).argmin(1)
        limit = (UNUSUAL * every[row, count // 4, scale].nan_to_num(torch.inf)).clamp(min=EXACT)
        return deviation[row, :, :, scale] > limit[:, None, None]

    def plan(self, rows: Tensor, need: Tensor, most: int) -> Tensor:
        """Letters to take out in up to ``most`` children: (R, most, L) bool, nowhere where no more is wanted.

        One letter at a time until all that are wanted in pairs were, then the pairs.
        """
        length = self.crowd.length
        knock = torch.zeros(len(rows), most, length, dtype=torch.bool, device=rows.device)
        if not self.held:
            return knock
        places = torch.arange(length, device=rows.device)
        distance = (places - places[:, None]).abs()
        longest = (self.linked(rows) * distance).amax((1, 2))
        needed = need > NEEDED
        wanted = needed.unsqueeze(2) & needed.unsqueeze(1) & (distance > 0)
        wanted &= distance <= (REACH + 2 * longest.clamp(min=2))[:, None, None]
        wanted &= self.pair[rows][..., 1].isnan() & ~self.known[rows]
        alone = wanted.any(2) & self.single[rows][..., 1].isnan()
        # From left to right, not the nearest first: most of those looked at should belong to different parts.
        wanted = wanted.triu().flatten(1)
        order = torch.where(wanted, wanted.cumsum(1) - 1, most).clamp(max=most)
        pair = torch.full((len(rows), most + 1), -1, device=rows.device)
        pair = pair.scatter(1, order, torch.arange(length**2, device=rows.device).expand_as(order))[:, :most]
        for place in (pair // length, pair % length):
            knock |= (places == place.unsqueeze(2)) & (pair >= 0).unsqueeze(2)
        rank = torch.where(alone, alone.cumsum(1) - 1, most).clamp(max=most)
        ones = torch.zeros(len(rows), most + 1, length, dtype=torch.bool, device=rows.device)
        ones.scatter_(1, rank.unsqueeze(1), alone.unsqueeze(1))
        return torch.where(alone.any(1)[:, None, None], ones[:, :most], knock)

    def learn(self, rows: Tensor, knock: Tensor, child: Tensor, score: Tensor, base: Tensor) -> None:
        """From children (R, P, L) without the letters ``knock`` (R, P, L), and their scores (R, P).

        base: (R,), the score of the best.
        """
        seen = score > -torch.inf
        number = knock.sum(2)
        score, base = score.float(), base.float()
        change = score - base[:, None]
        ratio = torch.where(base[:, None] > 0, score / base[:, None], torch.nan)
        # Without a letter that is vital nothing else shows: its effect is unknown.
        ratio = ratio.masked_fill((number == 1) & (ratio <= DEAD), torch.nan)
        effect = torch.stack([ratio.clamp(min=DEAD).log(), change], 2)
        item, which = (seen & (number == 1)).nonzero().T
        place = knock[item, which].int().argmax(1)
        self.single[rows[item], place] = effect[item, which]
        self.instead[rows[item], place] = child[item, which, place]
        item, which = (seen & (number == 2)).nonzero().T
        first = knock[item, which].int().argmax(1)
        second = knock.shape[2] - 1 - knock[item, which].flip(1).int().argmax(1)
        row = rows[item]
        self.pair[row, first, second] = self.pair[row, second, first] = effect[item, which]

    def moved(self, rows: Tensor, tokens: Tensor, need: Tensor, times: Tensor, good: Tensor) -> Moved:
        """Children of the best sequences ``tokens`` (R, L), with up to ``times`` (R, P) parts moved.

        need: (R, L). good: (R, V, V) bool, pairs of neighbours that may result.
        """
        count, length = times.shape[1], tokens.shape[1]
        source = torch.arange(length, device=rows.device).repeat(len(rows), count, 1)
        moved = Moved(source, torch.zeros_like(source), torch.zeros_like(times), source < 0)
        if not self.held:
            return moved
        held_up = need > HALF
        linked = self.linked(rows) & held_up.unsqueeze(1) & held_up.unsqueeze(2)
        some = linked.any(2).any(1)
        if some.any():
            given = (part[some] for part in (rows, tokens, need, times, good, linked))
            for whole, news in zip(
                (moved.source, moved.team, moved.number, moved.part), self._steps(*given), strict=True
            ):
                whole[some] = news
        return moved

    def _steps(
        self, rows: Tensor, tokens: Tensor, need: Tensor, times: Tensor, good: Tensor, linked: Tensor
    ) -> tuple[Tensor, Tensor, Tensor, Tensor]:
        """The fields of ``Moved`` for starts with parts; linked: (R, L, L) bool."""
        count, length = times.shape[1], tokens.shape[1]
        degree = linked.sum(2)
        luck = (self.fine[rows] + 0.5) / (self.tried[rows] + 1) * (degree > 0)
        source = torch.arange(length, device=rows.device).repeat(len(rows), count, 1)
        team, number, first = torch.zeros_like(source), torch.zeros_like(times), source < 0
        for step in range(MOST_MOVES):
            held = source.clamp(min=0)
            chance = luck.unsqueeze(1).expand_as(source).gather(2, held) * (source >= 0)
            clock = -self.crowd.dice.uniform(rows, count, length).log() / chance
            least, place = clock.min(2)
            letter = held.gather(2, place.unsqueeze(2))
            whole = linked.gather(1, letter.expand(-1, -1, length)).scatter(2, letter, True)
            leaves = whole & (whole.float() @ linked.float() >= degree.unsqueeze(1))
            there = whole.gather(2, held) & (source >= 0)
            free = leaves.gather(2, held) & there
            new, arrived, ok = self._placed(rows, tokens, need, source, there, free, good)
            ok &= (step < times) & (least < torch.inf)
            team = torch.where(ok.unsqueeze(2) & arrived, step + 1, team)
            source = torch.where(ok.unsqueeze(2), new, source)
            first = torch.where((ok & (number == 0)).unsqueeze(2), whole, first)
            number = number + ok
        return source, team, number, first

    def _placed(
        self,
        rows: Tensor,
        tokens: Tensor,
        need: Tensor,
        source: Tensor,
        part: Tensor,
        free: Tensor,
        good: Tensor,
    ) -> tuple[Tensor, Tensor, Tensor]:
        """Children (R, P, L) whose ``part`` stands elsewhere, as sources; where it does; if there is room.

        source: (R, P, L). part, free: (R, P, L) bool, its letters and those of them whose place it leaves.
        """
        size, length = source.shape[1:]
        chance = self.crowd.dice.uniform(rows, 2, size, TRIES)
        # Half of the places are near, so that a part can step aside.
        far = ((2 * chance[:, 0] - 1) * length).long()
        near = ((2 * chance[:, 0] - 1) * NEAR).round().long()
        offset = torch.where(chance[:, 1] < 0.5, near, far).unsqueeze(3)
        origin = torch.arange(length, device=rows.device) - offset
        inside = (origin >= 0) & (origin < length)
        wide = (*origin.shape[:2], TRIES, length)
        arrives = part.unsqueeze(2).expand(wide).gather(3, origin.clamp(0, length - 1)) & inside
        comes = source.unsqueeze(2).expand(wide).gather(3, origin.clamp(0, length - 1))
        now = source.masked_fill(free, -1).unsqueeze(2)
        new = torch.where(arrives, comes, now)
        index = torch.arange(len(rows), device=rows.device)[:, None, None, None]
        letter = tokens[index, new.clamp(min=0)]
        fixed = (need[index, new.clamp(min=0)] > HALF) & (new >= 0)
        lost = arrives & (now >= 0) & (need[index, now.clamp(min=0)] > HALF)
        ok = (arrives.sum(3) == part.sum(2, keepdim=True)) & (offset.squeeze(3) != 0) & ~lost.any(3)
        two = (good.float() @ good.float()) > 0
        for gap, pairs in ((1, good), (2, two)):
            fits = pairs[index, letter[..., :-gap], letter[..., gap:]]
            close = fixed[..., :-gap] & fixed[..., gap:] & (arrives[..., :-gap] | arrives[..., gap:])
            if gap == 2:
                close &= ~fixed[..., 1:-1]
            ok &= ~(close & ~fits).any(3)
        first = ok.int().argmax(2)
        index = first[:, :, None, None].expand(*new.shape[:2], 1, length)
        return new.gather(2, index).squeeze(2), arrives.gather(2, index).squeeze(2), ok.any(2)

    def judge(self, rows: Tensor, part: Tensor, once: Tensor, fine: Tensor) -> None:
        """Moves of a ``part`` (R, P, L) bool in children with one alone, ``once`` (R, P); which were fine."""
        for table, which in ((self.tried, once), (self.fine, once & fine)):
            table[rows] = MEMORY * table[rows] + (part & which.unsqueeze(2)).sum(1)
        bad = (self.tried[rows] >= FAILS) & (self.fine[rows] < FINE * self.tried[rows])
        item, place = bad.nonzero().T
        row = rows[item]
        self.tried[row, place], self.fine[row, place] = 0.0, 0.0
        for table, nothing in ((self.pair, torch.nan), (self.known, False), (self.together, False)):
            table[row, place] = nothing
            table[row, :, place] = nothing
        self.single[row, place] = torch.nan

    def carry(self, rows: Tensor, source: Tensor, team: Tensor, better: Tensor) -> None:
        """The best sequences are others now, whose letters come from ``source`` (R, L).

        Letters of different ``team`` (R, L) do not belong together any more: one was moved without harm. Of
        sequences that are ``better`` (R,) everything is measured anew.
        """
        held, new, index = source.clamp(min=0), source < 0, rows[:, None]
        for table in (self.tried, self.fine):
            table[rows] = table[index, held].masked_fill(new, 0.0)
        if not self.held:
            return
        grown = rows[better]
        self.together[grown] = self.linked(grown)
        self.known[grown] |= ~self.pair[grown][..., 1].isnan()
        self.single[grown], self.pair[grown] = torch.nan, torch.nan
        self.instead[rows] = self.instead[index, held]
        self.single[rows] = self.single[index, held].masked_fill(new.unsqueeze(2), torch.nan)
        where = (rows[:, None, None], held.unsqueeze(2), held.unsqueeze(1))
        none = new.unsqueeze(2) | new.unsqueeze(1)
        apart = (team.unsqueeze(2) != team.unsqueeze(1)) & ~none
        self.pair[rows] = self.pair[where].masked_fill(none.unsqueeze(3), torch.nan)
        self.known[rows] = self.known[where] & ~none | apart
        self.together[rows] = self.together[where] & ~none & ~apart

    def restart(self, rows: Tensor) -> None:
        """Forget everything."""
        self.single[rows], self.pair[rows] = torch.nan, torch.nan
        self.tried[rows], self.fine[rows] = 0.0, 0.0
        self.known[rows], self.together[rows] = False, False
