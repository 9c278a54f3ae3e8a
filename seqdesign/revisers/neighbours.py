"""Strings one substitution away from others, and from each with one of its edits taken back.

At the end of an edit budget no edit can be added, so what lies nearest there is an exchange: one edit is
taken back and another one made. Shapes: M strings, N starts, T positions, V letters.
"""

from __future__ import annotations

import torch
from torch import Tensor

from seqdesign.devices.blocks import block_size, in_blocks
from seqdesign.revisers.pool import hashes, mix
from seqdesign.revisers.problem import DesignProblem

MOST_MOVES = 4096
"""Moves of a string that are looked at; of more, as many are drawn."""
CPU_ROWS = 512
"""Strings at once on a CPU."""


def neighbours(problem: DesignProblem, owner: Tensor, tokens: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """At most ``count`` neighbours of each of M strings (M, T) of the starts ``owner`` (M,).

    Returns the indices (K,) of the strings that they come from and their tokens (K, T). Where there are more,
    hashes of string and move choose, so that a string has the same neighbours in every batch.
    """
    starts = problem.tokens[owner]
    taken_back = _reversions(problem, starts, tokens)

    def part(rows: slice) -> tuple[Tensor, Tensor]:
        return _some(problem, owner[rows], starts[rows], tokens[rows], taken_back[rows], count)

    size = block_size(tokens.device, 100 * MOST_MOVES, cpu=CPU_ROWS)
    near, exists = (torch.cat(column) for column in zip(*in_blocks(part, len(tokens), size), strict=True))
    source = torch.arange(len(tokens), device=tokens.device).unsqueeze(1).expand_as(exists)
    return source[exists], near[exists]


def _reversions(problem: DesignProblem, starts: Tensor, tokens: Tensor) -> Tensor:
    """(M, 1 + E): -1, then positions whose letter may go back to that of the start, or -2 for none.

    Strings of another length than their start have none: its positions are not theirs.
    """
    if problem.max_edits is None:
        return torch.full((len(tokens), 1), -1, device=tokens.device)
    end = problem.model.decoder.end
    differs = (starts != tokens) & (starts < end)
    differs &= ((starts == problem.model.decoder.pad) == (tokens == problem.model.decoder.pad)).all(1, True)
    most = min(problem.max_edits, tokens.shape[1])
    ranked = torch.sort(differs.to(torch.int8), dim=1, descending=True, stable=True)
    places = ranked.indices[:, :most].where(ranked.values[:, :most] > 0, -2)
    return torch.cat([torch.full_like(places[:, :1], -1), places], 1)


def _some(
    problem: DesignProblem, owner: Tensor, starts: Tensor, tokens: Tensor, taken_back: Tensor, count: int
) -> tuple[Tensor, Tensor]:
    """Neighbours (M, C, T) and which of them exist (M, C)."""
    letters, pad = problem.model.decoder.end, problem.model.decoder.pad
    length = tokens.shape[1]
    moves = taken_back.shape[1] * length * letters
    string = hashes(torch.zeros_like(owner), tokens).unsqueeze(1)
    move = torch.arange(min(moves, MOST_MOVES), device=tokens.device).expand(len(tokens), -1)
    if moves > MOST_MOVES:
        move = mix(string + move).remainder(moves)
    back = taken_back.gather(1, move // (length * letters))
    place, letter = move // letters % length, move % letters
    here, start = tokens.gather(1, place), starts.gather(1, place)
    usable = (back != -2) & (here != letters) & (here != pad) & (here != letter)
    # An exchange makes an edit elsewhere; two taken back are none.
    usable &= (back == -1) | (place != back) & (letter != start)
    if problem.forced is not None:
        usable &= problem.forced[owner].gather(1, place) < 0
    if problem.rules is not None:
        inside = place < problem.rules.length
        usable &= ~inside | problem.rules.mask[owner[:, None], place.where(inside, 0), letter]
    last = torch.iinfo(torch.int64).max
    chance = (mix(string ^ mix(move)) >> 1).where(usable, last)
    best, chosen = chance.topk(min(count, chance.shape[1]), dim=1, largest=False)
    back, place, letter = (x.gather(1, chosen).unsqueeze(2) for x in (back, place, letter))
    places = torch.arange(length, device=tokens.device)
    near = torch.where(places == back, starts.unsqueeze(1), tokens.unsqueeze(1))
    return torch.where(places == place, letter, near), best < last
