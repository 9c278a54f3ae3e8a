"""Greedy in-silico mutagenesis: the best single substitution, again and again.

The exact scan of Sasse, Chikina and Mostafavi (2023) or tangermeme's ``greedy_substitution``, batched over
starts.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.black_box_options import GreedyOptions
from seqdesign.designers.crowd import HELD, Crowd
from seqdesign.designers.problem import Designs, SequenceProblem


def greedy(problem: SequenceProblem, options: GreedyOptions, seed: int) -> Designs:
    """Scan every feasible substitution, take the best if it improves; ends when none does.

    Of equals the first position and letter wins. A scan costs up to L (V - 1) queries; if the budget does not
    suffice for one, as many substitutions as it does are tried, drawn at random, and the best is taken.
    """
    crowd = Crowd(problem, seed)
    now, value = problem.starts.clone(), crowd.scorer.start_score.clone()
    size = max(1, HELD // max(1, crowd.length**2 * crowd.letters))
    while len(active := crowd.active()):
        for rows in active.split(size):
            best, score, some = _scan(crowd, now[rows], rows)
            better = score > value[rows]
            now[rows[better]], value[rows[better]] = best[better], score[better]
            crowd.steps[rows] += better
            finished = ~better & (crowd.scorer.left[rows] > 0)
            crowd.stop(rows[finished & some], "converged")
            crowd.stop(rows[finished & ~some], "stuck")
    return crowd.designs()


def _scan(crowd: Crowd, now: Tensor, rows: Tensor) -> tuple[Tensor, Tensor, Tensor]:
    """Of the substitutions in ``now`` (R, L): the best (R, L), its score (R,), whether any is feasible (R,).

    What was scored before was no better than what was taken then, so it need not be scored again.
    """
    choices = crowd.length * crowd.letters
    order = crowd.dice.uniform(rows, choices).argsort(1)
    place, letter = order // crowd.letters, order % crowd.letters
    tokens = now.unsqueeze(1).repeat(1, choices, 1).scatter_(2, place.unsqueeze(2), letter.unsqueeze(2))
    wanted = crowd.rules.mask[rows[:, None], place, letter] & (letter != now.gather(1, place))
    owners = rows[:, None].expand_as(wanted)
    wanted[wanted.clone()] = crowd.rules.is_feasible(tokens[wanted], owners[wanted])
    scores = crowd.score(tokens, rows, wanted).nan_to_num(nan=-torch.inf, neginf=-torch.inf)
    top = scores.max(1).values
    first = order.masked_fill(scores < top[:, None], choices).argmin(1)
    return tokens[torch.arange(len(rows), device=rows.device), first], top, wanted.any(1)
