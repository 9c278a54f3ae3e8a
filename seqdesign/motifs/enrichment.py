"""Which motifs occur in more sequences than in a background, and which are gained or lost between pairs."""

from __future__ import annotations

from collections.abc import Sequence
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


def enrichment(motifs: Sequence[Motif], found: BoolArray, background: BoolArray) -> list[Enrichment]:
    """Motifs by p-value, the most enriched first.

    found: (M, N) and background: (M, N') say which sequences have a hit.
    """
    hits, others = found.sum(axis=1), background.sum(axis=1)
    n, m = found.shape[1], background.shape[1]
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


def _groups(found: BoolArray, order: NDArray[np.int64]) -> dict[int, int]:
    """Motif -> the first one in ``order`` with at least half of their sequences in common (Jaccard)."""
    from scipy.sparse import csr_array

    hits = csr_array(found.astype(np.int32))
    shared = (hits @ hits.T).tocsr()
    sizes = found.sum(axis=1)
    leaders: list[int] = []
    group: dict[int, int] = {}
    for i in order.tolist():
        common = shared[[i]].toarray()[0, leaders]
        alike = np.flatnonzero(2 * common >= sizes[leaders] + sizes[i] - common)
        if alike.size and sizes[i]:
            group[i] = leaders[int(alike[0])]
        else:
            group[i] = i
            leaders.append(i)
    return group


def changes(motifs: Sequence[Motif], before: BoolArray, after: BoolArray) -> list[MotifChange]:
    """Motifs by p-value, for (M, N) hits of parents and of the revision of each."""
    gained, lost = (after & ~before).sum(axis=1), (before & ~after).sum(axis=1)
    p = sign_test(gained, lost)
    q = q_values(p)
    order = np.lexsort((-(gained + lost), p))
    return [
        MotifChange(
            motif_id=motifs[i].id,
            motif_name=motifs[i].name,
            parents_with=int(before[i].sum()),
            revisions_with=int(after[i].sum()),
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
