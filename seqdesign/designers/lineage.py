"""Children of the best sequence of each start, made by what all its children so far have shown.

A child is the best sequence with as many new letters at once as are likely to do no harm (``need.py``), drawn to
suit their neighbours (``fill.py``). In some, parts are moved first (``parts.py``). Where several children of a
generation were better, some of the next have the new letters of two of them. When nothing has improved for some
generations, some children are asked for what they teach about parts.

Shapes: N starts, of which R (``rows``) have P children each; L positions, V letters.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

from seqdesign.designers import need as needs
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.fill import filled
from seqdesign.designers.neighbours import Neighbours
from seqdesign.designers.parts import NEEDED, Parts
from seqdesign.devices.arithmetic import running_sum

MATES, PAIRED = 4, 6
"""Better children kept for pairing, and children made with each."""
PATIENCE = 3
"""Generations without improvement after which parts are looked for and moved more often."""
MOVES, RARE = 0.9, 0.2
"""Share of children with moved parts, then and before."""
PROBES = 0.2
"""Largest share of the queries that are asked for what they teach about parts."""
COURAGE = 4.0
"""Weights of pairs that are not known to be good are down to 10 to the minus this."""
COPIED = 0.6
"""Largest chance that a letter is needed that stands there twice since a part was moved."""
TESTS = 0.25
"""Share of children at most in which a letter is changed because it is open whether it is needed."""
SLACK = 2.0
"""A child is worse if it scores so many standard deviations of the noise less."""
SOFT = 1e-3
"""Weight of another letter where one should stay if its neighbours allow."""


@dataclass
class Plan:
    """Children (R, P) before their letters are drawn."""

    base: Tensor
    """(R, P, L) letters; those that are not refilled stay."""
    source: Tensor
    """(R, P, L): the position in the parent that a letter comes from, -1 for a free one."""
    team: Tensor
    """(R, P, L): with which moved part a letter came, from 1 on; 0 for none."""
    number: Tensor
    """(R, P): parts moved."""
    part: Tensor
    """(R, P, L) bool: the letters of the first of them, in the parent."""
    knock: Tensor
    """(R, P, L) bool: letters taken out to learn about parts."""
    weight: Tensor
    """(R, P, L, V) of new letters."""
    courage: Tensor
    """(R, P)."""

    @property
    def probe(self) -> Tensor:
        """Children that are asked for what they teach, (R, P) bool."""
        return self.knock.any(2)


class Lineage:
    """The best sequence of each start, and what is known about it."""

    def __init__(self, crowd: Crowd) -> None:
        self.crowd = crowd
        self.neighbours = Neighbours(crowd.count, crowd.letters, crowd.device)
        everyone = torch.arange(crowd.count, device=crowd.device)
        self.neighbours.learn(crowd.problem.starts[:, None], everyone, crowd.scorer.start_score[:, None])
        self.tokens = crowd.problem.starts.clone()
        self.score = crowd.scorer.start_score.double()
        self.need = torch.full(self.tokens.shape, 0.5, device=crowd.device)
        """Chance that a letter is needed, (N, L)."""
        self.fresh = torch.zeros(self.tokens.shape, dtype=torch.bool, device=crowd.device)
        """Letters that came with the last improvement, (N, L)."""
        self.mates = self.tokens.unsqueeze(1).repeat(1, MATES, 1)
        self.num_mates = torch.zeros_like(crowd.steps)
        self.stale, self.asked = torch.zeros_like(crowd.steps), torch.zeros_like(crowd.steps)
        self.began, self.reached = self.crowd.scorer.used.clone(), self.crowd.scorer.used.clone()
        """Queries at which this line began, and at which it last improved, (N,)."""
        self.noise = torch.zeros_like(self.score)
        """Standard deviation of a score that is asked for again, (N,)."""
        self.exact = torch.zeros(crowd.count, dtype=torch.bool, device=crowd.device)
        """Starts whose oracle has said the same twice, (N,)."""
        self.measured = torch.zeros_like(self.score)
        """How often the best sequence was scored after it was chosen, (N,)."""
        self.parts = Parts(crowd)

    def children(self, rows: Tensor, size: int) -> tuple[Tensor, Plan]:
        """Sequences (R, P, L) and how they were made."""
        plan = self._planned(rows, size)
        chance = self.crowd.dice.uniform(rows, size, self.crowd.length)
        child = filled(plan.base, plan.weight, rows, self.neighbours, plan.courage, chance)
        return child, plan

    def _planned(self, rows: Tensor, size: int) -> Plan:
        crowd, length = self.crowd, self.crowd.length
        parent, need = self.tokens[rows], self.need[rows]
        knock = self._probes(rows, need, size)
        probe = knock.any(2)
        chance = crowd.dice.uniform(rows, 4, size).unbind(1)
        share = torch.where(self.stale[rows] >= PATIENCE, MOVES, RARE).unsqueeze(1)
        times = torch.where((chance[0] < share) & ~probe, 1 + (chance[1] * 3).long(), 0)
        good = self.neighbours.good[rows] | ~self.neighbours.refused[rows, None, None]
        source, team, number, part = self.parts.moved(rows, parent, need, times, good)
        held, vacant = source.clamp(min=0), source < 0
        base = parent.unsqueeze(1).expand_as(source).gather(2, held)
        known = need.unsqueeze(1).expand(source.shape).gather(2, held).masked_fill(vacant, needs.NEW)
        clock = -crowd.dice.uniform(rows, size, length).log()
        rank, most = needs.tested(known, clock.masked_fill(~crowd.free[rows].unsqueeze(1), torch.inf))
        most = (most * 2 ** (-1.5 * chance[2])).round().clamp(min=1)
        refill = (rank < most.unsqueeze(2)) | vacant | self._doubtful(rows, known)
        refill &= crowd.free[rows].unsqueeze(1)
        mask = crowd.rules.mask[rows].unsqueeze(1).float()
        own = torch.nn.functional.one_hot(base, crowd.letters).float()
        soft = own + SOFT * mask
        other = mask * (1 - own * (~vacant).unsqueeze(3))
        near = torch.zeros_like(knock)
        near[:, :, 1:] |= knock[:, :, :-1]
        near[:, :, :-1] |= knock[:, :, 1:]
        near &= (known < 0.1) & ~knock & crowd.free[rows].unsqueeze(1)
        instead = torch.nn.functional.one_hot(self.parts.instead[rows], crowd.letters).unsqueeze(1)
        twice = (knock.sum(2) > 1)[:, :, None, None]
        out = other * torch.where(twice, instead + SOFT, 1.0)
        asked = torch.where(knock.unsqueeze(3), out, torch.where(near.unsqueeze(3), soft, own))
        weight = torch.where(refill.unsqueeze(3), other, own)
        weight = torch.where(probe[:, :, None, None], asked, weight)
        courage = 10 ** (-COURAGE * torch.where(probe, 1.0, chance[3]))
        plan = Plan(base, source, team, number, part, knock, weight, courage)
        self._pair(rows, plan, soft)
        return plan

    def _doubtful(self, rows: Tensor, need: Tensor) -> Tensor:
        """Letters of which it is open whether they are needed, one in some children: (R, P, L) bool."""
        doubt = (4 * need * (1 - need)).square()
        chance = self.crowd.dice.uniform(rows, 2, need.shape[1]).unbind(1)
        total = running_sum(doubt, 2)
        place = (total > (chance[0] * total[:, :, -1]).unsqueeze(2)).int().argmax(2)
        test = chance[1] < TESTS * total[:, :, -1].clamp(max=1.0)
        return torch.zeros_like(need, dtype=torch.bool).scatter(2, place.unsqueeze(2), test.unsqueeze(2))

    def _probes(self, rows: Tensor, need: Tensor, size: int) -> Tensor:
        """Letters to take out, (R, P, L) bool."""
        knock = torch.zeros(len(rows), size, self.crowd.length, dtype=torch.bool, device=rows.device)
        go = (self.stale[rows] >= PATIENCE) & (self.asked[rows] <= PROBES * self.crowd.scorer.used[rows])
        if go.any():
            knock[go, : size // 2] = self.parts.plan(rows[go], need[go], size // 2)
            self.asked.index_add_(0, rows, knock.any(2).sum(1))
        return knock

    def _pair(self, rows: Tensor, plan: Plan, soft: Tensor) -> None:
        """Let some children have the new letters of another child that was better."""
        size = plan.base.shape[1]
        can = ~plan.probe & (plan.number == 0)
        places = (PAIRED * self.num_mates[rows]).clamp(max=size // 4)
        item, child = (can & (can.cumsum(1) <= places[:, None])).nonzero().T
        if not len(item):
            return
        row = rows[item]
        coin = self.crowd.dice.uniform(rows, size, self.crowd.length)[item, child] < 0.5
        mate = self.mates[row, child % self.num_mates[row]]
        take = (mate != self.tokens[row]) & (self.need[row] < NEEDED) & ~(self.fresh[row] & coin)
        letter = torch.where(take, mate, self.tokens[row])
        wish = torch.nn.functional.one_hot(letter, self.crowd.letters).float()
        wish = wish + SOFT * self.crowd.rules.mask[row]
        stay = (self.need[row] >= NEEDED) | ~self.crowd.free[row]
        own = torch.nn.functional.one_hot(self.tokens[row], self.crowd.letters).float()
        plan.weight[item, child] = torch.where(stay.unsqueeze(2), own, wish)
        plan.courage[item, child] = 10**-COURAGE
        self.num_mates[rows] = 0

    def learn(self, rows: Tensor, plan: Plan, child: Tensor, score: Tensor) -> None:
        """From children (R, P, L) and their scores (R, P), NaN for those that were not scored."""
        score = score.double()
        self.neighbours.learn(child, rows, score)
        base = self.score[rows]
        seen = score > -torch.inf
        least = (base - SLACK * self.noise[rows])[:, None]
        fine, worse = seen & (score >= least), seen & (score < least)
        still = plan.number == 0
        changed = (child != self.tokens[rows].unsqueeze(1)) & still.unsqueeze(2)
        self.need[rows] = needs.learnt(self.need[rows], changed, fine, worse)
        alone = plan.knock & (plan.knock.sum(2, keepdim=True) == 1)
        for verdict, chance in ((fine, 0.02), (worse, 0.99)):
            said = (alone & verdict.unsqueeze(2)).any(1)
            self.need[rows] = torch.where(said, chance, self.need[rows])
        self.parts.learn(rows, plan.knock, child, score, base)
        self.parts.judge(rows, plan.part, (plan.number == 1) & seen, fine)
        self._adopt(rows, plan, child, score)

    def _adopt(self, rows: Tensor, plan: Plan, child: Tensor, score: Tensor) -> None:
        """Go on from the best child where one is no worse; of equals the last."""
        worth = score.nan_to_num(nan=-torch.inf)
        top = worth.max(1).values
        last = worth.shape[1] - 1 - (worth == top[:, None]).flip(1).int().argmax(1)
        old = self.score[rows]
        go = (top >= old) & (top > -torch.inf)
        best = child[torch.arange(len(rows), device=rows.device), last]
        noisy = go & (self.noise[rows] > 0)
        if noisy.any():
            # The best of many is the luckiest of them; what counts is what it scores again.
            top[noisy] = self._asked_again(rows[noisy], best[noisy])
            go = (top >= old) & (top > -torch.inf)
        self.stale[rows] = torch.where(top > old, 0, self.stale[rows] + 1)
        item, last, row = go.nonzero().squeeze(1), last[go], rows[go]
        better = top[item] > old[item]
        self._keep_mates(row[better], plan, child, worth, item[better], last[better])
        new, base = child[item, last], plan.base[item, last]
        source = plan.source[item, last].masked_fill(new != base, -1)
        self._succeed(row, new, top[item], source, plan.team[item, last], better)
        self.measured[row] = noisy[item].double()
        self._doubt(rows)

    def _asked_again(self, rows: Tensor, tokens: Tensor) -> Tensor:
        """Scores (R,) of sequences (R, L) that were scored before, NaN where no query is left."""
        wanted = torch.ones(len(rows), 1, dtype=torch.bool, device=rows.device)
        return self.crowd.score(tokens.unsqueeze(1), rows, wanted, again=True)[:, 0].double()

    def _doubt(self, rows: Tensor) -> None:
        """Ask for the best score again where nothing improves on it, unless the oracle always says the same."""
        part = rows[(self.stale[rows] % PATIENCE == 0) & (self.stale[rows] > 0) & ~self.exact[rows]]
        if not len(part):
            return
        again, before, count = self._asked_again(part, self.tokens[part]), self.score[part], self.measured[part]
        said = again > -torch.inf
        part, again, before, count = part[said], again[said], before[said], count[said]
        self.exact[part] = (again == before) & (self.noise[part] == 0)
        apart = (again - before).abs() / 2**0.5
        known = self.noise[part]
        self.noise[part] = torch.where(known > 0, ((known**2 + apart**2) / 2).sqrt(), apart)
        self.score[part] = (count * before + again) / (count + 1)
        self.measured[part] = count + 1

    def _succeed(self, row: Tensor, new: Tensor, score: Tensor, source: Tensor, team: Tensor, better: Tensor) -> None:
        """Go on from the sequences ``new`` (R, L), whose letters come from ``source`` (R, L) of the best so far."""
        chance = needs.of_new((source < 0).sum(1), better).unsqueeze(1)
        need = self.need[row].gather(1, source.clamp(min=0))
        # Of a letter that a part took along and left behind, one of the two may be of no use.
        twice = (source.unsqueeze(2) == source.unsqueeze(1)).sum(2) > 1
        need = torch.where(twice, need.clamp(max=COPIED), need)
        self.need[row] = torch.where(source < 0, chance, need)
        self.fresh[row] = torch.where(better.unsqueeze(1), source < 0, self.fresh[row] & (source >= 0))
        self.parts.carry(row, source, team, better)
        self.tokens[row], self.score[row] = new, score
        self.reached[row[better]] = self.crowd.scorer.used[row[better]]

    def stuck(self, rows: Tensor, least: int) -> Tensor:
        """Which starts (R,) better begin again: no improvement for as long as it took, and as much is left."""
        used = self.crowd.scorer.used[rows]
        took = self.reached[rows] - self.began[rows]
        return (used - self.reached[rows] >= took.clamp(min=least)) & (self.crowd.scorer.left[rows] >= took)

    def restart(self, rows: Tensor) -> None:
        """Begin again at the start."""
        self.tokens[rows] = self.crowd.problem.starts[rows]
        self.score[rows] = self.crowd.scorer.start_score[rows].double()
        self.need[rows], self.fresh[rows] = 0.5, False
        self.num_mates[rows], self.stale[rows] = 0, 0
        self.began[rows] = self.reached[rows] = self.crowd.scorer.used[rows]
        self.parts.restart(rows)

    def _keep_mates(self, row: Tensor, plan: Plan, child: Tensor, worth: Tensor, item: Tensor, last: Tensor) -> None:
        """Other children without moves that were better than their parent."""
        other = (worth[item] > self.score[row, None]) & (plan.number[item] == 0)
        other.scatter_(1, last.unsqueeze(1), False)
        other &= (plan.number[item, last] == 0).unsqueeze(1)
        order = worth[item].masked_fill(~other, -torch.inf).argsort(dim=1, descending=True, stable=True)[:, :MATES]
        self.mates[row, : order.shape[1]] = child[item].gather(1, order.unsqueeze(2).expand(-1, -1, child.shape[2]))
        self.num_mates[row] = other.sum(1).clamp(max=MATES)
