"""Children of the best sequence of each start, made by what all its children so far have shown.

A child is the best sequence with as many new letters at once as are likely to do no harm (``need.py``), drawn
to suit their neighbours (``fill.py``). In some, parts are moved first (``parts.py``). Where several children
of a generation were better, some of the next have the new letters of two of them. While nothing improves,
some children are asked for what they teach about parts.

Shapes: N starts, of which R (``rows``) have P children each; L positions, V letters.
"""

from __future__ import annotations

from dataclasses import dataclass, fields

import torch
from torch import Tensor
from torch.nn.functional import one_hot

from seqdesign.designers.crowd import Crowd
from seqdesign.designers.evolving import need as needs
from seqdesign.designers.evolving.fill import HELD, filled
from seqdesign.designers.evolving.measure import Measure
from seqdesign.designers.evolving.neighbours import Neighbours
from seqdesign.designers.evolving.parts import MOST_MOVES, NEEDED, Moved, Parts
from seqdesign.devices.arithmetic import running_sum

GENERATIONS = 20
"""Least number without improvement after which a start begins again."""
MATES, PAIRED = 4, 6
"""Better children kept for pairing, and children made with each."""
PATIENCE = 3
"""Generations without improvement after which parts are looked for and moved more often."""
MOVES, RARE = 0.9, 0.2
"""Share of children with moved parts, then and before."""
PROBES = 0.2
"""Largest share of the queries that are asked for what they teach about parts."""
TESTS = 0.25
"""Share of children at most in which a letter is changed because it is open whether it is needed."""
COPIED = 0.6
"""Largest chance that a letter is needed that stands there twice since a part was moved."""
FEWER = 1.5
"""Numbers of new letters are down to the best one over 2 to the power of this."""
COURAGE = 4.0
"""Weights of pairs that are not known to be good are down to 10 to the minus this."""
SOFT = 1e-3
"""Weight of another letter where one should stay if its neighbours allow."""
CLEARED, ACCUSED = 0.02, 0.99
"""Chance that a letter is needed after a child without it alone was no worse, and after it was worse."""


@dataclass(frozen=True)
class Made(Moved):
    """How children (R, P) were made."""

    base: Tensor
    """(R, P, L): the parent with its parts moved, before new letters."""
    knock: Tensor
    """(R, P, L) bool: letters taken out to learn about parts."""


class Lineage:
    """The best sequence of each start, and what is known about it."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.neighbours = Neighbours(crowd.count, crowd.letters, crowd.device)
        everyone = torch.arange(crowd.count, device=crowd.device)
        self.neighbours.learn(crowd.problem.starts[:, None], everyone, crowd.scorer.start_score[:, None])
        self.tokens = crowd.problem.starts.clone()
        self.measure = Measure(crowd)
        self.need = torch.full(self.tokens.shape, 0.5, device=crowd.device)
        """Chance that a letter is needed, (N, L)."""
        self.fresh = torch.zeros(self.tokens.shape, dtype=torch.bool, device=crowd.device)
        """Letters that came with the last improvement, (N, L)."""
        self.mates = self.tokens.unsqueeze(1).repeat(1, MATES, 1)
        self.num_mates = torch.zeros_like(crowd.steps)
        self.stale = torch.zeros_like(crowd.steps)
        """Generations since the last improvement, (N,)."""
        self.asked = torch.zeros_like(crowd.steps)
        """Queries for what they teach about parts, (N,)."""
        used = crowd.scorer.used
        self.began, self.reached = used.clone(), used.clone()
        """Queries at which this line began, and at which it last improved, (N,)."""
        self.parts = Parts(crowd)

    def children(self, rows: Tensor, size: int) -> tuple[Tensor, Made]:
        """P = ``size`` sequences for each start, (R, P, L), and how they were made."""
        some = max(1, HELD // (size * self.crowd.length * self.crowd.letters))
        made = [self._children(part, size) for part in rows.split(some)]
        together = [torch.cat([getattr(m, f.name) for _, m in made]) for f in fields(Made)]
        return torch.cat([child for child, _ in made]), Made(*together)

    def learn(self, rows: Tensor, made: Made, child: Tensor, score: Tensor) -> None:
        """From children (R, P, L) and their scores (R, P), NaN for those that were not scored."""
        score = score.double()
        self.neighbours.learn(child, rows, score)
        seen = score > -torch.inf
        least = self.measure.least(rows)[:, None]
        fine, worse = seen & (score >= least), seen & (score < least)
        changed = (child != self.tokens[rows].unsqueeze(1)) & (made.number == 0).unsqueeze(2)
        need = needs.learnt(self.need[rows], changed, fine, worse)
        alone = made.knock & (made.knock.sum(2, keepdim=True) == 1)
        for verdict, chance in ((fine, CLEARED), (worse, ACCUSED)):
            need = need.masked_fill((alone & verdict.unsqueeze(2)).any(1), chance)
        self.need[rows] = need
        self.parts.learn(rows, made.knock, child, score, self.measure.score[rows])
        self.parts.judge(rows, made.part, (made.number == 1) & seen, fine)
        self._adopt(rows, made, child, score)

    def stuck(self, rows: Tensor, size: int) -> Tensor:
        """Which starts (R,), with generations of ``size``, had better begin again.

        Those that have not improved for as long as their best took, if as many queries are left, or of whose
        children since then half were nothing new.
        """
        idle, left = self.stale[rows], self.crowd.scorer.left[rows]
        took = self.reached[rows] - self.began[rows]
        known = 2 * (self.crowd.scorer.used[rows] - self.reached[rows]) < size * idle
        return (idle >= GENERATIONS) & (known | (size * idle >= took) & (left >= took))

    def restart(self, rows: Tensor) -> None:
        """Begin again at the start; what is known about neighbours is kept."""
        self.tokens[rows] = self.crowd.problem.starts[rows]
        self.measure.restart(rows)
        self.parts.restart(rows)
        self.need[rows], self.fresh[rows] = 0.5, False
        self.num_mates[rows], self.stale[rows] = 0, 0
        self.began[rows] = self.reached[rows] = self.crowd.scorer.used[rows]

    def _children(self, rows: Tensor, size: int) -> tuple[Tensor, Made]:
        crowd, parent, need = self.crowd, self.tokens[rows], self.need[rows]
        free = crowd.free[rows].unsqueeze(1)
        knock = self._probes(rows, size)
        probe = knock.any(2)
        chance = crowd.dice.uniform(rows, 4, size).unbind(1)
        share = torch.where(self.stale[rows] >= PATIENCE, MOVES, RARE).unsqueeze(1)
        times = torch.where((chance[0] < share) & ~probe, 1 + (chance[1] * MOST_MOVES).long(), 0)
        good = self.neighbours.good[rows] | ~self.neighbours.refused[rows, None, None]
        moved = self.parts.moved(rows, parent, need, times, good)
        held, vacant = moved.source.clamp(min=0), moved.source < 0
        base = parent.unsqueeze(1).expand_as(held).gather(2, held)
        made = Made(moved.source, moved.team, moved.number, moved.part, base, knock)
        need = need.unsqueeze(1).expand(held.shape).gather(2, held).masked_fill(vacant, needs.NEW)
        clock = -crowd.dice.uniform(rows, size, crowd.length).log()
        rank, most = needs.tested(need, clock.masked_fill(~free, torch.inf))
        most = (most * 2 ** (-FEWER * chance[2])).round().clamp(min=1)
        refill = ((rank < most.unsqueeze(2)) | vacant | self._open(rows, need)) & free
        own = one_hot(base, crowd.letters).float()
        mask = crowd.rules.mask[rows].unsqueeze(1).float()
        other = mask * (1 - own * (~vacant).unsqueeze(3))
        weight = torch.where(refill.unsqueeze(3), other, own)
        weight = torch.where(probe[:, :, None, None], self._without(rows, knock, need, own, mask), weight)
        courage = 10 ** (-COURAGE * torch.where(probe, 1.0, chance[3]))
        paired = self._paired(rows, ~probe & (made.number == 0), weight)
        courage = courage.masked_fill(paired, 10**-COURAGE)
        luck = crowd.dice.uniform(rows, size, crowd.length)
        return filled(base, weight, rows, self.neighbours, courage, luck), made

    def _open(self, rows: Tensor, need: Tensor) -> Tensor:
        """Letters of which it is open whether they are needed, one in some children: (R, P, L) bool."""
        doubt = (4 * need * (1 - need)).square()
        chance = self.crowd.dice.uniform(rows, 2, need.shape[1]).unbind(1)
        total = running_sum(doubt, 2)
        place = (total > (chance[0] * total[:, :, -1]).unsqueeze(2)).int().argmax(2)
        test = chance[1] < TESTS * total[:, :, -1].clamp(max=1.0)
        return torch.zeros_like(need, dtype=torch.bool).scatter(2, place.unsqueeze(2), test.unsqueeze(2))

    def _probes(self, rows: Tensor, size: int) -> Tensor:
        """Letters to take out to learn about parts, in half of the children at most: (R, P, L) bool."""
        knock = torch.zeros(len(rows), size, self.crowd.length, dtype=torch.bool, device=rows.device)
        go = (self.stale[rows] >= PATIENCE) & (self.asked[rows] <= PROBES * self.crowd.scorer.used[rows])
        if go.any():
            knock[go, : size // 2] = self.parts.plan(rows[go], self.need[rows[go]], size // 2)
            self.asked.index_add_(0, rows, knock.any(2).sum(1))
        return knock

    def _without(self, rows: Tensor, knock: Tensor, need: Tensor, own: Tensor, mask: Tensor) -> Tensor:
        """Weights of letters (R, P, L, V) for children that only lack the letters ``knock`` (R, P, L).

        Where two are lacking, in their places stand the letters that stood there when one was. Neighbours
        that are not needed give way if they must. need: (R, P, L). own, mask: (R, P or 1, L, V).
        """
        near = torch.zeros_like(knock)
        near[:, :, 1:] |= knock[:, :, :-1]
        near[:, :, :-1] |= knock[:, :, 1:]
        near &= (need < needs.IDLE) & self.crowd.free[rows].unsqueeze(1)
        then = one_hot(self.parts.instead[rows], self.crowd.letters).unsqueeze(1)
        twice = (knock.sum(2) > 1)[:, :, None, None]
        out = mask * (1 - own) * torch.where(twice, then + SOFT, 1.0)
        return torch.where(knock.unsqueeze(3), out, torch.where(near.unsqueeze(3), own + SOFT * mask, own))

    def _paired(self, rows: Tensor, can: Tensor, weight: Tensor) -> Tensor:
        """Let some of the children that ``can`` (R, P) have the new letters of another child that was better.

        Changes their ``weight`` (R, P, L, V), and returns which they are, (R, P) bool.
        """
        size = can.shape[1]
        places = (PAIRED * self.num_mates[rows]).clamp(max=size // 4)
        chosen = can & (can.cumsum(1) <= places[:, None])
        coin = self.crowd.dice.uniform(rows, size, self.crowd.length) < 0.5
        item, child = chosen.nonzero().T
        if len(item):
            row = rows[item]
            mate, own = self.mates[row, child % self.num_mates[row]], self.tokens[row]
            stays = (self.need[row] >= NEEDED) | ~self.crowd.free[row]
            take = ~stays & ~(self.fresh[row] & coin[item, child])
            wish = one_hot(torch.where(take, mate, own), self.crowd.letters)
            weight[item, child] = wish + SOFT * self.crowd.rules.mask[row] * ~stays.unsqueeze(2)
        self.num_mates[rows] = 0
        return chosen

    def _adopt(self, rows: Tensor, made: Made, child: Tensor, score: Tensor) -> None:
        """Go on from the best child where one is no worse; of equals the last."""
        worth = score.nan_to_num(nan=-torch.inf)
        top = worth.max(1).values
        last = worth.shape[1] - 1 - (worth == top[:, None]).flip(1).int().argmax(1)
        best = child[torch.arange(len(rows), device=rows.device), last]
        old = self.measure.score[rows].clone()
        top, again = self.measure.confirmed(rows, best, top)
        better = top > old
        self.stale[rows] = torch.where(better, 0, self.stale[rows] + 1)
        go = (top >= old) & (top > -torch.inf)
        self._keep_mates(rows, made, child, worth, better, last)
        item, last = go.nonzero().squeeze(1), last[go]
        row, better = rows[item], better[item]
        source = made.source[item, last].masked_fill(best[item] != made.base[item, last], -1)
        chance = needs.of_new((source < 0).sum(1), better).unsqueeze(1)
        need = self.need[row].gather(1, source.clamp(min=0))
        # Of a letter that a part took along and left behind, one of the two may be of no use.
        twice = (source.unsqueeze(2) == source.unsqueeze(1)).sum(2) > 1
        need = torch.where(twice, need.clamp(max=COPIED), need)
        self.need[row] = torch.where(source < 0, chance, need)
        self.fresh[row] = torch.where(better.unsqueeze(1), source < 0, self.fresh[row] & (source >= 0))
        self.parts.carry(row, source, made.team[item, last], better)
        self.tokens[row] = best[item]
        self.measure.take(row, top[item], again[item])
        self.reached[row[better]] = self.crowd.scorer.used[row[better]]
        idle = self.stale[rows]
        self.measure.doubt(rows[(idle > 0) & (idle % PATIENCE == 0)], self.tokens)

    def _keep_mates(
        self, rows: Tensor, made: Made, child: Tensor, worth: Tensor, better: Tensor, last: Tensor
    ) -> None:
        """Children (R, P, L) that were ``worth`` (R, P) more than their parent, beside the ``last`` (R,)."""
        still = made.number == 0
        other = (worth > self.measure.score[rows, None]) & still & better[:, None]
        other &= still.gather(1, last[:, None])
        other = other.scatter(1, last[:, None], False)
        order = worth.masked_fill(~other, -torch.inf).argsort(dim=1, descending=True, stable=True)[:, :MATES]
        mates = child.gather(1, order.unsqueeze(2).expand(-1, -1, child.shape[2]))
        self.mates[rows, : order.shape[1]] = torch.where(
            better[:, None, None], mates, self.mates[rows, : order.shape[1]]
        )
        self.num_mates[rows] = torch.where(better, other.sum(1).clamp(max=MATES), self.num_mates[rows])
