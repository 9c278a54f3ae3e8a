"""How well a motif describes the sites that it finds, to choose among motifs that find the same ones.

That a motif is enriched says that sites of its family are there. Which member of the family they belong to
is another question: several matrices pass the threshold at the same sites, and which of them has the smallest
p-value is mostly chance. The sites' letters decide: their likelihood is largest, on average, under the matrix
that they come from, and the lead grows with every site.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import replace
from itertools import groupby

import numpy as np

from seqdesign.motifs.enrichment import Enrichment
from seqdesign.motifs.motif import FloatArray, Motif
from seqdesign.motifs.scan import Hits, JoinedText, Matcher, scan_block

LOOSE = 0.01
"""p-value up to which windows are looked at; a site is hardly ever worse, and windows beyond add nothing."""
_PASSES = 200
_AT_ONCE = 16  # motifs whose ratios, a number for each sequence, are held in memory


def order_by_fit(
    rows: Sequence[Enrichment], fit: Callable[[str], float], max_q: float = 0.05
) -> list[Enrichment]:
    """The rows group by group, in a group the motif first that describes the sites best.

    Groups keep their order, that of their smallest p-value. Only members with q <= ``max_q`` are compared,
    by ``fit`` of their id, and only in groups with several of them; the others follow. The group is named
    after its first motif.
    """
    places: dict[str, int] = {}
    for row in rows:
        places.setdefault(row.group, len(places))
    found: list[Enrichment] = []
    for _, members in groupby(sorted(rows, key=lambda r: places[r.group]), lambda r: r.group):
        some = list(members)
        sure = [row for row in some if row.q_value <= max_q]
        if len(sure) > 1:
            sure = [replace(row, fit=fit(row.motif_id)) for row in sure]
            sure.sort(key=lambda row: -(row.fit or 0.0))
        ordered = [*sure, *(row for row in some if row.q_value > max_q)]
        found += [replace(row, group=ordered[0].motif_id) for row in ordered]
    return found


def compared(rows: Sequence[Enrichment], max_q: float = 0.05) -> list[str]:
    """Ids of the motifs that ``order_by_fit`` asks for the fit of."""
    sure = [row for row in rows if row.q_value <= max_q]
    sizes = Counter(row.group for row in sure)
    return [row.motif_id for row in sure if sizes[row.group] > 1]


def excess_fit(
    motif: Motif, ready: Matcher, text: JoinedText, background: JoinedText, *, both_strands: bool
) -> float:
    """Bits by which the motif describes sites in ``text``, beyond those of as many background sequences."""
    return excess_fits([motif], [ready], text, background, both_strands=both_strands)[0]


def excess_fits(
    motifs: Sequence[Motif],
    matchers: Sequence[Matcher],
    text: JoinedText,
    background: JoinedText,
    *,
    both_strands: bool,
) -> list[float]:
    """``excess_fit`` of each motif; the texts are indexed once for several of them."""
    loose = [
        replace(ready, threshold=min(ready.threshold, ready.table.threshold(LOOSE))) for ready in matchers
    ]
    share = text.num_sequences / background.num_sequences
    found: list[float] = []
    for first in range(0, len(motifs), _AT_ONCE):
        some, ready = motifs[first : first + _AT_ONCE], loose[first : first + _AT_ONCE]
        here, there = (_fits(one, some, ready, both_strands) for one in (text, background))
        found += [a - b * share for a, b in zip(here, there, strict=True)]
    return found


def _fits(
    text: JoinedText, motifs: Sequence[Motif], matchers: Sequence[Matcher], both_strands: bool
) -> list[float]:
    ratios: list[list[FloatArray]] = [[] for _ in motifs]
    for _, part in text.blocks():
        every = scan_block(part, motifs, matchers, both_strands=both_strands)
        for motif, kept, hits in zip(motifs, ratios, every, strict=True):
            kept.append(_ratios(hits, part, motif.width))
    return [_best_mixture(np.concatenate(kept), text.num_sequences) for kept in ratios]


def site_fit(hits: Hits, text: JoinedText, width: int) -> float:
    """log2 of the likelihood of the N sequences with sites of a motif over that without any, in bits, >= 0.

    A share of the sequences, chosen as fits best, has one site, anywhere, on either strand that was searched;
    the other letters are background (the ZOOPS model of MEME, Bailey and Elkan 1994). Windows that are no
    hit count as background.
    """
    return _best_mixture(_ratios(hits, text, width), text.num_sequences)


def _ratios(hits: Hits, text: JoinedText, width: int) -> FloatArray:
    """Likelihood ratio, averaged over the windows, of each sequence that has a hit."""
    if not len(hits):
        return np.empty(0)
    windows = np.maximum(np.diff(text.begins) - width, 1)  # each sequence is followed by one more letter
    strands = hits.num_tests / max(text.num_windows(width), 1)
    ratio = np.bincount(hits.sequence, np.exp2(hits.score), minlength=text.num_sequences)
    found = ratio > 0
    some: FloatArray = ratio[found] / (strands * windows[found])
    return some


def _best_mixture(ratio: FloatArray, num: int) -> float:
    """Largest sum over ``num`` sequences of log2(1 - g + g r) over the share g; r is 0 where not given."""
    if not ratio.size:
        return 0.0
    share = 0.5
    for _ in range(_PASSES):
        before, has = share, share * ratio
        share = float((has / (1 - share + has)).sum() / num)
        if abs(share - before) < 1e-9:
            break
    rest = (num - len(ratio)) * np.log2(1 - share) if share < 1 else 0.0
    return max(0.0, float(np.log2(1 - share + share * ratio).sum() + rest))
