"""Designs that differ enough from each other: greedily, the best first.

Designs with few differences share a long stretch without any: of d pieces of a sequence at least one is
untouched by d - 1 substitutions. So only designs that share a piece are compared (the pigeonhole filter of
Wu & Manber 1992).
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence

import numpy as np

from seqdesign.sequences.alphabets import Alphabet


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
    Levenshtein distance. alphabet: with complements, a sequence is compared in both directions; without,
    as it is written. limit: stop after so many.
    """
    taken: list[int] = []
    near = _Neighbours(min_distance)
    for place in order:
        if limit is not None and len(taken) >= limit:
            break
        text = sequences[place]
        forms = [text]
        if alphabet is not None and alphabet.complement:
            forms.append(alphabet.reverse_complement(text))
        if not any(near.has(form) for form in forms):
            near.add(text)
            taken.append(place)
    return taken


class _Neighbours:
    """The sequences so far by length, with an index of their pieces."""

    def __init__(self, min_distance: int) -> None:
        self.min_distance = min_distance
        self.by_length: dict[int, list[np.ndarray[tuple[int], np.dtype[np.uint8]]]] = defaultdict(list)
        self.texts: dict[int, list[str]] = defaultdict(list)
        self.pieces: dict[tuple[int, int, str], list[int]] = defaultdict(list)

    def add(self, text: str) -> None:
        """Takes one in."""
        found = self.by_length[len(text)]
        for i, piece in enumerate(self._pieces(text)):
            self.pieces[len(text), i, piece].append(len(found))
        found.append(np.frombuffer(text.encode("ascii"), dtype=np.uint8))
        self.texts[len(text)].append(text)

    def _pieces(self, text: str) -> list[str]:
        cuts = [i * len(text) // self.min_distance for i in range(self.min_distance + 1)]
        return [text[a:b] for a, b in zip(cuts, cuts[1:], strict=False)]

    def has(self, text: str) -> bool:
        """Whether one of them is too near."""
        return self._same_length(text) or self._other_length(text)

    def _same_length(self, text: str) -> bool:
        found = self.by_length.get(len(text))
        if not found:
            return False
        if self.min_distance > len(text):  # even the most different ones are too near
            return True
        keys = ((len(text), i, piece) for i, piece in enumerate(self._pieces(text)))
        candidates = sorted({j for key in keys for j in self.pieces.get(key, ())})
        if not candidates:
            return False
        own = np.frombuffer(text.encode("ascii"), dtype=np.uint8)
        differences = (np.stack([found[j] for j in candidates]) != own).sum(1)
        return bool((differences < self.min_distance).any())

    def _other_length(self, text: str) -> bool:
        from rapidfuzz.distance import Levenshtein

        reach = self.min_distance - 1
        for length in range(len(text) - reach, len(text) + reach + 1):
            if length == len(text):
                continue
            for other in self.texts.get(length, ()):
                if Levenshtein.distance(text, other, score_cutoff=reach) <= reach:
                    return True
        return False
