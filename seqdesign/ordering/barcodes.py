"""Barcodes that can be told apart after one sequencing error."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Literal

import numpy as np

from seqdesign.errors import InputError

Errors = Literal["edits", "substitutions"]
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
    """``num`` barcodes of ``length`` bases that one error never confuses, drawn at random in turn.

    What can be read in the place of a barcode after one error can be read for no other barcode, nor for the
    reverse complement of any. errors: ``edits`` (a substitution, an insertion, or a deletion, which draws the
    next base of the construct, whichever it is, into the place) or ``substitutions`` (more barcodes of one
    length). Any two are then 3 errors apart, but 3 apart is not enough where a deletion shifts the
    neighbours (Buschmann and Bystrykh 2013). No base stands more than twice in a row, 40 to 60% are G or C.
    avoid: DNA in which no barcode, nor its reverse complement, may occur. forbidden: words that no barcode
    may hold.

    Raises InputError where so many are not found.
    """
    rng = np.random.default_rng(seed)
    known = _words(avoid, length)
    found: list[str] = []
    taken: set[str] = set()
    in_vain = 0
    while in_vain < _IN_VAIN:
        for row in rng.integers(0, 4, (_BLOCK, length)):
            word = "".join("ACGT"[i] for i in row)
            in_vain += 1
            if not _is_plain(word) or word in known or any(part in word for part in forbidden):
                continue
            read = misreadings(word, errors)
            turned = misreadings(word.translate(_COMPLEMENT)[::-1], errors)
            if not read.isdisjoint(turned) or not read.isdisjoint(taken) or not turned.isdisjoint(taken):
                continue
            found.append(word)
            taken |= read | turned
            in_vain = 0
            if len(found) == num:
                return found
    raise InputError(
        f"only {len(found):,} barcodes of {length} bases survive one error ({errors}), {num:,} are needed; "
        "make them longer with --barcode-length"
    )


def misreadings(barcode: str, errors: Errors) -> set[str]:
    """All words of its length that may stand in the place of a barcode after at most one error."""
    found = {
        barcode[:i] + base + barcode[i + 1 :] for i in range(len(barcode)) for base in "ACGT"
    }  # itself among them
    if errors == "edits":
        for i in range(len(barcode)):
            shorter = barcode[:i] + barcode[i + 1 :]
            for base in "ACGT":
                longer = barcode[:i] + base + barcode[i:]
                # The place is found from one side or the other.
                found |= {shorter + base, base + shorter, longer[:-1], longer[1:]}
    return found


def _is_plain(word: str) -> bool:
    """Whether no base stands more than twice in a row and the share of G and C is right."""
    share = sum(base in "GC" for base in word) / len(word)
    runs = any(base * (LONGEST_RUN + 1) in word for base in "ACGT")
    return GC[0] <= share <= GC[1] and not runs


def _words(texts: Iterable[str], length: int) -> set[str]:
    """All words of so many bases in the texts, and their reverse complements."""
    words = {text[i : i + length] for text in texts for i in range(len(text) - length + 1)}
    return words | {word.translate(_COMPLEMENT)[::-1] for word in words}
