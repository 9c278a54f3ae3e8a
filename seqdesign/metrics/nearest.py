"""The nearest of many reference sequences to each query, by Levenshtein distance, in bounded memory."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist

from seqdesign.metrics.edits import letter_codes

IntArray = npt.NDArray[np.int64]

_CELLS = 2_000_000  # pairs at once: 8 MB of distances
_QUERIES = 64
_BLOCK = 1024
_WIDEST = 4096  # columns of a one-hot row from which comparing is as quick
_FAR = np.iinfo(np.int32).max // 2


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
