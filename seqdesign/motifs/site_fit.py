"""How well a motif describes the sites that it finds, to choose among motifs that find the same ones.

That a motif is enriched says that sites of its family are there. Which member of the family they belong to
is another question: several matrices pass the threshold at the same sites, and which of them has the smallest
p-value is mostly chance. The sites' letters decide: their likelihood is largest, on average, under the matrix
that they come from, and grows with every site.
"""

from __future__ import annotations

import numpy as np

from seqdesign.motifs.motif import FloatArray
from seqdesign.motifs.scan import Hits, JoinedText

_PASSES = 200


def site_fit(hits: Hits, text: JoinedText, width: int) -> float:
    """log2 of the likelihood of the N sequences with sites of a motif over that without any, in bits, >= 0.

    A share of the sequences, chosen as fits best, has one site, anywhere, on either strand that was searched;
    the other letters are background (the ZOOPS model of MEME, Bailey and Elkan 1994). Windows that are no
    hit count as background.
    """
    if not len(hits):
        return 0.0
    windows = np.maximum(np.diff(text.begins) - width, 1)  # each sequence is followed by one more letter
    strands = hits.num_tests / max(text.num_windows(width), 1)
    ratio = np.bincount(hits.sequence, np.exp2(hits.score), minlength=text.num_sequences)
    found = ratio > 0
    return _best_mixture(ratio[found] / (strands * windows[found]), text.num_sequences)


def _best_mixture(ratio: FloatArray, num: int) -> float:
    """Largest sum over ``num`` sequences of log2(1 - g + g r) over the share g; r is 0 where not given."""
    share = 0.5
    for _ in range(_PASSES):
        before, has = share, share * ratio
        share = float((has / (1 - share + has)).sum() / num)
        if abs(share - before) < 1e-9:
            break
    rest = (num - len(ratio)) * np.log2(1 - share) if share < 1 else 0.0
    return max(0.0, float(np.log2(1 - share + share * ratio).sum() + rest))
