"""Taking back edits that a good enough design does not need."""

from __future__ import annotations

from seqdesign.designers.moves import feasible, score_all, substituted
from seqdesign.designers.scorer import Scorer


def prune(scorer: Scorer) -> None:
    """Take back one edit after the other, that which costs least, while the design stays good enough.

    Each round scores every design without each of its edits; a start leaves when none can go or its budget is
    spent. The scorer remembers the results.
    """
    if scorer.problem.enough is None:
        return
    rows = scorer.done.nonzero().squeeze(1)
    while len(rows):
        rows = rows[(scorer.edits[rows] > 1) & (scorer.left[rows] > 0)]
        if not len(rows):
            return
        tokens, own, before = scorer.tokens[rows], scorer.starts[rows], scorer.edits[rows]
        changed = tokens != own
        place = changed.long().sort(dim=1, descending=True, stable=True).indices[:, : int(before.max())]
        candidates = substituted(tokens, place, own.gather(1, place))
        ok = changed.gather(1, place)
        ok = ok & feasible(scorer, candidates, rows)
        score_all(scorer, candidates, ok, rows, scorer.soft[rows])
        rows = rows[scorer.edits[rows] < before]
