"""From aligned sequences to the letter heights of a logo, as (L, V) arrays: L positions, V letters."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
from numpy.typing import NDArray

FloatArray = NDArray[np.float64]

_BLOCK = 4096  # sequences counted at once


@dataclass(frozen=True)
class LetterCounts:
    """Letters counted at each position of those sequences that have the most frequent length."""

    counts: FloatArray
    """(L, V) how often letter v stands at position l; gaps and unknown letters are not counted."""
    letters: str
    """The V letters in column order."""
    used: float
    """How many sequences were counted; with weights, the sum of these. 0 where only shares are known."""
    total: float
    """How many sequences were given."""


def count_letters(sequences: Sequence[str], letters: str) -> LetterCounts:
    """Count ``letters`` (case-sensitive) per position.

    Sequences of different lengths have no common positions: only those of the most frequent length are
    counted (of several equally frequent lengths, the longest); ``used`` and ``total`` tell.
    Raises ValueError if there is no sequence with at least one position, or if a letter is listed twice.
    """
    if len(set(letters)) != len(letters) or not letters:
        raise ValueError(f"letters must be distinct and at least one, got {letters!r}")
    lengths = Counter(len(sequence) for sequence in sequences if sequence)
    if not lengths:
        raise ValueError(f"a logo needs at least one non-empty sequence, got {len(sequences)} sequences")
    length = max(lengths, key=lambda n: (lengths[n], n))
    chosen = [sequence for sequence in sequences if len(sequence) == length]
    counts = _counted(chosen, letters, None)
    return LetterCounts(counts, letters, len(chosen), len(sequences))


def count_weighted(sequences: Sequence[str], weights: FloatArray, letters: str) -> LetterCounts:
    """``count_letters`` of sequences of one length, of which each counts as often as its weight (N,) says."""
    total = float(weights.sum())
    return LetterCounts(_counted(sequences, letters, weights), letters, total, total)


def _counted(sequences: Sequence[str], letters: str, weights: FloatArray | None) -> FloatArray:
    """(L, V) counts of N sequences of one length, a block at a time."""
    counts = np.zeros((len(sequences[0]), len(letters)))
    for first in range(0, len(sequences), _BLOCK):
        some = sequences[first : first + _BLOCK]
        codes = np.frombuffer("".join(some).encode("utf-32-le"), dtype="<u4").reshape(len(some), -1)
        part = None if weights is None else weights[first : first + _BLOCK]
        for i, letter in enumerate(letters):
            here = codes == ord(letter)
            counts[:, i] += here.sum(axis=0) if part is None else part @ here
    return counts


def probabilities(counts: FloatArray, *, pseudocount: float = 0.0) -> FloatArray:
    """(L, V) counts -> (L, V) frequencies (count + c) / (row sum + c V); a row without counts is uniform."""
    raised = counts + pseudocount
    totals = raised.sum(axis=1, keepdims=True)
    uniform: FloatArray = np.full_like(raised, 1.0 / counts.shape[1])
    return np.divide(raised, totals, out=uniform, where=totals > 0)


def information(
    counts: FloatArray,
    *,
    small_sample: bool = True,
    pseudocount: float = 0.0,
    background: FloatArray | None = None,
) -> FloatArray:
    """Letter heights in bits, (L, V) -> (L, V) (Schneider & Stephens 1990, NAR 18:6097).

    With frequencies f(v, l), H(l) = -sum_v f log2 f and n(l) letters counted at position l::

        R(l) = log2 V - (H(l) + e(n(l))),   e(n) = (V - 1) / (2 n ln 2),   height(v, l) = f(v, l) R(l)

    With ``background`` frequencies b (V,), log2 V - H(l) becomes the relative entropy sum_v f log2(f / b),
    which is the same for equal b. e(n) corrects for the entropy that a small sample lacks; it needs counts,
    so a matrix of frequencies is only right with ``small_sample=False``. R below zero (fewer sequences than
    can say anything) counts as zero. Raises ValueError for frequencies given with ``small_sample=True``.
    """
    totals = counts.sum(axis=1)
    if small_sample and totals.size and np.all(totals <= 1.0 + 1e-9) and np.any(counts % 1.0 != 0):
        raise ValueError(
            "the small-sample correction needs counts, got frequencies (rows sum to 1); "
            "pass counts or small_sample=False"
        )
    letters = counts.shape[1]
    f = probabilities(counts, pseudocount=pseudocount)
    entropy = -np.sum(f * np.log2(np.where(f > 0, f, 1.0)), axis=1)
    expected = np.full(letters, 1.0 / letters) if background is None else background
    content = -entropy - f @ np.log2(expected)
    if small_sample:
        # An empty column already has R = 0; the floor of one only keeps the division defined.
        content = content - (letters - 1) / (2.0 * np.log(2.0) * np.maximum(totals, 1.0))
    heights: FloatArray = f * np.maximum(content, 0.0)[:, None]
    return heights


def difference(
    first: FloatArray,
    second: FloatArray,
    *,
    kind: Literal["probability", "log-odds"] = "probability",
    pseudocount: float = 1.0,
) -> FloatArray:
    """Second minus first, (L, V) counts each -> (L, V): positive where ``second`` prefers the letter.

    ``probability`` is p2 - p1 (no pseudocount); ``log-odds`` is log2(p2 / p1) in bits with ``pseudocount``
    added to every count, without which an unseen letter would be infinite.
    Raises ValueError for different shapes, or for log-odds with a pseudocount of zero or less.
    """
    if first.shape != second.shape:
        raise ValueError(
            f"both sets must have the same length and letters, got {first.shape} and {second.shape}"
        )
    if kind == "probability":
        return probabilities(second) - probabilities(first)
    if pseudocount <= 0:
        raise ValueError(f"log-odds need a pseudocount above 0, got {pseudocount}")
    p2, p1 = (probabilities(c, pseudocount=pseudocount) for c in (second, first))
    return np.log2(p2) - np.log2(p1)
