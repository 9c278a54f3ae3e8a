"""How alike motifs are: the method of TOMTOM (Gupta et al. 2007, Genome Biol. 8:R24).

Columns are compared by their Euclidean distance. Every alignment of query and target has a p-value: the
chance that as many columns drawn from all targets fit the same query columns as well. The best alignment
counts, corrected for the number tried.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdesign.motifs.motif import FloatArray, Motif
from seqdesign.motifs.statistics import q_values

IntArray = NDArray[np.int64]

_LEVELS = 100  # steps between the least and the most alike pair of columns
MIN_OVERLAP = 5


@dataclass(frozen=True, kw_only=True)
class Match:
    """A target that is like the query."""

    motif_id: str
    motif_name: str
    p_value: float
    q_value: float
    """Benjamini-Hochberg over all targets."""
    offset: int
    """Target position under the first position of the query; negative if the query begins earlier."""
    overlap: int
    forward: bool
    """False if the target's reverse complement is meant."""


class MotifComparer:
    """Targets made ready for many queries."""

    def __init__(self, targets: Sequence[Motif], *, both_strands: bool) -> None:
        if not targets:
            raise ValueError("there must be at least one target motif")
        self.targets = tuple(targets)
        strands = [targets, [t.reverse_complement() for t in targets]] if both_strands else [targets]
        self._widths = np.array([t.width for t in targets], dtype=np.int64)
        self._longest = int(self._widths.max())
        self._columns = [
            np.stack([_padded(t.probabilities, self._longest) for t in turned]) for turned in strands
        ]
        self._real = np.arange(self._longest) < self._widths[:, None]

    def matches(self, query: Motif, *, max_q: float = 0.1) -> list[Match]:
        """The targets like ``query``, the most alike first."""
        p, offset, forward = self.p_values(query)
        q = q_values(p)
        begin = np.maximum(offset, 0)
        end = np.minimum(offset + query.width, self._widths)
        return [
            Match(
                motif_id=self.targets[i].id,
                motif_name=self.targets[i].name,
                p_value=float(p[i]),
                q_value=float(q[i]),
                offset=int(offset[i]),
                overlap=int(end[i] - begin[i]),
                forward=bool(forward[i]),
            )
            for i in np.argsort(p, kind="stable")
            if q[i] <= max_q
        ]

    def p_values(self, query: Motif) -> tuple[FloatArray, IntArray, NDArray[np.bool_]]:
        """(M,) p-values of the best alignment with each target, its offset, and its strand."""
        fits = [self._fits(query, columns) for columns in self._columns]
        tails = _tails(np.concatenate([fit[:, self._real] for fit in fits], axis=1))
        best = np.full(len(self.targets), 2.0)
        where = np.zeros(len(self.targets), dtype=np.int64)
        forward = np.ones(len(self.targets), dtype=np.bool_)
        tried = np.zeros(len(self.targets), dtype=np.int64)
        for strand, fit in enumerate(fits):
            for offset in range(1 - query.width, self._longest):
                p, possible = self._aligned(fit, tails, offset, query.width)
                tried += possible
                better = possible & (p < best)
                best[better], where[better], forward[better] = p[better], offset, strand == 0
        corrected: FloatArray = -np.expm1(np.maximum(tried, 1) * np.log1p(-np.minimum(best, 1 - 1e-16)))
        return corrected, where, forward

    def _fits(self, query: Motif, columns: FloatArray) -> IntArray:
        """(w, M, W) how well each query column fits each target column, 0 to _LEVELS."""
        difference = query.probabilities[:, None, None, :] - columns[None]
        distance = np.sqrt((difference**2).sum(axis=-1))
        return np.rint((1 - distance / np.sqrt(2)) * _LEVELS).astype(np.int64)

    def _aligned(
        self, fit: IntArray, tails: list[FloatArray], offset: int, width: int
    ) -> tuple[FloatArray, NDArray[np.bool_]]:
        """(M,) p-values with query column i on target column i + offset; and which targets overlap enough."""
        first = max(0, -offset)
        last = min(width, self._longest - offset)
        ends = np.minimum(width, self._widths - offset)
        needed = np.minimum(MIN_OVERLAP, np.minimum(width, self._widths))
        possible = ends - first >= needed
        rows = np.arange(first, last)
        sums = np.cumsum(fit[rows, :, rows + offset], axis=0)
        length = np.clip(ends - first, 1, last - first)
        total = sums[length - 1, np.arange(len(ends))]
        return tails[first][length, total], possible


def _padded(columns: FloatArray, width: int) -> FloatArray:
    return np.pad(columns, ((0, width - len(columns)), (0, 0)))


def _tails(fits: IntArray) -> list[FloatArray]:
    """For each first query column: [number of columns, total fit] -> P(at least that total)."""
    width = len(fits)
    single = [np.bincount(row, minlength=_LEVELS + 1) / row.size for row in fits]
    found = []
    for first in range(width):
        table = np.zeros((width - first + 1, (width - first) * _LEVELS + 1))
        density = np.ones(1)
        for length in range(1, width - first + 1):
            density = np.convolve(density, single[first + length - 1])
            table[length, : density.size] = np.minimum(np.cumsum(density[::-1])[::-1], 1.0)
        found.append(table)
    return found
