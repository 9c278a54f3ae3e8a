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

CPU_MOVES = 1 << 22
"""Moves that are laid out at once on a CPU."""


def neighbours(problem: DesignProblem, owner: Tensor, tokens: Tensor, count: int) -> tuple[Tensor, Tensor]:
    """At most ``count`` neighbours of each of M strings (M, T) of the starts ``owner`` (M,).

    Returns the indices (K,) of the strings that they come from and their tokens (K, T). Where there are more,
    hashes of string and move choose, so that a string has the same neighbours in every batch.
    """
    starts = problem.tokens[owner]
    taken_back = _reversions(problem, starts, tokens)
    moves = taken_back.shape[1] * tokens.shape[1] * problem.model.decoder.end

    def part(rows: slice) -> tuple[Tensor, Tensor]:
        near, exists = _some(problem, owner[rows], starts[rows], tokens[rows], taken_back[rows], count)
        return near, exists

    size = block_size(tokens.device, 16 * moves, cpu=max(1, CPU_MOVES // max(1, moves)))
    found = list(zip(*in_blocks(part, len(tokens), size), strict=True))
    near, exists = (torch.cat(column) for column in found)
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
    letters = problem.model.decoder.end
    m, length = tokens.shape
    free = (tokens != letters) & (tokens != problem.model.decoder.pad)
    if problem.forced is not None:
        free &= problem.forced[owner] < 0
    possible = free.unsqueeze(2) & (torch.arange(letters, device=tokens.device) != tokens.unsqueeze(2))
    if problem.rules is not None:
        width = min(length, problem.rules.length)
        possible[:, :width] &= problem.rules.mask[owner, :width]
    places = torch.arange(length, device=tokens.device)
    usable = (taken_back != -2)[:, :, None, None] & possible.unsqueeze(1)
    # An exchange makes an edit elsewhere; two taken back are none.
    usable[:, 1:] &= (places != taken_back[:, 1:].unsqueeze(2)).unsqueeze(3)
    usable[:, 1:] &= (torch.arange(letters, device=tokens.device) != starts.unsqueeze(2)).unsqueeze(1)
    index = torch.arange(taken_back.shape[1] * length * letters, device=tokens.device)
    string = hashes(torch.zeros_like(owner), tokens)
    chance = mix(string.unsqueeze(1) ^ mix(index).unsqueeze(0)) >> 1
    chance = chance.where(usable.flatten(1), torch.iinfo(torch.int64).max)
    best, move = chance.topk(min(count, chance.shape[1]), dim=1, largest=False)
    exists = best < torch.iinfo(torch.int64).max
    back = taken_back.gather(1, move // (length * letters)).unsqueeze(2)
    place, letter = (move // letters % length).unsqueeze(2), (move % letters).unsqueeze(2)
    near = torch.where(places == back, starts.unsqueeze(1), tokens.unsqueeze(1).expand(m, move.shape[1], -1))
    return torch.where(places == place, letter, near), exists
