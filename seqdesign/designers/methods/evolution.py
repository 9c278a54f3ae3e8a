"""A genetic algorithm that learns where a start bears changes, how many at once, and what the oracle refuses.

Survivors of each start are sorted by score, of equals the youngest first, so that a plateau is wandered
along. A child is a survivor, perhaps with a segment of another one, at the same place or a shifted one, and
with new letters at some positions. Three things are learnt on the way, each forgotten slowly:

- tolerance of a position: how often children that changed there were no worse than their parent. A worse
  child's blame is shared among the positions that it changed.
- how many positions to change: sizes 1, 2, 4, ... by the number of edits times the share of children that
  were no worse. Where most positions do not matter, dozens of edits are tested at the price of one.
- neighbours that the oracle refuses (``neighbours.py``).

A population that has not improved for a tenth of the budget begins again at the start; of what it learnt it
keeps the neighbours.

A quarter of the children change only one or two positions and try letters that are not known to be fine.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.black_box_options import EvolutionOptions
from seqdesign.designers.crowd import Crowd
from seqdesign.designers.edit_sizes import MEMORY, EditSizes
from seqdesign.designers.neighbours import Neighbours
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.designers.survivors import Survivors
from seqdesign.devices.arithmetic import running_sum

LOCAL = 0.25
"""Share of children with one or two edits anywhere and full courage; that of the others is CAUTIOUS."""
CAUTIOUS = 1e-4
STALE, FEWEST = 0.1, 20
"""Share of the budget, and generations at least, without improvement: then a population starts again."""


def evolution(problem: SequenceProblem, options: EvolutionOptions, seed: int) -> Designs:
    """A population for each start that begins with the start alone."""
    crowd = Crowd(problem, seed)
    size = options.population or max(4, min(256, round(problem.budget**0.5)))
    pool = Survivors(crowd, max(2, round(size * options.survivors)))
    learnt = _Learnt(crowd)
    limit = max(FEWEST, round(STALE * problem.budget / size))
    stale = torch.zeros(crowd.count, dtype=torch.long, device=crowd.device)
    while len(rows := crowd.active()):
        alive = pool.count(rows)
        parent, parent_score = pool.draw(rows, size, alive, power=2.0)
        mate, _ = pool.draw(rows, size, alive)
        child = _recombined(crowd, parent, mate, rows, options)
        child = _mutated(crowd, learnt, child, rows)
        child, good = crowd.repaired(child, parent, rows, crowd.proper(child, parent, rows))
        score = crowd.score(child, rows, good)
        learnt.learn(rows, child, score, parent, parent_score)
        before = pool.score[rows, 0]
        pool.merge(rows, child, score)
        stale[rows] = torch.where(pool.score[rows, 0] > before, 0, stale[rows] + 1)
        old = rows[stale[rows] >= limit]
        if len(old):
            pool.restart(old)
            learnt.restart(old)
            crowd.forget(old)
            stale[old] = 0
        crowd.steps[rows] += 1
    return crowd.designs()


class _Learnt:
    """What each start has learnt about its positions (N, L), about numbers of edits and about neighbours."""

    def __init__(self, crowd: Crowd) -> None:
        self.dice = crowd.dice
        self.fine = torch.ones(crowd.count, crowd.length, device=crowd.device)
        self.worse = torch.ones_like(self.fine)
        self.sizes = EditSizes(crowd)
        self.neighbours = Neighbours(crowd.count, crowd.letters, crowd.device)
        everyone = torch.arange(crowd.count, device=crowd.device)
        self.neighbours.learn(crowd.problem.starts[:, None], everyone, crowd.scorer.start_score[:, None])

    def restart(self, rows: Tensor) -> None:
        """Forget what holds for the present sequences only."""
        self.fine[rows], self.worse[rows] = 1.0, 1.0

    def edits(self, rows: Tensor, size: int) -> tuple[Tensor, Tensor]:
        """Numbers of edits (R, P) and the courage of each child (R, P)."""
        number = self.sizes.draw(rows, size)
        chance = self.dice.uniform(rows, 2, size)
        local = chance[:, 0] < LOCAL
        number = torch.where(local, 1 + (chance[:, 1] < 0.5).long(), number)
        return number, torch.where(local, 1.0, CAUTIOUS)

    def tolerance(self, rows: Tensor) -> Tensor:
        """Estimated share of changes at each position that do no harm, (R, L)."""
        return self.fine[rows] / (self.fine[rows] + self.worse[rows])

    def learn(self, rows: Tensor, child: Tensor, score: Tensor, parent: Tensor, old: Tensor) -> None:
        """From children (R, P, L) and their scores (R, P), NaN for those that were not scored."""
        self.neighbours.learn(child, rows, score)
        fine = score >= old
        # A refusal says nothing about the positions themselves: the neighbours are to blame.
        worse = (score < old) & (score > -torch.inf)
        changed = child != parent
        number = changed.sum(2)
        self.sizes.learn(rows, number, fine, ~score.isnan())
        blame = worse / number.clamp(min=1)
        for table, news in ((self.fine, fine.float()), (self.worse, blame)):
            table[rows] = 1 + MEMORY * (table[rows] - 1) + (news.unsqueeze(2) * changed).sum(1)


def _recombined(
    crowd: Crowd, parent: Tensor, mate: Tensor, rows: Tensor, options: EvolutionOptions
) -> Tensor:
    """Parents (R, P, L), some with a segment of their mate, and some of those with it shifted."""
    length = crowd.length
    chance = crowd.dice.uniform(rows, 5, parent.shape[1]).unbind(1)
    places = torch.arange(length, device=crowd.device)
    begin = (chance[0] * length).long().unsqueeze(2)
    width = 1 + (chance[1].square() * length).long().unsqueeze(2)
    shift = ((2 * chance[2] - 1) * length).long() * (chance[3] < options.shift)
    source = places - shift.unsqueeze(2)
    inside = (places >= begin) & (places < begin + width) & (source >= 0) & (source < length)
    inside &= (chance[4] < options.crossover).unsqueeze(2) & crowd.free[rows].unsqueeze(1)
    letter = mate.gather(2, source.clamp(0, length - 1))
    inside &= crowd.rules.mask[rows[:, None, None], places, letter]
    return torch.where(inside, letter, parent)


def _mutated(crowd: Crowd, learnt: _Learnt, child: Tensor, rows: Tensor) -> Tensor:
    """New letters at positions drawn by tolerance; first at the odd ones, then at the even ones.

    So that no letter is chosen while its neighbours change.
    """
    size, length = child.shape[1:]
    number, courage = learnt.edits(rows, size)
    chance = crowd.dice.uniform(rows, 2, size, length)
    # Exponential clocks: the first ``number`` to ring are a draw without replacement by weight.
    weight = learnt.tolerance(rows).unsqueeze(1).square().where((courage < 1).unsqueeze(2), 1.0)
    clock = -chance[:, 0].log() / weight
    clock = clock.masked_fill(~crowd.free[rows].unsqueeze(1), torch.inf)
    rank = clock.argsort(2).argsort(2)
    chosen = (rank < number.unsqueeze(2)) & (clock < torch.inf)
    child = child.clone()
    for parity in (1, 0):
        item, who, place = (chosen & (torch.arange(length, device=crowd.device) % 2 == parity)).nonzero().T
        owner = rows[item]
        weight = learnt.neighbours.weight(child[item, who], place, owner, courage[item, who])
        weight = weight * crowd.rules.mask[owner, place]
        weight[torch.arange(len(item), device=crowd.device), child[item, who, place]] = 0.0
        total = running_sum(weight, 1)
        letter = (total > (chance[item, 1, who, place] * total[:, -1])[:, None]).int().argmax(1)
        child[item, who, place] = torch.where(total[:, -1] > 0, letter, child[item, who, place])
    return child
