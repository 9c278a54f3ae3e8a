"""Distances between sequences and the edits that lead from one to another.

Levenshtein distance counts single-letter substitutions, insertions and deletions (Levenshtein 1966);
Hamming distance counts substitutions between sequences of one length.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import numpy.typing as npt
from rapidfuzz.distance import Levenshtein
from rapidfuzz.process import cdist, cpdist

from seqdesign.symbols import is_symbol

IntArray = npt.NDArray[np.int64]
CodeArray = npt.NDArray[Any]


def levenshtein(a: str, b: str) -> int:
    """Smallest number of single-letter substitutions, insertions and deletions that turn ``a`` into ``b``."""
    return int(Levenshtein.distance(a, b))


def levenshtein_pairs(first: Sequence[str], second: Sequence[str]) -> IntArray:
    """Distances between ``first[i]`` and ``second[i]``, shape (N,). ValueError if the counts differ."""
    if len(first) != len(second):
        raise ValueError(f"both lists must have the same length, got {len(first)} and {len(second)}")
    if len(first) == 0:
        return np.zeros(0, dtype=np.int64)
    distances = cpdist(first, second, scorer=Levenshtein.distance, dtype=np.int32)
    return np.asarray(distances, dtype=np.int64)


def levenshtein_matrix(first: Sequence[str], second: Sequence[str]) -> IntArray:
    """Distances between every ``first[i]`` and every ``second[j]``, shape (N, M)."""
    if len(first) == 0 or len(second) == 0:
        return np.zeros((len(first), len(second)), dtype=np.int64)
    distances = cdist(first, second, scorer=Levenshtein.distance, dtype=np.int32)
    return np.asarray(distances, dtype=np.int64)


def edit_list(original: str, revised: str) -> list[str]:
    """A shortest list of edits from ``original`` to ``revised``; its length is their Levenshtein distance.

    Positions are 1-based and count letters of ``original``:

    - ``A5G``: the A at position 5 becomes G,
    - ``del3T``: the T at position 3 is removed,
    - ``ins7C``: a C is inserted in front of position 7 (length + 1 appends it). Insertions at one place
      stand in the order in which their letters appear in ``revised``.

    Of equal letters in a row the first is the one that goes or comes, as in VCF files.
    """
    return [edit for edit, _ in placed_edits(original, revised)]


def placed_edits(original: str, revised: str) -> list[tuple[str, int]]:
    """``edit_list``, each edit with the place in ``revised``, from 0, of its letter or of what follows it."""
    edits = []
    # Its operations stand as far to the right as they can, those of reversed texts to the left.
    for operation in Levenshtein.editops(original[::-1], revised[::-1]):
        source = len(original) - operation.src_pos - (operation.tag != "insert")
        target = len(revised) - operation.dest_pos - (operation.tag != "delete")
        if operation.tag == "replace":
            edits.append((f"{original[source]}{source + 1}{revised[target]}", target))
        elif operation.tag == "delete":
            edits.append((f"del{source + 1}{original[source]}", target))
        else:
            edits.append((f"ins{source + 1}{revised[target]}", target))
    return edits[::-1]


def edits_in_frame(original: str, frame: str, revised: str) -> list[tuple[str, int]]:
    """``placed_edits`` of a revision that inserts and deletes no more than ``frame``, whose length it has.

    The shortest list where that keeps to it, else the frame's insertions and deletions, and substitutions.
    """
    if len(frame) != len(revised):
        raise ValueError(f"both must have the same length, got {len(frame)} and {len(revised)}")
    moves = placed_edits(original, frame)
    shortest = placed_edits(original, revised)
    if _num_indels(shortest) <= _num_indels(moves):
        return shortest
    gone = {int(edit[3:-1]) - 1: (edit, place) for edit, place in moves if edit.startswith("del")}
    new = {place: int(edit[3:-1]) for edit, place in moves if edit.startswith("ins")}
    found, source = [], 0
    for place, letter in enumerate(revised):
        if place in new:
            found.append((f"ins{new[place]}{letter}", place))
            continue
        while source in gone:
            found.append(gone[source])
            source += 1
        if original[source] != letter:
            found.append((f"{original[source]}{source + 1}{letter}", place))
        source += 1
    return found + [gone[i] for i in range(source, len(original)) if i in gone]


def _num_indels(edits: Sequence[tuple[str, int]]) -> int:
    return sum(edit.startswith(("del", "ins")) for edit, _ in edits)


def carry_over(original: str, known: str, revised: str) -> str:
    """``revised``, a revision of ``known``, with the letters of ``original`` wherever ``known`` is unchanged.

    ``known`` is ``original`` as a model reads it, letter by letter, so that words outside its vocabulary and
    masked letters, which it cannot write, are not lost. ValueError for other lengths.
    """
    if len(original) != len(known):
        raise ValueError(f"both must have the same length, got {len(original)} and {len(known)}")
    if original == known:
        return revised
    parts = []
    for step in Levenshtein.opcodes(known, revised):
        same = step.tag == "equal"
        text, start, end = (
            (original, step.src_start, step.src_end) if same else (revised, step.dest_start, step.dest_end)
        )
        parts.append(text[start:end])
    return "".join(parts)


WILD_TYPE = "WT"
MAX_NAMED = 10
"""Changes up to which a sequence is called by them."""
_NUMBER = re.compile(r"-?\d+")
_EDIT = re.compile(r"(?P<old>\D)(?P<at>\d+)(?P<new>\D)|del(?P<gone>\d+)\D|ins(?P<before>\d+)(?P<more>\D)")


def apply_edits(original: str, edits: Iterable[str]) -> str:
    """The sequence after these edits, in the notation of ``edit_list``; any subset of such a list will do.

    Raises ValueError for text that is no edit or a position that ``original`` does not have.
    """
    letters, inserted = list(original), defaultdict(list)
    for edit in edits:
        found = _EDIT.fullmatch(edit)
        place = int(next(filter(None, found.group("at", "gone", "before")))) if found else 0
        last = len(original) + bool(found and found["before"])
        if found is None or not 1 <= place <= last:
            raise ValueError(
                f"an edit of {len(original)} letters must be like A5G, del3T or ins7C, got {edit!r}"
            )
        if found["before"]:
            inserted[place - 1].append(found["more"])
        else:
            letters[place - 1] = found["new"] or ""
    return "".join("".join(inserted[i]) + letter for i, letter in enumerate([*letters, ""]))


def renumbered(edits: Iterable[str], first: int) -> list[str]:
    """Edits as ``edit_list`` writes them, where the first letter has the number ``first`` instead of 1."""
    return [_NUMBER.sub(lambda found: str(int(found[0]) + first - 1), edit, count=1) for edit in edits]


def variant_name(sequence: str, wild_type: str, first: int = 1) -> str:
    """A sequence by its changes: ``A42G:T50S``, ``del42A:ins50S``, ``WT``; "" for more than ``MAX_NAMED``.

    Letter by letter where lengths are alike and these are few, else a shortest list; case does not matter.
    """
    a, b = wild_type.upper(), sequence.upper()
    if len(a) == len(b):
        edits = [f"{old}{i}{new}" for i, (old, new) in enumerate(zip(a, b, strict=True), 1) if old != new]
    if len(a) != len(b) or len(edits) > MAX_NAMED:
        edits = edit_list(a, b)
    return (":".join(renumbered(edits, first)) or WILD_TYPE) if len(edits) <= MAX_NAMED else ""


def letter_codes(sequences: Sequence[str]) -> CodeArray:
    """Codes of ASCII letters and symbols, (N, L). ValueError for mixed lengths or other letters."""
    if len(sequences) == 0:
        return np.zeros((0, 0), dtype=np.uint8)
    length = len(sequences[0])
    for index, sequence in enumerate(sequences):
        if len(sequence) != length:
            raise ValueError(
                f"sequences must all have the length of the first ({length}), "
                f"got {len(sequence)} letters at index {index}"
            )
    joined = "".join(sequences)
    if not joined.isascii():
        wrong = next((c for c in joined if not c.isascii() and not is_symbol(c)), None)
        if wrong is None:
            return np.frombuffer(joined.encode("utf-32-le"), dtype="<u4").reshape(len(sequences), length)
        raise ValueError(f"sequences must consist of ASCII letters, got {wrong!r}")
    return np.frombuffer(joined.encode("ascii"), dtype=np.uint8).reshape(len(sequences), length)


def hamming_matrix(first: CodeArray, second: CodeArray) -> npt.NDArray[np.int32]:
    """Number of differing positions of every row of ``first`` (N, L) and of ``second`` (M, L), shape (N, M).

    Works on integer codes (see `letter_codes`) and adds up one position at a time, so memory stays at
    N x M. ValueError if the lengths differ.
    """
    if first.shape[1] != second.shape[1]:
        raise ValueError(f"both arrays must have the same length, got {first.shape[1]} and {second.shape[1]}")
    distances = np.zeros((len(first), len(second)), dtype=np.int32)
    for a, b in zip(first.T, np.ascontiguousarray(second.T), strict=True):
        distances += a[:, None] != b[None, :]
    return distances
