"""SEARCH, the baseline of Mueller, Gifford & Jaakkola (2017): the best of 100 random mutants by F(E(x)).

A mutant is x0 after a few operations. Each is drawn uniformly from those that apply at that moment: nothing,
a substitution, a deletion (unless the string is as short as it may be) and an insertion (unless it is as long
as it may be). Its place is drawn from those that are not fixed, its letter from the whole alphabet, also the
present one. The authors draw from all four and skip what does not apply, which in a library of one length
leaves half of all operations without effect.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import torch

from seqdesign.revisers.pool import Pool, per_item_generator
from seqdesign.revisers.problem import DesignProblem, DesignResult
from seqdesign.revisers.revise_options import SearchOptions

DEFAULT_MUTATIONS = 3
_DRAWS = 4_000_000  # random numbers held at once
_SUBSTITUTE, _DELETE, _INSERT = 1, 2, 3  # and 0, which does nothing

IntArray = npt.NDArray[np.int64]
FloatArray = npt.NDArray[np.float64]


def search(problem: DesignProblem, options: SearchOptions, seed: int) -> DesignResult:
    """Up to ``problem.top`` mutants of each start that score above it. A batch gives what its items give.

    Unknown letters of a start are filled in at random first, each at the cost of one edit; a start with more
    of them than ``problem.max_edits`` gets no mutants.
    """
    pool = Pool(problem)
    device = problem.tokens.device
    mutants = _Mutants(problem, options, seed)
    for rows in mutants.blocks():
        owners, tokens, lengths = (torch.from_numpy(array).to(device) for array in mutants.draw(rows))
        pool.add(owners, tokens, lengths, torch.full(owners.shape, torch.nan, device=device))
    return pool.result()


class _Mutants:
    """Random mutants of all starts. N starts, C candidates of each, at most K operations, T positions.

    Nothing before the last fixed position may move, so positions up to it can be substituted only.
    """

    def __init__(self, problem: DesignProblem, options: SearchOptions, seed: int) -> None:
        decoder = problem.model.decoder
        self.letters, self.pad = decoder.end, decoder.pad
        self.min_length, self.max_length = problem.min_length, problem.model.max_length
        self.candidates, self.seed = options.candidates, seed
        self.tokens: IntArray = problem.tokens.cpu().numpy()
        self.lengths: IntArray = problem.lengths.cpu().numpy()
        forced = problem.forced
        self.fixed = np.zeros(self.tokens.shape, bool) if forced is None else (forced >= 0).cpu().numpy()
        self.free: IntArray = np.argsort(self.fixed, axis=1, kind="stable")
        """Positions of each start, the free ones first, (N, T)."""
        places = np.arange(1, self.tokens.shape[1] + 1)
        self.head: IntArray = (self.fixed * places).max(axis=1, initial=0)
        """Positions up to and with the last fixed one, (N,)."""
        self.unknown = (self.tokens >= self.letters) & (places <= self.lengths[:, None])
        wanted = options.operations or problem.max_edits or DEFAULT_MUTATIONS
        self.operations = np.full(len(self.tokens), wanted)
        if problem.max_edits is not None:
            self.operations = np.minimum(wanted, problem.max_edits - self.unknown.sum(axis=1))

    def blocks(self) -> list[IntArray]:
        """Indices of the starts that get mutants, as many at a time as memory allows."""
        rows = np.flatnonzero(self.operations >= 0)
        if not len(rows):
            return []
        each = self.candidates * (3 * int(self.operations.max()) + self.tokens.shape[1])
        size = max(1, _DRAWS // each)
        return [rows[i : i + size] for i in range(0, len(rows), size)]

    def draw(self, rows: IntArray) -> tuple[IntArray, IntArray, IntArray]:
        """Owners (M,), tokens (M, T) and lengths (M,) of all mutants of these starts, M = C * len(rows)."""
        count = self.candidates
        num = int(self.operations[rows].max())
        tokens = self.tokens[rows].repeat(count, axis=0)
        chance = np.empty((len(rows), count, num, 3))
        for k, row in enumerate(rows):
            rng = per_item_generator(self.seed, torch.from_numpy(self.tokens[row]))
            own = self.operations[row]
            chance[k, :, :own] = rng.random((count, own, 3))
            holes = np.flatnonzero(self.unknown[row])
            tokens[k * count : (k + 1) * count, holes] = rng.integers(self.letters, size=(count, len(holes)))
        owners = rows.repeat(count)
        lengths = self.lengths[owners]
        chances = chance.reshape(len(owners), num, 3)
        for step in range(num):
            active = np.flatnonzero(self.operations[owners] > step)
            tokens[active], lengths[active] = self._mutate(
                owners[active], tokens[active], lengths[active], chances[active, step]
            )
        return owners, tokens, lengths

    def _mutate(
        self, owners: IntArray, tokens: IntArray, lengths: IntArray, chance: FloatArray
    ) -> tuple[IntArray, IntArray]:
        """One operation on each of M strings; chance (M, 3) in [0, 1) decides operation, place and letter."""
        head = self.head[owners]
        num_places = np.stack(
            [
                np.ones_like(lengths),
                lengths - self.fixed[owners].sum(axis=1),
                np.where(lengths > self.min_length, lengths - head, 0),
                np.where(lengths < self.max_length, lengths - head + 1, 0),
            ]
        )
        # Row k counts how many of the operations 0 .. k apply; the last row is how many there are.
        rank = np.cumsum(num_places > 0, axis=0)
        operation = (rank <= (chance[:, 0] * rank[-1]).astype(np.int64)).sum(axis=0)
        place = (chance[:, 1] * num_places[operation, np.arange(len(owners))]).astype(np.int64)
        letter = (chance[:, 2] * self.letters).astype(np.int64)
        substitute, delete, insert = (operation == k for k in (_SUBSTITUTE, _DELETE, _INSERT))
        free_place = self.free[owners, np.minimum(place, self.free.shape[1] - 1)]
        place = np.where(substitute, free_place, head + place)

        columns = np.arange(tokens.shape[1])
        shift = delete.astype(np.int64) - insert
        source = columns + (columns >= place[:, None]) * shift[:, None]
        tokens = np.take_along_axis(tokens, source.clip(0, columns[-1]), axis=1)
        lengths = lengths - shift
        written = np.flatnonzero(substitute | insert)
        tokens[written, place[written]] = letter[written]
        tokens[columns >= lengths[:, None]] = self.pad
        return tokens, lengths
