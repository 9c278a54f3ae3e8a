"""SEARCH, the baseline of Mueller, Gifford & Jaakkola (2017): the best of 100 random mutants by F(E(x)).

Each mutant applies a few operations to x0, each of them nothing, a substitution, a deletion or an insertion, at a random
position with a random letter; an operation that would break the length bounds or touch a fixed position is skipped.
"""

from __future__ import annotations

import numpy as np
import torch
from torch import Tensor

from seqdesign.optimizers._pool import Pool, per_item_generator
from seqdesign.optimizers._problem import DesignProblem, DesignResult
from seqdesign.optimizers._revise_options import SearchOptions

DEFAULT_MUTATIONS = 3


def search(problem: DesignProblem, options: SearchOptions, seed: int) -> DesignResult:
    """Up to ``problem.top`` mutants of each start that score above it. A batch gives what its items give."""
    pool = Pool(problem)
    num = options.mutations or problem.max_edits or DEFAULT_MUTATIONS
    if problem.max_edits is not None:
        num = min(num, problem.max_edits)
    owners, mutants = [], []
    for i, (row, length) in enumerate(zip(problem.tokens.cpu(), problem.lengths.tolist(), strict=True)):
        rng = per_item_generator(seed, row)
        fixed = _fixed(problem, i)
        original = row[:length].tolist()
        for _ in range(options.candidates):
            owners.append(i)
            mutants.append(_mutant(original, num, fixed, problem, rng))
    tokens = torch.full((len(mutants), problem.tokens.shape[1]), problem.model.decoder.pad)
    for row, mutant in zip(tokens, mutants, strict=True):
        row[: len(mutant)] = torch.tensor(mutant)
    device = problem.tokens.device
    lengths = torch.tensor([len(m) for m in mutants], device=device)
    nothing = torch.full((len(mutants),), torch.nan, device=device)
    pool.add(torch.tensor(owners, device=device), tokens.to(device), lengths, nothing)
    return pool.result()


def _fixed(problem: DesignProblem, i: int) -> set[int]:
    """Positions (0-based) of start i that must not change."""
    forced: Tensor | None = problem.forced
    return set() if forced is None else set((forced[i] >= 0).nonzero().squeeze(1).tolist())


def _mutant(
    original: list[int], num: int, fixed: set[int], problem: DesignProblem, rng: np.random.Generator
) -> list[int]:
    """``original`` after ``num`` operations, so within that many edits."""
    letters, text = problem.model.decoder.end, list(original)
    last_fixed = max(fixed, default=-1)
    for _ in range(num):
        operation, letter = int(rng.integers(4)), int(rng.integers(letters))
        at = int(rng.integers(len(text) + (operation == 3)))
        if operation == 1 and at not in fixed:
            text[at] = letter
        elif operation == 2 and at > last_fixed and len(text) > problem.min_length:
            del text[at]
        elif operation == 3 and at > last_fixed and len(text) < problem.model.max_length:
            text.insert(at, letter)
    return text
