"""Ledidi and its beam: the fewest edits, beside an exhaustive count and exact greedy substitution."""

from __future__ import annotations

from itertools import product
from typing import Any

import torch

from seqdesign.designers.gradient_options import LedidiOptions
from seqdesign.designers.methods.ledidi import ledidi


def rugged(x: torch.Tensor) -> torch.Tensor:
    make = torch.Generator().manual_seed(5)
    first, last = torch.randn(32, 32, generator=make), torch.randn(32, generator=make)
    return torch.tanh(0.3 * x.flatten(1) @ first) @ last


def hot(tokens: torch.Tensor) -> torch.Tensor:
    return torch.nn.functional.one_hot(tokens, 4).mT.float()


def greedy(start: torch.Tensor, goal: float) -> int:
    """Edits of exact greedy substitution; 99 when it gets stuck."""
    tokens, edits = start, 0
    while float(rugged(hot(tokens[None]))) < goal:
        every = torch.stack([tokens.scatter(0, torch.tensor([i]), v) for i in range(8) for v in range(4)])
        values = rugged(hot(every))
        if float(values.max()) <= float(rugged(hot(tokens[None]))):
            return 99
        tokens, edits = every[values.argmax()], edits + 1
    return edits


def test_edits_to_a_goal_are_the_fewest_possible_or_nearly_so(
    closed: Any, problem: Any, random_starts: Any
) -> None:
    """Beside all 65,536 sequences: a third of an edit above the truth on average, not above greedy."""
    everything = torch.tensor(list(product(range(4), repeat=8)))
    truth = rugged(hot(everything))
    goal = float(truth.quantile(0.999))
    starts = random_starts(30, 8)
    good = everything[truth >= goal]
    fewest = (good[None] != starts[:, None]).sum(2).min(1).values
    task = problem(closed(rugged), starts, 600, enough=goal)
    made = ledidi(task, LedidiOptions(), 0)
    edits = (made.tokens != starts).sum(1)
    assert bool((edits >= fewest)[made.score >= goal].all())
    assert bool((made.score >= goal).all())
    assert float((edits - fewest).float().mean()) <= 0.35
    assert float(edits.float().mean()) <= sum(greedy(s, goal) for s in starts) / 30


def test_needless_edits_are_taken_back(closed: Any, problem: Any) -> None:
    """Only two letters matter; whatever else the sample changed goes again."""
    w = torch.zeros(4, 12)
    w[1, 0] = w[1, 1] = 1.0
    task = problem(
        closed(lambda x: (x * w).sum((1, 2))), torch.zeros(4, 12, dtype=torch.long), 200, enough=2.0
    )
    made = ledidi(task, LedidiOptions(), 0)
    assert (made.tokens != 0).sum(1).tolist() == [2] * 4
