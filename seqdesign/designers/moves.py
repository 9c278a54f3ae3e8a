"""Moves from one sequence to others: substitutions ranked by a gradient, combinations of them, random kicks.

Shapes: B sequences of length L over V letters, k candidates of each; ``rows`` (B,) says whose start each
belongs to. Nothing infeasible and nothing beyond the budget is ever scored.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.designers.noise import uniform
from seqdesign.designers.scorer import Scorer

SPARE = 4
"""Candidates looked at for each one wanted, where constraints may forbid some."""


def substituted(tokens: Tensor, place: Tensor, letter: Tensor) -> Tensor:
    """The k sequences (B, k, L) that differ from ``tokens`` (B, L) by letter (B, k) at place (B, k)."""
    return (
        tokens.unsqueeze(1).repeat(1, place.shape[1], 1).scatter(2, place.unsqueeze(2), letter.unsqueeze(2))
    )


def feasible(scorer: Scorer, candidates: Tensor, rows: Tensor) -> Tensor:
    """Which candidates (B, k, L) obey the rules, (B, k) bool."""
    count = candidates.shape[1]
    good = scorer.problem.rules.is_feasible(candidates.flatten(0, 1), rows.repeat_interleave(count))
    return good.view(-1, count)


def score_all(scorer: Scorer, candidates: Tensor, ok: Tensor, rows: Tensor, soft: Tensor) -> Tensor:
    """Scores (B, k) of the candidates (B, k, L) that are ``ok`` (B, k), as far as the budget goes; else -inf.

    soft: (B,) scores of the relaxed sequences that they come from, for the record.
    """
    ok = ok & (ok.cumsum(1) <= scorer.left[rows].unsqueeze(1))
    scores = torch.full(ok.shape, -torch.inf, device=ok.device, dtype=scorer.best.dtype)
    owner = ok.nonzero()[:, 0]
    if len(owner):
        scores[ok] = scorer.score(candidates[ok], rows[owner], soft[owner])
    return scores.masked_fill(scores.isnan(), -torch.inf)


def ranked(scorer: Scorer, tokens: Tensor, rows: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """The substitutions of which the gradient at ``tokens`` (B, L) promises most, at one query each.

    To first order, letter v at position i gains g_iv - g_i,old. Returns candidates (B, k, L), k <= count, the
    most promising first, and which of them may be scored, (B, k) bool. One that breaks a rule is looked at
    again with the least useful earlier edit taken back, so that a limit on edits is not the end.
    """
    x = scorer.one_hot(tokens)
    _, slope = scorer.gradient(x, rows)
    slope = slope.nan_to_num(0.0)
    gain = slope - (slope * x).sum(1, keepdim=True)
    rules = scorer.problem.rules
    may = rules.mask[rows].transpose(1, 2) & (x == 0)
    value = gain.masked_fill(~may, -torch.inf).flatten(1)
    wanted = count * SPARE if rules.constraints else count
    value, index = value.topk(min(wanted, value.shape[1]), 1)
    place, letter = index % tokens.shape[1], index // tokens.shape[1]
    candidates, ok = substituted(tokens, place, letter), value > -torch.inf
    if not rules.constraints:
        return candidates, ok
    good = ok & feasible(scorer, candidates, rows)
    own = scorer.starts[rows]
    back = gain.gather(1, own.unsqueeze(1)).squeeze(1).masked_fill(tokens == own, -torch.inf)
    least = back.argmax(1, keepdim=True).expand_as(place)
    swaps = candidates.scatter(2, least.unsqueeze(2), own.gather(1, least).unsqueeze(2))
    retry = ok & ~good & (place != least) & (tokens != own).any(1, keepdim=True)
    retry = retry & feasible(scorer, swaps, rows)
    candidates, good = torch.where(retry.unsqueeze(2), swaps, candidates), good | retry
    first = good.sort(dim=1, descending=True, stable=True).indices[:, :count]
    return candidates.gather(1, first.unsqueeze(2).expand(-1, -1, tokens.shape[1])), good.gather(1, first)


def combined(
    tokens: Tensor, base: Tensor, candidates: Tensor, scores: Tensor, sizes: tuple[int, ...]
) -> tuple[Tensor, Tensor]:
    """The ``sizes`` best improvements made together: (B, len(sizes), L), and which of them exist.

    tokens, base: (B, L), (B,) the sequences and their scores. candidates, scores: (B, k, L), (B, k). Of two
    improvements of one position the better counts.
    """
    order = scores.argsort(1, descending=True)
    improves = scores.gather(1, order) > base.unsqueeze(1)
    rank = torch.arange(order.shape[1], device=order.device)
    made, exists = [], []
    for size in sizes:
        use = improves & (rank < size)
        chosen = candidates.gather(1, order.unsqueeze(2).expand_as(candidates))
        change = use.unsqueeze(2) & (chosen != tokens.unsqueeze(1))
        # The first candidate that changes a position decides it.
        which = change.to(torch.uint8).argmax(1, keepdim=True)
        new = chosen.gather(1, which).squeeze(1)
        made.append(torch.where(change.any(1), new, tokens))
        exists.append(improves.sum(1) > (size // 2 if size > 2 else 1))
    return torch.stack(made, 1), torch.stack(exists, 1)


def kicked(
    scorer: Scorer, tokens: Tensor, rows: Tensor, places: Tensor, seed: int, draw: int
) -> tuple[Tensor, Tensor]:
    """``tokens`` (B, L) with ``places`` (B,) letters drawn anew: (B, L), and which of them are feasible.

    What breaks a rule is repaired; what cannot be stays as it was.
    """
    rules = scorer.problem.rules
    mask = rules.mask[rows]
    length, letters = rules.length, rules.num_letters
    chance = uniform(seed, scorer.problem.keys[rows], draw, length + length * letters)
    free = mask.sum(2) > 1
    order = chance[:, :length].masked_fill(~free, 2.0).argsort(1)
    rank = torch.empty_like(order).scatter(
        1, order, torch.arange(length, device=order.device).expand_as(order)
    )
    hit = free & (rank < places.unsqueeze(1))
    wish = chance[:, length:].view(-1, length, letters)
    present = scorer.one_hot(tokens).transpose(1, 2)
    wish = torch.where(hit.unsqueeze(2), wish - present, 2.0 * present)
    new, good = rules.repair(wish, rows)
    return torch.where(good.unsqueeze(1), new, tokens), good
