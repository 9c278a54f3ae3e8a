"""What a motif search has found: hits, enrichment, changes, as records, tables and text."""

from __future__ import annotations

import os
from collections.abc import Iterator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from seqdesign.config import jsonable
from seqdesign.motifs.denovo import NewMotif
from seqdesign.motifs.encoded import Encoded
from seqdesign.motifs.enrichment import Enrichment, MotifChange
from seqdesign.motifs.files import MotifSet
from seqdesign.motifs.findings import MotifFindings, lines
from seqdesign.motifs.scan import Hits
from seqdesign.motifs.statistics import q_values
from seqdesign.sequences.tables import write_table

if TYPE_CHECKING:
    from pandas import DataFrame

TOP = 10
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
ENRICHMENT_COLUMNS = tuple(f.name for f in fields(Enrichment))
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


@dataclass(frozen=True, eq=False)
class MotifSearch:
    """Everything that was found for M motifs in N sequences."""

    collection: MotifSet
    sequences: Encoded
    both_strands: bool
    p_value: float
    num_best_only: int
    """Motifs of which only the best match counts."""
    num_hits: int
    num_with_hit: int
    """Sequences with at least one hit."""
    hits: list[Hits]
    """Of each motif; none if they were not to be kept."""
    background_name: str
    num_background: int
    enrichment: list[Enrichment]
    num_parents: int = 0
    pairs: list[tuple[int, int, str]] = field(default_factory=list)
    """(place of a sequence, place of its parent, the parent's id)."""
    parent_hits: list[Hits] = field(default_factory=list)
    changes: list[MotifChange] = field(default_factory=list)
    denovo: list[NewMotif] = field(default_factory=list)

    def findings(self) -> MotifFindings:
        """Without hits and sequences: what is printed."""
        return MotifFindings(
            collection=self.collection.title,
            num_motifs=len(self.collection.motifs),
            num_best_only=self.num_best_only,
            num_sequences=len(self.sequences),
            alphabet=self.sequences.alphabet.name,
            strands="both" if self.both_strands else "one",
            p_value=self.p_value,
            num_hits=self.num_hits,
            num_with_hit=self.num_with_hit,
            background=self.background_name,
            num_background=self.num_background,
            enrichment=tuple(self.enrichment),
            num_pairs=len(self.pairs),
            changes=tuple(self.changes),
            denovo=tuple(self.denovo),
            notes=self.collection.notes,
        )

    def text(self) -> str:
        """The main findings, as ``seqdesign motifs`` prints them."""
        return "\n".join(lines(self.findings(), TOP))

    def to_dict(self) -> dict[str, Any]:
        """The findings, ready for JSON."""
        found = self.findings()
        return {f.name: jsonable(getattr(found, f.name)) for f in fields(found)}

    def hit_rows(self) -> Iterator[dict[str, Any]]:
        """A row for each hit, motif by motif; start and end, both included, count from 1 on the strand given.

        The q-value is Benjamini and Hochberg's over all windows (and strands) of the motif.
        """
        for motif, hits in zip(self.collection.motifs, self.hits, strict=False):
            q = q_values(hits.p_value, max(hits.num_tests, len(hits)))
            for i, match in enumerate(self.sequences.matches(hits, motif.width)):
                begin = int(hits.start[i])
                yield {
                    "id": self.sequences.ids[int(hits.sequence[i])],
                    "motif_id": motif.id,
                    "motif_name": motif.name,
                    "start": begin + 1,
                    "end": begin + motif.width,
                    "strand": "+" if hits.forward[i] else "-",
                    "score": round(float(hits.score[i]), 4),
                    "p_value": float(hits.p_value[i]),
                    "q_value": float(q[i]),
                    "match": match,
                }

    def change_rows(self) -> Iterator[dict[str, Any]]:
        """One row for each motif that a sequence has gained or lost, at its best hit."""
        child = np.array([pair[0] for pair in self.pairs], dtype=np.int64)
        parent = np.array([pair[1] for pair in self.pairs], dtype=np.int64)
        for motif, after, before in zip(self.collection.motifs, self.hits, self.parent_hits, strict=False):
            has = after.found(len(self.sequences))[child]
            had = before.found(self.num_parents)[parent]
            for i in np.flatnonzero(has != had):
                hits, place = (after, child[i]) if has[i] else (before, parent[i])
                first, last = np.searchsorted(hits.sequence, [place, place + 1])  # hits follow the text
                best = first + int(np.argmin(hits.p_value[first:last]))
                yield {
                    "id": self.sequences.ids[child[i]],
                    "parent": self.pairs[i][2],
                    "motif_id": motif.id,
                    "motif_name": motif.name,
                    "change": "gained" if has[i] else "lost",
                    "start": int(hits.start[best]) + 1,
                    "end": int(hits.start[best]) + motif.width,
                    "strand": "+" if hits.forward[best] else "-",
                    "score": round(float(hits.score[best]), 4),
                    "p_value": float(hits.p_value[best]),
                }

    def to_frame(self) -> DataFrame:
        """All hits."""
        import pandas as pd

        return pd.DataFrame(list(self.hit_rows()), columns=list(HIT_COLUMNS))

    def write(self, path: str | os.PathLike[str]) -> Path:
        """Write all hits as CSV, TSV, .xlsx or Parquet by suffix. Raises OutputError."""
        write_table(self.hit_rows(), path, columns=HIT_COLUMNS)
        return Path(path)
