"""Designs that differ enough from each other: greedily, the best first."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

from seqdesign.sequences.alphabets import Alphabet

BLOCK = 256
"""Sequences that are compared side by side."""


def distinct(
    sequences: Sequence[str],
    order: Sequence[int],
    min_distance: int,
    *,
    alphabet: Alphabet | None = None,
    limit: int | None = None,
) -> list[int]:
    """Places of the sequences that stay, in the order in which they were taken.

    order: places, the best first; each is taken unless it is nearer than ``min_distance`` to one taken
    before. The distance of two sequences of one length is their number of different letters, of others their
    Levenshtein distance. alphabet: with complements, a sequence counts as near also when its reverse
    complement is; without, sequences are compared as they are written. limit: stop after so many.
    """
    both = alphabet if alphabet is not None and alphabet.complement else None
    taken: list[int] = []
    by_length: dict[int, list[str]] = defaultdict(list)
    for first in range(0, len(order), BLOCK):
        block = list(order[first : first + BLOCK])
        texts = [sequences[place] for place in block]
        forms = [texts] if both is None else [texts, [both.reverse_complement(text) for text in texts]]
        near = [any(pair) for pair in zip(*(_near(f, by_length, min_distance) for f in forms), strict=True)]
        fresh: dict[int, list[str]] = defaultdict(list)
        for i, place in enumerate(block):
            if limit is not None and len(taken) >= limit:
                return taken
            if near[i] or (fresh and any(_near([f[i]], fresh, min_distance)[0] for f in forms)):
                continue
            taken.append(place)
            fresh[len(texts[i])].append(texts[i])
        for length, members in fresh.items():
            by_length[length] += members
    return taken


class Apart:
    """Sequences that come one after the other: each is taken unless it is too near to one taken before."""

    def __init__(self, min_distance: int, alphabet: Alphabet) -> None:
        self.min_distance = min_distance
        self.alphabet = alphabet if alphabet.complement else None
        self.taken: dict[int, list[str]] = defaultdict(list)

    def takes(self, text: str) -> bool:
        """Whether it, and its reverse complement, has the distance to all that were taken; it is one of them
        then.
        """
        forms = [text] if self.alphabet is None else [text, self.alphabet.reverse_complement(text)]
        if any(_near([form], self.taken, self.min_distance)[0] for form in forms):
            return False
        self.taken[len(text)].append(text)
        return True


def apart(
    sequences: Sequence[str],
    order: Sequence[int],
    taken: Sequence[str],
    min_distance: int,
    *,
    alphabet: Alphabet | None = None,
) -> list[int]:
    """The places of ``order`` whose sequences are at least ``min_distance`` from all of ``taken``.

    alphabet: with complements, reverse complements count as well.
    """
    both = alphabet if alphabet is not None and alphabet.complement else None
    if not taken:
        return list(order)
    known = {*taken, *([] if both is None else map(both.reverse_complement, taken))}
    fresh = [place for place in order if sequences[place] not in known]
    if min_distance <= 1:
        return fresh
    by_length: dict[int, list[str]] = defaultdict(list)
    for text in known:
        by_length[len(text)].append(text)
    kept = []
    for first in range(0, len(fresh), BLOCK):
        block = fresh[first : first + BLOCK]
        near = _near([sequences[place] for place in block], by_length, min_distance)
        kept += [place for place, close in zip(block, near, strict=True) if not close]
    return kept


def _near(texts: Sequence[str], taken: dict[int, list[str]], min_distance: int) -> list[bool]:
    """Whether each of the texts is nearer than ``min_distance`` to one of those taken, given by length."""
    import numpy as np
    from rapidfuzz.distance import Hamming, Levenshtein
    from rapidfuzz.process import cdist

    reach = min_distance - 1
    found = [False] * len(texts)
    for length in {len(text) for text in texts}:
        mine = [i for i, text in enumerate(texts) if len(text) == length]
        for other in range(length - reach, length + reach + 1):
            if mine and other in taken:
                scorer = Hamming if other == length else Levenshtein
                distances = cdist(
                    [texts[i] for i in mine],
                    taken[other],
                    scorer=scorer.distance,
                    score_cutoff=reach,
                    dtype=np.int32,
                )
                hits = np.any(distances <= reach, axis=1).tolist()
                for i, hit in zip(mine, hits, strict=True):
                    found[i] = found[i] or hit
                mine = [i for i in mine if not found[i]]
    return found
