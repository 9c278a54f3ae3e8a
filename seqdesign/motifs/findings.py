"""The findings of a motif search as one record, and what is said of them in the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

from seqdesign.runs.text_table import Column, text_table

if TYPE_CHECKING:
    from seqdesign.motifs.denovo import NewMotif
    from seqdesign.motifs.enrichment import Enrichment, MotifChange

SIGNIFICANT = 0.05
UNDECIDED = 4.3
"""Bits: motifs whose likelihoods differ by less than a factor of 20 cannot be told apart."""
RIVALS = 3


@dataclass(frozen=True, kw_only=True)
class MotifFindings:
    """What was found; the lists are complete.

    ``changes`` begins with the smallest p-value, ``enrichment`` with the group of motifs that has it, and in
    a group with the motif that describes the sites best.
    """

    collection: str
    """Title of the motif collection."""
    num_motifs: int
    num_best_only: int
    """Motifs so short that even their best match has a larger p-value; it alone counts as their hit."""
    num_sequences: int
    alphabet: str
    strands: Literal["both", "one"]
    p_value: float
    num_hits: int
    num_with_hit: int
    """Sequences with at least one hit."""
    background: str
    """What the enrichment compares with."""
    num_background: int
    enrichment: tuple[Enrichment, ...]
    num_pairs: int
    """Sequences whose parent was found; 0 without parents."""
    changes: tuple[MotifChange, ...]
    denovo: tuple[NewMotif, ...]
    notes: tuple[str, ...] = ()
    """What is to be known about the motifs, a sentence each."""


def lines(result: MotifFindings, top: int) -> Iterator[str]:
    """Counts, then the most enriched, most changed and new motifs, ``top`` of each."""
    yield f"{result.collection}: {result.num_motifs:,} motifs"
    yield from result.notes
    where = "on both strands of" if result.strands == "both" else "in"
    yield (
        f"{result.num_hits:,} hits with p <= {result.p_value:g} {where} {result.num_sequences:,} sequences; "
        f"{result.num_with_hit:,} sequences have one"
    )
    if result.num_best_only:
        yield f"{result.num_best_only:,} motifs are too short for this p; their best match counts as a hit"
    yield from _enriched(result, top)
    yield from _changed(result, top)
    yield from _new(result)


def _enriched(result: MotifFindings, top: int) -> Iterator[str]:
    significant = [e for e in result.enrichment if e.q_value <= SIGNIFICANT]
    against = f"against {result.num_background:,} sequences ({result.background})"
    if not significant:
        yield f"no motif is enriched {against} at q <= {SIGNIFICANT:g}"
        return
    leaders = best_of_groups(significant)
    yield (
        f"{len(significant):,} motifs in {len(leaders):,} groups are enriched {against} at q <= "
        f"{SIGNIFICANT:g}; the best of each group:"
    )
    alike = Counter(e.group for e in significant)
    rivals = {e.group: rivals_of(e, significant) for e in leaders}
    yield text_table(
        [
            {**vars(e), "others": alike[e.group] - 1, "or": ", ".join(rivals[e.group][:RIVALS])}
            for e in leaders[:top]
        ],
        [
            Column("motif_id", "motif"),
            Column("motif_name", "name"),
            Column("share", "with it", ".1%"),
            Column("background_share", "background", ".1%"),
            Column("odds_ratio", "odds ratio", ".2f"),
            Column("p_value", "p", ".1e"),
            Column("q_value", "q", ".1e"),
            Column("others", "alike"),
            Column("or", "or as well"),
        ],
    ).rstrip("\n")


def best_of_groups(rows: Sequence[Enrichment]) -> list[Enrichment]:
    """The first row of each group."""
    return list({row.group: row for row in reversed(rows)}.values())[::-1]


def rivals_of(best: Enrichment, rows: Sequence[Enrichment]) -> list[str]:
    """Names of the motifs of its group that describe the sites nearly as well, the nearest first."""
    return [
        row.motif_name or row.motif_id
        for row in rows
        if row.group == best.group and row is not best and (best.fit or 0.0) - (row.fit or 0.0) < UNDECIDED
    ]


def _changed(result: MotifFindings, top: int) -> Iterator[str]:
    if not result.num_pairs:
        return
    yield f"motifs gained and lost by {result.num_pairs:,} sequences, compared with their parents:"
    if not result.changes:
        yield "none"
        return
    yield text_table(
        [vars(c) for c in result.changes[:top]],
        [
            Column("motif_id", "motif"),
            Column("motif_name", "name"),
            Column("parents_with", "parents"),
            Column("revisions_with", "revisions"),
            Column("gained"),
            Column("lost"),
            Column("p_value", "p", ".1e"),
            Column("q_value", "q", ".1e"),
        ],
    ).rstrip("\n")


def _new(result: MotifFindings) -> Iterator[str]:
    if not result.denovo:
        return
    yield "new motifs:"
    rows = [
        {
            "consensus": new.consensus,
            "with": new.share,
            "background": new.background_share,
            "p": new.p_value,
            "known": ", ".join(f"{m.motif_id} {m.motif_name} (q {m.q_value:.0e})" for m in new.matches[:2]),
        }
        for new in result.denovo
    ]
    yield text_table(
        rows,
        [
            "consensus",
            Column("with", "with it", ".1%"),
            Column("background", "background", ".1%"),
            Column("p", "p, held out", ".1e"),
            Column("known", "similar to"),
        ],
    ).rstrip("\n")
