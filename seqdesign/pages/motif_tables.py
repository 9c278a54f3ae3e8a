"""The tables of ``seqdesign motifs``."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields
from typing import Any

import numpy as np

from seqdesign.motifs.enrichment import Enrichment
from seqdesign.motifs.search import MotifSearch
from seqdesign.motifs.statistics import q_values

HIT_COLUMNS = (
    "id",
    "motif_id",
    "motif_name",
    "start",
    "end",
    "strand",
    "score",
    "p_value",
    "q_value",
    "match",
)
ENRICHMENT_COLUMNS = tuple(field.name for field in fields(Enrichment))
CHANGE_COLUMNS = (
    "id",
    "parent",
    "motif_id",
    "motif_name",
    "change",
    "start",
    "end",
    "strand",
    "score",
    "p_value",
)


def hit_rows(found: MotifSearch) -> Iterator[dict[str, Any]]:
    """One row for each hit, motif by motif; start and end count from 1 on the strand given, ends included.

    The q-value is Benjamini and Hochberg's over all windows (and strands) of the motif.
    """
    for motif, hits in zip(found.collection.motifs, found.hits, strict=True):
        q = q_values(hits.p_value, max(hits.num_tests, len(hits)))
        for i in range(len(hits)):
            place = int(hits.sequence[i])
            begin = int(hits.start[i])
            window = found.sequences.sequences[place][begin : begin + motif.width].upper()
            forward = bool(hits.forward[i])
            yield {
                "id": found.sequences.ids[place],
                "motif_id": motif.id,
                "motif_name": motif.name,
                "start": begin + 1,
                "end": begin + motif.width,
                "strand": "+" if forward else "-",
                "score": round(float(hits.score[i]), 4),
                "p_value": float(hits.p_value[i]),
                "q_value": float(q[i]),
                "match": window if forward else found.sequences.alphabet.reverse_complement(window),
            }


def change_rows(found: MotifSearch) -> Iterator[dict[str, Any]]:
    """One row for each motif that a sequence has gained or lost, at its best hit."""
    child = np.array([pair[0] for pair in found.pairs], dtype=np.int64)
    parent = np.array([pair[1] for pair in found.pairs], dtype=np.int64)
    for motif, after, before in zip(found.collection.motifs, found.hits, found.parent_hits, strict=True):
        has = after.found(len(found.sequences))[child]
        had = before.found(found.num_parents)[parent]
        for i in np.flatnonzero(has != had):
            hits, place = (after, child[i]) if has[i] else (before, parent[i])
            rows = np.flatnonzero(hits.sequence == place)
            best = rows[np.argmin(hits.p_value[rows])]
            yield {
                "id": found.sequences.ids[child[i]],
                "parent": found.pairs[i][2],
                "motif_id": motif.id,
                "motif_name": motif.name,
                "change": "gained" if has[i] else "lost",
                "start": int(hits.start[best]) + 1,
                "end": int(hits.start[best]) + motif.width,
                "strand": "+" if hits.forward[best] else "-",
                "score": round(float(hits.score[best]), 4),
                "p_value": float(hits.p_value[best]),
            }
