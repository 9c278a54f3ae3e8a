"""How alike two sequences are, 0 to 1: by edits, and by the score of their alignment."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import cache
from typing import Any

import numpy as np
from numpy.typing import NDArray

from seqdesign.metrics.edits import levenshtein_pairs

FloatArray = NDArray[np.float64]


def edit_similarity(first: Sequence[str], second: Sequence[str]) -> FloatArray:
    """1 - Levenshtein distance / length of the longer sequence, (P,); two empty sequences are alike."""
    longer = [max(len(a), len(b), 1) for a, b in zip(first, second, strict=True)]
    return 1 - levenshtein_pairs(first, second) / np.array(longer, dtype=np.float64)


def alignment_similarity(first: Sequence[str], second: Sequence[str], *, protein: bool) -> FloatArray:
    """Score of the best global alignment / the larger one of the two with themselves, (P,), 0 at least.

    Proteins: BLOSUM62, gaps 11 + 1 a letter, half a point a letter at the ends. Other letters: 1 and -1, gaps
    of 2 + 0.5 a letter.
    """
    align, own = _aligner(protein)
    scores = [
        align(a, b) / max(own(a), own(b)) if a and b else float(a == b)
        for a, b in zip(first, second, strict=True)
    ]
    return np.clip(np.array(scores, dtype=np.float64), 0.0, 1.0)


@cache
def _aligner(protein: bool) -> tuple[Callable[[str, str], float], Callable[[str], float]]:
    """The score of an alignment, and that of a sequence with itself."""
    from Bio.Align import PairwiseAligner, substitution_matrices

    aligner: Any = PairwiseAligner()
    aligner.mode = "global"
    matrix: Any = substitution_matrices.load("BLOSUM62") if protein else None
    if matrix is None:
        aligner.match_score, aligner.mismatch_score = 1.0, -1.0
        aligner.open_gap_score, aligner.extend_gap_score = -2.0, -0.5
        return aligner.score, lambda a: float(len(a))
    aligner.substitution_matrix = matrix
    aligner.open_gap_score, aligner.extend_gap_score, aligner.end_gap_score = -11.0, -1.0, -0.5
    own = {letter: max(1.0, float(matrix[letter, letter])) for letter in matrix.alphabet}
    return aligner.score, lambda a: sum(own[letter] for letter in a)
