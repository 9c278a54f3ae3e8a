"""A designer of one's own: a function of a problem, options and a seed, used by `sd.maximize` and checked.

`Scorer` counts queries and remembers the best feasible sequence of each start, `problem.rules` mends what
breaks a rule, and `Dice` gives each start random numbers of its own. A package offers such a function to the
command line as an entry point of the group `seqdesign.designers`.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor

import seqdesign as sd
from seqdesign.designers.dice import Dice
from seqdesign.designers.problem import Designs, SequenceProblem
from seqdesign.designers.scorer import Scorer, stops


@dataclass(frozen=True)
class WalkOptions:
    """Options of the walk."""

    changes: int = 2
    """Letters that each step draws anew."""


def walk(problem: SequenceProblem, options: WalkOptions, seed: int) -> Designs:
    """Draw some letters of the best sequence so far anew, mend it, keep it if it is better."""
    scorer, dice = Scorer(problem), Dice(seed, problem.keys)
    length, letters = problem.starts.shape[1], problem.rules.mask.shape[2]
    steps = torch.zeros_like(scorer.used)
    while len(rows := ((scorer.left > 0) & ~scorer.done).nonzero().flatten()):
        wish = torch.nn.functional.one_hot(scorer.tokens[rows], letters).float()
        for _ in range(options.changes):
            place, letter = dice.integers(rows, length), dice.integers(rows, letters)
            wish[torch.arange(len(rows)), place, letter] += 2.0
        tokens, feasible = problem.rules.repair(wish, rows)
        scorer.score(torch.where(feasible[:, None], tokens, problem.starts[rows]), rows)
        steps[rows] += 1
    return scorer.designs(stops(scorer), steps)


def like_tata(x: Tensor) -> Tensor:
    """One-hot DNA (N, 4, L) -> the best match to TATAAA anywhere, (N,)."""
    motif = torch.nn.functional.one_hot(torch.tensor([3, 0, 3, 0, 0, 0]), 4).mT.to(x)
    return torch.nn.functional.conv1d(x, motif[None]).amax((1, 2))


if __name__ == "__main__":
    rules = [sd.rules.gc(0.4, 0.6), sd.rules.max_homopolymer(3)]
    found = sd.maximize(
        like_tata, length=20, num=3, method=walk, settings={"changes": 3}, rules=rules, budget=400
    )
    print(found.to_frame()[["sequence", "score"]].to_string(index=False))
    sd.testing.check_designer(
        walk, checks=["the_same_seed_gives_the_same_result", "no_starts_give_no_designs"]
    )
