"""Which motifs occur in more sequences than in a background, and which are gained or lost between pairs."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdesign.motifs.motif import FloatArray, Motif
from seqdesign.motifs.statistics import fisher_enrichment, odds_ratio, q_values, sign_test

BoolArray = NDArray[np.bool_]


@dataclass(frozen=True, kw_only=True)
class Enrichment:
    """One motif in the sequences and in the background."""

    motif_id: str
    motif_name: str
    sequences_with: int
    share: float
    background_with: int
    background_share: float
    odds_ratio: float
    p_value: float
    """One-sided Fisher's exact test."""
    q_value: float
    """Benjamini-Hochberg over the motifs tested."""
    group: str
    """Id of the first motif of the list that finds mostly the same sequences; its own if it is the first."""
    fit: float | None = None
    """Bits by which the motif describes its sites, beyond those in the background; see ``site_fit``."""


@dataclass(frozen=True, kw_only=True)
class MotifChange:
    """One motif in parents and their revisions: pairs in which it appears, disappears."""

    motif_id: str
    motif_name: str
    parents_with: int
    revisions_with: int
    gained: int
    lost: int
    p_value: float
    """Two-sided exact McNemar test of gains against losses."""
    q_value: float


class Tally:
    """How many sequences have which of M motifs, gathered block by block.

    num_sequences: N. counts: (M,) sequences with each. shared: (M, M) sequences with both, if ``pairs``.
    """

    def __init__(self, num_motifs: int, *, pairs: bool) -> None:
        self.num_sequences = 0
        self.counts = np.zeros(num_motifs, dtype=np.int64)
        self.shared = np.zeros((num_motifs, num_motifs), dtype=np.int32) if pairs else None

    @classmethod
    def of(cls, found: BoolArray, *, pairs: bool = True) -> Tally:
        """Of (M, N), which sequences have a hit of which motif."""
        tally = cls(len(found), pairs=pairs)
        tally.add(found)
        return tally

    def add(self, found: BoolArray) -> None:
        """Count the sequences of a block, (M, N')."""
        self.num_sequences += found.shape[1]
        self.counts += found.sum(axis=1)
        if self.shared is not None:
            from scipy.sparse import csr_array

            hits = csr_array(found.astype(np.int32))
            both = (hits @ hits.T).tocoo()
            np.add.at(self.shared, both.coords, both.data)


def enrichment(motifs: Sequence[Motif], found: Tally, background: Tally) -> list[Enrichment]:
    """Motifs by p-value, the most enriched first. ``found`` must have counted pairs."""
    hits, others = found.counts, background.counts
    n, m = found.num_sequences, background.num_sequences
    p = fisher_enrichment(hits, n, others, m)
    q, odds = q_values(p), odds_ratio(hits, n, others, m)
    order = np.lexsort((-odds, p))
    groups = _groups(found, order)
    return [
        Enrichment(
            motif_id=motifs[i].id,
            motif_name=motifs[i].name,
            sequences_with=int(hits[i]),
            share=float(hits[i] / n),
            background_with=int(others[i]),
            background_share=float(others[i] / m),
            odds_ratio=float(odds[i]),
            p_value=float(p[i]),
            q_value=float(q[i]),
            group=motifs[groups[i]].id,
        )
        for i in order
    ]


def _groups(found: Tally, order: NDArray[np.int64]) -> dict[int, int]:
    """Motif -> the first one in ``order`` with at least half of their sequences in common (Jaccard)."""
    shared, sizes = found.shared, found.counts
    if shared is None:
        raise ValueError("groups need the sequences that motifs share; count pairs")
    leaders: list[int] = []
    group: dict[int, int] = {}
    for i in order.tolist():
        common = shared[i, leaders]
        alike = np.flatnonzero(2 * common >= sizes[leaders] + sizes[i] - common)
        if alike.size and sizes[i]:
            group[i] = leaders[int(alike[0])]
        else:
            group[i] = i
            leaders.append(i)
    return group


def changes(
    motifs: Sequence[Motif], before: Iterable[BoolArray], after: Iterable[BoolArray]
) -> list[MotifChange]:
    """Motifs by p-value: for each of M, (N,) which parents have a hit, and which of their revisions."""
    table = np.array(
        [(a.sum(), b.sum(), (b & ~a).sum(), (a & ~b).sum()) for a, b in zip(before, after, strict=True)],
        dtype=np.int64,
    ).reshape(-1, 4)
    gained, lost = table[:, 2], table[:, 3]
    p = sign_test(gained, lost)
    q = q_values(p)
    order = np.lexsort((-(gained + lost), p))
    return [
        MotifChange(
            motif_id=motifs[i].id,
            motif_name=motifs[i].name,
            parents_with=int(table[i, 0]),
            revisions_with=int(table[i, 1]),
            gained=int(gained[i]),
            lost=int(lost[i]),
            p_value=float(p[i]),
            q_value=float(q[i]),
        )
        for i in order
        if gained[i] or lost[i]
    ]


def letter_background(frequencies: FloatArray, *, both_strands: bool) -> FloatArray:
    """(V,) letter frequencies for scoring; the mean of a letter and its complement for both strands."""
    if not both_strands:
        return frequencies
    mean: FloatArray = (frequencies + frequencies[::-1]) / 2
    return mean
