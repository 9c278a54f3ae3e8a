"""All strings within an edit budget that leaves few: 2,619 of nine letters with three substitutions.

Shapes: M starts, K strings, T positions, V letters.
"""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

from seqdesign.revisers.problem import DesignProblem

MOST = 1 << 13
"""Strings of a start at most: to score them takes no longer than to search among them."""


def has_few(problem: DesignProblem, owner: Tensor) -> Tensor:
    """Whether at most MOST strings are within the budget of the starts ``owner`` (M,); (M,) bool.

    Without a budget, and where letters may come and go, there are never few.
    """
    if problem.max_edits is None or problem.indels:
        return torch.zeros_like(owner, dtype=torch.bool)
    # More edits than these do not matter: each has a choice of its own to be made or not.
    edits = min(problem.max_edits, problem.tokens.shape[1], MOST.bit_length())
    ways = torch.zeros(len(owner), edits + 1, dtype=torch.float64, device=owner.device)
    ways[:, 0] = 1.0
    for choices in _others(problem, owner).sum(2).unbind(1):
        ways[:, 1:] += ways[:, :-1] * choices.unsqueeze(1)
    return ways.sum(1) <= MOST


def all_within(problem: DesignProblem, owner: Tensor) -> tuple[Tensor, Tensor]:
    """All strings of known letters within the budget of the starts ``owner`` (M,), but the starts themselves.

    Returns the starts (K,) that they belong to, and their tokens (K, T). Each comes once.
    """
    assert problem.max_edits is not None
    others, places = _others(problem, owner), torch.arange(problem.tokens.shape[1], device=owner.device)
    row, tokens, last = torch.arange(len(owner), device=owner.device), problem.tokens[owner], places[:1] - 1
    found = [(row[:0], tokens[:0])]
    for _ in range(min(problem.max_edits, len(places))):
        # One more edit, behind the last one.
        more, last, letter = (others[row] & (places > last.unsqueeze(1)).unsqueeze(2)).nonzero().unbind(1)
        row, tokens = row[more], tokens[more].scatter(1, last.unsqueeze(1), letter.unsqueeze(1))
        found.append((row, tokens))
    rows, strings = (torch.cat(column) for column in zip(*found, strict=True))
    known = ((strings < problem.model.decoder.end) | (strings == problem.model.decoder.pad)).all(1)
    return owner[rows[known]], strings[known]


def _others(problem: DesignProblem, owner: Tensor) -> Tensor:
    """Letters (M, T, V) that may be written in the place of those of the starts, bool."""
    tokens, letters = problem.tokens[owner], problem.model.decoder.end
    places = torch.arange(tokens.shape[1], device=owner.device)
    free = places < problem.lengths[owner].unsqueeze(1)
    if problem.forced is not None:
        free &= problem.forced[owner] < 0
    here = functional.one_hot(tokens.clamp(max=letters), letters + 1)[..., :-1].bool()
    other = ~here & free.unsqueeze(2)
    if problem.rules is not None:
        other[:, : problem.rules.length] &= problem.rules.mask[owner]
    return other
