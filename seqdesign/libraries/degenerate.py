"""Degenerate codes: IUPAC letters that stand for several bases, and triplets of them for amino acids.

A set of letters is a mask, bit i for letter i of ``Codes.letters``. The size of a code is the number of DNA
sequences that it stands for; a library's size is the product over its positions.
"""

from __future__ import annotations

import functools
import itertools
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from seqdesign.errors import UsageError
from seqdesign.sequences.alphabets import STOP, get_alphabet
from seqdesign.sequences.genetic_code import genetic_code

GAP = "-"
NEVER = 255
"""Size of a set of letters that no code covers."""


@dataclass(frozen=True, eq=False)
class Codes:
    """All degenerate codes of one kind, and the smallest that covers any set of letters.

    letters: the M letters that codes stand for. codes: K codes. masks: (K,) int64, the letters of each.
    sizes: (K,) int64, how many DNA sequences each stands for. smallest: (2^M,) uint8, the least size of a
    code that covers the mask, `NEVER` where there is none.
    """

    letters: str
    codes: tuple[str, ...]
    masks: NDArray[np.int64]
    sizes: NDArray[np.int64]
    smallest: NDArray[np.uint8]

    def mask(self, letters: str) -> int:
        """The bits of some letters."""
        return sum(1 << self.letters.index(letter) for letter in set(letters))

    def covered(self, code: str) -> str:
        """The letters that a code stands for, in order."""
        mask = int(self.masks[self.codes.index(code)])
        return "".join(letter for i, letter in enumerate(self.letters) if mask >> i & 1)

    def size(self, code: str) -> int:
        """How many DNA sequences a code stands for."""
        return int(self.sizes[self.codes.index(code)])

    def best(self, letters: str, usage: Mapping[str, float] | None = None) -> str:
        """The smallest code that covers these letters; among equals one without a stop codon and with the
        fewest letters that are not wanted, then that of the codons used most on average, then the first.

        usage: codon -> how often it is used, larger is better. Raises UsageError if there is no code.
        """
        wanted = self.mask(letters)
        fits = np.flatnonzero((self.masks & wanted) == wanted)
        if not len(fits):
            raise UsageError(f"no degenerate code stands for the letters {''.join(sorted(letters))}")
        fits = fits[self.sizes[fits] == self.sizes[fits].min()]
        stop = self.mask(STOP) if STOP in self.letters and STOP not in letters else 0

        def order(i: int) -> tuple[bool, int, float, str]:
            extra = int(self.masks[i]) & ~wanted
            used = [usage.get(codon, 0.0) for codon in expansions(self.codes[i])] if usage else [0.0]
            return bool(extra & stop), extra.bit_count(), -sum(used) / len(used), self.codes[i]

        return self.codes[min(fits.tolist(), key=order)]


def iupac() -> dict[str, str]:
    """Code -> bases, the four bases included."""
    dna = get_alphabet("dna")
    return {base: base for base in dna.letters} | dict(dna.ambiguity)


def expansions(code: str) -> Iterator[str]:
    """All DNA sequences that a sequence of IUPAC codes stands for."""
    table = iupac()
    for bases in itertools.product(*(table[letter] for letter in code)):
        yield "".join(bases)


@functools.cache
def base_codes() -> Codes:
    """The 15 IUPAC codes of bases."""
    table = iupac()
    return _codes("ACGT", [(code, bases, len(bases)) for code, bases in table.items()])


@functools.cache
def codon_codes(stops: bool = True) -> Codes:
    """The 3,375 degenerate codons, or those of them that hold no stop codon.

    Without stops a library has no truncated proteins, and some sets of amino acids need larger codons.
    """
    letters = "ACDEFGHIKLMNPQRSTVWY" + STOP
    table, code_of = iupac(), genetic_code().acids
    found = []
    for triplet in itertools.product(table, repeat=3):
        acids = {code_of["".join(bases)] for bases in itertools.product(*(table[c] for c in triplet))}
        if stops or STOP not in acids or acids == {STOP}:
            found.append(("".join(triplet), "".join(acids), math.prod(len(table[c]) for c in triplet)))
    return _codes(letters, found)


def _codes(letters: str, rows: list[tuple[str, str, int]]) -> Codes:
    """The table of the smallest sizes is filled from single codes down to all subsets of their letters."""
    masks = np.array([sum(1 << letters.index(c) for c in found) for _, found, _ in rows], dtype=np.int64)
    sizes = np.array([size for _, _, size in rows], dtype=np.int64)
    smallest = np.full(1 << len(letters), NEVER, dtype=np.uint8)
    np.minimum.at(smallest, masks, sizes.astype(np.uint8))
    for bit in range(len(letters)):
        pairs = smallest.reshape(-1, 2, 1 << bit)
        np.minimum(pairs[:, 0], pairs[:, 1], out=pairs[:, 0])
    smallest[0] = 1
    return Codes(letters, tuple(code for code, _, _ in rows), masks, sizes, smallest)
