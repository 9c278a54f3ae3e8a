"""Barcodes that can be told apart after one sequencing error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np
from rapidfuzz.distance import Hamming, Levenshtein
from rapidfuzz.process import extractOne

from seqdesign.errors import InputError

Errors = Literal["edits", "substitutions"]
DISTANCE = 3
"""Distance at which one error is corrected: the wrong word is nearer to its own barcode than to any other."""
LONGEST_RUN = 2
GC = (0.4, 0.6)
_BLOCK = 1024
_IN_VAIN = 20_000
"""Draws in a row without a new barcode after which there are taken to be no more."""
_COMPLEMENT = str.maketrans("ACGT", "TGCA")


def barcodes(
    num: int,
    length: int,
    *,
    errors: Errors = "edits",
    avoid: Iterable[str] = (),
    forbidden: Sequence[str] = (),
    seed: int = 0,
) -> list[str]:
    """``num`` barcodes of ``length`` bases, pairwise at distance 3 or more, drawn at random in turn.

    errors: ``edits`` (Levenshtein distance: substitutions, insertions and deletions) or ``substitutions``
    (Hamming distance, more barcodes of one length). No base stands more than twice in a row, 40 to 60% are G
    or C, none is its own reverse complement or nearer than the distance to that of another. avoid: DNA in
    which no barcode, nor its reverse complement, may occur. forbidden: words that no barcode may hold.

    Raises InputError where so many are not found.
    """
    rng = np.random.default_rng(seed)
    near = Levenshtein.distance if errors == "edits" else Hamming.distance
    known = _words(avoid, length)
    found: list[str] = []
    both: list[str] = []
    in_vain = 0
    while in_vain < _IN_VAIN:
        for row in rng.integers(0, 4, (_BLOCK, length)):
            word = "".join("ACGT"[i] for i in row)
            in_vain += 1
            if not _is_plain(word) or word in known or any(part in word for part in forbidden):
                continue
            back = word.translate(_COMPLEMENT)[::-1]
            if near(word, back) < DISTANCE:
                continue
            if extractOne(word, both, scorer=near, score_cutoff=DISTANCE - 1) is not None:
                continue
            found.append(word)
            both += [word, back]
            in_vain = 0
            if len(found) == num:
                return found
    raise InputError(
        f"only {len(found):,} barcodes of {length} bases are {DISTANCE} {errors} apart, {num:,} are needed; "
        "make them longer with --barcode-length"
    )


def _is_plain(word: str) -> bool:
    """Whether no base stands more than twice in a row and the share of G and C is right."""
    share = sum(base in "GC" for base in word) / len(word)
    runs = any(base * (LONGEST_RUN + 1) in word for base in "ACGT")
    return GC[0] <= share <= GC[1] and not runs


def _words(texts: Iterable[str], length: int) -> set[str]:
    """All words of so many bases in the texts, and their reverse complements."""
    words = {text[i : i + length] for text in texts for i in range(len(text) - length + 1)}
    return words | {word.translate(_COMPLEMENT)[::-1] for word in words}
