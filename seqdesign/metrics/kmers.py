"""How often each k-mer (word of k letters) stands in each sequence, as a sparse matrix."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from scipy.sparse import csr_array

MOST_COLUMNS = 1 << 20
_OTHER = -1


def kmer_matrix(sequences: Sequence[str], letters: str, k: int) -> csr_array:
    """Counts (N, D) of the overlapping words of ``k`` letters; a word with any other letter is not counted.

    With V letters, D = V^k and column sum_j index(letter j) V^(k-1-j) is a word, so words are in the
    alphabetic order of ``letters``; where V^k is over a million, D counts the words that occur, in the same
    order. A sequence shorter than k has a row of zeros. ValueError for k < 1 or a letter listed twice.
    """
    owner, words, _ = _find_words(sequences, letters, k)
    columns = len(letters) ** k
    if columns > MOST_COLUMNS:
        found, words = np.unique(words, return_inverse=True)
        columns = len(found)
    ones = np.ones(len(words))
    return csr_array((ones, (owner, words)), shape=(len(sequences), columns))


def placed_kmer_matrix(sequences: Sequence[str], letters: str, k: int, width: int, length: int) -> csr_array:
    """Counts (N, D) of the words of ``k`` letters near each place, 32 bits; letters as in ``kmer_matrix``.

    Places are 0, ``width``, 2 ``width`` ... up to beyond ``length``, that of the longest sequence. A word
    counts for the two places around its first letter, together once, and more for the nearer one, so rows of
    sequences that are a few letters out of step still are alike. ValueError as for ``kmer_matrix``.
    """
    owner, words, places = _find_words(sequences, letters, k)
    num = length // width + 2
    before, beyond = np.divmod(places, width)
    share = (beyond / width).astype(np.float32)
    columns = words * num + before
    return csr_array(
        (np.concatenate([1 - share, share]), (np.tile(owner, 2), np.concatenate([columns, columns + 1]))),
        shape=(len(sequences), len(letters) ** k * num),
    )


def indicator(labels: npt.NDArray[np.int64], num: int) -> csr_array:
    """Sparse one-hot rows (N, num) of ``labels`` (N,), each in 0 .. num - 1."""
    rows = np.arange(len(labels))
    return csr_array((np.ones(len(labels)), (rows, labels)), shape=(len(labels), num))


def position_matrix(sequences: Sequence[str], letters: str) -> csr_array:
    """One-hot rows (N, L V) of sequences of one length L; column l V + v is letter v at position l.

    Letters outside ``letters`` leave their position empty. ValueError for sequences of different lengths.
    """
    codes, lengths = _joined_codes(sequences, letters)
    length = int(lengths[0]) if len(lengths) else 0
    if (lengths != length).any():
        raise ValueError(f"sequences must have one length, got {int(lengths.min())} to {int(lengths.max())}")
    table = codes.reshape(len(sequences), length + 1)[:, :length]
    rows, places = np.nonzero(table != _OTHER)
    columns = places * len(letters) + table[rows, places]
    return csr_array((np.ones(len(rows)), (rows, columns)), shape=(len(sequences), length * len(letters)))


def _find_words(
    sequences: Sequence[str], letters: str, k: int
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Whose each word is, which it is, and where in its sequence it begins."""
    if k < 1:
        raise ValueError(f"k must be at least 1, got {k}")
    codes, lengths = _joined_codes(sequences, letters)
    num = max(0, len(codes) - k + 1)
    words = np.zeros(num, dtype=np.int64)
    sound = np.ones(num, dtype=bool)
    for j in range(k):
        part = codes[j : j + num]
        words = words * len(letters) + part
        sound &= part != _OTHER
    owner = np.repeat(np.arange(len(sequences)), lengths + 1)[:num][sound]
    first = np.cumsum(lengths + 1) - lengths - 1
    return owner, words[sound], np.flatnonzero(sound) - first[owner]


def _joined_codes(
    sequences: Sequence[str], letters: str
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """All sequences, a separator after each, as letter indices with ``_OTHER`` for others; and lengths."""
    if not letters or len(set(letters)) != len(letters):
        raise ValueError(f"letters must be different and at least one, got {letters!r}")
    lengths = np.fromiter(map(len, sequences), dtype=np.int64, count=len(sequences))
    return letter_places("\0".join([*sequences, ""]), letters, other=_OTHER), lengths


def letter_places(text: str, letters: str, *, other: int) -> npt.NDArray[np.int64]:
    """The place of each character of ``text`` among ``letters``, ``other`` for one that is not there."""
    if letters.isascii():
        table = np.full(256, other, dtype=np.int64)
        table[np.frombuffer(letters.encode("ascii"), dtype=np.uint8)] = np.arange(len(letters))
        return table[np.frombuffer(text.encode("ascii", errors="replace"), dtype=np.uint8)]
    known = np.array(sorted(map(ord, letters)))
    place = np.array([letters.index(chr(point)) for point in known])
    points = np.frombuffer(text.encode("utf-32-le"), dtype="<u4")
    at = np.searchsorted(known, points).clip(max=len(known) - 1)
    return np.where(known[at] == points, place[at], other)
