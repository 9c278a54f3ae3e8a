"""The nearest of many reference sequences to each query, by Levenshtein distance, in bounded memory.

``nearest`` compares every pair. ``LikelyNearest`` compares each query with the references that share most
words with it, where sequences are so long that every pair takes minutes.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist, cpdist
from scipy.sparse import csr_array

from seqdesign.metrics.edits import letter_codes
from seqdesign.metrics.kmers import kmer_matrix, placed_kmer_matrix

IntArray = npt.NDArray[np.int64]

_CELLS = 2_000_000  # pairs at once: 8 MB of distances
_QUERIES = 64
_BLOCK = 1024
_WIDEST = 4096  # columns of a one-hot row from which comparing is as quick
_FAR = np.iinfo(np.int32).max // 2
QUICK_LETTERS = 64
"""Letters up to which a machine word holds a column of the table, and pairs are compared by vector code."""
IN_PLACE, ANYWHERE = 1000, 100
"""References that a longer query is compared with: those that share most short words with it near the same
place, and most long words anywhere, which finds what is shifted (benchmarks/results.md, "Nearest")."""
_WIDTH, _SHORT, _LONG = 8, 64, 200_000
"""Letters between places; kinds of short words, about, and of long ones, at most."""


@dataclass(frozen=True)
class Nearest:
    """For each of N queries the smallest distance, the first reference that has it, and how many have it."""

    distance: IntArray
    """(N,) edits."""
    index: IntArray
    """(N,) index into the references."""
    ties: IntArray
    """(N,) references at that distance, at least 1."""


def nearest(
    queries: Sequence[str],
    references: Sequence[str],
    *,
    own: npt.ArrayLike | None = None,
    workers: int = 1,
    progress: Callable[[int], None] | None = None,
) -> Nearest:
    """The nearest reference of each query, exactly; among equals the one with the lowest index.

    ``own`` (N,) names a reference that does not count for each query: its own place, where the queries are
    among the references. Copies are found by look-up. Where all sequences have one length, the smallest
    Hamming distance is an upper bound, and close pairs are then found several times faster. Otherwise every
    pair is compared once, a block at a time. ``progress`` gets the number of queries done.

    ValueError for no reference that counts.
    """
    skipped = np.full(len(queries), -1) if own is None else np.asarray(own, dtype=np.int64)
    if len(references) < (1 if own is None else 2):
        raise ValueError(f"a nearest sequence needs other sequences, got {len(references)}")
    best = np.full(len(queries), _FAR, dtype=np.int64)
    index, ties = (np.zeros(len(queries), dtype=np.int64) for _ in range(2))
    _find_copies(queries, references, skipped, best, index, ties)
    left = np.flatnonzero(best > 0)
    if len(left) and len({len(s) for s in [*queries, *references]}) == 1:
        _bound(queries, references, skipped, best, left)
        left = left[np.argsort(best[left], kind="stable")]
    done = len(queries) - len(left)
    step = max(1, _CELLS // _QUERIES)
    for rows in (left[i : i + _QUERIES] for i in range(0, len(left), _QUERIES)):
        texts = [queries[i] for i in rows.tolist()]
        for first in range(0, len(references), step):
            block = references[first : first + step]
            distances = cdist(
                texts, block, scorer=Levenshtein.distance, dtype=np.int32,
                score_cutoff=_cutoff(best[rows], texts), workers=workers,
            )  # fmt: skip
            _leave_out(distances, skipped[rows] - first)
            at = distances.argmin(axis=1)
            found = distances[np.arange(len(rows)), at]
            better = found < best[rows]
            best[rows[better]], index[rows[better]], ties[rows[better]] = found[better], at[better] + first, 0
            ties[rows] += (distances == best[rows][:, None]).sum(axis=1)
        done += len(rows)
        if progress is not None:
            progress(done)
    return Nearest(best, index, ties)


class LikelyNearest:
    """The nearest of groups of references among those that share most words with a query.

    Copies are found for certain. Where no reference is longer than QUICK_LETTERS, or there are few of them,
    every pair is compared, as by ``nearest``.
    """

    def __init__(self, *groups: Sequence[str], workers: int = 1) -> None:
        """``groups``: references, at least one of them; ``workers``: threads."""
        self.groups, self.workers = groups, workers
        texts = [text for group in groups for text in group]
        self._longest = max(map(len, texts))
        self.compares_all = self._longest <= QUICK_LETTERS or len(texts) <= IN_PLACE + ANYWHERE
        self._letters = "" if self.compares_all else "".join(sorted(set().union(*map(set, texts))))
        self._known: dict[int, tuple[csr_array, csr_array]] = {}

    def find(
        self,
        queries: Sequence[str],
        groups: Sequence[int] = (0,),
        *,
        own: npt.ArrayLike | None = None,
        progress: Callable[[int], None] = lambda done: None,
    ) -> list[Nearest]:
        """The nearest to each query in each of these groups; ``own`` and ``progress`` as for ``nearest``.

        The references that a query is compared with are those most alike in all the groups together, so none
        is searched more closely than another. A group without any of them is further away than all
        sequences are, and has no ties. ``own`` names places of the first group.
        """
        skipped = np.full(len(queries), -1) if own is None else np.asarray(own, dtype=np.int64)
        if self.compares_all:
            return [
                nearest(
                    queries, self.groups[group], own=None if turn else own, workers=self.workers,
                    progress=progress,
                )
                for turn, group in enumerate(groups)
            ]  # fmt: skip
        found = []
        for first in range(0, len(queries), _QUERIES):
            rows = slice(first, first + _QUERIES)
            found.append(self._compare(queries[rows], groups, skipped[rows]))
            progress(min(first + _QUERIES, len(queries)))
        nearests = []
        for turn, group in enumerate(groups):
            one = Nearest(
                *(np.concatenate(part) for part in zip(*(each[turn] for each in found), strict=True))
            )
            own_place = np.full_like(skipped, -1) if turn else skipped
            _find_copies(queries, self.groups[group], own_place, one.distance, one.index, one.ties)
            nearests.append(one)
        return nearests

    def _compare(
        self, texts: Sequence[str], groups: Sequence[int], own: IntArray
    ) -> list[tuple[IntArray, IntArray, IntArray]]:
        """(distance, index, ties) of a block of queries in each group."""
        references = [text for group in groups for text in self.groups[group]]
        chosen = self._alike(texts, groups, own)
        held = np.arange(IN_PLACE + ANYWHERE) < np.array([[len(row)] for row in chosen])
        which = np.full(held.shape, -1)
        which[held] = np.concatenate(chosen)
        distances = np.full(held.shape, _FAR)
        distances[held] = cpdist(
            [text for text, row in zip(texts, chosen, strict=True) for _ in row],
            [references[i] for i in which[held].tolist()],
            scorer=Levenshtein.distance, dtype=np.int32, workers=self.workers,
        )  # fmt: skip
        found, low = [], 0
        for group in groups:
            high = low + len(self.groups[group])
            among = np.where((which >= low) & (which < high), distances, _FAR)
            best, at = among.min(axis=1), among.argmin(axis=1)
            there = best < _FAR
            index = np.where(there, which[np.arange(len(texts)), at] - low, 0)
            ties = np.where(there, (among == best[:, None]).sum(axis=1), 0)
            found.append((best.astype(np.int64), index, ties))
            low = high
        return found

    def _alike(self, texts: Sequence[str], groups: Sequence[int], own: IntArray) -> list[IntArray]:
        """For each query the places, in all groups one after the other, of the references most alike."""
        found = []
        for turn, (asked, most) in enumerate(zip(self._words(texts), (IN_PLACE, ANYWHERE), strict=True)):
            shared = np.hstack([(asked @ self._of(group)[turn]).toarray() for group in groups])
            rows = np.flatnonzero(own >= 0)
            shared[rows, own[rows]] = -1
            found.append(np.argpartition(-shared, min(most, shared.shape[1] - 1), axis=1)[:, :most])
        both = np.hstack(found)
        return [np.setdiff1d(row, [place]) for row, place in zip(both, own.tolist(), strict=True)]

    def _of(self, group: int) -> tuple[csr_array, csr_array]:
        """The words of a group, a column a reference."""
        if group not in self._known:
            short, long = self._words(self.groups[group])
            self._known[group] = csr_array(short.T), csr_array(long.T)
        return self._known[group]

    def _words(self, texts: Sequence[str]) -> tuple[csr_array, csr_array]:
        """Short words near their places, and long ones anywhere, (N, D) each."""
        size = max(2, len(self._letters))
        short = max(1, round(math.log(_SHORT, size)))
        long = max(1, math.floor(math.log(_LONG, size)))
        cut = [text[: self._longest] for text in texts]
        return (
            placed_kmer_matrix(cut, self._letters, short, _WIDTH, self._longest),
            kmer_matrix(texts, self._letters, long).astype(np.float32),
        )


def identity(
    distance: IntArray, queries: Sequence[str], references: Sequence[str]
) -> npt.NDArray[np.float64]:
    """1 - distance / longer length of query i and reference i, (N,); 1 for two empty sequences."""
    longer = [max(len(a), len(b), 1) for a, b in zip(queries, references, strict=True)]
    return 1.0 - distance / np.asarray(longer, dtype=np.float64)


def _find_copies(
    queries: Sequence[str],
    references: Sequence[str],
    skipped: IntArray,
    best: IntArray,
    index: IntArray,
    ties: IntArray,
) -> None:
    places: dict[str, list[int]] = {}
    for i, text in enumerate(references):
        places.setdefault(text, []).append(i)
    for i, text in enumerate(queries):
        same = places.get(text)
        if same is None:
            continue
        own = int(references[skipped[i]] == text) if skipped[i] >= 0 else 0
        if len(same) > own:
            # The second serves a query whose own place is the first.
            best[i], index[i], ties[i] = 0, same[int(same[0] == skipped[i])], len(same) - own


def _bound(
    queries: Sequence[str], references: Sequence[str], skipped: IntArray, best: IntArray, rows: IntArray
) -> None:
    """Lower ``best`` of the ``rows`` to their smallest Hamming distance + 1, by products of one-hot rows.

    One more than the bound, so that the search still finds every reference at the bound.
    """
    codes, wanted = letter_codes(references), letter_codes([queries[i] for i in rows.tolist()])
    letters = np.unique(codes)
    length = codes.shape[1]
    if length * len(letters) > _WIDEST:
        return
    for start in range(0, len(rows), _BLOCK):
        block = rows[start : start + _BLOCK]
        left = _one_hot(wanted[start : start + _BLOCK], letters)
        for first in range(0, len(references), _BLOCK):
            distances = length - left @ _one_hot(codes[first : first + _BLOCK], letters).T
            _leave_out(distances, skipped[block] - first)
            best[block] = np.minimum(best[block], distances.min(axis=1).astype(np.int64) + 1)


def _one_hot(codes: npt.NDArray[np.uint8], letters: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    return (codes[:, :, None] == letters).reshape(len(codes), -1).astype(np.float32)


def _cutoff(best: IntArray, texts: Sequence[str]) -> int | None:
    """Largest distance of interest; None where it is so large that looking for it costs more."""
    largest = int(best.max())
    return largest if largest <= max(map(len, texts)) // 4 else None


def _leave_out(distances: npt.NDArray[np.generic], columns: IntArray) -> None:
    """Push each row's own column out of reach."""
    rows = np.flatnonzero((columns >= 0) & (columns < distances.shape[1]))
    distances[rows, columns[rows]] = _FAR
