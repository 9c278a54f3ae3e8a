"""What a pair of sequences is worth: the three ways to teach a similarity, and mutants as close relatives."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from seqdesign.metrics.likeness import alignment_similarity, edit_similarity
from seqdesign.sequences.alphabets import Alphabet

IntArray = NDArray[np.int64]
FloatArray = NDArray[np.float64]
Measure = Callable[[Sequence[str], Sequence[str]], FloatArray]
"""Similarities (P,) of first[p] and second[p]."""

GROUP = 32
"""Sequences of which all pairs are looked at."""
ALIGNED = 4
"""Partners of each sequence in a group where pairs are dear."""
SUBSTITUTIONS = 0.8
"""Share of substitutions among the edits of a mutant where lengths may differ; half of the rest insert."""


class Lesson(NamedTuple):
    """Sequences, by their numbers (S,), pairs (P,) of places among them, and how alike each pair is (P,)."""

    members: IntArray
    first: IntArray
    second: IntArray
    score: FloatArray


class Teacher(Protocol):
    """Rows to learn from."""

    num_rows: int
    mutants: int
    """The number of the first mutant; sequences from there on are made up."""

    def lesson(self, rows: IntArray) -> Lesson:
        """The pairs of some rows (B,)."""
        ...


def make_measure(name: str, alphabet: Alphabet) -> Measure:
    """``edits`` or ``alignment``."""
    if name == "edits":
        return edit_similarity
    return partial(alignment_similarity, protein=alphabet.name == "protein")


def make_mutants(texts: Sequence[str], letters: str, *, indels: bool, seed: int) -> list[str]:
    """A mutant of each text, with 1 edit to as many as half its letters; few edits are as common as many.

    Designs are such close relatives, and a data set has hardly any.
    """
    rng = np.random.default_rng(seed)
    found = []
    for text in texts:
        mutant = list(text)
        most = max(1, len(text) // 2)
        for _ in range(round(most ** float(rng.random()))):
            kind, place = rng.random(), int(rng.integers(max(1, len(mutant))))
            letter = letters[int(rng.integers(len(letters)))]
            if not indels or kind < SUBSTITUTIONS:
                mutant[place : place + 1] = letter
            elif kind < (1 + SUBSTITUTIONS) / 2 or len(mutant) < 2:
                mutant.insert(place, letter)
            else:
                del mutant[place]
        found.append("".join(mutant))
    return found


class MeasureTeacher:
    """Sequences 0 .. N-1, their mutants N .. 2N-1, and a measure of two texts; a row is a sequence."""

    def __init__(self, texts: Sequence[str], measure: Measure, *, dear: bool) -> None:
        self.texts, self.measure, self.dear = list(texts), measure, dear
        self.num_rows = self.mutants = len(self.texts) // 2

    def lesson(self, rows: IntArray) -> Lesson:
        """All pairs of the sequences and their mutants, group by group; of dear ones a few partners each."""
        members = np.concatenate([np.stack([part, part + self.num_rows]).ravel() for part in groups(rows)])
        pairs, start = [], 0
        for part in groups(rows):
            pairs.append(self._partners(2 * len(part)) + start)
            start += 2 * len(part)
        first, second = np.concatenate(pairs, axis=1)
        texts = [self.texts[i] for i in members]
        score = self.measure([texts[i] for i in first], [texts[i] for i in second])
        return Lesson(members, first, second, score)

    def _partners(self, count: int) -> IntArray:
        """(2, P) pairs among ``count`` members, the second half of which are mutants of the first."""
        if not self.dear:
            return all_pairs(count)
        places = np.arange(count)
        steps = [count // 2, *range(1, min(ALIGNED, count))]
        found = np.concatenate([np.stack([places, (places + step) % count]) for step in steps], axis=1)
        found = np.unique(np.sort(found, axis=0), axis=1)
        return found[:, found[0] != found[1]]


class LabelTeacher:
    """Families (N,) as numbers; as many unlike pairs as there are alike ones. A row is a sequence."""

    def __init__(self, families: IntArray) -> None:
        self.families = families
        self.num_rows = self.mutants = len(families)

    def lesson(self, rows: IntArray) -> Lesson:
        """All pairs within families, and as many across, spread over the groups."""
        pairs, start = [], 0
        for part in groups(rows):
            pairs.append(all_pairs(len(part)) + start)
            start += len(part)
        first, second = np.concatenate(pairs, axis=1)
        alike = self.families[rows[first]] == self.families[rows[second]]
        kept, other = np.flatnonzero(alike), np.flatnonzero(~alike)
        if 0 < len(kept) < len(other):
            other = other[np.linspace(0, len(other) - 1, len(kept)).astype(np.int64)]
        chosen = np.concatenate([kept, other])
        return Lesson(rows, first[chosen], second[chosen], alike[chosen].astype(np.float64))


class PairTeacher:
    """Given similarities (P,) of sequences first (P,) and second (P,); a row is a pair."""

    def __init__(self, num_sequences: int, first: IntArray, second: IntArray, score: FloatArray) -> None:
        self.first, self.second, self.score = first, second, score
        self.num_rows, self.mutants = len(first), num_sequences

    def lesson(self, rows: IntArray) -> Lesson:
        """The pairs themselves."""
        members = np.concatenate([self.first[rows], self.second[rows]])
        places = np.arange(len(rows))
        return Lesson(members, places, places + len(rows), self.score[rows])


def groups(rows: IntArray) -> list[IntArray]:
    """``rows`` in parts of at most GROUP."""
    return [rows[i : i + GROUP] for i in range(0, len(rows), GROUP)]


def all_pairs(count: int) -> IntArray:
    """(2, P) all pairs of places below ``count``."""
    return np.stack(np.triu_indices(count, 1)).astype(np.int64)
